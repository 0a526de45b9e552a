#pragma once
// TestMachine: a Machine with a clock that a test turns by hand and rows that remember what its
// turns wrote. For unit tests of this room; every step checks the machine's invariants. Not part of
// the library.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "machine/machine.h"
#include "model/codec.h"

namespace tidemill::machine {

class TestRows : public Rows {
 public:
  void take(const std::vector<Change>& changes) {
    for (const Change& change : changes) {
      if (const auto* finish = std::get_if<FinishTask>(&change)) {
        tasks_[finish->history.task.id] = finish->history;
        live.erase(finish->history.task.id);
      } else if (const auto* put_task = std::get_if<PutTask>(&change)) {
        live[put_task->task.id] = put_task->task;
      } else if (const auto* put = std::get_if<PutKey>(&change)) {
        keys_[{put->key.queue, put->key.key}] = put->key;
      } else if (const auto* reopen = std::get_if<ReopenTask>(&change)) {
        tasks_.erase(reopen->task.id);
        live[reopen->task.id] = reopen->task;
      }
    }
  }
  const KeyRecord* key(const std::string& queue, const std::string& key) const override {
    const auto found = keys_.find({queue, key});
    return found == keys_.end() ? nullptr : &found->second;
  }
  const HistoryRecord* finished_task(TaskId id) const override {
    const auto found = tasks_.find(id);
    return found == tasks_.end() ? nullptr : &found->second;
  }
  const TaskRecord* stored_task(TaskId id) const override {
    const auto found = live.find(id);
    return found == live.end() ? nullptr : &found->second;
  }
  const ArrayRecord* finished_array(ArrayId) const override { return nullptr; }
  const ExecutionRecord* finished_execution(ExecutionId) const override { return nullptr; }
  const std::vector<StepRecord>* finished_steps(ExecutionId) const override { return nullptr; }
  playbook::PlanPtr plan(const Sha256&) const override { return nullptr; }

  std::map<TaskId, TaskRecord> live;

 private:
  std::map<TaskId, HistoryRecord> tasks_;
  std::map<std::pair<std::string, std::string>, KeyRecord> keys_;
};

class TestMachine {
 public:
  TestMachine() : machine({.partition = 0, .seed = 42, .incarnation = 1, .first_id = 1}) {}
  explicit TestMachine(uint64_t window)
      : machine({.partition = 0, .seed = 42, .incarnation = 1, .first_id = 1, .window = window}) {}

  // ---- turns ----
  Tag send(CommandBody body) {
    const Tag tag{++tags_};
    const Command command{tag, std::move(body)};
    machine.apply(Turn{++turn}, now, {&command, 1}, rows, out);
    rows.take(out.changes);
    for (const auto& effect : out.effects) {
      const auto* page = std::get_if<PageWanted>(&effect.effect);
      if (page != nullptr) pages.push_back(page->part);
    }
    for (Reply& reply : out.replies) {
      EXPECT_LE(reply.needs.raw, turn);
      EXPECT_TRUE(replies.emplace(reply.tag, reply).second) << "two replies to one command";
    }
    machine.check();
    return tag;
  }
  // The reply to a command that is answered at once.
  template <class Body>
  Body ask(CommandBody body) {
    const Tag tag = send(std::move(body));
    const auto found = replies.find(tag);
    if (found == replies.end()) {
      ADD_FAILURE() << "no reply";
      return {};
    }
    if (const auto* refused = std::get_if<Refused>(&found->second.body)) {
      if constexpr (!std::is_same_v<Body, Refused>) ADD_FAILURE() << "refused: " << refused->text;
    }
    const auto* body_found = std::get_if<Body>(&found->second.body);
    if (body_found == nullptr) {
      ADD_FAILURE() << "another kind of reply";
      return {};
    }
    return *body_found;
  }
  void advance(Duration by) {
    now.steady = now.steady + by;
    now.wall = now.wall + by;
    ask<Done>(Tick{});
  }

  // ---- asking for work ----
  static TaskSpec spec(const std::string& kind = "k") {
    TaskSpec out;
    out.work.kind = kind;
    out.work.retry.backoff = Backoff::none;
    return out;
  }
  TaskId spawn(TaskSpec task) {
    SpawnTasks command;
    command.tasks.push_back(std::move(task));
    const auto spawned = ask<Spawned>(std::move(command));
    return spawned.tasks.empty() ? TaskId{} : spawned.tasks.front().id;
  }
  TaskId spawn() { return spawn(spec()); }
  static ArraySpec array_spec(uint64_t count) {
    ArraySpec out;
    out.work.kind = "k";
    out.work.needs_slot = false;
    out.work.retry.backoff = Backoff::none;
    out.count = count;
    return out;
  }
  ArrayId spawn_array(ArraySpec array) {
    SpawnArray command;
    command.array = std::move(array);
    return ask<ArraySpawned>(std::move(command)).id;
  }

  // ---- workers ----
  struct Worker {
    SessionId session;
    uint64_t number = 0;
    uint64_t seen = 0;
    uint32_t slots = 1;
    uint32_t places = 8;
    bool in_process = false;
  };
  Worker open(uint32_t slots = 1, uint32_t places = 8) {
    Worker worker{.slots = slots, .places = places};
    Exchange command;
    command.request.kinds = {"k"};
    command.request.free_slots = slots;
    command.request.free_places = places;
    worker.number = 1;
    worker.session = ask<ExchangeReply>(std::move(command)).session;
    worker.seen = 1;
    return worker;
  }
  static ExchangeRequest request(Worker& worker, std::vector<Report> reports = {}) {
    ExchangeRequest out{.session = worker.session, .number = ++worker.number};
    out.last_reply = worker.seen;
    out.reports = std::move(reports);
    out.free_slots = worker.slots;
    out.free_places = worker.places;
    out.wait = false;
    return out;
  }
  ExchangeReply exchange(Worker& worker, std::vector<Report> reports = {}) {
    return exchange(worker, request(worker, std::move(reports)));
  }
  ExchangeReply exchange(Worker& worker, ExchangeRequest request) {
    const uint64_t number = request.number;
    const auto reply = ask<ExchangeReply>(Exchange{std::move(request), worker.in_process});
    EXPECT_EQ(reply.number, number);
    worker.seen = number;
    return reply;
  }
  std::vector<Assignment> claim(Worker& worker) { return exchange(worker).assignments; }
  static Report report(Report::Kind kind, const Assignment& of) {
    Report out{.kind = kind, .work = of.work, .epoch = of.epoch};
    if (kind == Report::Kind::failed) out.error = {.kind = "tool", .message = "it broke"};
    return out;
  }
  static Report done(const Assignment& of) { return report(Report::Kind::done, of); }
  static Report failed(const Assignment& of) { return report(Report::Kind::failed, of); }
  static Report done(const Assignment& of, uint64_t index) {
    Report out = done(of);
    out.work = WorkRef::of(of.work.array, index);
    return out;
  }

  // ---- backlogs ----
  // What the store would give for a page, as it is now.
  PageIn page(const BacklogFilter& part) const {
    std::map<std::pair<WallTime, TaskId>, TaskRecord> sorted;
    for (const auto& [id, task] : rows.live) {
      const bool in_it = task.state == TaskRecord::State::ready && task.work.queue == part.queue &&
                         task.work.kind == part.kind && task.work.priority == part.priority;
      if (in_it) sorted.emplace(std::pair(task.ready_at, id), task);
    }
    PageIn found{part, std::make_shared<std::vector<BacklogRow>>()};
    for (auto at = sorted.lower_bound({part.ready, part.task}); at != sorted.end(); ++at) {
      if (found.rows->size() == part.limit) break;
      found.rows->push_back({at->second, hash64(encode(at->second))});
    }
    return found;
  }
  // Brings what is wanted until nothing more is.
  void bring_pages() {
    while (!pages.empty()) {
      const BacklogFilter part = pages.front();
      pages.erase(pages.begin());
      ask<Done>(page(part));
    }
  }

  // ---- looking ----
  const HistoryRecord* ended(TaskId id) const { return rows.finished_task(id); }
  template <class T>
  std::vector<T> changes() const {  // of the last turn
    std::vector<T> found;
    for (const Change& change : out.changes) {
      if (const auto* one = std::get_if<T>(&change)) found.push_back(*one);
    }
    return found;
  }

  Machine machine;
  TestRows rows;
  TurnOutput out;
  Now now{.steady = {1'000'000'000}, .wall = {1'700'000'000'000'000'000}};
  uint64_t turn = 0;
  std::map<Tag, Reply> replies;
  std::vector<BacklogFilter> pages;  // wanted, and not brought yet

 private:
  uint64_t tags_ = 0;
};

}  // namespace tidemill::machine
