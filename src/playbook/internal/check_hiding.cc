#include "playbook/internal/check_names.h"
#include "playbook/internal/reference_walk.h"

namespace tidemill::playbook {
namespace {

bool is_workload_key(const Plan& plan, std::string_view name) {
  return plan.workload.is_map() && plan.workload.as_map().find(name) != nullptr;
}

// `city: '{{ city }}'` and `city: '{{ workload.city }}'` hand on what they hide.
bool hands_on(const InputTree& value, std::string_view name) {
  const auto* leaf = std::get_if<Template>(&value.node);
  if (leaf == nullptr || leaf->is_constant() || !leaf->is_expression()) return false;
  for (const Reference& r : leaf->references()) {
    if (r.path.back() == name) return true;
  }
  return false;
}

void check_inputs(const Check& check, const Plan& plan, const Names& names, const Step& step,
                  const StepDraft& draft) {
  const auto* values = std::get_if<InputTree::Fields>(&step.input.node);
  for (size_t i = 0; i < draft.inputs.size(); ++i) {  // in the order of the input's keys
    const auto& [name, at] = draft.inputs[i];
    if (values == nullptr || hands_on((*values)[i].tree, name)) continue;
    if (names.step_index.count(name) > 0) {
      check.warning(at,
                    "step '" + step.name + "': input '" + name + "' hides the step of that name",
                    "choose another name");
    } else if (is_workload_key(plan, name)) {
      check.warning(
          at, "step '" + step.name + "': input '" + name + "' hides the workload key of that name",
          "write workload." + name + " where the key is meant");
    }
  }
}

void check_iterator(const Check& check, const Plan& plan, const Names& names, const Step& step,
                    const StepDraft& draft) {
  if (!step.loop) return;
  const std::string& name = step.loop->iterator;
  std::string hidden;
  if (step.input.field(name) != nullptr)
    hidden = "the input of that name";
  else if (names.step_index.count(name) > 0)
    hidden = "the step of that name";
  else if (is_workload_key(plan, name))
    hidden = "the workload key of that name";
  if (hidden.empty()) return;
  check.warning(draft.iterator_at,
                "loop of step '" + step.name + "': iterator '" + name + "' hides " + hidden,
                "choose another name");
}

// The workload key when the loop is over nothing but one: `{{ workload.rows }}` or `{{ rows }}`.
std::string looped_key(const Template& in) {
  if (in.is_constant() || !in.is_expression() || in.references().size() != 1) return {};
  const std::vector<std::string>& path = in.references().front().path;
  if (path.size() > 2 || (path.size() == 2 && path.front() != "workload")) return {};
  std::string bare;
  for (char c : in.text()) {
    if (c != '{' && c != '}' && c != ' ' && c != '\n') bare += c;
  }
  return bare == path.back() || bare == "workload." + path.back() ? path.back() : std::string();
}

}  // namespace

void check_loop_defaults(const Check& check, const Plan& plan) {
  for (const Step& step : plan.steps) {
    if (!step.loop || !plan.workload.is_map()) continue;
    const std::string key = looped_key(step.loop->in);
    const Value* value = plan.workload.as_map().find(key);
    bool other = plan.find_step(key) || step.input.field(key) != nullptr;
    if (value == nullptr || other || value->is_null() || value->is_list()) continue;
    check.warning(step.loop->in.at(),
                  "loop of step '" + step.name + "': the default of workload." + key + " is a " +
                      std::string(kind_name(value->kind())) + ", not a list",
                  "give it a list, or [] where the run brings one");
  }
}

void check_hiding(const Check& check, const Plan& plan, const std::vector<StepDraft>& drafts) {
  Names names(plan);
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    if (is_workload_key(plan, step.name))
      check.warning(step.at, "step '" + step.name + "' hides the workload key of that name",
                    "write workload." + step.name + " where the key is meant");
    check_inputs(check, plan, names, step, drafts[i]);
    check_iterator(check, plan, names, step, drafts[i]);
  }
}

}  // namespace tidemill::playbook
