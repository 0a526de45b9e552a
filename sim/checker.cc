#include "sim/checker.h"

#include <fmt/format.h>

#include <variant>

namespace tidemill::sim {

namespace {

std::string name(const std::pair<uint64_t, uint64_t>& unit) {
  return unit.first == 0 ? fmt::format("task {}", unit.second)
                         : fmt::format("index {} of array {}", unit.second, unit.first);
}

std::string name(const LeaseEpoch& e) { return fmt::format("{}.{}", e.incarnation, e.counter); }

}  // namespace

Checker::Unit Checker::unit_of(const WorkRef& work, uint64_t offset) {
  return work.array ? Unit{work.array.raw, work.first + offset} : Unit{0, work.task.raw};
}

void Checker::break_promise(const std::string& promise, const std::string& text) {
  if (!broken_) broken_ = promise + ": " + text;
}

void Checker::spawned(const machine::Spawned& reply) {
  for (const auto& one : reply.tasks) acknowledged_tasks_.insert(one.id);
}

void Checker::array_spawned(ArrayId id, uint64_t count) { acknowledged_arrays_[id] = count; }

void Checker::execution_started(ExecutionId id) { acknowledged_executions_.insert(id); }

// P2, P3: as many epochs are recorded as there were rounds, whatever was sent twice or came late.
void Checker::answered(const Report& report, ReportAnswer answer) {
  if (answer != ReportAnswer::recorded || report.kind != Report::Kind::done) return;
  for (uint64_t i = 0; i < report.work.count; ++i) {
    const Unit unit = unit_of(report.work, i);
    Record& r = units_[unit];
    r.recorded.insert(report.epoch);
    if (r.recorded.size() > r.rounds) {
      break_promise("P2", fmt::format("{} was recorded under {} and under {}", name(unit),
                                      name(*r.recorded.begin()), name(*r.recorded.rbegin())));
    }
  }
}

void Checker::presented(const ExchangeRequest& request) {
  order_.presented(request.held);
  if (request.session) return;
  // A session that begins with reports held what they are about.
  for (const Report& report : request.reports) order_.presented({{report.work, report.epoch}});
}

void Checker::changed(std::span<const Change> turn) {
  if (const auto broken = order_.decided(turn)) break_promise("P5", *broken);
}

// A lease that has timed out on its way to the worker is not counted: the server has ended it.
void Checker::holds(const std::vector<LeasedWork>& attempts, uint32_t places) {
  uint64_t held = 0;
  for (const LeasedWork& attempt : attempts) held += order_.is_leased(attempt) ? 1 : 0;
  if (held <= places) return;
  break_promise("P5", fmt::format("a worker of {} places holds {} attempts", places, held));
}

void Checker::committed(const engine::CommitBatch& batch) {
  order_.committed(batch.changes);
  for (const Change& change : batch.changes) see(change);
}

void Checker::see(const Change& change) {
  if (const auto* finish = std::get_if<FinishTask>(&change)) {
    see_outcome({0, finish->history.task.id.raw}, finish->history.outcome);
  } else if (const auto* outcomes = std::get_if<PutOutcomes>(&change)) {
    for (const IndexOutcome& o : outcomes->outcomes) {
      see_outcome({outcomes->array.raw, o.index}, o.outcome);
    }
  } else if (const auto* task = std::get_if<ReopenTask>(&change)) {
    see_reopened({0, task->task.id.raw});
  } else if (const auto* index = std::get_if<ReopenIndex>(&change)) {
    see_reopened({index->array.raw, index->index});
  } else if (const auto* barrier = std::get_if<PutBarrier>(&change)) {
    see_barrier(barrier->barrier);
  } else if (const auto* dropped = std::get_if<DropBarrier>(&change)) {
    open_barriers_.erase(dropped->barrier);
  } else if (const auto* step = std::get_if<PutStep>(&change)) {
    const StepRecord& s = step->step;
    if (s.array && s.total != s.done + s.failed && s.state == StepRecord::State::done) {
      const uint64_t ended = s.done + s.failed;
      if (ended > s.total) {
        break_promise("P4", fmt::format("step {} counts {} of {}", s.ref.step, ended, s.total));
      }
    }
  }
}

// P2: exactly one outcome a round.
void Checker::see_outcome(const Unit& unit, Outcome outcome) {
  Record& r = units_[unit];
  if (r.outcome != Outcome::open) {
    break_promise("P2", fmt::format("{} got a second outcome in one round", name(unit)));
  }
  r.outcome = outcome;
  ++outcomes_;
}

void Checker::see_reopened(const Unit& unit) {
  Record& r = units_[unit];
  if (r.outcome == Outcome::open) {
    break_promise("P2", fmt::format("{} was reopened though it had no outcome", name(unit)));
  }
  r.outcome = Outcome::open;
  r.rounds += 1;
}

// P4: the sums hold always, and a barrier fires once, only when all it counts is terminal.
void Checker::see_barrier(const BarrierRecord& b) {
  open_barriers_.insert(b.id);
  if (b.done + b.failed + b.cancelled > b.expected) {
    break_promise("P4", fmt::format("barrier {} counts more than it expects", b.id.raw));
  }
  if (!b.fired) {
    if (fired_.contains(b.id)) {
      break_promise("P4", fmt::format("barrier {} is unfired again", b.id.raw));
    }
    return;
  }
  if (b.open() != 0) {
    break_promise("P4", fmt::format("barrier {} fired with {} open", b.id.raw, b.open()));
  }
  fired_.insert(b.id);
  open_barriers_.erase(b.id);
}

void Checker::decided(Turn turn, uint64_t state_hash) { hashes_[turn] = state_hash; }

// P9: what the store gives back is what was committed.
void Checker::recovered(Turn durable, uint64_t state_hash) {
  const auto found = hashes_.find(durable);
  if (found != hashes_.end() && found->second != state_hash) {
    break_promise("P9", fmt::format("state_hash {:016x} after recovery of turn {}, {:016x} before",
                                    state_hash, durable.raw, found->second));
  }
  hashes_.clear();
  order_.recovered();
}

// P1 and P6: nothing acknowledged is gone, and everything has come to an end.
void Checker::at_rest(store::Reader& reader) {
  for (const TaskId id : acknowledged_tasks_) {
    const auto row = reader.task(id);
    if (!row.ok() || !row.value()) {
      break_promise("P1", fmt::format("task {} was acknowledged and is gone", id.raw));
    } else if ((*row)->outcome == Outcome::open) {
      break_promise("P6", fmt::format("task {} never ended", id.raw));
    }
  }
  for (const auto& [id, count] : acknowledged_arrays_) {
    const auto row = reader.array(id);
    if (!row.ok() || !row.value()) {
      break_promise("P1", fmt::format("array {} was acknowledged and is gone", id.raw));
    } else if (!(*row)->finished || (*row)->done + (*row)->failed + (*row)->cancelled != count) {
      break_promise("P6", fmt::format("array {} never ended: {} done, {} failed, {} cancelled "
                                      "of {}",
                                      id.raw, (*row)->done, (*row)->failed, (*row)->cancelled,
                                      count));
    }
  }
  for (const ExecutionId id : acknowledged_executions_) check_execution_at_rest(reader, id);
  if (!open_barriers_.empty()) {
    break_promise("P4", fmt::format("barrier {} never fired", open_barriers_.begin()->raw));
  }
}

void Checker::check_execution_at_rest(store::Reader& reader, ExecutionId id) {
  using State = ExecutionRecord::State;
  const auto record = reader.execution(id);
  if (!record.ok() || !record.value()) {
    break_promise("P1", fmt::format("execution {} was acknowledged and is gone", id.raw));
  } else if ((*record)->state == State::running || (*record)->state == State::stopping) {
    break_promise("P6", fmt::format("execution {} never ended", id.raw));
  }
}

}  // namespace tidemill::sim
