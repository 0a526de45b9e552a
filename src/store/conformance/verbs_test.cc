// Each verb of the door, on every store: what is committed is read, and recovered after opening
// again.
#include <gtest/gtest.h>

#include "base/hash.h"
#include "model/codec.h"
#include "os/thread.h"
#include "store/conformance/dump.h"
#include "store/conformance/subject.h"

namespace tidemill::store {
namespace {

SharedBytes shared(const char* text) { return std::make_shared<const std::string>(text); }

TaskRecord task(uint64_t id, const char* kind = "noop") {
  TaskRecord t;
  t.id = TaskId{id};
  t.work.kind = kind;
  t.work.input = shared("{\"n\":1}");
  t.spawned_at = t.run_at = t.ready_at = {1'000'000 + static_cast<int64_t>(id)};
  return t;
}

HistoryRecord finished(const TaskRecord& t, Outcome outcome = Outcome::done) {
  HistoryRecord h{.task = t, .outcome = outcome};
  h.result.inline_json = "[" + std::to_string(t.id.raw) + "]";
  h.log = "hello\n";
  h.trace = {.spawned = t.spawned_at,
             .ready = t.ready_at,
             .dispatched = {2'000'000},
             .reported = {3'000'000},
             .started = {10},
             .finished = {50},
             .sent = {60}};
  if (outcome == Outcome::failed) h.error = {.kind = "http", .message = "503", .retryable = false};
  return h;
}

ArrayRecord array(uint64_t id, uint64_t count) {
  ArrayRecord a;
  a.id = ArrayId{id};
  a.work.kind = "noop";
  a.count = count;
  return a;
}

IndexOutcome outcome(uint64_t index, Outcome how = Outcome::done) {
  IndexOutcome o{.index = index, .attempt = 2, .outcome = how};
  o.result.inline_json = std::to_string(index * index);
  o.trace.dispatched = {static_cast<int64_t>(index)};
  return o;
}

LeasedWork leased(const WorkRef& work, uint64_t counter) {
  return {work, {.incarnation = 1, .counter = counter}};
}

class VerbsTest : public testing::TestWithParam<SubjectKind> {
 protected:
  VerbsTest() : subject_(GetParam().make()), store_(&subject_->reopen()) {}

  void commit(std::vector<Change> changes) {
    ++turn_.raw;
    const Status done = store_->commit(changes, {turn_, {static_cast<int64_t>(turn_.raw) * 100}});
    ASSERT_TRUE(done.ok()) << done.error().what;
  }
  Reader& reader() {
    reader_ = taken(store_->reader());
    return *reader_;
  }
  // Loads now and once more after opening again; both must agree.
  Lines loaded() {
    reader_.reset();
    const Lines now = dump_load(*store_);
    store_ = &subject_->reopen();
    EXPECT_EQ(dump_load(*store_), now);
    return now;
  }
  Lines loaded(const char* kind) {
    Lines out;
    for (std::string& line : loaded()) {
      if (line.starts_with(kind)) out.push_back(std::move(line));
    }
    return out;
  }

  std::unique_ptr<Subject> subject_;
  Store* store_;
  std::unique_ptr<Reader> reader_;
  Turn turn_;
};

// A worker's thread makes child playbooks known while the engine commits; the log is short enough
// here for checkpoints to come in between.
TEST_P(VerbsTest, ABacklogIsReadInItsOrderAndByParts) {
  std::vector<Change> changes;
  for (uint64_t id = 1; id <= 9; ++id) changes.push_back(PutTask{task(id)});
  TaskRecord other = task(10);
  other.work.priority = 3;
  TaskRecord elsewhere = task(11, "shell");
  TaskRecord waiting = task(12);
  waiting.state = TaskRecord::State::delayed;
  waiting.run_at = {9'000'000};
  TaskRecord again = task(13);  // tried before: its place is another one
  again.ready_at = {1'000'003};
  for (const TaskRecord& t : {other, elsewhere, waiting, again}) changes.push_back(PutTask{t});
  commit(std::move(changes));
  commit({FinishTask{finished(task(4))}});

  BacklogFilter part{.queue = "default", .kind = "noop", .limit = 4};
  part.ready = {1'000'002};
  part.task = TaskId{2};
  const auto ids_of = [](const std::vector<BacklogRow>& rows) {
    std::vector<uint64_t> out;
    for (const BacklogRow& row : rows) {
      EXPECT_EQ(row.hash, hash64(encode(row.task)));
      out.push_back(row.task.id.raw);
    }
    return out;
  };
  EXPECT_EQ(ids_of(taken(reader().backlog(part))), (std::vector<uint64_t>{2, 3, 13, 5}));
  part.ready = {1'000'005};
  part.task = TaskId{6};
  part.limit = 100;
  EXPECT_EQ(ids_of(taken(reader().backlog(part))), (std::vector<uint64_t>{6, 7, 8, 9}));
  part.priority = 3;
  EXPECT_EQ(ids_of(taken(reader().backlog(part))), (std::vector<uint64_t>{10}));
  part.queue = "nobody's";
  EXPECT_TRUE(taken(reader().backlog(part)).empty());
}

TEST_P(VerbsTest, ALiveTaskIsFoundByItsIdWhereverItLies) {
  std::vector<Change> changes;
  for (uint64_t id = 1; id <= 300; ++id) {
    TaskRecord t = task(id, id % 3 == 0 ? "shell" : "noop");
    t.work.priority = static_cast<int32_t>(id % 2);
    // Many of one batch have one time; the clock was once set back.
    t.spawned_at = t.run_at = t.ready_at = {static_cast<int64_t>(id < 200 ? id / 7 : id / 7 - 20)};
    if (id % 11 == 0) {
      t.state = TaskRecord::State::delayed;
      t.run_at = {static_cast<int64_t>(10'000 - id)};
    }
    if (id % 13 == 0) t.state = TaskRecord::State::suspended;
    changes.push_back(PutTask{t});
  }
  commit(std::move(changes));
  Reader& read = reader();
  for (uint64_t id = 1; id <= 300; ++id) {
    const std::optional<TaskRow> row = taken(read.task(TaskId{id}));
    ASSERT_TRUE(row.has_value()) << id;
    EXPECT_EQ(row->task.id.raw, id);
    EXPECT_EQ(row->outcome, Outcome::open);
  }
  EXPECT_FALSE(taken(read.task(TaskId{301})).has_value());
}

TEST_P(VerbsTest, PlansArePutWhileAnotherThreadCommits) {
  constexpr int kPlans = 60, kReads = 60;
  const auto text = [](int i) { return "playbook " + std::to_string(i) + std::string(9'000, '#'); };
  int put = 0, read = 0;
  {
    const os::Thread putter("put-plans", [&] {
      const std::vector<std::string> names = {"start", "end"};
      for (int i = 0; i < kPlans; ++i) {
        const std::string plan = text(i);
        if (store_->put_plan(sha256(plan), plan, names).ok()) ++put;
      }
    });
    const os::Thread asker("ask", [&] {
      for (int i = 0; i < kReads; ++i) {
        const auto own = store_->reader();
        if (own.ok() && (*own)->plan_text(sha256(text(0))).ok()) ++read;
      }
    });
    for (uint64_t id = 1; id <= 300; ++id) {
      TaskRecord t = task(id);
      t.work.input = std::make_shared<const std::string>(9'000, 'x');
      commit({PutTask{t}});
    }
  }
  EXPECT_EQ(put, kPlans);
  EXPECT_EQ(read, kReads);
  EXPECT_EQ(loaded("task").size(), 300U);
  for (int i = 0; i < kPlans; ++i) {
    EXPECT_EQ(taken(reader().plan_text(sha256(text(i)))), text(i)) << i;
  }
}

TEST_P(VerbsTest, ATurnKeepsTheTimeAtWhichItWasDurable) {
  const TaskRecord first = task(1), second = task(2);
  const auto recorded = [&](TaskId id) { return taken(reader().task(id))->recorded; };
  commit({PutTask{first}, PutTask{second}, FinishTask{finished(first)}});
  store_->note_recorded(Turn{1}, {155});
  commit({FinishTask{finished(second)}});
  EXPECT_EQ(recorded(first.id), (WallTime{155}));
  EXPECT_EQ(recorded(second.id), (WallTime{200})) << "nothing better is known yet";
  EXPECT_EQ(taken(reader().last_recorded()), (WallTime{200}));
  store_->note_recorded(Turn{2}, {255});
  loaded();
  EXPECT_EQ(recorded(first.id), (WallTime{155}));
  EXPECT_EQ(recorded(second.id), (WallTime{255})) << "kept at the end";
  EXPECT_EQ(taken(reader().last_recorded()), (WallTime{255}));
}

TEST_P(VerbsTest, AnEmptyStore) {
  EXPECT_EQ(loaded(), Lines{"counters 1 0 0"});
  EXPECT_EQ(taken(reader().last_turn()), Turn{0});
  EXPECT_EQ(taken(reader().last_recorded()), WallTime{});
  EXPECT_FALSE(taken(reader().task(TaskId{1})).has_value());
  EXPECT_FALSE(taken(reader().array(ArrayId{1})).has_value());
  EXPECT_FALSE(taken(reader().execution(ExecutionId{1})).has_value());
  EXPECT_FALSE(taken(reader().plan_text(sha256("x"))).has_value());
  EXPECT_TRUE(taken(reader().tasks({})).empty());
  EXPECT_FALSE(store_->failed());
}

TEST_P(VerbsTest, CountersAndTurns) {
  commit({PutCounters{.next_id = 77, .incarnation = 3}});
  turn_.raw = 9;  // A commit may carry several turns and has the number of the last.
  commit({});
  EXPECT_EQ(loaded(), Lines{"counters 77 3 10"});
  EXPECT_EQ(taken(reader().last_turn()), Turn{10});
  EXPECT_EQ(store_->stats().commits, GetParam().name == std::string("memory") ? 2U : 0U);
}

TEST_P(VerbsTest, AQueueIsReplaced) {
  commit({PutQueue{{.name = "a"}}, PutQueue{{.name = "b"}}});
  commit({PutQueue{{.name = "a", .concurrency = 4, .paused = true}}});
  EXPECT_EQ(loaded("queue"),
            (Lines{line_of("queue", QueueConfig{.name = "a", .concurrency = 4, .paused = true}),
                   line_of("queue", QueueConfig{.name = "b"})}));
}

TEST_P(VerbsTest, ATokenIsAddedAndDropped) {
  const TokenRecord a{.name = "a", .kind = TokenKind::admin, .hash = sha256("a")};
  const TokenRecord b{.name = "b", .kind = TokenKind::worker, .hash = sha256("b"), .queues = {"q"}};
  commit({PutToken{b}, PutToken{a}});
  EXPECT_EQ(loaded("token"), (Lines{line_of("token", a), line_of("token", b)}));
  EXPECT_EQ(taken(reader().tokens()), (std::vector<TokenRecord>{a, b}));
  commit({DropToken{"a"}, DropToken{"nobody"}});
  EXPECT_EQ(loaded("token"), Lines{line_of("token", b)});
  EXPECT_EQ(taken(reader().tokens()), std::vector<TokenRecord>{b});
}

TEST_P(VerbsTest, ATaskLivesAndEnds) {
  commit({PutTask{task(1)}, PutTask{task(2, "http")}});
  EXPECT_EQ(loaded("task").size(), 2U);
  const auto live = taken(reader().task(TaskId{1}));
  ASSERT_TRUE(live.has_value());
  EXPECT_EQ(live->outcome, Outcome::open);
  EXPECT_FALSE(taken(reader().task_outcome(TaskId{1})).has_value());

  const HistoryRecord h = finished(task(1), Outcome::failed);
  commit({FinishTask{h}});
  EXPECT_EQ(loaded("task"), Lines{line_of("task", task(2, "http"))});
  const auto row = taken(reader().task(TaskId{1}));
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(line_of(*row), line_of("row", h) + " recorded 200");
  EXPECT_EQ(taken(reader().task_outcome(TaskId{1})), Outcome::failed);
  const auto results = taken(reader().results({.place = ResultRef::Place::task, .task = {1}}));
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].inline_json, "[1]");
}

TEST_P(VerbsTest, ATaskChangesItsPlaceAndIsThereOnce) {
  TaskRecord t = task(1);
  t.state = TaskRecord::State::blocked;
  t.after = {TaskId{9}};
  commit({PutTask{t}});
  t.state = TaskRecord::State::delayed;
  t.after.clear();
  t.run_at = {5'000'000};
  commit({PutTask{t}});
  t.state = TaskRecord::State::ready;
  t.ready_at = {6'000'000};
  t.attempts = 1;
  commit({PutTask{t}});
  EXPECT_EQ(loaded("task"), Lines{line_of("task", t)});
  t.state = TaskRecord::State::suspended;
  t.suspended_with = shared("{}");
  commit({PutTask{t}});
  EXPECT_EQ(loaded("task"), Lines{line_of("task", t)});
  commit({FinishTask{finished(t)}});
  EXPECT_TRUE(loaded("task").empty());
}

TEST_P(VerbsTest, ATaskSpawnedMovedAndFinishedInOneCommit) {
  TaskRecord t = task(1);
  TaskRecord later = t;
  later.state = TaskRecord::State::delayed;
  later.run_at = {9'000'000};
  commit({PutTask{t}, PutTask{later}});
  EXPECT_EQ(loaded("task"), Lines{line_of("task", later)});
  commit({PutTask{task(5)}, PutTask{task(4)}, FinishTask{finished(task(5))},
          FinishTask{finished(task(6), Outcome::cancelled)}});
  EXPECT_EQ(loaded("task").size(), 2U);
  EXPECT_EQ(taken(reader().task_outcome(TaskId{6})), Outcome::cancelled);
}

// Queue, kind, priority and spawn time of a task do not change; should they, its end still ends it.
TEST_P(VerbsTest, ATaskThatEndsWithAnotherPriorityIsNotLeftBehind) {
  commit({PutTask{task(1)}, PutTask{task(2)}});
  TaskRecord t = task(1);
  t.work.priority = 7;
  commit({FinishTask{finished(t)}});
  EXPECT_EQ(loaded("task"), Lines{line_of("task", task(2))});
}

TEST_P(VerbsTest, AReopenedTaskIsLiveAgain) {
  commit({PutTask{task(1)}});
  commit({FinishTask{finished(task(1), Outcome::failed)}});
  TaskRecord again = task(1);
  again.round = 2;
  again.ready_at = {9'000'000};
  commit({ReopenTask{again}});
  EXPECT_EQ(loaded("task"), Lines{line_of("task", again)});
  EXPECT_FALSE(taken(reader().task_outcome(TaskId{1})).has_value());
  EXPECT_EQ(taken(reader().tasks({})).size(), 1U);
  commit({FinishTask{finished(again)}});
  EXPECT_TRUE(loaded("task").empty());
  EXPECT_EQ(taken(reader().task_outcome(TaskId{1})), Outcome::done);
}

TEST_P(VerbsTest, TasksAreFilteredAndPaged) {
  std::vector<Change> spawns, ends;
  for (uint64_t id = 1; id <= 40; ++id) {
    TaskRecord t = task(id, id % 2 == 0 ? "http" : "noop");
    t.work.queue = id % 3 == 0 ? "third" : "default";
    if (id > 20) t.work.step = {ExecutionId{99}, static_cast<uint32_t>(id % 4), 1};
    spawns.push_back(PutTask{t});
    if (id % 5 == 0)
      ends.push_back(FinishTask{finished(t, id % 2 == 0 ? Outcome::done : Outcome::failed)});
  }
  commit(spawns);
  commit(ends);
  const auto ids = [&](TaskFilter filter) {
    std::vector<uint64_t> out;
    for (const TaskRow& row : taken(reader().tasks(filter))) out.push_back(row.task.id.raw);
    return out;
  };
  using Ids = std::vector<uint64_t>;
  EXPECT_EQ(ids({.limit = 4}), (Ids{1, 2, 3, 4}));
  EXPECT_EQ(ids({.after = {38}, .limit = 4}), (Ids{39, 40}));
  EXPECT_EQ(ids({.outcome = Outcome::failed}), (Ids{5, 15, 25, 35}));
  EXPECT_EQ(ids({.outcome = Outcome::done, .after = {20}}), (Ids{30, 40}));
  EXPECT_EQ(ids({.queue = "third", .outcome = Outcome::open, .limit = 3}), (Ids{3, 6, 9}));
  EXPECT_EQ(ids({.execution = ExecutionId{99}, .step = 0}), (Ids{24, 28, 32, 36, 40}));
  EXPECT_EQ(ids({.step = 0}), (Ids{24, 28, 32, 36, 40}));
  EXPECT_TRUE(ids({.queue = "none"}).empty());
}

TEST_P(VerbsTest, AttemptsAreKeptInOrder) {
  AttemptRecord first{.work = WorkRef::of(TaskId{1}), .number = 1, .log = "l"};
  first.error = {.kind = "timeout", .message = "5 s"};
  AttemptRecord second{.work = WorkRef::of(TaskId{1}), .number = 2};
  second.end = AttemptRecord::End::lost;
  AttemptRecord range{.work = WorkRef::of(ArrayId{1}, 10, 5), .number = 1};
  commit({PutTask{task(1)}, PutAttempt{first}});
  commit({PutAttempt{second}, PutAttempt{range}});
  const auto of_task = taken(reader().attempts(WorkRef::of(TaskId{1})));
  ASSERT_EQ(of_task.size(), 2U);
  EXPECT_EQ(encode(of_task[0]), encode(first));
  EXPECT_EQ(encode(of_task[1]), encode(second));
  EXPECT_EQ(taken(reader().attempts(WorkRef::of(ArrayId{1}, 14))).size(), 1U);
  EXPECT_EQ(taken(reader().attempts(WorkRef::of(ArrayId{1}, 0, 11))).size(), 1U);
  EXPECT_TRUE(taken(reader().attempts(WorkRef::of(ArrayId{1}, 15))).empty());
}

TEST_P(VerbsTest, AnArrayWithItemsOutcomesAndOverrides) {
  const ItemChunk chunk{ArrayId{7}, 0,
                        std::make_shared<const std::vector<std::string>>(3, "{\"i\":1}")};
  ArrayRecord a = array(7, 3);
  a.has_items = true;
  IndexOverride o{.array = ArrayId{7}, .index = 2, .attempts = 1};
  commit({PutArray{a}, PutItems{chunk}, PutOverride{o}});
  commit(
      {PutOutcomes{ArrayId{7}, {outcome(2, Outcome::failed), outcome(0)}}, DropOverride{{7}, 2}});
  o.index = 1;
  commit({PutOverride{o}});
  EXPECT_EQ(loaded(), (Lines{line_of("array", a), "counters 1 0 3", line_of("items", chunk),
                             "outcome 7/0 1", "outcome 7/2 2", line_of("override", o)}));
  const auto row = taken(reader().array(ArrayId{7}));
  EXPECT_EQ(row->done, 1U);
  EXPECT_EQ(row->failed, 1U);
  const auto rows = taken(reader().outcomes(ArrayId{7}, 0, 10));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(encode(rows[1].outcome), encode(outcome(2, Outcome::failed)));
  EXPECT_EQ(rows[1].recorded, WallTime{200});
  const auto results = taken(reader().results({.place = ResultRef::Place::array, .array = {7}}));
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[0].inline_json, "0");
  EXPECT_EQ(results[1].inline_json, "");
  EXPECT_EQ(results[2].inline_json, "4");
}

TEST_P(VerbsTest, AFinishedArrayIsNotRecoveredAndAReopenedOneIs) {
  commit(
      {PutArray{array(7, 2)}, PutOutcomes{ArrayId{7}, {outcome(0), outcome(1, Outcome::failed)}}});
  commit({FinishArray{ArrayId{7}, 1, 1, 0, {555}}});
  EXPECT_EQ(loaded(), Lines{"counters 1 0 2"});
  auto row = taken(reader().array(ArrayId{7}));
  ASSERT_TRUE(row.has_value());
  EXPECT_TRUE(row->finished);
  EXPECT_EQ(row->finished_at, WallTime{555});
  EXPECT_EQ(row->failed, 1U);
  commit({ReopenArray{array(7, 2)}, ReopenIndex{ArrayId{7}, 1}});
  EXPECT_EQ(loaded(), (Lines{line_of("array", array(7, 2)), "counters 1 0 3", "outcome 7/0 1"}));
  row = taken(reader().array(ArrayId{7}));
  EXPECT_FALSE(row->finished);
  EXPECT_EQ(row->done, 1U);
  EXPECT_EQ(row->failed, 0U);
  EXPECT_EQ(taken(reader().outcomes(ArrayId{7}, 0, 10)).size(), 1U);
  commit({PutOutcomes{ArrayId{7}, {outcome(1)}}});
  EXPECT_EQ(loaded("outcome"), (Lines{"outcome 7/0 1", "outcome 7/1 1"}));
}

TEST_P(VerbsTest, CancellingTheRestOfAnArray) {
  commit({PutArray{array(7, 5)},
          PutOutcomes{ArrayId{7}, {outcome(1), outcome(3, Outcome::cancelled)}}});
  commit({ReopenIndex{ArrayId{7}, 3}});
  commit({CancelRest{ArrayId{7}}});
  EXPECT_EQ(loaded("outcome"), (Lines{"outcome 7/0 3", "outcome 7/1 1", "outcome 7/2 3",
                                      "outcome 7/3 3", "outcome 7/4 3"}));
  EXPECT_EQ(taken(reader().array(ArrayId{7}))->cancelled, 4U);
  const auto rows = taken(reader().outcomes(ArrayId{7}, 2, 10));
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].outcome.index, 3U);
  EXPECT_EQ(rows[1].outcome.result.inline_json, "");  // What was before reopening does not count.
  EXPECT_EQ(rows[1].recorded, WallTime{300});
  commit({ReopenIndex{ArrayId{7}, 4}, PutOutcomes{ArrayId{7}, {outcome(2)}}});
  EXPECT_EQ(loaded("outcome"),
            (Lines{"outcome 7/0 3", "outcome 7/1 1", "outcome 7/2 1", "outcome 7/3 3"}));
  EXPECT_EQ(taken(reader().array(ArrayId{7}))->cancelled, 2U);
}

TEST_P(VerbsTest, ManyOutcomesAtOnceAndOutOfOrder) {
  std::vector<IndexOutcome> all;
  for (uint64_t i = 0; i < 3'000; ++i) all.push_back(outcome((i * 7) % 3'000));
  commit({PutArray{array(7, 3'000)}, PutOutcomes{ArrayId{7}, all}});
  EXPECT_EQ(loaded("outcome").size(), 3'000U);
  const auto rows = taken(reader().outcomes(ArrayId{7}, 1'020, 10));
  ASSERT_EQ(rows.size(), 10U);
  for (uint64_t i = 0; i < 10; ++i) {
    EXPECT_EQ(encode(rows[i].outcome), encode(outcome(1'020 + i)));
  }
}

TEST_P(VerbsTest, BarriersComeAndGo) {
  BarrierRecord b{.id = BarrierId{3}, .expected = 10};
  commit({PutBarrier{b}, PutBarrier{{.id = BarrierId{4}}}});
  b.done = 2;
  commit({PutBarrier{b}, DropBarrier{BarrierId{4}}});
  EXPECT_EQ(loaded("barrier"), Lines{line_of("barrier", b)});
}

TEST_P(VerbsTest, AnExecutionWithItsSteps) {
  ExecutionRecord e{.id = ExecutionId{5}, .name = "pft", .file = "pft.yaml", .plan = sha256("p")};
  e.workload = shared("{\"a\":1}");
  e.ctx = shared("{}");
  StepRecord s{.ref = {ExecutionId{5}, 1, 1}};
  s.entered_at = {20};
  StepRecord second = s;
  second.ref.epoch = 2;
  second.entered_at = {30};
  StepRecord start{.ref = {ExecutionId{5}, 0, 1}};
  start.entered_at = {10};
  commit({PutExecution{e}, PutStep{s}, PutStep{start}});
  e.ctx = shared("{\"b\":2}");
  commit({PutExecution{e}, PutStep{second}});
  EXPECT_EQ(loaded("execution"), Lines{line_of("execution", e)});
  EXPECT_EQ(loaded("step"), (Lines{line_of("step", start), line_of("step", second)}));
  const auto steps = taken(reader().steps(ExecutionId{5}));
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0].ref, start.ref);
  EXPECT_EQ(steps[2].ref, second.ref);

  e.state = ExecutionRecord::State::failed;
  e.error = {.kind = "tool", .message = "no"};
  commit({PutExecution{e}});
  EXPECT_EQ(loaded(), Lines{"counters 1 0 3"});
  EXPECT_EQ(encode(*taken(reader().execution(ExecutionId{5}))), encode(e));
  EXPECT_EQ(taken(reader().executions({}, 10)).size(), 1U);
  EXPECT_TRUE(taken(reader().executions(ExecutionId{5}, 10)).empty());
}

TEST_P(VerbsTest, KeysAndPlans) {
  const KeyRecord k{
      .queue = "q", .key = "once", .task = TaskId{4}, .kind = "http", .input_hash = 9};
  commit({PutKey{k}});
  EXPECT_EQ(encode(*taken(reader().key("q", "once"))), encode(k));
  EXPECT_FALSE(taken(reader().key("other", "once")).has_value());
  const std::string text = "apiVersion: tidemill/v1\n";
  ASSERT_TRUE(store_->put_plan(sha256(text), text, std::vector<std::string>{"start", "end"}).ok());
  ASSERT_TRUE(store_->put_plan(sha256(text), text).ok());
  EXPECT_EQ(taken(reader().plan_text(sha256(text))), text);
  loaded();
  EXPECT_EQ(taken(reader().plan_text(sha256(text))), text);
}

TEST_P(VerbsTest, AHandOutShrinksAsItsWorkEnds) {
  const HandOut h{.session = SessionId{5},
                  .in_process = true,
                  .items = {leased(WorkRef::of(TaskId{1}), 1), leased(WorkRef::of(TaskId{2}), 2),
                            leased(WorkRef::of(ArrayId{7}, 0, 10), 3)}};
  commit({PutTask{task(1)}, PutTask{task(2)}, PutArray{array(7, 20)}, h});
  ASSERT_EQ(loaded("hand-out").size(), 1U);
  commit({FinishTask{finished(task(1))},
          PutOutcomes{ArrayId{7}, {outcome(0), outcome(1), outcome(5)}},
          EndLease{leased(WorkRef::of(ArrayId{7}, 8, 2), 3)}});
  const HandOut left{
      .session = SessionId{5},
      .in_process = true,
      .items = {leased(WorkRef::of(ArrayId{7}, 2, 3), 3), leased(WorkRef::of(ArrayId{7}, 6, 2), 3),
                leased(WorkRef::of(TaskId{2}), 2)}};
  EXPECT_EQ(loaded("hand-out"), Lines{line_of("hand-out", left)});
  AttemptRecord lost{.work = WorkRef::of(TaskId{2}), .number = 1};
  commit({PutAttempt{lost}, FinishArray{ArrayId{7}, 20, 0, 0, {1}}});
  EXPECT_TRUE(loaded("hand-out").empty());
}

TEST_P(VerbsTest, AnOldEpochEndsNothingAndANewHandOutTakesOver) {
  const auto out = [](uint64_t session, LeasedWork item) {
    return HandOut{.session = SessionId{session}, .items = {item}};
  };
  commit({PutTask{task(1)}, PutTask{task(2)}, out(5, leased(WorkRef::of(TaskId{1}), 1)),
          out(5, leased(WorkRef::of(TaskId{2}), 2))});
  commit({EndLease{leased(WorkRef::of(TaskId{2}), 1)}});
  EXPECT_EQ(loaded("hand-out").size(), 2U);
  commit({EndLease{leased(WorkRef::of(TaskId{1}), 1)}});
  commit({out(6, leased(WorkRef::of(TaskId{1}), 3))});
  EXPECT_EQ(loaded("hand-out"),
            (Lines{line_of("hand-out", out(5, leased(WorkRef::of(TaskId{2}), 2))),
                   line_of("hand-out", out(6, leased(WorkRef::of(TaskId{1}), 3)))}));
}

TEST_P(VerbsTest, TheEndOfAnOldLeaseLeavesANewerOneOnPartOfItsRange) {
  const HandOut old{.session = SessionId{5}, .items = {leased(WorkRef::of(ArrayId{7}, 0, 10), 1)}};
  const HandOut newer{.session = SessionId{6}, .items = {leased(WorkRef::of(ArrayId{7}, 0, 2), 2)}};
  commit({PutTask{task(1)}, PutArray{array(7, 20)}, old, newer});
  commit({EndLease{old.items[0]}});
  EXPECT_EQ(loaded("hand-out"), Lines{line_of("hand-out", newer)});
}

TEST_P(VerbsTest, TheEndOfANewLeaseDoesNotBringBackTheOneItReplaced) {
  const HandOut old{
      .session = SessionId{5},
      .items = {leased(WorkRef::of(TaskId{1}), 1), leased(WorkRef::of(TaskId{2}), 2)}};
  const HandOut newer{.session = SessionId{6}, .items = {leased(WorkRef::of(TaskId{1}), 3)}};
  commit({PutTask{task(1)}, PutTask{task(2)}, old, newer});
  commit({EndLease{newer.items[0]}});
  const HandOut left{.session = SessionId{5}, .items = {old.items[1]}};
  EXPECT_EQ(loaded("hand-out"), Lines{line_of("hand-out", left)});
}

TEST_P(VerbsTest, ReopenedWorkIsNotOutThoughItsOldHandOutIsStillThere) {
  const HandOut h{
      .session = SessionId{5},
      .items = {leased(WorkRef::of(TaskId{1}), 1), leased(WorkRef::of(ArrayId{7}, 0, 2), 2),
                leased(WorkRef::of(TaskId{2}), 3)}};
  commit({PutTask{task(1)}, PutTask{task(2)}, PutArray{array(7, 2)}, h});
  commit({FinishTask{finished(task(1))}, PutOutcomes{ArrayId{7}, {outcome(0), outcome(1)}}});
  commit({ReopenTask{task(1)}, ReopenIndex{ArrayId{7}, 1}});
  const HandOut left{.session = SessionId{5}, .items = {leased(WorkRef::of(TaskId{2}), 3)}};
  EXPECT_EQ(loaded("hand-out"), Lines{line_of("hand-out", left)});
}

TEST_P(VerbsTest, LargeValuesAndOddText) {
  TaskRecord t = task(1);
  t.work.queue = std::string("nul\0 and ünï", 13);
  t.work.input = std::make_shared<const std::string>(3'000'000, 'x');
  HistoryRecord h = finished(t);
  h.result.inline_json = std::string(60'000, 'y');
  h.result.blob = {.place = ResultRef::Place::blob, .blob = sha256("b"), .size = 1'000'000};
  h.log = std::string("a\0b\xff", 4);
  commit({PutTask{t}});
  EXPECT_EQ(loaded("task"), Lines{line_of("task", t)});
  commit({FinishTask{h}});
  loaded();
  EXPECT_EQ(line_of(*taken(reader().task(TaskId{1}))), line_of("row", h) + " recorded 200");
}

TEST_P(VerbsTest, AReaderSeesEveryTurnCommittedBeforeItsCall) {
  Reader& before = reader();
  commit({PutTask{task(1)}});
  EXPECT_TRUE(taken(before.task(TaskId{1})).has_value());
  EXPECT_EQ(taken(before.last_turn()), turn_);
}

INSTANTIATE_TEST_SUITE_P(Stores, VerbsTest, testing::ValuesIn(subjects()),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace tidemill::store
