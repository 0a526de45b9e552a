#pragma once
// What a tool's policy says about one result: first rule that matches wins; without a match an
// error fails and success goes on. Pure; the worker's event thread.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/outcome.h"
#include "playbook/plan.h"
#include "playbook/template.h"

namespace tidemill::worker {

// A write that a matching rule asks for, its value computed.
struct PolicyWrite {
  playbook::SetItem::Target target = playbook::SetItem::Target::iter;
  playbook::Path path;
  playbook::Value value;
};

struct Decision {
  playbook::PolicyRule::Do action = playbook::PolicyRule::Do::proceed;
  Duration delay{};         // retry
  uint32_t jump_index = 0;  // jump
  TaskError error;          // fail
  std::vector<PolicyWrite> writes;
};

// `failure`: the tool's error, if it failed. `attempt`: which try of the tool this was, from 1. A
// retry that has no attempts left is a failure. `scope` holds `output` and `_attempt`.
Decision decide(const playbook::Tool& tool, const playbook::Scope& scope,
                const std::optional<TaskError>& failure, uint32_t attempt, const std::string& file);

// The error of an expression, with its place in the playbook.
TaskError template_error(const playbook::EvalError& error, const std::string& file);

}  // namespace tidemill::worker
