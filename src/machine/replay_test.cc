// Random commands from a seed: every invariant is checked after each, the same seed gives the same
// bytes (P9), and when the faults stop everything reaches an end (P6).
#include <gtest/gtest.h>

#include <algorithm>

#include "base/hash.h"
#include "machine/internal/test_machine.h"

namespace tidemill::machine {
namespace {

class Soup {
 public:
  explicit Soup(uint64_t seed) : seed_(seed) {
    t_.ask<Done>(ConfigureQueue{{.name = "narrow", .concurrency = 3, .key_concurrency = 1}});
    for (int i = 0; i < 3; ++i) workers_.push_back(t_.open(2, 6));
    held_.resize(workers_.size());
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) step();
  }
  // No more faults: two honest workers finish what there is.
  void finish() {
    workers_.assign(1, t_.open(8, 64));
    held_.assign(1, {});
    for (int i = 0; i < 3'000 && live() > 0; ++i) {
      t_.advance(seconds(2));
      exchange(0, Honesty::honest);
    }
    EXPECT_EQ(live(), 0U);
  }
  uint64_t replay_hash() const { return t_.machine.replay_hash(); }
  uint64_t state_hash() const { return t_.machine.state_hash(); }

 private:
  enum class Honesty : uint8_t { honest, random };

  uint64_t draw(uint64_t below) { return mix64(seed_ += 0x9e3779b97f4a7c15ULL) % below; }
  uint64_t live() const {
    const MachineCounts c = t_.machine.counts();
    return c.ready + c.delayed + c.blocked + c.leased + c.arrays + c.barriers;
  }

  void step() {
    switch (draw(16)) {
      case 0:
      case 1:
      case 2:
        return spawn_task();
      case 3:
        return spawn_array();
      case 4:
        return cancel();
      case 5:
        return retry();
      case 6:
        return t_.advance(milliseconds(static_cast<int64_t>(draw(20'000))));
      case 7:
        return lose_worker();
      case 8:
        return open_barrier();
      default:
        return exchange(draw(workers_.size()), Honesty::random);
    }
  }

  TaskSpec spec() {
    TaskSpec out = TestMachine::spec();
    out.work.queue = draw(2) == 0 ? "default" : "narrow";
    out.work.priority = static_cast<int32_t>(draw(3));
    out.work.needs_slot = draw(2) == 0;
    out.work.retry.backoff = draw(2) == 0 ? Backoff::none : Backoff::linear;
    out.work.retry.jitter_percent = 50;
    if (draw(3) == 0) out.concurrency_key = draw(2) == 0 ? "a" : "b";
    if (draw(4) == 0) out.run_at = t_.now.wall + seconds(static_cast<int64_t>(draw(30)));
    if (draw(8) == 0) out.work.attempt_timeout = seconds(3);
    return out;
  }
  void spawn_task() {
    SpawnTasks command;
    for (uint64_t n = 1 + draw(4); n > 0; --n) {
      command.tasks.push_back(spec());
      TaskSpec& one = command.tasks.back();
      if (!tasks_.empty() && draw(3) == 0) one.after = {tasks_[draw(tasks_.size())]};
      one.after_any_outcome = draw(2) == 0;
    }
    for (const Spawned::One& one : t_.ask<Spawned>(command).tasks) tasks_.push_back(one.id);
  }
  void spawn_array() {
    ArraySpec array = TestMachine::array_spec(draw(40));
    array.work.needs_slot = draw(2) == 0;
    array.work.queue = draw(2) == 0 ? "default" : "narrow";
    array.max_in_flight = static_cast<uint32_t>(draw(4));
    if (draw(3) == 0) array.max_failed = draw(3);
    const uint64_t count = array.count;
    arrays_.emplace_back(t_.spawn_array(array), count);
  }
  void open_barrier() {
    const uint64_t expected = draw(3);
    const auto opened = t_.ask<BarrierOpened>(OpenBarrier{.fires = spec(), .expected = expected});
    SpawnTasks joining;
    joining.tasks.assign(expected, spec());
    for (TaskSpec& one : joining.tasks) one.work.barrier = opened.id;
    if (expected > 0) t_.ask<Spawned>(joining);
    tasks_.push_back(opened.fires);
  }
  WorkRef some_work() {
    if (!arrays_.empty() && draw(2) == 0) {
      const auto& [id, count] = arrays_[draw(arrays_.size())];
      return draw(6) == 0 ? WorkRef::of(id, 0, UINT64_MAX) : WorkRef::of(id, draw(count + 1));
    }
    return tasks_.empty() ? WorkRef::of(TaskId{1}) : WorkRef::of(tasks_[draw(tasks_.size())]);
  }
  void cancel() {
    using Urgency = CancelWork::Urgency;
    t_.send(CancelWork{some_work(), draw(2) == 0 ? Urgency::ask : Urgency::now});
  }
  void retry() { t_.send(RetryWork{some_work()}); }
  void lose_worker() {
    const uint64_t w = draw(workers_.size());
    if (draw(2) == 0) t_.ask<Done>(CloseSession{workers_[w].session});
    workers_[w] = t_.open(2, 6);
    held_[w].clear();
  }

  Report report_on(const Assignment& one, const WorkRef& unit, Honesty honesty) {
    const uint64_t fate = honesty == Honesty::honest ? 9 : draw(10);
    Report report = TestMachine::report(fate == 0   ? Report::Kind::returned
                                        : fate <= 2 ? Report::Kind::failed
                                                    : Report::Kind::done,
                                        one);
    report.work = unit;
    report.trace.finished = microseconds(static_cast<int64_t>(draw(5'000)));
    return report;
  }
  void exchange(uint64_t w, Honesty honesty) {
    std::vector<Report> reports;
    std::vector<std::pair<Assignment, WorkRef>> kept;
    for (auto& [one, unit] : held_[w]) {
      if (honesty == Honesty::random && draw(3) == 0) {
        kept.emplace_back(std::move(one), unit);
      } else {
        reports.push_back(report_on(one, unit, honesty));
      }
    }
    ExchangeRequest request = TestMachine::request(workers_[w], std::move(reports));
    const auto full = static_cast<uint32_t>(kept.size());
    request.free_slots -= std::min(request.free_slots, full);
    request.free_places -= std::min(request.free_places, full);
    const ExchangeReply reply = t_.exchange(workers_[w], std::move(request));
    held_[w] = std::move(kept);
    if (reply.session_unknown) {
      workers_[w] = t_.open(2, 6);
      held_[w].clear();
      return;
    }
    for (const Assignment& one : reply.assignments) {
      for (uint64_t i = 0; i < one.work.count; ++i) {
        const WorkRef unit =
            one.work.array ? WorkRef::of(one.work.array, one.work.first + i) : one.work;
        held_[w].emplace_back(one, unit);
      }
    }
  }

  uint64_t seed_;
  TestMachine t_;
  std::vector<TestMachine::Worker> workers_;
  std::vector<std::vector<std::pair<Assignment, WorkRef>>> held_;
  std::vector<TaskId> tasks_;
  std::vector<std::pair<ArrayId, uint64_t>> arrays_;
};

TEST(ReplayTest, TheSameSeedGivesTheSameBytesAndEverythingEnds) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Soup one(seed);
    Soup other(seed);
    one.run(300);
    other.run(300);
    ASSERT_EQ(one.replay_hash(), other.replay_hash());
    ASSERT_EQ(one.state_hash(), other.state_hash());
    one.finish();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tidemill::machine
