// The table that people read is the one that the code asserts.
#include "machine/internal/transitions.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace tidemill::machine {
namespace {

std::string row_of(const Transition& one) {
  std::string row = "|";
  for (const std::string_view cell : {one.what, one.from, one.event, one.to}) {
    row.append(" ").append(cell).append(" |");
  }
  return row;
}

TEST(TransitionsTest, TheDocumentShowsTheSameTable) {
  std::ifstream in("docs/state_machine.md");
  ASSERT_TRUE(in.good()) << "run from the root of the source tree";
  std::vector<std::string> rows;
  bool in_table = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("|---")) {
      in_table = true;
    } else if (in_table) {
      rows.push_back(line);
    }
  }
  std::vector<std::string> wanted;
  for (const Transition& one : kTransitions) wanted.push_back(row_of(one));
  EXPECT_EQ(rows, wanted);
}

TEST(TransitionsTest, TasksGoOnlyWhereTheTableSays) {
  using State = TaskRecord::State;
  EXPECT_TRUE(task_may_go(State::blocked, State::ready));
  EXPECT_TRUE(task_may_go(State::ready, State::ready));
  EXPECT_TRUE(task_may_go(State::ready, State::suspended));
  EXPECT_FALSE(task_may_go(State::blocked, State::suspended));
  EXPECT_FALSE(task_may_go(State::ready, State::blocked));
  EXPECT_FALSE(task_may_go(State::suspended, State::blocked));
}

}  // namespace
}  // namespace tidemill::machine
