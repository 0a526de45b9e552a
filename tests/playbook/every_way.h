#pragma once
// Runs one playbook in every way the outcome must not depend on: orders, batches, duplicates,
// restarts.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "world.h"

namespace tidemill::playbook_test {

struct Way {
  std::string name;
  uint64_t seed;
  Faults faults;
};

inline std::vector<Way> every_way() {
  std::vector<Way> ways{{"plain", 1, {}},
                        {"batches", 2, {.one_by_one = false}},
                        {"restart after every command", 3, {.restart = true}},
                        {"one place", 4, {.places = 1}}};
  for (uint64_t seed = 10; seed < 22; ++seed) {
    ways.push_back({"seed " + std::to_string(seed),
                    seed,
                    {.restart_often = seed % 3 == 0,
                     .duplicate = true,
                     .lose_attempts = seed % 4 == 0,
                     .shuffle = true,
                     .one_by_one = seed % 2 == 0}});
  }
  return ways;
}

// Starts the playbook in a fresh world for each way, runs it to its end and lets `look` judge.
inline void in_every_way(std::string_view text, const std::function<void(World&)>& prepare,
                         const std::function<void(World&, ExecutionId)>& look,
                         std::string_view workload = "") {
  for (const Way& way : every_way()) {
    SCOPED_TRACE(way.name);
    World world(way.seed, way.faults);
    const auto plan = world.add_playbook(text);
    ASSERT_NE(plan, nullptr);
    if (prepare) prepare(world);
    const ExecutionId id = world.start(plan, workload);
    ASSERT_TRUE(world.run()) << world.summary(id);
    look(world, id);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace tidemill::playbook_test
