#include "os/fd.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>

#include "os/clock.h"

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

Waited wait_for(int fd, uint32_t events, int stop, Duration at_most) {
  const SteadyTime deadline = steady_now() + at_most;
  for (;;) {
    std::array<pollfd, 2> fds = {pollfd{fd, static_cast<short>(events), 0},
                                 pollfd{stop, POLLIN, 0}};
    const auto left = std::max<int64_t>(0, (deadline - steady_now()).whole_milliseconds());
    const int ready =
        poll(fds.data(), fds.size(), static_cast<int>(std::min<int64_t>(left, INT_MAX)));
    if (ready < 0 && errno == EINTR) continue;
    if (fds[1].revents != 0) return Waited::stopped;
    return ready == 0 ? Waited::timed_out : Waited::ready;
  }
}

}  // namespace tidemill::os
