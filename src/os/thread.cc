#include "os/thread.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace tidemill::os {

Thread::Thread(std::string name, std::function<void()> run)
    : thread_([name = name.substr(0, 15), run = std::move(run)] {
        pthread_setname_np(pthread_self(), name.c_str());
        // Signals are for the main thread alone.
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr);
        run();
      }) {}

Thread::~Thread() { join(); }

Thread::Thread(Thread&&) noexcept = default;

Thread& Thread::operator=(Thread&& other) noexcept {
  join();
  thread_ = std::move(other.thread_);
  return *this;
}

void Thread::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace tidemill::os
