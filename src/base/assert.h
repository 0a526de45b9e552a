#pragma once
// TIDEMILL_ASSERT: what must hold if our own code is right. It is on in release builds: a process
// that has proved itself wrong stops before it makes a wrong thing durable. Never used for input,
// for the network or for the disk: those are outcomes or Errors (base/result.h).
// Any thread may call it.

namespace tidemill {

[[noreturn]] void assert_failed(const char* expression, const char* file, int line);

}  // namespace tidemill

#define TIDEMILL_ASSERT(x) \
  ((x) ? static_cast<void>(0) : ::tidemill::assert_failed(#x, __FILE__, __LINE__))
