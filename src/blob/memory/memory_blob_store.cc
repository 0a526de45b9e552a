#include "blob/memory/memory_blob_store.h"

#include <map>

#include "os/sync.h"

namespace tidemill::blob {

namespace {

class MemoryBlobStore : public BlobStore {
 public:
  Result<Sha256> put(std::string_view bytes) override {
    const Sha256 name = sha256(bytes);
    const os::Lock lock(mutex_);
    blobs_.try_emplace(name, std::make_shared<const std::string>(bytes));
    return name;
  }

  Result<SharedBytes> get(const Sha256& name) override {
    const os::Lock lock(mutex_);
    const auto found = blobs_.find(name);
    if (found == blobs_.end()) return Error{ErrorCode::not_found, "get blob " + hex(name)};
    return found->second;
  }

  bool has(const Sha256& name) override {
    const os::Lock lock(mutex_);
    return blobs_.contains(name);
  }

 private:
  os::Mutex mutex_;
  std::map<Sha256, SharedBytes> blobs_ GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<BlobStore> open_memory() { return std::make_unique<MemoryBlobStore>(); }

}  // namespace tidemill::blob
