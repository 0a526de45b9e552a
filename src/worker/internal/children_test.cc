// Pipelines that wait for child executions: they suspend, and go on with what the child gave.
#include <gtest/gtest.h>
#include <unistd.h>

#include "os/file.h"
#include "worker/internal/crew_test_util.h"

namespace tidemill::worker {
namespace {

using playbook::ToolKind;
using playbook::Value;

constexpr const char* kChild =
    "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: child}\n"
    "workload: {n: 0}\nworkflow:\n  - step: start\n";
constexpr const char* kParent =
    "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: parent}\n"
    "workflow:\n  - step: start\n    tool:\n"
    "      - {name: before, kind: python, code: x}\n"
    "      - {name: child, kind: playbook, path: child, return_step: start,\n"
    "         input: {n: '{{ before.n }}'},\n"
    "         spec: {timeout: 30s, policy: {rules: [{when: \"output.status == 'error'\",\n"
    "                then: {do: retry, attempts: 2, delay: 0.001}}]}}}\n"
    "      - {name: after, kind: python, code: x, input: {got: '{{ child.sum }}'}}\n";

class Children : public ::testing::Test {
 protected:
  Children() {
    folder_ = ::testing::TempDir() + "children_test_" + std::to_string(getpid());
    EXPECT_TRUE(os::make_folders(folder_).ok());
    EXPECT_TRUE(os::write_file_atomic(folder_ + "/child.yaml", kChild).ok());
    python = &bench.add_tool(ToolKind::python, [](const auto& call) {
      return ok_result(call.name == "before" ? playbook::parse_json(R"({"n": 4})").value()
                                             : call.input);
    });
    execution = bench.exchange.add_execution(kParent, "{}", folder_ + "/parent.yaml");
  }
  ~Children() override {
    (void)os::remove_file(folder_ + "/child.yaml");
    rmdir(folder_.c_str());
  }
  // The same work again, with how the child ended.
  Assignment resumed(const Assignment& first, const Report& suspended, ChildResult child) {
    Assignment again = first;
    again.epoch.counter += 100;
    again.resumed_with = suspended.resume_with;
    again.child = std::make_shared<const ChildResult>(std::move(child));
    return again;
  }

  CrewBench bench;
  FakeTool* python = nullptr;
  ExecutionId execution;

 private:
  std::string folder_;
};

TEST_F(Children, APipelineSuspendsAndGoesOn) {
  const Assignment first = bench.exchange.task(execution, "start");
  bench.exchange.hand_out(first);
  bench.start();
  bench.until_reports(1);
  const Report suspended = bench.report(0);
  ASSERT_EQ(suspended.kind, Report::Kind::suspended) << suspended.error.message;
  EXPECT_TRUE(suspended.child.path.ends_with("/child.yaml")) << suspended.child.path;
  EXPECT_EQ(suspended.child.plan, sha256(kChild));
  EXPECT_TRUE(bench.exchange.plans.contains(sha256(kChild)));
  EXPECT_EQ(suspended.child.key, "101/start/1/0/child/1/1");
  EXPECT_EQ(*suspended.child.input, R"({"n":4})");
  EXPECT_EQ(suspended.child.return_step, "start");
  EXPECT_EQ(suspended.child.timeout, seconds(30));

  bench.exchange.results[70] = R"({"sum": 9})";
  bench.exchange.hand_out(resumed(
      first, suspended,
      {.failed = false, .result = {.place = ResultRef::Place::task, .task = TaskId{70}}, .error = {}}));
  bench.until_reports(2);
  EXPECT_EQ(bench.result(1),
            R"({"got":9,"before":{"n":4},"child":{"sum":9},"after":{"got":9}})");
  EXPECT_EQ(python->seen.size(), 2u);  // `before` did not run again
}

TEST_F(Children, AFailedChildIsAnErrorThatAPolicyMayRetry) {
  const Assignment first = bench.exchange.task(execution, "start");
  bench.exchange.hand_out(first);
  bench.start();
  bench.until_reports(1);
  const Report one = bench.report(0);
  const ChildResult failed{.failed = true, .result = {}, .error = {"playbook", "it broke", true}};
  bench.exchange.hand_out(resumed(first, one, failed));
  bench.until_reports(2);
  const Report two = bench.report(1);
  ASSERT_EQ(two.kind, Report::Kind::suspended) << two.error.message;
  EXPECT_EQ(two.child.key, "101/start/1/0/child/1/2");  // another child
  bench.exchange.hand_out(resumed(first, two, failed));
  bench.until_reports(3);
  EXPECT_EQ(bench.report(2).kind, Report::Kind::failed);
  EXPECT_TRUE(bench.report(2).error.message.ends_with("/parent.yaml:8:9: it broke"))
      << bench.report(2).error.message;
}

TEST_F(Children, AChildThatNeverRanGivesNull) {
  const Assignment first = bench.exchange.task(execution, "start");
  bench.exchange.hand_out(first);
  bench.start();
  bench.until_reports(1);
  bench.exchange.hand_out(resumed(first, bench.report(0), {}));
  bench.until_reports(2);
  // `child.sum` of null is undefined, and passing it on is the error.
  EXPECT_EQ(bench.report(1).error.kind, "template");
}

TEST_F(Children, AMissingPlaybookNamesWhereItWasLookedFor) {
  const auto id = bench.exchange.add_execution(
      "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: t}\n"
      "workflow:\n  - step: start\n    tool: {kind: playbook, path: none/such}\n",
      "{}", "flows/parent.yaml");
  bench.exchange.hand_out(bench.exchange.task(id, "start"));
  bench.start();
  bench.until_reports(1);
  EXPECT_EQ(bench.report(0).kind, Report::Kind::failed);
  EXPECT_EQ(bench.report(0).error.message,
            "flows/parent.yaml:6:11: no playbook 'none/such'; looked for flows/none/such, "
            "flows/none/such.yaml, flows/none/such.yml, none/such, none/such.yaml, none/such.yml");
}

}  // namespace
}  // namespace tidemill::worker
