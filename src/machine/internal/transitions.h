#pragma once
// Transitions: which states follow which, and on what. docs/state_machine.md shows the same table
// to people, and a test compares the two; the code asserts a task's transitions by it. Data; any
// thread.
#include <string_view>

#include "model/records.h"

namespace tidemill::machine {

struct Transition {
  std::string_view what;
  std::string_view from;  // "-": it did not exist
  std::string_view event;
  std::string_view to;
};

inline constexpr Transition kTransitions[] = {
    {"task", "-", "spawn", "ready"},
    {"task", "-", "spawn with run_at", "delayed"},
    {"task", "-", "spawn with after, or fired by a barrier", "blocked"},
    {"task", "blocked", "last dependency ended, barrier fired", "ready"},
    {"task", "blocked", "the same, before run_at", "delayed"},
    {"task", "blocked", "a dependency failed or was cancelled; cancel", "cancelled"},
    {"task", "blocked", "bury, deadline", "failed"},
    {"task", "delayed", "run_at has come", "ready"},
    {"task", "delayed", "cancel", "cancelled"},
    {"task", "delayed", "bury, deadline", "failed"},
    {"task", "ready", "report done", "done"},
    {"task", "ready", "failure or crash with tries left, no back-off; lease lost or given back",
     "ready"},
    {"task", "ready", "failure with tries left and back-off", "delayed"},
    {"task", "ready", "last failure or crash, bury, deadline", "failed"},
    {"task", "ready", "report suspended", "suspended"},
    {"task", "ready", "cancel, or a cancelled attempt ended", "cancelled"},
    {"task", "suspended", "its child execution ended", "ready"},
    {"task", "suspended", "its child execution cannot start, tries left and back-off", "delayed"},
    {"task", "suspended", "its child execution cannot start, bury, deadline", "failed"},
    {"task", "suspended", "cancel", "cancelled"},
    {"task", "done", "a person's retry", "ready"},
    {"task", "failed", "a person's retry", "ready"},
    {"task", "cancelled", "a person's retry", "ready"},
    {"index", "-", "spawn of its array", "open"},
    {"index", "open", "report done", "done"},
    {"index", "open", "failure or crash with tries left; lease lost or given back", "open"},
    {"index", "open", "last failure or crash", "failed"},
    {"index", "open", "cancel of it, or of its array", "cancelled"},
    {"index", "done", "a person's retry while the array lives", "open"},
    {"index", "failed", "a person's retry while the array lives", "open"},
    {"index", "cancelled", "a person's retry while the array lives", "open"},
    {"lease", "-", "hand-out", "held"},
    {"lease", "-", "restart with its hand-out on record, outside the process", "reserved"},
    {"lease", "reserved", "presented within the grace", "held"},
    {"lease", "reserved", "grace over", "ended"},
    {"lease", "held", "a person's cancel", "cancelling"},
    {"lease", "held", "report, attempt timeout, session ended, reply passed over", "ended"},
    {"lease", "cancelling", "report, attempt timeout, session ended, urgent cancel", "ended"},
    {"barrier", "-", "open", "open"},
    {"barrier", "open", "all it counts is terminal", "fired"},
};

constexpr std::string_view name_of(TaskRecord::State state) {
  switch (state) {
    case TaskRecord::State::blocked:
      return "blocked";
    case TaskRecord::State::delayed:
      return "delayed";
    case TaskRecord::State::ready:
      return "ready";
    case TaskRecord::State::suspended:
      return "suspended";
  }
  return "?";
}

constexpr bool task_may_go(TaskRecord::State from, TaskRecord::State to) {
  for (const Transition& one : kTransitions) {
    if (one.what == "task" && one.from == name_of(from) && one.to == name_of(to)) return true;
  }
  return false;
}

}  // namespace tidemill::machine
