#include "os/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace tidemill::os {

namespace {
constexpr size_t kWidth = 80;
constexpr size_t kWidthMin = 20;  // less is a terminal that does not know
}  // namespace

bool stderr_is_terminal() { return isatty(STDERR_FILENO) != 0; }

size_t stderr_width() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > kWidthMin;
  return known ? size.ws_col : kWidth;
}

namespace {

ssize_t write_or_lose(void*, const char* text, size_t size) {
  size_t at = 0;
  while (at < size) {
    const ssize_t written = ::write(STDERR_FILENO, text + at, size - at);
    if (written < 0 && errno != EINTR) break;
    if (written > 0) at += static_cast<size_t>(written);
  }
  return static_cast<ssize_t>(size);
}

}  // namespace

bool stdout_is_abandoned() {
  pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

void forgive_stderr() {
  cookie_io_functions_t functions{};
  functions.write = write_or_lose;
  FILE* const forgiving = fopencookie(nullptr, "w", functions);
  if (forgiving == nullptr) return;
  std::setvbuf(forgiving, nullptr, _IONBF, 0);
  stderr = forgiving;
}

}  // namespace tidemill::os
