#include "machine/machine.h"

#include <algorithm>
#include <limits>

#include "machine/execution/hooks.h"
#include "machine/internal/backlog.h"
#include "machine/internal/check.h"
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/leases.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/recovery.h"
#include "machine/internal/sessions.h"
#include "machine/internal/work.h"

namespace tidemill::machine {

namespace {

void begin_turn(State& s, Turn number, Now now, std::span<const Command> commands, const Rows& rows,
                TurnOutput& out) {
  // A turn without changes is never committed, and its number is used again.
  TIDEMILL_ASSERT(number >= s.turn.number);
  out.clear();
  s.turn.number = number;
  s.turn.now = now;
  s.turn.rows = &rows;
  s.turn.out = &out;
  // What has arrived renews its session, also when a Tick stands before it in this turn.
  for (const Command& command : commands) {
    const auto* exchange = std::get_if<Exchange>(&command.body);
    if (exchange == nullptr) continue;
    if (Session* session = find_session(s, exchange->request.session)) {
      session->expires = now.steady + lease_time(s);
    }
  }
  record_lost(s);
  settle(s);
  execution::settle(s);
}

void end_turn(State& s) {
  serve_parked(s);
  flush(s);
  ask_for_pages(s);
  TIDEMILL_ASSERT(s.turn.ended.empty() && s.turn.full_barriers.empty());
  s.turn.dirty_tasks.clear();
  s.turn.dirty_arrays.clear();
  s.turn.dirty_barriers.clear();
  s.turn.new_keys.clear();
  s.turn.ended_now.clear();
  s.turn.rows = nullptr;
  s.turn.out = nullptr;
}

struct NeedsOf {
  const State& s;
  Needs& out;

  void operator()(const SpawnTasks& command) const {
    for (const TaskSpec& spec : command.tasks) {
      if (!spec.idempotency_key.empty()) {
        out.keys.emplace_back(spec.work.queue, spec.idempotency_key);
      }
      for (const TaskId id : spec.after) {
        if (find_task(s, id) == nullptr) out.outcomes.push_back(id);
      }
    }
  }
  void operator()(const RetryWork& command) const {
    if (command.work.task) {
      if (find_task(s, command.work.task) == nullptr) {
        out.finished_tasks.push_back(command.work.task);
      }
    } else if (!s.arrays.contains(command.work.array)) {
      out.finished_indexes.push_back(command.work);
    }
  }
  void operator()(const CancelWork& command) const { want_stored(command.work.task); }
  void operator()(const BuryTask& command) const { want_stored(command.task); }
  // What a worker brings from before a restart may be of a task that nobody else knows it holds.
  void operator()(const Exchange& command) const {
    if (command.request.session) return;
    for (const LeasedWork& held : command.request.held) want_stored(held.work.task);
    for (const Report& report : command.request.reports) want_stored(report.work.task);
  }
  template <class Other>
  void operator()(const Other&) const {}

  void want_stored(TaskId id) const {
    if (id && s.tasks.stored > 0 && find_task(s, id) == nullptr) out.stored_tasks.push_back(id);
  }
};

}  // namespace

State::State(const MachineOptions& o) : options(o), next_id(std::max<uint64_t>(o.first_id, 1)) {
  TIDEMILL_ASSERT(o.partition < 1U << kPartitionBits);
  TIDEMILL_ASSERT(o.incarnation > 0);
}

void TurnOutput::clear() {
  changes.clear();
  replies.clear();
  effects.clear();
}

Machine::Machine(const MachineOptions& options) : state_(std::make_unique<State>(options)) {}

Machine::~Machine() = default;

void Machine::needs(std::span<const Command> commands, Needs& out) const {
  out.some_stored = state_->tasks.stored > 0;
  for (const Command& command : commands) {
    std::visit(NeedsOf{*state_, out}, command.body);
    execution::needs(*state_, command, out);
  }
}

void Machine::apply(Turn turn, Now now, std::span<const Command> commands, const Rows& rows,
                    TurnOutput& out) {
  State& s = *state_;
  begin_turn(s, turn, now, commands, rows, out);
  for (const Command& command : commands) {
    std::visit([&](const auto& body) { decide(s, command.tag, body); }, command.body);
    settle(s);
    execution::settle(s);
  }
  end_turn(s);
}

NextDue Machine::next_due() const {
  const State& s = *state_;
  const bool at_once =
      !s.sessions.lost.empty() || !s.turn.full_arrays.empty() || !s.turn.drawn.empty();
  if (at_once) return {.steady = SteadyTime{}, .wall = WallTime{}};
  return {.steady = s.timers.steady.next(), .wall = s.timers.wall.next()};
}

void Machine::restore(QueueConfig record) { machine::restore(*state_, std::move(record)); }
void Machine::restore(TokenRecord record) { machine::restore(*state_, std::move(record)); }
void Machine::restore(ExecutionRecord record) { execution::restore(*state_, std::move(record)); }
void Machine::restore(BarrierRecord record) { machine::restore(*state_, std::move(record)); }
void Machine::restore(ArrayRecord record) { machine::restore(*state_, std::move(record)); }
void Machine::restore(ItemChunk record) { machine::restore(*state_, std::move(record)); }
void Machine::restore_outcome(ArrayId array, uint64_t index, Outcome outcome) {
  machine::restore_outcome(*state_, array, index, outcome);
}
void Machine::restore(IndexOverride record) { machine::restore(*state_, std::move(record)); }
void Machine::restore(TaskRecord record) { machine::restore(*state_, std::move(record)); }
void Machine::restore_handed_out(TaskId task) { state_->tasks.handed_out.insert(task); }
void Machine::restore(StepRecord record) { execution::restore(*state_, std::move(record)); }
void Machine::restore(HandOut record) { machine::restore(*state_, std::move(record)); }

void Machine::restored(Now now, uint64_t next_id, const Rows& rows) {
  State& s = *state_;
  finish_restoring(s, now, next_id);
  execution::restored(s, rows);
}

uint64_t Machine::state_hash() const {
  settle_hashes(*state_);
  return state_->hash_sum;
}

uint64_t Machine::replay_hash() const {
  return state_hash() + volatile_hash(*state_) + execution::replay_hash(*state_);
}

MachineCounts Machine::counts() const {
  const State& s = *state_;
  const auto in = [&](TaskRecord::State state) {
    return s.tasks.by_state[static_cast<size_t>(state)];
  };
  MachineCounts out;
  out.ready = in(TaskRecord::State::ready)-s.tasks.leased;
  out.delayed = in(TaskRecord::State::delayed);
  out.blocked = in(TaskRecord::State::blocked);
  out.leased = s.tasks.leased;
  for (const auto& [id, array] : s.arrays) {
    out.ready += array.fresh() + array.again_count;
    out.leased += array.leased;
  }
  out.arrays = s.arrays.size();
  out.barriers = s.barriers.size();
  out.executions = execution::count(s);
  out.sessions = s.sessions.all.size();
  return out;
}

void Machine::check() const {
  check_state(*state_);
  execution::check(*state_);
}

}  // namespace tidemill::machine
