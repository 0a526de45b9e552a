#include "sim/options.h"

#include <fmt/format.h>

namespace tidemill::sim {

// One in four worlds is quiet: a mistake that needs no fault is then found without any.
Options Options::draw(uint64_t seed) {
  Random r(seed ^ 0x5eedULL);
  Options o;
  o.seed = seed;
  o.workers = static_cast<uint32_t>(r.between(1, 4));
  o.producers = static_cast<uint32_t>(r.between(1, 3));
  o.commands = static_cast<uint32_t>(r.between(10, 120));
  o.in_process = r.chance(30);
  o.fail = static_cast<uint32_t>(r.below(30));
  o.slots = static_cast<uint32_t>(r.between(1, 4));
  o.places = o.slots + static_cast<uint32_t>(r.below(12));
  o.spare = o.places * static_cast<uint32_t>(seed % 3) / 4;
  o.commit_max = milliseconds(static_cast<int64_t>(r.between(1, 60)));
  o.lease = milliseconds(static_cast<int64_t>(r.between(600, 8'000)));
  // (Not from `r`, so that the seeds of old failures give the same worlds.)
  o.window = seed % 3 == 0 ? 0 : 1 + mix64(seed) % 12;
  if (r.chance(25)) return o;
  o.lose = static_cast<uint32_t>(r.below(15));
  o.duplicate = static_cast<uint32_t>(r.below(15));
  o.delay_max = milliseconds(static_cast<int64_t>(r.between(1, 400)));
  o.hang = static_cast<uint32_t>(r.below(5));
  o.crashes_server = static_cast<uint32_t>(r.below(4));
  o.crashes_worker = static_cast<uint32_t>(r.below(4));
  o.clock_jumps = static_cast<uint32_t>(r.below(3));
  // Inside the process no message is lost, and nobody dies alone.
  if (o.in_process) o.lose = o.duplicate = o.crashes_worker = 0;
  return o;
}

std::string Options::text() const {
  return fmt::format(
      "seed={} workers={} producers={} commands={} in_process={} lose={} duplicate={} delay={}ms "
      "commit={}ms fail={} hang={} server_crashes={} worker_crashes={} clock_jumps={} lease={}ms "
      "slots={} places={} spare={} window={}",
      seed, workers, producers, commands, in_process, lose, duplicate,
      delay_max.whole_milliseconds(), commit_max.whole_milliseconds(), fail, hang, crashes_server,
      crashes_worker, clock_jumps, lease.whole_milliseconds(), slots, places, spare, window);
}

}  // namespace tidemill::sim
