#pragma once
// Blobs in memory, for tests and the simulator: the same answers as on disk, nothing durable. Any
// thread.
#include <memory>

#include "blob/blob.h"

namespace tidemill::blob {

std::unique_ptr<BlobStore> open_memory();

}  // namespace tidemill::blob
