#pragma once
// Warden: a process beside ours that ends what we started when we end without a word (kill -9, a
// failed assertion). Otherwise the programs of running tools would go on, beside those that a
// resumed run starts. It knows them by a word in their environment, which children inherit however
// deep they are. One for the process; made on the main thread before there is any other.
#include <sys/types.h>

#include <string>

#include "os/fd.h"

namespace tidemill::os {

class Warden {
 public:
  Warden();   // without one when the system has no process to spare
  ~Warden();  // an end with a word: what was started may stay
  Warden(const Warden&) = delete;
  Warden& operator=(const Warden&) = delete;

 private:
  pid_t pid_ = -1;
  Fd ours_;  // its other end is the warden's; when it closes, we are gone
};

}  // namespace tidemill::os
