#pragma once
// Fd: a descriptor that is closed when its owner goes. Everything here is made close-on-exec, so
// that a child gets only what it is given by name. A value that moves; any thread.
#include <cstdint>
#include <utility>

#include "base/result.h"
#include "base/time.h"

namespace tidemill::os {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int raw) : raw_(raw) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : raw_(std::exchange(other.raw_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      raw_ = std::exchange(other.raw_, -1);
    }
    return *this;
  }

  int get() const { return raw_; }
  explicit operator bool() const { return raw_ >= 0; }
  void reset();

 private:
  int raw_ = -1;
};

// Two ends; ours does not block, the child's does.
struct FdPair {
  Fd ours;
  Fd theirs;
};

Result<FdPair> pipe_to_read();   // a child writes, we read. Errors: io (no descriptors left)
Result<FdPair> stream_socket();  // both ways. Errors: io

enum class Waited : uint8_t { ready, stopped, timed_out };
// Blocks until `fd` has one of `events` (os/event_loop.h), the other end of `stop` is closed, or
// the time is over. For threads that do nothing else.
Waited wait_for(int fd, uint32_t events, int stop, Duration at_most);

}  // namespace tidemill::os
