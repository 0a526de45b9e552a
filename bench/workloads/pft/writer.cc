#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "bench/workloads/pft/writer.h"
#include "os/clock.h"

namespace tidemill::bench::pft {

Writer::Writer(Sink& sink) : sink_(sink), done_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  thread_ = os::Thread("bare-writer", [this] { run(); });
}

Writer::~Writer() {
  {
    os::Lock lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  thread_.join();
  close(done_fd_);
}

void Writer::flush() {
  if (fresh_.empty()) return;
  {
    os::Lock lock(mutex_);
    waiting_.insert(waiting_.end(), fresh_.begin(), fresh_.end());
  }
  fresh_.clear();
  changed_.notify_one();
}

std::vector<Job*> Writer::take_done() {
  uint64_t count = 0;
  (void)!read(done_fd_, &count, sizeof count);
  os::Lock lock(mutex_);
  return std::exchange(done_, {});
}

std::string Writer::error() {
  os::Lock lock(mutex_);
  return error_;
}

uint64_t Writer::commits() {
  os::Lock lock(mutex_);
  return commits_;
}

Duration Writer::cpu() {
  os::Lock lock(mutex_);
  return cpu_;
}

void Writer::run() {
  std::vector<Job*> group;
  for (;;) {
    {
      os::Lock lock(mutex_);
      while (waiting_.empty() && !closed_) changed_.wait(mutex_);
      if (closed_) return;
      group.swap(waiting_);
    }
    const Status status = sink_.run(group);
    {
      os::Lock lock(mutex_);
      cpu_ = os::thread_cpu();
      ++commits_;
      if (status.ok()) {
        done_.insert(done_.end(), group.begin(), group.end());
      } else {
        error_ = status.error().what;
      }
    }
    group.clear();
    const uint64_t one = 1;
    (void)!write(done_fd_, &one, sizeof one);
  }
}

}  // namespace tidemill::bench::pft
