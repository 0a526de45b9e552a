#pragma once
// BlobStore: bytes kept under the name of their SHA-256. Put is idempotent and durable when it
// returns (disk: written to a temporary name, fsynced, renamed, folder fsynced); get checks the
// hash. Owned by main; any thread may call it.
#include <string_view>

#include "base/hash.h"
#include "base/result.h"
#include "model/records.h"

namespace tidemill::blob {

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  virtual Result<Sha256> put(std::string_view bytes) = 0;    // disk_full, io
  virtual Result<SharedBytes> get(const Sha256& name) = 0;  // not_found, corrupt, io
  virtual bool has(const Sha256& name) = 0;
};

}  // namespace tidemill::blob
