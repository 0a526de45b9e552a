#pragma once
// Fd: a descriptor that is closed when its owner goes. Everything here is made close-on-exec, so that a
// child gets only what it is given by name. A value that moves; any thread.
#include <utility>

#include "base/result.h"

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

Result<FdPair> pipe_to_read();    // a child writes, we read. Errors: io (no descriptors left)
Result<FdPair> stream_socket();   // both ways. Errors: io

}  // namespace tidemill::os
