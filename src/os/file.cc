#include "os/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "os/clock.h"

namespace tidemill::os {

Error system_error(int number, std::string_view doing, std::string_view path) {
  const auto code = [number] {
    switch (number) {
      case ENOSPC:
      case EDQUOT:
      case EFBIG:  // a limit on the size of files, which is as good as a full disk
        return ErrorCode::disk_full;
      case EACCES:
      case EPERM:
      case EROFS:
        return ErrorCode::denied;
      case ENOENT:
      case ENOTDIR:
        return ErrorCode::not_found;
      case EEXIST:
        return ErrorCode::conflict;
      case ENAMETOOLONG:
        return ErrorCode::too_large;
      default:
        return ErrorCode::io;
    }
  }();
  std::string text(doing);
  text.append(" ").append(path).append(": ").append(std::generic_category().message(number));
  return {code, std::move(text)};
}

namespace {

int flags_of(File::Mode mode) {
  switch (mode) {
    case File::Mode::read:
      return O_RDONLY;
    case File::Mode::look:
      return O_RDONLY | O_NONBLOCK | O_NOCTTY;
    case File::Mode::create:
      return O_WRONLY | O_CREAT | O_EXCL;
    case File::Mode::append:
      return O_WRONLY | O_CREAT | O_APPEND;
    case File::Mode::lock:
      return O_RDWR | O_CREAT;
  }
  return O_RDONLY;
}

std::string kind_of_file(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  if (S_ISFIFO(mode)) return "a pipe";
  return "no regular file";
}

// Calls a system function again while a signal interrupts it.
template <class Call>
auto uninterrupted(Call call) {
  auto r = call();
  while (r == -1 && errno == EINTR) r = call();
  return r;
}

}  // namespace

Result<File> File::open(std::string path, Mode mode) {
  const int fd =
      uninterrupted([&] { return ::open(path.c_str(), flags_of(mode) | O_CLOEXEC, 0644); });
  if (fd < 0) return system_error(errno, "open", path);
  return File(fd, std::move(path));
}

File::File(File&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

Status File::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = uninterrupted([&] { return ::write(fd_, bytes.data(), bytes.size()); });
    if (n < 0) return system_error(errno, "write", path_);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return Ok{};
}

Result<std::string> File::read_all(uint64_t more_than) {
  std::string out;
  char buffer[64 * 1024];
  for (;;) {
    const ssize_t n = uninterrupted([&] { return ::read(fd_, buffer, sizeof buffer); });
    if (n < 0) return system_error(errno, "read", path_);
    if (n == 0) return out;
    out.append(buffer, static_cast<size_t>(n));
    if (out.size() > more_than) return out;
  }
}

Status File::truncate() {
  if (uninterrupted([&] { return ::ftruncate(fd_, 0); }) != 0 || ::lseek(fd_, 0, SEEK_SET) < 0) {
    return system_error(errno, "truncate", path_);
  }
  return Ok{};
}

Status File::sync() {
  if (uninterrupted([&] { return ::fsync(fd_); }) != 0) return system_error(errno, "sync", path_);
  return Ok{};
}

Result<std::string> read_file(const std::string& path) {
  TIDEMILL_TRY(File file, File::open(path, File::Mode::read));
  return file.read_all();
}

Result<std::string> read_regular_file(const std::string& path, uint64_t max) {
  TIDEMILL_TRY(File file, File::open(path, File::Mode::look));
  struct stat s {};
  if (::fstat(file.descriptor(), &s) != 0) return system_error(errno, "read", path);
  if (!S_ISREG(s.st_mode)) {
    return Error{ErrorCode::invalid, "read " + path + ": this is " + kind_of_file(s.st_mode) +
                                         "; expected a file of text"};
  }
  // The size is not known of all files, and may grow meanwhile.
  TIDEMILL_TRY(std::string text, file.read_all(max));
  if (text.size() > max) {
    return Error{ErrorCode::too_large,
                 "read " + path + ": it has more than " + std::to_string(max) + " bytes"};
  }
  return text;
}

Status write_file_atomic(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".new-" + std::to_string(process_id());
  const auto write = [&]() -> Status {
    TIDEMILL_TRY(File file, File::open(temporary, File::Mode::create));
    TIDEMILL_CHECK(file.write(bytes));
    TIDEMILL_CHECK(file.sync());
    return rename_file(temporary, path);
  };
  ::unlink(temporary.c_str());  // A process of this number may have died here before.
  if (Status written = write(); !written.ok()) {
    ::unlink(temporary.c_str());
    return written;
  }
  return sync_folder(folder_of(path));
}

Status sync_folder(const std::string& path) {
  TIDEMILL_TRY(File folder, File::open(path, File::Mode::read));
  return folder.sync();
}

Status make_folders(const std::string& path) {
  if (path.empty() || exists(path)) return Ok{};
  const std::string above = folder_of(path);
  if (above != path) TIDEMILL_CHECK(make_folders(above));
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    return system_error(errno, "make the folder", path);
  }
  return sync_folder(above);
}

Status rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return system_error(errno, "rename to", to);
  return Ok{};
}

Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return system_error(errno, "remove", path);
  return Ok{};
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

Result<uint64_t> file_size(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return system_error(errno, "read", path);
  return static_cast<uint64_t>(s.st_size);
}

Result<FileIdentity> file_identity(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return system_error(errno, "read", path);
  return FileIdentity{s.st_dev, s.st_ino, s.st_nlink};
}

std::string resolve_links(const std::string& path) {
  std::error_code failure;
  if (!std::filesystem::is_symlink(std::filesystem::symlink_status(path, failure))) return path;
  const auto resolved = std::filesystem::weakly_canonical(path, failure);
  return failure ? path : resolved.string();
}

Result<std::vector<std::string>> list_folder(const std::string& path) {
  std::error_code failure;
  std::filesystem::directory_iterator it(path, failure);
  std::vector<std::string> names;
  for (; !failure && it != std::filesystem::directory_iterator(); it.increment(failure)) {
    names.push_back(it->path().filename().string());
  }
  if (failure) return system_error(failure.value(), "list the folder", path);
  std::sort(names.begin(), names.end());
  return names;
}

std::string folder_of(const std::string& path) {
  const size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return path.empty() ? "." : "/";
  const size_t slash = path.find_last_of('/', end);
  if (slash == std::string::npos) return ".";
  const size_t last = path.find_last_not_of('/', slash);
  return last == std::string::npos ? "/" : path.substr(0, last + 1);
}

}  // namespace tidemill::os
