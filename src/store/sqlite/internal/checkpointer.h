#pragma once
// Checkpointer: copies the log into the file on a thread and connection of its own, so that commits
// do not wait for it and the log's space is used again instead of growing. The log starts over at
// the first commit that finds all of it copied and read by nobody; under steady writing that moment
// never comes by itself, so the last few pages are copied while commits are held up. Owned by the
// store.
#include <atomic>
#include <cstdint>
#include <memory>

#include "os/sync.h"
#include "os/thread.h"
#include "store/sqlite/internal/database.h"

namespace tidemill::store {

class Checkpointer {
 public:
  // `commits` is held by whoever writes.
  Checkpointer(std::unique_ptr<Database> db, os::Mutex& commits, uint64_t log_pages);
  ~Checkpointer();

  void committed(uint64_t pages_in_log);  // after each commit, on the writer's thread

 private:
  void run();
  void copy_all();

  std::unique_ptr<Database> db_;
  os::Mutex& commits_;
  const uint64_t log_pages_;
  os::Mutex mutex_;
  os::Condition wake_;
  bool wanted_ GUARDED_BY(mutex_) = false;
  bool stop_ GUARDED_BY(mutex_) = false;
  os::Thread thread_;
};

}  // namespace tidemill::store
