#pragma once
// Options of one simulated run: drawn from the seed, printed with it, and overridden by hand to
// shrink a failure. Every chance is in percent. A value.
#include <cstdint>
#include <string>

#include "base/time.h"
#include "sim/random.h"

namespace tidemill::sim {

struct Options {
  uint64_t seed = 1;
  uint32_t workers = 3;
  uint32_t producers = 2;
  uint32_t commands = 60;  // in all, before the faults stop
  bool in_process = false;  // workers die with the server and have no grace

  uint32_t lose = 0;       // a message between worker and server is lost
  uint32_t duplicate = 0;  // … arrives twice
  Duration delay_max = milliseconds(20);
  Duration commit_max = milliseconds(10);
  Duration think_max = milliseconds(40);  // between two commands of a producer
  Duration run_max = milliseconds(300);   // of an attempt
  uint32_t fail = 10;                     // an attempt fails
  uint32_t hang = 0;                      // an attempt never ends
  uint32_t crashes_server = 0;            // how many in a run
  uint32_t crashes_worker = 0;
  uint32_t clock_jumps = 0;
  Duration lease = seconds(5);
  uint32_t slots = 2;
  uint32_t places = 8;
  uint32_t spare = 0;  // work that may wait at a worker for a place

  uint64_t window = 0;  // ready tasks in the machine's memory, of each queue and kind; 0: all

  static Options draw(uint64_t seed);
  std::string text() const;  // as `name=value` words
};

}  // namespace tidemill::sim
