#pragma once
// Files, folders and the lock that says who owns a store. Everything that is written here is
// durable when the call that says so returns: a new name is durable once its folder is synced too.
// Errors carry the path and what the system said, as disk_full, denied, not_found, too_large or io.
// Any thread; one File belongs to one thread at a time.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tidemill::os {

// What errno `number` means, as an Error: "write a.db: No space left on device".
Error system_error(int number, std::string_view doing, std::string_view path);

// An open descriptor, closed by the destructor and never inherited by a child process.
class File {
 public:
  enum class Mode : uint8_t {
    read,
    look,    // read, without waiting for the other end of a pipe
    create,  // and write; a file of that name is an error (conflict)
    append,  // and create when there is none
    lock,    // read and write, create when there is none, keep what is in it
  };
  static Result<File> open(std::string path, Mode mode);

  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  Status write(std::string_view bytes);  // all of them, or an error
  // From the present position to the end, or until there are more than `more_than` bytes.
  Result<std::string> read_all(uint64_t more_than = UINT64_MAX);
  Status truncate();                     // to nothing; the position goes to the beginning
  Status sync();  // after a failure nothing is known about what was written before
  int descriptor() const { return fd_; }
  const std::string& path() const { return path_; }

 private:
  File(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  int fd_ = -1;
  std::string path_;
};

Result<std::string> read_file(const std::string& path);
// The same for a file that a person names: at most `max` bytes (else too_large), and no folder,
// device or pipe (invalid), which could give bytes for ever or wait for somebody to write.
Result<std::string> read_regular_file(const std::string& path, uint64_t max);
// The file has either its old or its new bytes, also after a power loss; durable when it returns.
Status write_file_atomic(const std::string& path, std::string_view bytes);

// Makes the names in a folder durable: new files, renames, removals.
Status sync_folder(const std::string& path);
Status make_folders(const std::string& path);  // and those above it, durable
Status rename_file(const std::string& from, const std::string& to);
Status remove_file(const std::string& path);  // not_found when there is none
bool exists(const std::string& path);
Result<uint64_t> file_size(const std::string& path);
// Which file stands under a name, and how many names it has.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t number = 0;
  uint64_t names = 0;
  bool is_same_file(const FileIdentity& other) const {
    return device == other.device && number == other.number;
  }
};
Result<FileIdentity> file_identity(const std::string& path);
// The path without symbolic links, as far as it exists.
std::string resolve_links(const std::string& path);
Result<std::vector<std::string>> list_folder(const std::string& path);  // names, sorted
std::string folder_of(const std::string& path);  // "." when the path has no folder in it

struct LockOwner {
  int64_t pid = 0;  // 0: the file does not say
  std::string host;
};
std::string to_string(const LockOwner& owner);  // "process 4711 on host alpha"

// The exclusive right to a store, held by a flock on a file beside it that names the holder. The
// system lets go of it when the process ends, however it ends; the file itself stays. flock and not
// a lock of fcntl, because those vanish when any descriptor of the file is closed.
class FileLock {
 public:
  // Errors: conflict, with the owner's pid and host; denied, disk_full, io.
  static Result<FileLock> take(const std::string& path);
  // Who holds it now, if anybody does. Takes nothing.
  static std::optional<LockOwner> owner(const std::string& path);

 private:
  explicit FileLock(File file) : file_(std::move(file)) {}
  File file_;
};

}  // namespace tidemill::os
