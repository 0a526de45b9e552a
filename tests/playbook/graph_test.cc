// Random playbooks: whatever the graph, an execution comes to its end, every epoch of a step runs
// once, and the order of results does not matter.
#include <map>
#include <set>

#include "every_way.h"

namespace tidemill::playbook_test {
namespace {

using playbook::Value;

// Arcs to the same or an earlier step are taken while the source is in its first epochs, so a run
// ends.
constexpr uint32_t kRounds = 3;

std::string arc(uint64_t from, uint64_t to, uint64_t kind) {
  const std::string target = "{step: s" + std::to_string(to);
  const std::string source = from == 0 ? "start" : "s" + std::to_string(from);
  if (to <= from) return target + ", when: \"{{ " + source + ".again }}\"}";
  if (kind == 0) return target + ", when: \"{{ " + source + ".coin }}\"}";
  if (kind == 1) return target + ", when: \"{{ not " + source + ".coin }}\"}";
  return target + "}";
}

// Steps start, s1 … s(n-1). Loops back to the start itself are left out: it has no other name.
std::string random_playbook(std::mt19937_64& random) {
  const uint64_t steps = 3 + random() % 8;
  std::string text =
      "apiVersion: tidemill/v1\nkind: Playbook\nmetadata: {name: random}\nworkflow:\n";
  for (uint64_t i = 0; i < steps; ++i) {
    text += "  - step: " + (i == 0 ? std::string("start") : "s" + std::to_string(i));
    text += "\n    tool: {kind: noop}\n";
    if (random() % 5 == 0 && i > 0) {
      text +=
          "    spec: {policy: {admit: {rules: [{when: \"{{ true }}\", then: {allow: false}}]}}}\n";
      // Skipped: it reads nothing of itself, and goes forward only.
      if (i + 1 < steps) text += "    next: s" + std::to_string(i + 1) + "\n";
      continue;
    }
    std::set<uint64_t> targets;
    if (i + 1 < steps) targets.insert(i + 1);
    for (uint64_t n = random() % 3; n > 0; --n) targets.insert(1 + random() % (steps - 1));
    if (targets.empty()) continue;
    text += "    next:\n      spec: {mode: ";
    text += random() % 2 == 0 ? "inclusive" : "exclusive";
    text += "}\n      arcs:\n";
    for (const uint64_t to : targets) text += "        - " + arc(i, to, random() % 4) + "\n";
  }
  return text;
}

void answer_by_step_and_epoch(World& w) {
  for (int i = 0; i < 12; ++i) {
    w.tools[i == 0 ? "start" : "s" + std::to_string(i)] = [](const Call& call) {
      playbook::Map map;
      map.set("again", Value(call.epoch <= kRounds));
      const auto mixed = mix64(std::hash<std::string>{}(call.step) + call.epoch);
      map.set("coin", Value(mixed % 2 == 0));
      return Answer{.data = Value(std::move(map))};
    };
  }
}

TEST(GraphTest, RandomPlaybooksEndAndRunEveryEpochOnce) {
  std::mt19937_64 random(7);
  uint32_t most_epochs = 0;
  for (int round = 0; round < 150; ++round) {
    const std::string text = random_playbook(random);
    SCOPED_TRACE(text);
    std::string first;
    for (uint64_t seed = 0; seed < 4; ++seed) {
      World w(seed, {.restart_often = seed == 3, .duplicate = seed > 1, .shuffle = seed > 0});
      const auto plan = w.add_playbook(text);
      ASSERT_NE(plan, nullptr);
      answer_by_step_and_epoch(w);
      const ExecutionId id = w.start(plan);
      ASSERT_TRUE(w.run(5'000)) << w.summary(id);
      EXPECT_EQ(w.execution(id).state, ExecutionRecord::State::done)
          << w.execution(id).error.message;
      if (seed < 3) {
        const std::set<std::string> once(w.calls.begin(), w.calls.end());
        EXPECT_EQ(once.size(), w.calls.size()) << "an epoch ran twice";
      }
      if (seed == 0) first = w.summary(id);
      for (const StepRecord& step : w.steps(id))
        most_epochs = std::max(most_epochs, step.ref.epoch);
      if (testing::Test::HasFailure()) return;
    }
    EXPECT_FALSE(first.empty());
  }
  EXPECT_GT(most_epochs, kRounds) << "there was no cycle among them";
}

}  // namespace
}  // namespace tidemill::playbook_test
