#pragma once
// THE machine: a pure function of (state, now, commands) to (changes, replies, effects). It reads
// no clock, does no I/O, takes no lock, throws nothing and iterates nothing in hash order: the same
// commands give the same bytes. Owned by the engine thread (or the simulator); one call at a time.
//
//   Turn turn;
//   machine.apply(turn_number, now, commands, rows, turn);   // decide
//   store.commit(turn.changes, …);                           // make durable
//   … then replies and effects that needed this turn leave.
//
// After a restart: a new Machine takes the records of the store (`restore_*`), then `restored()`.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/time.h"
#include "machine/change.h"
#include "machine/command.h"
#include "machine/effect.h"
#include "machine/reply.h"
#include "machine/rows.h"

namespace tidemill::machine {

struct TurnOutput {
  std::vector<Change> changes;
  std::vector<Reply> replies;
  struct TimedEffect {
    Turn needs;
    Effect effect;
  };
  std::vector<TimedEffect> effects;
  void clear();
};

struct MachineOptions {
  uint16_t partition = 0;
  uint64_t seed = 0;         // of the jitter
  uint32_t incarnation = 1;  // of this life of the server; one more than the last
  uint64_t first_id = 1;     // of a new store
  Duration lease{};          // 0: limits::kLease
  uint64_t window = 0;  // ready tasks kept in memory, of each queue and kind; 0: limits::kWindow
};

// When the machine wants a Tick: whichever of the two clocks gets there first.
struct NextDue {
  SteadyTime steady = SteadyTime::never();
  WallTime wall = WallTime::never();
};

struct MachineCounts {  // for people and metrics
  uint64_t ready = 0;
  uint64_t delayed = 0;
  uint64_t blocked = 0;
  uint64_t leased = 0;
  uint64_t arrays = 0;
  uint64_t barriers = 0;
  uint64_t executions = 0;
  uint64_t sessions = 0;
};

struct State;  // internal/state.h

class Machine {
 public:
  explicit Machine(const MachineOptions& options);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // What must be prefetched before these commands can be decided.
  void needs(std::span<const Command> commands, Needs& out) const;

  // Decides all commands in order as one turn. `out` is cleared first. The number grows by one with
  // each turn that has changes; one without is not committed, and the next has its number.
  void apply(Turn turn, Now now, std::span<const Command> commands, const Rows& rows, TurnOutput& out);

  NextDue next_due() const;

  // Recovery, in the order of store::Loader; then restored(), which rebuilds what is derived. Plans
  // of live executions come through `rows`.
  void restore(QueueConfig record);
  void restore(TokenRecord record);
  void restore(ExecutionRecord record);
  void restore(BarrierRecord record);
  void restore(ArrayRecord record);
  void restore(ItemChunk record);
  void restore_outcome(ArrayId array, uint64_t index, Outcome outcome);
  void restore(IndexOverride record);
  void restore_handed_out(TaskId task);  // before the tasks: this one may be held by somebody
  void restore(TaskRecord record);
  void restore(StepRecord record);
  void restore(HandOut record);
  void restored(Now now, uint64_t next_id, const Rows& rows);

  // Of what commits define: equal on every store and after every restart (P9).
  uint64_t state_hash() const;
  // Of everything: equal for the same commands from the same start.
  uint64_t replay_hash() const;

  MachineCounts counts() const;
  // Every invariant of P3–P5 that can be read off the state; asserts. For tests and the simulator.
  void check() const;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace tidemill::machine
