#pragma once
// A store in memory, for tests, the simulator and stateless runs: the same door and the same
// answers as the others, nothing durable. What it holds is apart from the store, so that a
// "crashed" store can be opened again on the same contents. Commits never fail. Threads as store.h
// says.
#include <memory>

#include "store/store.h"

namespace tidemill::store {

class MemoryContents;
std::shared_ptr<MemoryContents> make_memory_contents();

std::unique_ptr<Store> open_memory(std::shared_ptr<MemoryContents> contents);
std::unique_ptr<Store> open_memory();  // on contents of its own

}  // namespace tidemill::store
