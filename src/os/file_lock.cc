#include <sys/file.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <thread>

#include "os/clock.h"
#include "os/file.h"

namespace tidemill::os {

namespace {

LockOwner owner_in(std::string_view text) {
  LockOwner owner;
  const size_t space = text.find(' ');
  const size_t line = text.find('\n');
  if (space == std::string_view::npos || line == std::string_view::npos || line < space)
    return owner;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + space, owner.pid);
  if (failure != std::errc() || end != text.data() + space) return {};
  owner.host = text.substr(space + 1, line - space - 1);
  return owner;
}

LockOwner read_owner(const std::string& path) {
  const Result<std::string> text = read_file(path);
  return text.ok() ? owner_in(*text) : LockOwner{};
}

}  // namespace

std::string to_string(const LockOwner& owner) {
  if (owner.pid == 0) return "another process";
  return "process " + std::to_string(owner.pid) + " on host " + owner.host;
}

Result<FileLock> FileLock::take(const std::string& path) {
  TIDEMILL_TRY(File file, File::open(path, File::Mode::lock));
  // owner() holds the lock shared for a moment when it looks, so one refusal proves nothing.
  constexpr int kTries = 5;
  for (int tries = 1; ::flock(file.descriptor(), LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return system_error(errno, "lock", path);
    if (tries == kTries) {
      return Error{ErrorCode::conflict, path + " is held by " + to_string(read_owner(path))};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  TIDEMILL_CHECK(file.truncate());
  TIDEMILL_CHECK(file.write(std::to_string(process_id()) + " " + host_name() + "\n"));
  return FileLock(std::move(file));
}

std::optional<LockOwner> FileLock::owner(const std::string& path) {
  const Result<File> file = File::open(path, File::Mode::read);
  if (!file.ok()) return std::nullopt;
  if (::flock(file->descriptor(), LOCK_SH | LOCK_NB) == 0) return std::nullopt;  // closing lets go
  return read_owner(path);
}

}  // namespace tidemill::os
