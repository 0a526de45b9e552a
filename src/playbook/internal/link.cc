#include "playbook/internal/link.h"

#include <set>
#include <unordered_map>
#include <utility>

#include "playbook/internal/graph.h"
#include "playbook/internal/tool_kinds.h"

namespace tidemill::playbook {
namespace {

using Index = std::unordered_map<std::string, uint32_t>;

Index index_steps(const Check& check, const std::vector<StepDraft>& drafts) {
  Index index;
  for (uint32_t i = 0; i < drafts.size(); ++i) {
    const Step& step = drafts[i].step;
    auto [at, fresh] = index.emplace(step.name, i);
    if (fresh) continue;
    int first = drafts[at->second].step.at.line;
    check.error(step.at, "two steps are named '" + step.name + "'",
                "the first is in line " + std::to_string(first));
  }
  return index;
}

std::vector<std::string> names_of(const std::vector<StepDraft>& drafts) {
  std::vector<std::string> names;
  names.reserve(drafts.size());
  for (const StepDraft& draft : drafts) names.push_back(draft.step.name);
  return names;
}

std::optional<uint32_t> find_or_report(const Check& check, const Index& index,
                                       const std::vector<StepDraft>& drafts,
                                       const std::string& name, Position at,
                                       const std::string& what) {
  auto found = index.find(name);
  if (found != index.end()) return found->second;
  check.error(at, what + ": there is no step '" + name + "'",
              check.diagnostics.flooded() ? "" : did_you_mean(name, names_of(drafts)));
  return std::nullopt;
}

void link_arcs(const Check& check, const Index& index, std::vector<StepDraft>& drafts) {
  for (StepDraft& draft : drafts) {
    std::vector<Arc> linked;
    for (size_t i = 0; i < draft.step.arcs.size(); ++i) {
      const auto& [name, at] = draft.targets[i];
      std::optional<uint32_t> to =
          find_or_report(check, index, drafts, name, at, "next of step '" + draft.step.name + "'");
      if (!to) continue;
      draft.step.arcs[i].to = StepIndex{*to};
      linked.push_back(std::move(draft.step.arcs[i]));
    }
    draft.step.arcs = std::move(linked);
  }
}

uint32_t find_start(const Check& check, const Index& index, const Document& document) {
  const std::vector<StepDraft>& drafts = document.drafts;
  if (document.entry_step)
    return find_or_report(check, index, drafts, document.entry_step->first,
                          document.entry_step->second, "executor: 'entry_step'")
        .value_or(0);
  auto found = index.find("start");
  if (found != index.end()) return found->second;
  std::string near = nearest("start", names_of(drafts));
  if (!near.empty()) near = "rename '" + near + "' to 'start'";
  if (check.is_noetl()) {
    check.warning(document.workflow_at, "workflow: no step is named 'start'; the first one begins",
                  near);
    return 0;
  }
  if (near.empty()) near = "name the first step 'start'";
  check.error(document.workflow_at, "workflow: no step is named 'start'; execution begins there",
              near);
  return 0;
}

// A step that ends an execution may have no next: the final one, or without one the step `end`.
void mark_required_next(const Document& document, std::vector<Step>& steps) {
  if (!document.no_next_is_error) return;
  const std::string last = document.final_step ? document.final_step->first : "end";
  for (Step& step : steps) step.no_next_is_error = step.name != last;
}

void analyse(const Check& check, Plan& plan) {
  Graph graph(plan.steps.size());
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    for (const Arc& arc : plan.steps[i].arcs) graph[i].push_back({.to = arc.to.raw});
  }
  const uint32_t start = plan.start.raw;
  find_back_arcs(graph, start);
  std::vector<bool> reachable = find_reachable(graph, start);
  std::vector<std::vector<uint32_t>> dominated = find_dominated(graph, start);
  std::vector<std::vector<bool>> blockers = find_blockers(graph, start);
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    Step& step = plan.steps[i];
    step.reachable = reachable[i];
    step.blocked_by = std::move(blockers[i]);
    for (uint32_t node : dominated[i]) step.dominates.push_back(StepIndex{node});
    for (size_t k = 0; k < step.arcs.size(); ++k) step.arcs[k].back = graph[i][k].back;
    if (!step.reachable && !check.diagnostics.has_errors())
      check.warning(step.at, "step '" + step.name + "' is never reached",
                    "name it in the 'next' of another step");
  }
}

void check_workbook_name(const Check& check, const Plan& plan, const Tool& tool) {
  if (tool.kind != ToolKind::workbook || find_workbook_tool(plan, tool) != nullptr) return;
  std::string name = constant_text(tool.config.field("name"));
  if (name.empty()) return;
  std::vector<std::string> names;
  for (const Tool& known : plan.workbook) names.push_back(known.name);
  std::string suggestion = did_you_mean(name, names);
  if (suggestion.empty() && names.empty()) suggestion = "this playbook has no 'workbook'";
  check.error(tool.at, "the workbook has no tool '" + name + "'", suggestion);
}

void note_child(const Tool& tool, Plan& plan) {
  std::string path = constant_text(tool.config.field("path"));
  if (tool.kind != ToolKind::playbook || path.empty()) return;
  ChildReference child{.path = std::move(path),
                       .at = tool.at,
                       .return_step = constant_text(tool.config.field("return_step")),
                       .inputs = {}};
  if (const auto* fields = std::get_if<InputTree::Fields>(&tool.input.node)) {
    for (const auto& field : *fields) child.inputs.push_back(field.key);
  }
  plan.children.push_back(std::move(child));
}

void note_tool(const Tool& tool, Plan& plan, std::set<std::string>& connections) {
  plan.needs_python = plan.needs_python || tool.kind == ToolKind::python;
  note_child(tool, plan);
  if (!tool.auth) return;
  std::string name = constant_text(*tool.auth);
  if (name.empty() || plan.keychain.field(name) != nullptr) return;
  if (connections.insert(name).second) plan.connections.push_back(std::move(name));
}

// A tool of the workbook does what the tool it stands for does; one named by a template may do
// anything.
void note_workbook_use(const Plan& plan, const Tool& tool, Step& step) {
  if (tool.kind != ToolKind::workbook) return;
  const Tool* meant = find_workbook_tool(plan, tool);
  step.uses_slot = step.uses_slot || meant == nullptr || info_of(meant->kind).runs_code;
  step.starts_children =
      step.starts_children || (meant != nullptr && meant->kind == ToolKind::playbook);
}

void note_tools(const Check& check, Plan& plan) {
  std::set<std::string> connections;
  for (const Tool& tool : plan.workbook) note_tool(tool, plan, connections);
  for (Step& step : plan.steps) {
    for (const Tool& tool : step.tools) {
      check_workbook_name(check, plan, tool);
      note_workbook_use(plan, tool, step);
      note_tool(tool, plan, connections);
    }
    if (step.loop && step.loop->cursor) note_tool(*step.loop->cursor, plan, connections);
  }
}

}  // namespace

std::string constant_text(const Template& text) {
  if (!text.is_constant()) return {};
  Scope none;
  Fuel fuel{kRoutingFuel};
  Evaluated<Value> value = text.evaluate(none, fuel);
  return value.ok() && value.value().is_string() ? value.value().as_string() : std::string();
}

std::string constant_text(const InputTree* tree) {
  const Template* text = tree == nullptr ? nullptr : std::get_if<Template>(&tree->node);
  return text == nullptr ? std::string() : constant_text(*text);
}

const Tool* find_workbook_tool(const Plan& plan, const Tool& tool) {
  if (tool.kind != ToolKind::workbook) return nullptr;
  const InputTree* named = tool.config.field("name");
  // In a pipeline the tool's own name may be the workbook's.
  std::string name = named == nullptr ? tool.name : constant_text(named);
  for (const Tool& known : plan.workbook) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

void link_steps(const Check& check, Document& document) {
  Plan& plan = document.plan;
  Index index = index_steps(check, document.drafts);
  link_arcs(check, index, document.drafts);
  if (document.final_step) {
    auto found = find_or_report(check, index, document.drafts, document.final_step->first,
                                document.final_step->second, "executor: 'final_step'");
    if (found) plan.final_step = StepIndex{*found};
  }
  if (!document.drafts.empty()) plan.start = StepIndex{find_start(check, index, document)};
  plan.steps.reserve(document.drafts.size());
  for (StepDraft& draft : document.drafts) plan.steps.push_back(std::move(draft.step));
  mark_required_next(document, plan.steps);
  note_tools(check, plan);
  if (!plan.steps.empty()) analyse(check, plan);
}

}  // namespace tidemill::playbook
