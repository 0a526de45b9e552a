#include "blob/disk/disk_blob_store.h"

#include <atomic>

namespace tidemill::blob {

namespace {

class DiskBlobStore : public BlobStore {
 public:
  enum class Access : uint8_t { write, read };
  DiskBlobStore(std::string folder, Access access, DiskOptions options)
      : folder_(std::move(folder)), access_(access), options_(std::move(options)) {}

  Status clean();

  Result<Sha256> put(std::string_view bytes) override;
  Result<SharedBytes> get(const Sha256& name) override;
  bool has(const Sha256& name) override { return os::exists(path_of(name)); }

 private:
  std::string new_folder() const { return folder_ + "/new"; }
  std::string path_of(const Sha256& name) const;
  Status write(const std::string& path, std::string_view bytes);

  const std::string folder_;
  const Access access_;
  const DiskOptions options_;
  std::atomic<uint64_t> next_ = 1;  // number of a temporary file
};

std::string DiskBlobStore::path_of(const Sha256& name) const {
  const std::string text = hex(name);
  return folder_ + "/" + text.substr(0, 2) + "/" + text;
}

Result<Sha256> DiskBlobStore::put(std::string_view bytes) {
  const Sha256 name = sha256(bytes);
  const std::string path = path_of(name);
  if (access_ == Access::read) return Error{ErrorCode::denied, folder_ + " is open to read"};
  const auto size = os::file_size(path);
  if (size.ok() && *size == bytes.size()) {
    // Whoever wrote it may have died before its name was durable.
    TIDEMILL_CHECK(os::sync_folder(os::folder_of(path)));
    return name;
  }
  TIDEMILL_CHECK(os::make_folders(new_folder()));
  TIDEMILL_CHECK(os::make_folders(os::folder_of(path)));
  Status written = write(path, bytes);
  if (!written.ok()) return std::move(written).error().with("put blob " + hex(name));
  return name;
}

// temporary name → bytes → fsync → rename → fsync of the folder: whatever is under its own name is
// whole.
Status DiskBlobStore::write(const std::string& path, std::string_view bytes) {
  const std::string temporary = new_folder() + "/" + std::to_string(next_.fetch_add(1));
  const auto steps = [&]() -> Status {
    TIDEMILL_TRY(os::File file, os::File::open(temporary, os::File::Mode::create));
    TIDEMILL_CHECK(options_.write(file, bytes));
    TIDEMILL_CHECK(file.sync());
    return os::rename_file(temporary, path);
  };
  if (Status done = steps(); !done.ok()) {
    static_cast<void>(os::remove_file(temporary));  // Else the next open removes it.
    return done;
  }
  return os::sync_folder(os::folder_of(path));
}

Result<SharedBytes> DiskBlobStore::get(const Sha256& name) {
  auto bytes = os::read_file(path_of(name));
  if (!bytes.ok()) return std::move(bytes).error().with("get blob " + hex(name));
  if (sha256(*bytes) != name) {
    return Error{ErrorCode::corrupt, "blob " + path_of(name) + ": its bytes have another hash"};
  }
  return std::make_shared<const std::string>(std::move(bytes).value());
}

Status DiskBlobStore::clean() {
  if (!os::exists(new_folder())) return Ok{};
  TIDEMILL_TRY(const auto names, os::list_folder(new_folder()));
  for (const std::string& name : names) TIDEMILL_CHECK(os::remove_file(new_folder() + "/" + name));
  return Ok{};
}

}  // namespace

Result<std::unique_ptr<BlobStore>> open_disk(const std::string& folder, DiskOptions options) {
  auto store =
      std::make_unique<DiskBlobStore>(folder, DiskBlobStore::Access::write, std::move(options));
  if (Status clean = store->clean(); !clean.ok()) {
    return std::move(clean).error().with("open blobs " + folder);
  }
  return std::unique_ptr<BlobStore>(std::move(store));
}

Result<std::unique_ptr<BlobStore>> open_disk_reader(const std::string& folder) {
  return std::unique_ptr<BlobStore>(
      std::make_unique<DiskBlobStore>(folder, DiskBlobStore::Access::read, DiskOptions{}));
}

}  // namespace tidemill::blob
