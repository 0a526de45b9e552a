#include "os/signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/assert.h"

namespace tidemill::os {

namespace {

sigset_t both_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Interrupts::Interrupts() {
  const sigset_t set = both_signals();
  TIDEMILL_ASSERT(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  TIDEMILL_ASSERT(fd_ >= 0);
}

Interrupts::~Interrupts() {
  (void)count();  // one that came too late to be asked for must not end us now
  close(fd_);
  const sigset_t set = both_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

uint32_t Interrupts::count() {
  signalfd_siginfo info{};
  while (read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) ++count_;
  return count_;
}

bool Interrupts::wait(Duration at_most) {
  const uint32_t before = count_;
  if (count() > before) return true;
  pollfd p{.fd = fd_, .events = POLLIN, .revents = 0};
  (void)poll(&p, 1,
             static_cast<int>(std::clamp<int64_t>(at_most.whole_milliseconds(), 0, 1 << 30)));
  return count() > before;
}

void ignore_signals_of_writes() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace tidemill::os
