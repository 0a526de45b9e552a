#pragma once
// Interrupts: SIGINT and SIGTERM as something to ask for instead of something that happens. Made
// before any other thread, so that all threads inherit the block; children get the signals back
// (os/process).
#include <cstdint>

#include "base/time.h"

namespace tidemill::os {

class Interrupts {
 public:
  Interrupts();   // blocks both signals for this thread and those it starts
  ~Interrupts();  // restores them; what has come until now is forgotten
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  // How many have come so far.
  uint32_t count();
  // Waits until one more has come, at most so long; false when none has.
  bool wait(Duration at_most);

 private:
  int fd_;
  uint32_t count_ = 0;
};

// Writes to a pipe that nobody reads, or past a limit on the size of files, fail instead of killing
// the process.
void ignore_signals_of_writes();

}  // namespace tidemill::os
