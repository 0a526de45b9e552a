#include "machine/execution/plan_index.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

namespace tidemill::machine {

namespace {

using playbook::Path;
using playbook::Plan;
using playbook::Reference;

class Collector {
 public:
  explicit Collector(const Plan& plan) : plan_(plan) {}

  void reference(const Reference& reference, uint32_t own_step);
  void tool_path(const Path& path);
  StepReads take();

 private:
  void add(uint32_t step, std::optional<Path> data);

  const Plan& plan_;
  std::map<uint32_t, std::vector<Path>> steps_;
  bool workload_ = false;
};

// What `output` and `<step>` have besides data.
bool is_meta(const std::string& name, bool output) {
  return name == "status" || name == "error" || (output && name == "http");
}

void Collector::add(uint32_t step, std::optional<Path> data) {
  std::vector<Path>& paths = steps_[step];
  if (data && std::find(paths.begin(), paths.end(), *data) == paths.end()) {
    paths.push_back(std::move(*data));
  }
}

// `load.rows` and `load.data.rows` are {"rows"} of load's data; `load` itself is the whole of it.
void Collector::reference(const Reference& reference, uint32_t own_step) {
  if (reference.path.empty()) return;
  const std::string& root = reference.path.front();
  Path rest(reference.path.begin() + 1, reference.path.end());
  const bool output = root == "output";
  const auto named = output ? std::nullopt : plan_.find_step(root);
  if (!output && !named) {
    workload_ = workload_ || playbook::resolve_root(plan_, root) == playbook::Root::workload ||
                root == "workload";
    return;
  }
  const uint32_t step = output ? own_step : named->raw;
  if (!rest.empty() && is_meta(rest.front(), output)) {
    add(step, std::nullopt);
    return;
  }
  if (!rest.empty() && rest.front() == "data") rest.erase(rest.begin());
  add(step, std::move(rest));
}

void Collector::tool_path(const Path& path) {
  if (path.empty()) return;
  // The analysis has dropped `.data`, so {"status"} may be a key of the data: it counts as one.
  if (const auto named = plan_.find_step(path.front())) {
    add(named->raw, Path(path.begin() + 1, path.end()));
  }
}

StepReads Collector::take() {
  StepReads out;
  out.workload = workload_;
  for (auto& [step, paths] : steps_) out.steps.push_back({step, std::move(paths)});
  return out;
}

StepReads reads_of(const Plan& plan, uint32_t step, const std::vector<Reference>& references) {
  Collector collector(plan);
  for (const Reference& reference : references) collector.reference(reference, step);
  return collector.take();
}

StepReads reads_of_tools(const Plan& plan, const playbook::Step& step) {
  Collector collector(plan);
  for (const Path& path : step.scope_reads) collector.tool_path(path);
  return collector.take();
}

StepSet set_of(const std::vector<bool>& flags, size_t steps) {
  StepSet out(steps);
  for (size_t i = 0; i < flags.size() && i < steps; ++i) {
    if (flags[i]) out.add(static_cast<uint32_t>(i));
  }
  return out;
}

PlanIndex::Step index_step(const Plan& plan, uint32_t at) {
  const playbook::Step& step = plan.steps[at];
  PlanIndex::Step out{.blocked_by = set_of(step.blocked_by, plan.steps.size()),
                      .dominates = StepSet(plan.steps.size()),
                      .admit = reads_of(plan, at, playbook::admit_references(step)),
                      .loop = reads_of(plan, at, playbook::loop_references(step)),
                      .transition = reads_of(plan, at, playbook::transition_references(step)),
                      .tools = reads_of_tools(plan, step),
                      .tool_ctx = {}};
  for (const playbook::StepIndex other : step.dominates) out.dominates.add(other.raw);
  out.dominates.add(at);
  for (const Path& path : step.scope_reads) {
    if (!path.empty() && path.front() == "ctx") {
      out.tool_ctx.emplace_back(path.begin() + 1, path.end());
    }
  }
  return out;
}

}  // namespace

PlanIndex::PlanIndex(playbook::PlanPtr compiled) : plan(std::move(compiled)) {
  steps.reserve(plan->steps.size());
  for (uint32_t i = 0; i < plan->steps.size(); ++i) steps.push_back(index_step(*plan, i));
}

}  // namespace tidemill::machine
