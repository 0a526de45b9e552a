#include "sim/order_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace tidemill::sim {

namespace {

constexpr int kTurnsMax = 2;  // of one while another waits

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace

// ---- what changes say ----

void OrderModel::end(State& state, const WorkRef& work, const LeaseEpoch* epoch) {
  if (work.task) {
    const auto found = state.leased_tasks.find(work.task);
    if (found == state.leased_tasks.end()) return;
    if (epoch == nullptr || found->second.epoch == *epoch) state.leased_tasks.erase(found);
    return;
  }
  for (uint64_t i = work.first; i < work.first + work.count; ++i) {
    const auto found = state.leased_indexes.find({work.array, i});
    if (found == state.leased_indexes.end()) continue;
    if (epoch == nullptr || found->second.epoch == *epoch) state.leased_indexes.erase(found);
  }
}

void OrderModel::hand_out(State& state, const HandOut& record) {
  for (const LeasedWork& item : record.items) {
    const Held held{item.epoch, record.in_process};
    if (item.work.task) {
      state.leased_tasks[item.work.task] = held;
      continue;
    }
    const uint64_t last = item.work.first + item.work.count;
    for (uint64_t i = item.work.first; i < last; ++i) {
      state.leased_indexes[{item.work.array, i}] = held;
    }
    const auto array = state.arrays.find(item.work.array);
    if (array == state.arrays.end()) continue;
    array->second.next = std::max(array->second.next, last);
    for (uint64_t i = item.work.first; i < last; ++i) array->second.begun.insert(i);
  }
}

void OrderModel::apply(State& state, const Change& change) {
  std::visit(
      Overloaded{
          [&](const PutQueue& c) { state.queues[c.config.name] = c.config; },
          [&](const PutTask& c) { state.tasks[c.task.id] = c.task; },
          [&](const ReopenTask& c) { state.tasks[c.task.id] = c.task; },
          [&](const FinishTask& c) {
            state.tasks.erase(c.history.task.id);
            end(state, WorkRef::of(c.history.task.id), nullptr);
          },
          [&](const PutAttempt& c) { end(state, c.attempt.work, nullptr); },
          [&](const PutArray& c) { state.arrays[c.array.id].record = c.array; },
          [&](const ReopenArray& c) { state.arrays[c.array.id].record = c.array; },
          [&](const FinishArray& c) {
            const auto array = state.arrays.find(c.array);
            if (array == state.arrays.end()) return;
            end(state, WorkRef::of(c.array, 0, array->second.record.count), nullptr);
            state.arrays.erase(array);
          },
          [&](const PutOutcomes& c) {
            for (const IndexOutcome& o : c.outcomes) {
              end(state, WorkRef::of(c.array, o.index), nullptr);
              state.arrays[c.array].failed += o.outcome == Outcome::failed ? 1 : 0;
              state.arrays[c.array].begun.erase(o.index);
              state.arrays[c.array].ended.insert(o.index);
            }
          },
          [&](const HandOut& c) { hand_out(state, c); },
          [&](const EndLease& c) { end(state, c.ended.work, &c.ended.epoch); },
          [](const auto&) {}},
      change);
}

void OrderModel::committed(std::span<const Change> changes) {
  for (const Change& change : changes) apply(durable_, change);
}

void OrderModel::recovered() {
  std::erase_if(durable_.leased_tasks, [](const auto& l) { return l.second.in_process; });
  std::erase_if(durable_.leased_indexes, [](const auto& l) { return l.second.in_process; });
  live_ = durable_;
  passed_.clear();
  unsure_tasks_.clear();
  unsure_arrays_.clear();
}

void OrderModel::presented(const std::vector<LeasedWork>& held) {
  if (!held.empty()) passed_.clear();
  for (const LeasedWork& one : held) {
    if (one.work.task) {
      unsure_tasks_.insert(one.work.task);
    } else {
      unsure_arrays_.insert(one.work.array);
    }
  }
}

bool OrderModel::is_leased(const LeasedWork& one) const {
  if (one.work.task) {
    const auto found = live_.leased_tasks.find(one.work.task);
    return found != live_.leased_tasks.end() && found->second.epoch == one.epoch;
  }
  const auto found = live_.leased_indexes.find({one.work.array, one.work.first});
  return found != live_.leased_indexes.end() && found->second.epoch == one.epoch;
}

// ---- order ----

QueueConfig OrderModel::config_of(const std::string& queue) const {
  const auto found = live_.queues.find(queue);
  return found == live_.queues.end() ? QueueConfig{.name = queue} : found->second;
}

OrderModel::Key OrderModel::key_of(const QueueConfig& config, const WorkSpec& work, WallTime ready,
                                   uint64_t id) {
  if (config.ageing.ns == 0) return {work.priority, ready.ns, id};
  return {0, ready.ns + work.priority * config.ageing.ns, id};
}

OrderModel::Party OrderModel::party_of(const QueueConfig& config, const WorkSpec& work,
                                       ArrayId array) {
  if (config.order == Order::fifo || config.ageing.ns != 0) return {0, 0};
  if (array) return {1, array.raw};
  return work.step.execution ? Party{2, work.step.execution.raw} : Party{0, 0};
}

OrderModel::TurnView OrderModel::view_of(std::span<const Change> turn) const {
  TurnView view;
  for (const Change& change : turn) {
    std::visit(Overloaded{[&](const PutQueue& c) { view.queues.insert(c.config.name); },
                          [&](const PutTask& c) {
                            view.tasks.insert(c.task.id);
                            view.put[c.task.id] = c.task;
                          },
                          [&](const ReopenTask& c) { view.tasks.insert(c.task.id); },
                          [&](const FinishTask& c) { view.tasks.insert(c.history.task.id); },
                          [&](const PutAttempt& c) {
                            view.tasks.insert(c.attempt.work.task);
                            view.arrays.insert(c.attempt.work.array);
                          },
                          [&](const EndLease& c) {
                            view.tasks.insert(c.ended.work.task);
                            view.arrays.insert(c.ended.work.array);
                          },
                          [&](const PutArray& c) { view.arrays.insert(c.array.id); },
                          [&](const ReopenArray& c) { view.arrays.insert(c.array.id); },
                          [&](const ReopenIndex& c) { view.arrays.insert(c.array); },
                          [&](const CancelRest& c) { view.arrays.insert(c.array); },
                          [&](const PutOutcomes& c) { view.arrays.insert(c.array); },
                          [&](const FinishArray& c) { view.arrays.insert(c.array); },
                          [](const auto&) {}},
               change);
  }
  for (const auto& [id, held] : live_.leased_tasks) {
    const auto task = live_.tasks.find(id);
    if (task == live_.tasks.end()) continue;
    ++view.by_key[{task->second.work.queue, task->second.concurrency_key}];
  }
  return view;
}

std::optional<std::string> OrderModel::decided(std::span<const Change> turn) {
  TurnView view = view_of(turn);
  forget_turns(view);
  for (const Change& change : turn) {
    if (const auto* record = std::get_if<HandOut>(&change)) check_hand_out(view, *record);
    apply(live_, change);
  }
  check_limits(view);
  return broken_;
}

// Items leave in the order of the record.
void OrderModel::check_hand_out(TurnView& view, const HandOut& record) {
  for (const LeasedWork& item : record.items) {
    const WorkRef& work = item.work;
    if (work.task) {
      unsure_tasks_.erase(work.task);
      const auto put = view.put.find(work.task);
      const auto known = live_.tasks.find(work.task);
      const TaskRecord* task = put != view.put.end()         ? &put->second
                               : known != live_.tasks.end() ? &known->second
                                                            : nullptr;
      if (task == nullptr || task->state != TaskRecord::State::ready) continue;
      const QueueConfig config = config_of(task->work.queue);
      check_order(view, task->work,
                  {.party = party_of(config, task->work, {}),
                   .key = key_of(config, task->work, task->ready_at, task->id.raw),
                   .name = fmt::format("task {}", task->id.raw)});
      ++view.by_key[{task->work.queue, task->concurrency_key}];
      view.given_keys.insert({task->work.queue, task->concurrency_key});
      view.given_queues.insert(task->work.queue);
    } else {
      const auto known = live_.arrays.find(work.array);
      if (known == live_.arrays.end()) continue;
      const ArrayRecord& array = known->second.record;
      const QueueConfig config = config_of(array.work.queue);
      check_order(view, array.work,
                  {.party = party_of(config, array.work, array.id),
                   .key = key_of(config, array.work, array.ready_at, array.id.raw),
                   .name = fmt::format("array {}", array.id.raw)});
      view.given_queues.insert(array.work.queue);
      view.given_arrays.insert(array.id);
    }
    hand_out(live_, {.session = record.session, .in_process = record.in_process, .items = {item}});
  }
}

void OrderModel::check_order(const TurnView& view, const WorkSpec& work, const Waiting& given) {
  if (view.queues.contains(work.queue)) return;
  const Where where{work.queue, work.kind, work.needs_slot};
  const TaskId itself{std::get<2>(given.key)};
  const std::vector<Waiting> others = waiting(view, where, itself);
  for (const Waiting& other : others) {
    const bool more_urgent = std::get<0>(other.key) < std::get<0>(given.key);
    const bool ahead = other.party == given.party && other.key < given.key;
    if (!more_urgent && !ahead) continue;
    break_promise(fmt::format(
        "{} of queue {} was handed out before {}: priority {}, ready {}; {}, {}", given.name,
        work.queue, other.name, std::get<0>(given.key), std::get<1>(given.key),
        std::get<0>(other.key), std::get<1>(other.key)));
  }
  check_turns(where, given, others);
}

// What surely could be handed out in the middle of this turn.
std::vector<OrderModel::Waiting> OrderModel::waiting(const TurnView& view, const Where& where,
                                                     TaskId except) const {
  std::vector<Waiting> found;
  const QueueConfig config = config_of(std::get<0>(where));
  const auto here = [&](const WorkSpec& work) {
    return Where{work.queue, work.kind, work.needs_slot} == where;
  };
  for (const auto& [id, task] : live_.tasks) {
    if (id == except || view.tasks.contains(id) || unsure_tasks_.contains(id)) continue;
    if (task.state != TaskRecord::State::ready || live_.leased_tasks.contains(id)) continue;
    if (!here(task.work)) continue;
    const auto held = view.by_key.find({task.work.queue, task.concurrency_key});
    const bool limited = config.key_concurrency > 0 && !task.concurrency_key.empty();
    if (limited && held != view.by_key.end() && held->second >= config.key_concurrency) continue;
    found.push_back({.party = party_of(config, task.work, {}),
                     .key = key_of(config, task.work, task.ready_at, id.raw),
                     .name = fmt::format("task {}", id.raw),
                     .steady = !limited});
  }
  for (const auto& [id, array] : live_.arrays) {
    const ArrayRecord& record = array.record;
    if (id.raw == except.raw || view.arrays.contains(id) || unsure_arrays_.contains(id)) continue;
    if (!here(record.work) || record.cancel_requested || !array.has_fresh()) continue;
    if (array.failed > record.max_failed) continue;
    if (record.max_in_flight > 0 && array.begun.size() >= record.max_in_flight) continue;
    found.push_back({.party = party_of(config, record.work, id),
                     .key = key_of(config, record.work, record.ready_at, id.raw),
                     .name = fmt::format("array {}", id.raw),
                     .steady = record.max_in_flight == 0});
  }
  return found;
}

// In a fair queue: of equal priority, those who wait have their turn before another has its third.
void OrderModel::check_turns(const Where& where, const Waiting& given,
                             const std::vector<Waiting>& others) {
  std::set<Party> present;
  for (const Waiting& other : others) {
    const bool equal = std::get<0>(other.key) == std::get<0>(given.key);
    if (equal && other.steady) present.insert(other.party);
  }
  for (auto at = passed_.begin(); at != passed_.end();) {
    const auto& [place, party] = at->first;
    const bool waits = place != where || (present.contains(party) && party != given.party);
    at = waits ? std::next(at) : passed_.erase(at);
  }
  for (const Party& party : present) {
    if (party == given.party) continue;
    const int turns = ++passed_[{where, party}][given.party];
    if (turns <= kTurnsMax) continue;
    break_promise(fmt::format("{} of queue {} had {} turns while {} {} waited for its first",
                              given.name, std::get<0>(where), turns,
                              party.first == 1   ? "array"
                              : party.first == 2 ? "execution"
                                                 : "a loose task",
                              party.second));
  }
}

// Who may have left the order in this turn, if only for a moment, waits anew.
void OrderModel::forget_turns(const TurnView& view) {
  std::set<Where> changed;
  for (const TaskId id : view.tasks) {
    const auto task = live_.tasks.find(id);
    if (task == live_.tasks.end()) continue;
    const WorkSpec& work = task->second.work;
    changed.insert({work.queue, work.kind, work.needs_slot});
  }
  for (const ArrayId id : view.arrays) {
    const auto array = live_.arrays.find(id);
    if (array == live_.arrays.end()) continue;
    const WorkSpec& work = array->second.record.work;
    changed.insert({work.queue, work.kind, work.needs_slot});
  }
  for (const Where& where : changed) {
    const auto of_here = [&](const auto& p) { return p.first.first == where; };
    if (std::none_of(passed_.begin(), passed_.end(), of_here)) continue;
    std::set<Party> still;
    for (const Waiting& w : waiting(view, where, {})) {
      if (w.steady) still.insert(w.party);
    }
    std::erase_if(passed_, [&](const auto& p) {
      return of_here(p) && !still.contains(p.first.second);
    });
  }
  std::erase_if(passed_, [&](const auto& p) {
    return view.queues.contains(std::get<0>(p.first.first));
  });
}

// ---- limits ----

void OrderModel::check_limits(const TurnView& view) {
  std::map<std::string, uint64_t> by_queue;
  std::map<std::pair<std::string, std::string>, uint64_t> by_key;
  std::map<ArrayId, uint64_t> by_array;
  for (const auto& [id, held] : live_.leased_tasks) {
    const auto task = live_.tasks.find(id);
    if (task == live_.tasks.end()) continue;
    ++by_queue[task->second.work.queue];
    if (!task->second.concurrency_key.empty()) {
      ++by_key[{task->second.work.queue, task->second.concurrency_key}];
    }
  }
  for (const auto& [index, held] : live_.leased_indexes) {
    const auto array = live_.arrays.find(index.first);
    if (array == live_.arrays.end()) continue;
    ++by_queue[array->second.record.work.queue];
    ++by_array[index.first];
  }
  // A limit that was set below what runs already ends nothing; it only lets nothing more out.
  for (const std::string& name : view.given_queues) {
    if (view.queues.contains(name)) continue;
    const QueueConfig config = config_of(name);
    if (config.concurrency > 0 && by_queue[name] > config.concurrency) {
      break_promise(fmt::format("queue {} has {} leased, its concurrency is {}", name,
                                by_queue[name], config.concurrency));
    }
  }
  for (const ArrayId id : view.given_arrays) {
    const auto array = live_.arrays.find(id);
    if (array == live_.arrays.end()) continue;
    const uint32_t most = array->second.record.max_in_flight;
    if (most > 0 && by_array[id] > most) {
      break_promise(fmt::format("array {} has {} in flight of at most {}", id.raw, by_array[id],
                                most));
    }
  }
  for (const auto& [key, count] : by_key) {
    const QueueConfig config = config_of(key.first);
    if (!view.given_keys.contains(key) || view.queues.contains(key.first)) continue;
    if (config.key_concurrency == 0) continue;
    if (count > config.key_concurrency) {
      break_promise(fmt::format("key {} of queue {} has {} leased of at most {}", key.second,
                                key.first, count, config.key_concurrency));
    }
  }
}

}  // namespace tidemill::sim
