#include "os/fd.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace tidemill::os {

namespace {

Error system_error(std::string_view what) {
  return {ErrorCode::io, std::string(what) + ": " + std::strerror(errno)};
}

}  // namespace

void Fd::reset() {
  if (raw_ >= 0) close(raw_);
  raw_ = -1;
}

Result<FdPair> pipe_to_read() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("open a pipe");
  FdPair pair{Fd(ends[0]), Fd(ends[1])};
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return system_error("set up a pipe");
  return pair;
}

Result<FdPair> stream_socket() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return system_error("open a socket");
  }
  FdPair pair{Fd(ends[0]), Fd(ends[1])};
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return system_error("set up a socket");
  return pair;
}

}  // namespace tidemill::os
