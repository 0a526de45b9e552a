#pragma once
// Blobs in a folder beside the store: FOLDER/ab/abcd… by the hex of the hash, written under
// FOLDER/new first. The folder is made with the first blob. Whoever owns the store owns the folder;
// readers may look on. Any thread.
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "blob/blob.h"
#include "os/file.h"

namespace tidemill::blob {

struct DiskOptions {
  // How bytes reach a file; tests put a full disk here.
  std::function<Status(os::File&, std::string_view)> write =
      [](os::File& file, std::string_view b) { return file.write(b); };
};

// Removes what an earlier process was writing when it died. Errors: denied, io.
Result<std::unique_ptr<BlobStore>> open_disk(const std::string& folder, DiskOptions options = {});

// Reads what is there; put() is refused (denied). The folder need not exist.
Result<std::unique_ptr<BlobStore>> open_disk_reader(const std::string& folder);

}  // namespace tidemill::blob
