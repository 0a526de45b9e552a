// Child executions: started once, waited for without a place, cancelled with their parent.
#include <algorithm>

#include "every_way.h"

namespace tidemill::playbook_test {
namespace {

using playbook::Value;
using State = ExecutionRecord::State;

constexpr std::string_view kChild = R"(
apiVersion: tidemill/v1
kind: Playbook
metadata: {name: child}
workload: {n: 0}
workflow:
  - {step: start, tool: {kind: noop}, next: answer}
  - {step: answer, tool: {kind: noop}}
)";
constexpr std::string_view kParent = R"(
apiVersion: tidemill/v1
kind: Playbook
metadata: {name: parent}
workflow:
  - step: start
    loop: {in: "{{ [1, 2, 3, 4, 5] }}", iterator: x, spec: {mode: parallel, max_in_flight: 3}}
    tool: {kind: noop}
    next: end
  - {step: end, tool: {kind: noop}}
)";

Report::Child child_of(const Call& call, const Sha256& plan) {
  Report::Child child{.path = "child.yaml", .plan = plan};
  child.key = call.step + "/" + std::to_string(call.epoch) + "/" + std::to_string(call.index);
  child.return_step = "answer";
  child.input = std::make_shared<const std::string>(R"({"n": )" + text_of(call.item) + "}");
  return child;
}

void with_children(World& w) {
  const auto child = w.add_playbook(kChild);
  const Sha256 hash = child->hash;
  w.tools["start"] = [hash](const Call& call) {
    if (call.execution_name != "parent") return Answer{};
    if (!call.child) return Answer{.child = child_of(call, hash)};
    EXPECT_TRUE(call.resumed);
    return Answer{.data = call.child_data.get("twice")};
  };
  w.tools["answer"] = [](const Call& call) {
    playbook::Map map;
    map.set("twice", Value(call.workload.get("n").as_integer() * 2));
    return Answer{.data = Value(std::move(map))};
  };
}

TEST(ChildTest, EveryIterationHasOneChildAndItsResult) {
  in_every_way(kParent, with_children, [](World& w, ExecutionId id) {
    EXPECT_EQ(w.summary(id), "start:done end:done") << w.execution(id).error.message;
    EXPECT_EQ(text_of(w.result(w.step(id, "start").result)), "[2,4,6,8,10]");
    EXPECT_EQ(w.children().size(), 5U) << "each started once, though attempts are run again";
    for (const ExecutionRecord& child : w.children()) EXPECT_EQ(child.state, State::done);
  });
}

TEST(ChildTest, AFailedChildIsAnErrorWithItsCause) {
  in_every_way(
      kParent,
      [](World& w) {
        with_children(w);
        const Tool start = w.tools["start"];
        w.tools["start"] = [start](const Call& call) {
          if (call.child && call.child->failed) return Answer{.error = call.child->error};
          return start(call);
        };
        w.tools["answer"] = [](const Call&) {
          return Answer{.error = TaskError{.kind = "python", .message = "no answer"}};
        };
      },
      [](World& w, ExecutionId id) {
        EXPECT_EQ(w.execution(id).state, State::failed);
        const std::string text = w.execution(id).error.message;
        const bool names_it = std::ranges::any_of(w.children(), [&](const ExecutionRecord& child) {
          return text.find("child execution " + std::to_string(child.id.raw) + " (" + child.file +
                           "): step 'answer': no answer") != std::string::npos;
        });
        EXPECT_TRUE(names_it) << text;
      });
}

TEST(ChildTest, ATimeoutCancelsTheChildAndTellsTheParent) {
  World w(2);
  const auto parent = w.add_playbook(kParent);
  with_children(w);
  const Tool start = w.tools["start"];
  w.tools["start"] = [start](const Call& call) {
    if (call.child && call.child->failed) {
      EXPECT_EQ(call.child->error.kind, "timeout");
      return Answer{.data = Value("late")};
    }
    Answer answer = start(call);
    if (answer.child) answer.child->timeout = seconds(5);
    return answer;
  };
  w.never_end = {"answer"};
  const ExecutionId id = w.start(parent);
  ASSERT_TRUE(w.run(2'000)) << w.summary(id);
  EXPECT_EQ(w.execution(id).state, State::done);
  EXPECT_EQ(text_of(w.result(w.step(id, "start").result)),
            R"(["late","late","late","late","late"])");
  for (const ExecutionRecord& child : w.children()) EXPECT_EQ(child.state, State::cancelled);
}

TEST(ChildTest, CancelOfTheParentCancelsTheChildren) {
  World w(3, {.shuffle = true});
  const auto parent = w.add_playbook(kParent);
  with_children(w);
  w.never_end = {"answer"};
  const ExecutionId id = w.start(parent);
  w.run_some(20);
  ASSERT_EQ(w.execution(id).state, State::running);
  EXPECT_EQ(w.refused(machine::CancelExecution{id}), "");
  ASSERT_TRUE(w.run(300));
  EXPECT_EQ(w.execution(id).state, State::cancelled);
  EXPECT_GE(w.children().size(), 1U);
  for (const ExecutionRecord& child : w.children()) EXPECT_EQ(child.state, State::cancelled);
  EXPECT_EQ(w.machine->counts().leased, 0U);
}

TEST(ChildTest, AChildThatCannotStartFailsTheAttemptWithTheReason) {
  for (const bool wrong_step : {false, true}) {
    World w;
    const auto parent = w.add_playbook(kParent);
    with_children(w);
    const Tool start = w.tools["start"];
    w.tools["start"] = [start, wrong_step](const Call& call) {
      Answer answer = start(call);
      if (answer.child && wrong_step) answer.child->return_step = "anser";
      if (answer.child && !wrong_step) answer.child->plan = Sha256{};
      return answer;
    };
    const ExecutionId id = w.start(parent);
    ASSERT_TRUE(w.run(300));
    EXPECT_EQ(w.execution(id).state, State::failed);
    const std::string text = w.execution(id).error.message;
    EXPECT_NE(text.find(wrong_step ? "has no step 'anser'" : "is not in the store"),
              std::string::npos)
        << text;
    EXPECT_TRUE(w.children().empty());
  }
}

}  // namespace
}  // namespace tidemill::playbook_test
