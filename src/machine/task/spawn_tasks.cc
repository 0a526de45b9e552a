// SpawnTasks: a batch of tasks, all or none. An idempotency key that is known answers the first
// task's id; `after` names tasks that live or whose outcome is on record.
#include <map>
#include <optional>
#include <set>

#include "base/hash.h"
#include "machine/internal/backlog.h"
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"
#include "machine/internal/validate.h"
#include "machine/internal/work.h"

namespace tidemill::machine {

namespace {

using Why = Refused::Why;
using KeyName = std::pair<std::string, std::string>;  // queue, key

std::string place(size_t i) { return "tasks[" + std::to_string(i) + "]."; }

uint64_t input_hash(const WorkSpec& work) { return work.input ? hash64(*work.input) : 0; }

const KeyRecord* find_key(const State& s, const KeyName& name) {
  const auto found = s.turn.new_keys.find(name);
  if (found != s.turn.new_keys.end()) return &found->second;
  return s.turn.rows->key(name.first, name.second);
}

Flaw key_conflict(const std::string& at, const std::string& key, const char* what) {
  return {Why::key_conflict, at + "idempotency_key: \"" + key + "\" belongs to a task with another " +
                                 what + "; use another key, or the same " + what};
}

// A key that is known, or repeated in this batch, must stand for the same work.
Flaw key_flaw(const State& s, const SpawnTasks& command, std::map<KeyName, size_t>& in_batch,
              size_t i) {
  const TaskSpec& spec = command.tasks[i];
  if (spec.idempotency_key.empty()) return {};
  const KeyName name{spec.work.queue, spec.idempotency_key};
  const auto [first, is_first] = in_batch.try_emplace(name, i);
  const std::string* kind = nullptr;
  uint64_t hash = 0;
  if (const KeyRecord* known = find_key(s, name)) {
    kind = &known->kind;
    hash = known->input_hash;
  } else if (!is_first) {
    kind = &command.tasks[first->second].work.kind;
    hash = input_hash(command.tasks[first->second].work);
  }
  if (kind == nullptr) return {};
  if (*kind != spec.work.kind) return key_conflict(place(i), spec.idempotency_key, "kind");
  if (hash != input_hash(spec.work)) return key_conflict(place(i), spec.idempotency_key, "input");
  return {};
}

Flaw after_flaw(const State& s, const TaskSpec& spec, const std::string& at) {
  for (const TaskId id : spec.after) {
    if (is_live(s, id) || finished_outcome(s, id)) continue;
    return {Why::not_found, at + "after: task " + std::to_string(id.raw) +
                                " does not exist (any more); name tasks that live or whose outcome "
                                "is still kept"};
  }
  return {};
}

Flaw barrier_flaw(const State& s, const std::map<BarrierId, uint64_t>& joining) {
  for (const auto& [id, count] : joining) {
    const auto found = s.barriers.find(id);
    const std::string name = "barrier " + std::to_string(id.raw);
    if (found == s.barriers.end()) {
      return {Why::not_found, "barrier: " + name + " does not exist or has fired"};
    }
    const BarrierRecord& barrier = found->second.record;
    if (barrier.sealed && count > barrier.expected - barrier.joined) {
      return {Why::wrong_state, "barrier: " + name + " expects " +
                                    std::to_string(barrier.expected) + " items and " +
                                    std::to_string(barrier.joined) + " have joined; " +
                                    std::to_string(count) + " more are too many"};
    }
  }
  return {};
}

Flaw flaw_in(const State& s, const SpawnTasks& command) {
  if (command.tasks.size() > limits::kBatchMax) {
    return {Why::too_large, "tasks: " + std::to_string(command.tasks.size()) +
                                " in one batch, at most " + std::to_string(limits::kBatchMax) +
                                " are allowed; send them in several"};
  }
  std::map<KeyName, size_t> in_batch;
  std::map<BarrierId, uint64_t> joining;
  for (size_t i = 0; i < command.tasks.size(); ++i) {
    const TaskSpec& spec = command.tasks[i];
    if (Flaw flaw = flaw_of(spec, place(i))) return flaw;
    if (Flaw flaw = key_flaw(s, command, in_batch, i)) return flaw;
    if (Flaw flaw = after_flaw(s, spec, place(i))) return flaw;
    if (spec.work.barrier) ++joining[spec.work.barrier];
  }
  return barrier_flaw(s, joining);
}

std::optional<Outcome> outcome_of(const State& s, TaskId id) {
  if (is_live(s, id)) return std::nullopt;
  const std::optional<Outcome> outcome = finished_outcome(s, id);
  TIDEMILL_ASSERT(outcome.has_value());
  return outcome;
}

// Spawns one task that has no flaw. What it comes after and has already ended counts at once.
TaskId spawn_one(State& s, const TaskSpec& wanted) {
  TaskSpec spec = wanted;
  std::set<TaskId> unmet;
  std::optional<TaskError> cause;
  for (const TaskId id : wanted.after) {
    const std::optional<Outcome> outcome = outcome_of(s, id);
    if (!outcome) {
      unmet.insert(id);
    } else if (*outcome != Outcome::done && !spec.after_any_outcome && !cause) {
      cause = dependency_error(id, *outcome);
    }
  }
  spec.after.assign(unmet.begin(), unmet.end());
  const TaskId id = spawn_task(s, std::move(spec));
  if (cause) cancel_work(s, WorkRef::of(id), CancelWork::Urgency::now, *cause);
  return id;
}

}  // namespace

void decide(State& s, Tag tag, const SpawnTasks& command) {
  if (const Flaw flaw = flaw_in(s, command)) {
    refuse(s, tag, flaw.why, flaw.text);
    return;
  }
  Spawned spawned;
  spawned.tasks.reserve(command.tasks.size());
  bool relaxed = !command.tasks.empty();
  for (const TaskSpec& spec : command.tasks) {
    const Queue& queue = queue_of(s, queue_number(s, spec.work.queue));
    relaxed = relaxed && queue.config.durability == Durability::relaxed;
    if (spec.idempotency_key.empty()) {
      spawned.tasks.push_back({spawn_one(s, spec), false});
      continue;
    }
    const KeyName name{spec.work.queue, spec.idempotency_key};
    if (const KeyRecord* known = find_key(s, name)) {
      spawned.tasks.push_back({known->task, true});
      continue;
    }
    KeyRecord key{spec.work.queue, spec.idempotency_key, {}, spec.work.kind, input_hash(spec.work)};
    key.task = spawn_one(s, spec);
    spawned.tasks.push_back({key.task, false});
    emit(s, PutKey{key});
    s.turn.new_keys.emplace(name, std::move(key));
  }
  answer(s, tag, std::move(spawned), relaxed ? Turn{} : s.turn.number);
}

}  // namespace tidemill::machine
