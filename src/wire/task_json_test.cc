// The producers' messages there and back, times, and what is refused.
#include "wire/task_json.h"

#include <gtest/gtest.h>

#include "wire/internal/utc_text.h"

namespace tidemill::wire {
namespace {

TEST(TaskJsonTest, NewTasksComeBackWhole) {
  NewTask t;
  t.work.kind = "imaging";
  t.work.queue = "night";
  t.work.input = std::make_shared<const std::string>(R"({"field": "M31", "n": 3})");
  t.work.priority = -5;
  t.work.needs_slot = false;
  t.work.retry.max_attempts = 7;
  t.work.retry.backoff = Backoff::linear;
  t.work.retry.fatal_kinds = {"config"};
  t.work.attempt_timeout = seconds(4);
  t.delay = milliseconds(1'500);
  t.run_at = WallTime{1'800'000'000'123'000'000};
  t.deadline = WallTime{1'900'000'000'000'000'000};
  t.concurrency_key = "disk";
  t.idempotency_key = "M31/1";
  t.after = {TaskId{4}, TaskId{5}};
  t.after_any_outcome = true;
  NewTask plain;
  plain.work.kind = "noop";
  const std::string json = to_json(std::vector<NewTask>{t, plain});
  const auto got = parse_new_tasks(json);
  ASSERT_TRUE(got.ok()) << got.error().what;
  ASSERT_EQ(got->size(), 2U);
  EXPECT_EQ(to_json(*got), json);
  EXPECT_EQ((*got)[0].work.retry, t.work.retry);
  EXPECT_EQ((*got)[0].run_at, t.run_at);
  EXPECT_EQ((*got)[0].deadline, t.deadline);
  EXPECT_EQ((*got)[1].work.queue, "default");
}

TEST(TaskJsonTest, AnswersComeBackWhole) {
  const std::vector<SpawnedTask> spawned = {{TaskId{1}, false}, {TaskId{2}, true}};
  const auto got = parse_spawned_tasks(to_json(spawned));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ((*got)[1].id, TaskId{2});
  EXPECT_TRUE((*got)[1].existing);

  WaitRequest wait{{TaskId{1}, TaskId{2}}, WaitRequest::For::any, milliseconds(250)};
  const auto asked = parse_wait_request(to_json(wait));
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(asked->ids, wait.ids);
  EXPECT_EQ(asked->wait_for, WaitRequest::For::any);
  EXPECT_EQ(asked->at_most, milliseconds(250));

  std::vector<TaskOutcome> outcomes(2);
  outcomes[0].id = TaskId{1};
  outcomes[0].outcome = Outcome::done;
  outcomes[0].result.inline_json = "[1, 2]";
  outcomes[1].id = TaskId{2};
  outcomes[1].outcome = Outcome::failed;
  outcomes[1].error = {"timeout", "too long", true};
  const auto told = parse_task_outcomes(to_json(outcomes));
  ASSERT_TRUE(told.ok());
  EXPECT_EQ((*told)[0].result.inline_json, "[1, 2]");
  EXPECT_EQ((*told)[1].error, outcomes[1].error);
  EXPECT_EQ((*told)[1].outcome, Outcome::failed);
}

std::string refusal(std::string_view json) {
  const auto got = parse_new_tasks(json);
  return got.ok() ? "accepted" : got.error().what;
}

TEST(TaskJsonTest, RefusalsNameThePath) {
  EXPECT_EQ(refusal(R"({"tasks":[{"kind":"a"},{"queue":"b"}]})"),
            "tasks: [1]: kind: is missing; it names the handler that runs the task");
  EXPECT_EQ(refusal(R"({"tasks":[{"kind":"a","prority":1}]})"),
            "tasks: [0]: prority: there is no such field; did you mean 'priority'?");
  EXPECT_EQ(refusal(R"({"tasks":[{"kind":"a","priority":1.5}]})"),
            "tasks: [0]: priority: expected a whole number");
  EXPECT_EQ(refusal(R"({"tasks":[{"kind":"a","delay_ms":-1}]})"),
            "tasks: [0]: delay_ms: expected a number of milliseconds, not negative");
  EXPECT_EQ(refusal(R"({"tasks":[{"kind":"a","retry":{"backoff":"never"}}]})"),
            "tasks: [0]: retry: backoff: expected none, fixed, linear or exponential");
  EXPECT_EQ(refusal(R"({"tasks":[{"kind":"a","run_at":"tomorrow"}]})"),
            "tasks: [0]: run_at: expected a time like 2026-01-31T23:59:59Z");
  EXPECT_EQ(refusal("{}"), "tasks: is missing; expected a list");
  EXPECT_EQ(refusal(R"({"task":[]})"), "task: there is no such field; did you mean 'tasks'?");
  EXPECT_EQ(parse_wait_request(R"({"ids":[]})").error().what, "ids: is missing or empty");
}

TEST(UtcTextTest, ThereAndBack) {
  for (const int64_t ms : {0LL, 951'782'400'000LL, 1'709'164'800'001LL, 4'102'444'799'999LL}) {
    const WallTime time{ms * 1'000'000};
    EXPECT_EQ(parse_utc(utc_text(time)), time) << utc_text(time);
  }
  EXPECT_EQ(utc_text(WallTime{951'782'400'000'000'000}), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(parse_utc("2026-01-31T23:59:59Z"), WallTime{1'769'903'999'000'000'000});
  for (const char* wrong : {"", "2026-01-31", "2026-02-31T00:00:00Z", "2026-01-31T24:00:00Z",
                            "2026-01-31T23:59:59", "2026-01-31T23:59:59.Z", "1969-12-31T00:00:00Z",
                            "2026-01-31 23:59:59Z", "2026-01-3aT23:59:59Z"}) {
    EXPECT_FALSE(parse_utc(wrong).has_value()) << wrong;
  }
}

}  // namespace
}  // namespace tidemill::wire
