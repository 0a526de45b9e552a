#pragma once
// One step of the workflow, read before the names of the others are known. Used by compile(); one
// thread.
#include <string>
#include <utility>
#include <vector>

#include "playbook/internal/check.h"

namespace tidemill::playbook {

// A step and what linking and checking need beside it. Arc i goes to `targets[i]`.
struct StepDraft {
  Step step;
  std::vector<std::pair<std::string, Position>> targets;
  std::vector<std::pair<std::string, Position>> inputs;  // keys of the step's input
  Position iterator_at;
};

StepDraft read_step(const Check& check, const YamlNode& node, size_t number);

// The `next` of a step, in each of its forms, into step.arcs, step.mode and the targets.
void read_next(const Check& check, const YamlNode& node, StepDraft& draft);

}  // namespace tidemill::playbook
