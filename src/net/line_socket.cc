#include "net/line_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "os/clock.h"
#include "os/file.h"

namespace tidemill::net {

namespace {

constexpr Duration kRequestTime = seconds(5);  // for one connection to send its line

Error errno_error(const std::string& what) {
  const ErrorCode code = errno == EACCES || errno == EPERM || errno == EROFS ? ErrorCode::denied
                                                                             : ErrorCode::io;
  return {code, what + ": " + std::strerror(errno)};
}

bool fits(const std::string& path) { return path.size() < sizeof sockaddr_un{}.sun_path; }

sockaddr_un address_of(const std::string& path) {
  TIDEMILL_ASSERT(fits(path));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// A file or a folder that is only named by its descriptor: "/proc/self/fd/7" is a short path to it.
class ShortName {
 public:
  ShortName(const std::string& path, int flags)
      : fd_(open(path.c_str(), flags | O_PATH | O_CLOEXEC)) {}
  ~ShortName() {
    if (fd_ >= 0) close(fd_);
  }
  ShortName(const ShortName&) = delete;
  ShortName& operator=(const ShortName&) = delete;

  bool ok() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

bool bind_to(int listener, const std::string& path) {
  const sockaddr_un address = address_of(path);
  const mode_t before = umask(0177);
  const int bound = bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  umask(before);
  return bound == 0;
}

// Its owner holds the store's lock, so whoever made the file that is there is dead. A long path is
// bound under a short name of the folder, and gets its own by a rename.
Status bind_at(int listener, const std::string& path) {
  if (fits(path)) {
    unlink(path.c_str());
    if (!bind_to(listener, path)) return errno_error("listen on " + path);
    return Ok{};
  }
  const ShortName folder(os::folder_of(path), O_DIRECTORY);
  if (!folder.ok()) return errno_error("open " + os::folder_of(path));
  const std::string name = ".tidemill-" + std::to_string(getpid()) + ".sock";
  unlinkat(folder.fd(), name.c_str(), 0);
  const bool bound = bind_to(listener, folder.path() + "/" + name);
  if (!bound || renameat(folder.fd(), name.c_str(), AT_FDCWD, path.c_str()) != 0) {
    Error error = errno_error("listen on " + path);
    if (bound) unlinkat(folder.fd(), name.c_str(), 0);
    return error;
  }
  return Ok{};
}

enum class Connected : uint8_t { yes, not_in_time, nobody };

// Whose queue of questions is full lets one wait; not for ever.
Connected connect_to(int fd, const std::string& path, Duration at_most) {
  const std::optional<ShortName> file =
      fits(path) ? std::nullopt : std::optional<ShortName>(std::in_place, path, 0);
  if (file && !file->ok()) return Connected::nobody;
  const sockaddr_un address = address_of(file ? file->path() : path);
  const int64_t us = std::max<int64_t>(1, at_most.ns / 1'000);
  const timeval time{.tv_sec = us / 1'000'000, .tv_usec = us % 1'000'000};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return Connected::yes;
  }
  return errno == EAGAIN ? Connected::not_in_time : Connected::nobody;
}

// Waits for `events` on `fd`; false when the time is over.
bool wait_for(int fd, short events, SteadyTime until) {
  for (;;) {
    const Duration left = until - os::steady_now();
    if (left.ns <= 0) return false;
    pollfd p{.fd = fd, .events = events, .revents = 0};
    const int n = poll(&p, 1, static_cast<int>(left.whole_milliseconds()) + 1);
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
}

std::optional<std::string> read_line(int fd, SteadyTime until) {
  std::string line;
  std::array<char, 4096> buffer{};
  while (wait_for(fd, POLLIN, until)) {
    const ssize_t n = recv(fd, buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return std::nullopt;
    line.append(buffer.data(), static_cast<size_t>(n));
    if (const size_t end = line.find('\n'); end != std::string::npos) return line.substr(0, end);
    if (line.size() > kLineMax) return std::nullopt;
  }
  return std::nullopt;
}

bool write_all(int fd, std::string_view bytes, SteadyTime until) {
  while (!bytes.empty()) {
    if (!wait_for(fd, POLLOUT, until)) return false;
    const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<LineServer>> LineServer::listen(const std::string& path, Handler handler) {
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return errno_error("socket");
  Status bound = bind_at(listener, path);
  if (bound.ok() && ::listen(listener, 16) != 0) bound = errno_error("listen on " + path);
  if (!bound.ok()) {
    close(listener);
    return std::move(bound).error();
  }
  const int stop_event = eventfd(0, EFD_CLOEXEC);
  if (stop_event < 0) {
    close(listener);
    return errno_error("eventfd");
  }
  return std::unique_ptr<LineServer>(
      new LineServer(path, listener, stop_event, std::move(handler)));
}

LineServer::LineServer(std::string path, int listener, int stop_event, Handler handler)
    : path_(std::move(path)),
      listener_(listener),
      stop_event_(stop_event),
      handler_(std::move(handler)),
      thread_("tm-control", [this] { serve(); }) {}

LineServer::~LineServer() {
  const uint64_t one = 1;
  TIDEMILL_ASSERT(write(stop_event_, &one, sizeof one) == sizeof one);
  thread_.join();
  close(listener_);
  close(stop_event_);
  unlink(path_.c_str());
}

void LineServer::serve() {
  for (;;) {
    std::array<pollfd, 2> fds{{{.fd = listener_, .events = POLLIN, .revents = 0},
                               {.fd = stop_event_, .events = POLLIN, .revents = 0}}};
    if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    if (fds[1].revents != 0) return;
    if (fds[0].revents == 0) continue;
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    answer(connection);
    close(connection);
  }
}

void LineServer::answer(int connection) {
  const SteadyTime until = os::steady_now() + kRequestTime;
  const std::optional<std::string> line = read_line(connection, until);
  if (!line) return;
  write_all(connection, handler_(*line) + "\n", os::steady_now() + kRequestTime);
}

Result<std::string> ask_line(const std::string& path, const std::string& line, Duration at_most,
                             const Patience& patience) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno_error("socket");
  const SteadyTime until = os::steady_now() + at_most;
  const bool patient = patience.say && patience.after < at_most;
  const SteadyTime noticed = patient ? os::steady_now() + patience.after : until;
  bool said = false;
  const auto say = [&] {
    if (patient && !std::exchange(said, true)) patience.say();
  };
  Connected connected = connect_to(fd, path, noticed - os::steady_now());
  if (connected == Connected::not_in_time && patient) {
    say();
    connected = connect_to(fd, path, until - os::steady_now());
  }
  std::optional<std::string> answer;
  if (connected == Connected::yes && write_all(fd, line + "\n", until)) {
    if (!wait_for(fd, POLLIN, noticed)) say();
    answer = read_line(fd, until);
  }
  close(fd);
  if (connected == Connected::nobody) {
    return Error{ErrorCode::unavailable, "no process listens on " + path};
  }
  if (!answer) return Error{ErrorCode::timeout, "no answer on " + path};
  return std::move(*answer);
}

}  // namespace tidemill::net
