#include "playbook/internal/step.h"

#include <algorithm>

#include "playbook/internal/loop.h"
#include "playbook/internal/templates.h"
#include "playbook/internal/tool_kinds.h"
#include "playbook/internal/tools.h"

namespace tidemill::playbook {
namespace {

// Names that expressions read something else by.
const std::vector<std::string>& reserved_names() {
  static const std::vector<std::string> names = {
      "workload",   "ctx",        "iter",   "step",   "output",   "event",     "execution_id",
      "task_key",   "keychain",   "true",   "false",  "none",     "null",      "and",
      "or",         "not",        "in",     "is",     "if",       "else",      "for",
      "loop_index", "loop_total", "_index", "_total", "_attempt", "input_data"};
  return names;
}

bool is_reserved(std::string_view name) {
  const std::vector<std::string>& names = reserved_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

void check_not_reserved(const Check& check, Position at, const std::string& name,
                        const std::string& what) {
  if (!is_reserved(name)) return;
  check.error(at, what + ": '" + name + "' is a word of the language", "choose another name");
}

AdmitRule read_admit_rule(const Check& check, const YamlNode& node, const std::string& where) {
  AdmitRule rule;
  Fields fields(check, node, where);
  const YamlNode* when = fields.take("when");
  const YamlNode* then = fields.take("then");
  const YamlNode* otherwise = fields.take("else");
  fields.finish();
  if (otherwise != nullptr) {
    Fields inner(check, *otherwise, where + ": 'else'");
    then = inner.take("then");
    inner.finish();
  } else if (when != nullptr) {
    rule.when = read_condition(check, *when, where + ": 'when'");
  }
  if (!node.is_map()) return rule;
  if (then == nullptr) {
    check.error(node.at, where + ": 'then' is missing", "write 'then: {allow: true}'");
    return rule;
  }
  Fields allow(check, *then, where + ": 'then'");
  if (const YamlNode* word = allow.require("allow", "true or false"))
    rule.allow = read_bool(check, *word, where + ": 'allow'").value_or(true);
  allow.finish();
  return rule;
}

void read_admit(const Check& check, const YamlNode& node, Step& step) {
  const std::string where = "admit of step '" + step.name + "'";
  Fields fields(check, node, where);
  fields.no_effect("mode", "the first rule that matches wins");
  const YamlNode* rules = fields.require("rules", "a list of {when, then: {allow}}");
  fields.finish();
  if (rules == nullptr) return;
  const std::vector<YamlNode>* items = read_list(check, *rules, where + ": 'rules'");
  if (items == nullptr) return;
  for (const YamlNode& item : *items) step.admit.push_back(read_admit_rule(check, item, where));
}

void read_step_spec(const Check& check, const YamlNode& node, Step& step) {
  const std::string where = "step '" + step.name + "'";
  Fields fields(check, node, where + ": 'spec'");
  if (const YamlNode* timeout = fields.take("timeout"))
    step.timeout = read_duration(check, *timeout, where + ": 'timeout'");
  if (const YamlNode* policy = fields.take("policy")) {
    Fields inner(check, *policy, where + ": 'policy'");
    if (const YamlNode* admit = inner.take("admit")) read_admit(check, *admit, step);
    inner.unsupported("rules", "write the rules into the tool's 'spec.policy'");
    for (std::string_view key : {"lifecycle", "failure", "emit"})
      inner.unsupported(key, "write 'spec.timeout', or an arc with event.name == 'step.failed'");
    inner.finish();
  }
  fields.unsupported("next_mode", "write 'next.spec.mode'");
  fields.finish();
}

void read_loop_of(const Check& check, const YamlNode& node, StepDraft& draft) {
  draft.step.loop = read_loop(check, node, draft.step.name);
  const YamlField* iterator = node.field("iterator");
  draft.iterator_at = iterator == nullptr ? node.at : iterator->value.at;
  check_not_reserved(check, draft.iterator_at, draft.step.loop->iterator,
                     "loop of step '" + draft.step.name + "': 'iterator'");
}

void read_step_input(const Check& check, Fields& fields, StepDraft& draft) {
  draft.step.input = empty_map();
  const YamlNode* input = fields.take_one({"input", "args"});
  if (input == nullptr) return;
  draft.step.input = read_map(check, *input, fields.where() + ": 'input'");
  if (draft.step.input.empty()) return;
  for (const YamlField& field : input->fields) {
    draft.inputs.emplace_back(field.key, field.at);
    if (is_reserved(field.key))
      check.strict(field.at,
                   fields.where() + ": input '" + field.key +
                       "' is a word of the language; templates "
                       "cannot read it",
                   "choose another name");
  }
}

void report_old_keys(Fields& fields) {
  fields.unsupported("case", "write 'next.arcs' with 'when', and 'spec.policy.rules' in the tool");
  fields.unsupported("when", "write 'spec.policy.admit', or 'when' in the arcs that lead here");
  fields.unsupported("vars", "write 'set: {ctx.NAME: …}'");
  fields.unsupported("type", "write 'tool: {kind: …}'");
  for (std::string_view key : {"sink", "save", "collect"})
    fields.unsupported(key, "write a tool that saves, in the pipeline");
  fields.unsupported("retry", "write it in the tool");
  fields.no_effect("output", "results are kept in the row or beside it by their size");
}

std::string read_step_name(const Check& check, Fields& fields, size_t number) {
  const YamlNode* node = fields.require("step", "its name");
  if (node == nullptr) return "step_" + std::to_string(number);
  std::string name = read_name(check, *node, "'step'");
  check_not_reserved(check, node->at, name, "'step'");
  return name.empty() ? "step_" + std::to_string(number) : name;
}

void note_tools(Step& step) {
  for (const Tool& tool : step.tools) {
    step.uses_slot = step.uses_slot || info_of(tool.kind).runs_code;
    step.starts_children = step.starts_children || tool.kind == ToolKind::playbook;
  }
}

}  // namespace

StepDraft read_step(const Check& check, const YamlNode& node, size_t number) {
  StepDraft draft;
  Step& step = draft.step;
  step.at = node.at;
  step.input = empty_map();
  Fields fields(check, node, "workflow, step " + std::to_string(number + 1));
  if (!node.is_map()) {
    step.name = "step_" + std::to_string(number);
    step.tools.push_back(noop_tool(step.name, node.at));
    return draft;
  }
  step.name = read_step_name(check, fields, number);
  fields.rename("step '" + step.name + "'");
  if (const YamlNode* desc = fields.take_one({"desc", "description"}))
    step.description = read_text(check, *desc, fields.where() + ": 'desc'");
  read_step_input(check, fields, draft);
  if (const YamlNode* tool = fields.take("tool")) {
    Pipeline pipeline = read_pipeline(check, *tool, step.name);
    step.tools = std::move(pipeline.tools);
    step.is_pipeline = pipeline.named;
  } else {
    step.tools.push_back(noop_tool(step.name, node.at));
  }
  if (const YamlNode* loop = fields.take("loop")) read_loop_of(check, *loop, draft);
  if (const YamlNode* set = fields.take("set"))
    step.set = read_set(check, *set, SetScope::routing, fields.where());
  if (const YamlNode* next = fields.take("next")) read_next(check, *next, draft);
  if (const YamlNode* spec = fields.take("spec")) read_step_spec(check, *spec, step);
  report_old_keys(fields);
  fields.finish();
  note_tools(step);
  return draft;
}

}  // namespace tidemill::playbook
