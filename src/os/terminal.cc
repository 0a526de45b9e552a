#include "os/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

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

}  // namespace tidemill::os
