// SpawnArray: any number of tasks of one shape as one record.
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/validate.h"
#include "machine/internal/work.h"

namespace tidemill::machine {

namespace {

Flaw barrier_flaw(const State& s, const ArraySpec& spec) {
  const BarrierId id = spec.work.barrier;
  if (!id) return {};
  const std::string name = "array.barrier: barrier " + std::to_string(id.raw);
  const auto found = s.barriers.find(id);
  if (found == s.barriers.end()) {
    return {Refused::Why::not_found, name + " does not exist or has fired"};
  }
  const BarrierRecord& barrier = found->second.record;
  if (!barrier.sealed || spec.count <= barrier.expected - barrier.joined) return {};
  return {Refused::Why::wrong_state,
          name + " expects " + std::to_string(barrier.expected) + " items and " +
              std::to_string(barrier.joined) + " have joined; " + std::to_string(spec.count) +
              " more are too many"};
}

}  // namespace

void decide(State& s, Tag tag, const SpawnArray& command) {
  Flaw flaw = flaw_of(command.array);
  if (!flaw) flaw = barrier_flaw(s, command.array);
  if (flaw) {
    refuse(s, tag, flaw.why, flaw.text);
    return;
  }
  answer(s, tag, ArraySpawned{spawn_array(s, command.array)});
}

}  // namespace tidemill::machine
