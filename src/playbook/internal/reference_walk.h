#pragma once
// Walks everything in a step that reads names, and says where each reading stands and what its
// first name means there. The checker and the analysis of reads share it, so they cannot disagree.
// Pure; one thread.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "playbook/plan.h"

namespace tidemill::playbook {

// Where a template stands; what it may read depends on it.
enum class Place : uint8_t {
  step_input,   // the step's input, rendered when the tools' are
  tool_input,   // input, auth and configuration of a tool
  claim,        // of a cursor loop
  rule,         // `when` and `set` of a task policy
  loop_source,  // loop.in, max_in_flight
  admit,
  routing,  // the step's set, its arcs' when and set
};

struct Site {
  const Step& step;
  uint32_t index = 0;             // of the step
  const Tool* tool = nullptr;     // in step_input none
  const Tool* written = nullptr;  // where the tool is written down: the tool, or the workbook's
  size_t position = 0;            // of the tool in the pipeline
  bool own_input = false;         // the tool's `input` itself, which does not see its own names
  Place place = Place::routing;
};

using VisitReference = std::function<void(const Site&, const Reference&)>;
void walk_references(const Plan& plan, uint32_t step, const VisitReference& visit);

// What a first name means.
enum class Meaning : uint8_t {
  unknown,
  workload,
  workload_key,
  ctx,
  iter,
  iterator,
  loop_word,
  step_scope,
  step_input,
  tool_input,
  tool_result,
  step,
  output,
  event,
  execution_id,
  task_key,
  attempt,
  keychain,
  input_data,
};

struct Names {
  explicit Names(const Plan& plan);

  const Plan& plan;
  std::unordered_map<std::string_view, uint32_t> step_index;

  // Nearest first: the tool's input, the iterator, the step's input, tools of the pipeline, steps,
  // workload keys. Words of the language come before all of them. Whether the place allows the
  // name is another question.
  Meaning meaning(const Site& site, std::string_view name) const;
};

}  // namespace tidemill::playbook
