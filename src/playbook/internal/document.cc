#include "playbook/internal/document.h"

#include "model/limits.h"
#include "playbook/internal/policy.h"
#include "playbook/internal/templates.h"
#include "playbook/internal/tools.h"

namespace tidemill::playbook {
namespace {

void read_metadata(const Check& check, const YamlNode& node, Metadata& out) {
  Fields fields(check, node, "metadata");
  if (const YamlNode* name = fields.require("name", "the playbook's name"))
    out.name = read_text(check, *name, "metadata: 'name'");
  struct Text {
    std::string_view key;
    std::string& to;
  };
  for (const Text& text : {Text{"path", out.path}, Text{"description", out.description},
                           Text{"version", out.version}}) {
    if (const YamlNode* value = fields.take(text.key))
      text.to = read_text(check, *value, "metadata: '" + std::string(text.key) + "'");
  }
  if (const YamlNode* labels = fields.take("labels")) out.labels = plain_value(*labels);
  if (const YamlNode* tags = fields.take("tags")) out.tags = plain_value(*tags);
  fields.finish();
}

// Defaults are values: text in them that looks like a template stays text, which is seldom meant.
void warn_of_templates(const Check& check, const YamlNode& node) {
  for (const YamlNode& item : node.items) warn_of_templates(check, item);
  for (const YamlField& field : node.fields) warn_of_templates(check, field.value);
  if (node.is_scalar() && node.text.find("{{") != std::string::npos)
    check.warning(node.at, "workload: values are not templates; this text is kept as it is",
                  "write the template where the value is used");
}

void read_workload(const Check& check, const YamlNode& node, Plan& plan) {
  if (!node.is_map()) {
    check.error(node.at,
                "workload: expected a map of defaults, found " + std::string(describe(node)));
    return;
  }
  warn_of_templates(check, node);
  plan.workload = plain_value(node);
}

// A map by name, or a list of maps with `name`.
void read_keychain(const Check& check, const YamlNode& node, Plan& plan) {
  InputTree::Fields entries;
  if (node.is_map()) {
    plan.keychain = read_tree(check, node);
    return;
  }
  const std::vector<YamlNode>* items = read_list(check, node, "keychain");
  if (items == nullptr) return;
  for (const YamlNode& item : *items) {
    Fields fields(check, item, "keychain");
    const YamlNode* name = fields.require("name", "the credential's name");
    if (name == nullptr) continue;
    entries.emplace_back(read_name(check, *name, "keychain: 'name'"), read_tree(check, item));
  }
  plan.keychain = {.node = std::move(entries)};
}

void add_workbook_tool(const Check& check, const YamlNode& node, const std::string& name,
                       Plan& plan) {
  const std::string where = "workbook, tool '" + name + "'";
  for (const Tool& tool : plan.workbook) {
    if (tool.name == name) check.error(node.at, where + ": the name is given twice");
  }
  std::vector<Tool> tools = {read_tool(check, node, name, where)};
  resolve_jumps(check, tools, where);
  if (tools.front().kind == ToolKind::workbook)
    check.error(node.at, where + ": a tool of the workbook cannot be of kind workbook",
                "write the tool that is meant");
  plan.workbook.push_back(std::move(tools.front()));
}

void read_workbook_item(const Check& check, const YamlNode& item, Plan& plan) {
  const YamlField* name = item.field("name");
  if (!item.is_map() || name == nullptr) {
    check.error(item.at, "workbook: 'name' is missing (the tool's name)");
    return;
  }
  std::string text = read_name(check, name->value, "workbook: 'name'");
  const YamlField* tool = item.field("tool");
  if (tool == nullptr) return add_workbook_tool(check, item, text, plan);
  Fields fields(check, item, "workbook, tool '" + text + "'");
  for (std::string_view key : {"name", "desc", "tool"}) fields.take(key);
  fields.finish();
  add_workbook_tool(check, tool->value, text, plan);
}

void read_workbook(const Check& check, const YamlNode& node, Plan& plan) {
  size_t count = node.fields.size() + node.items.size();
  if (!check_count(check, node.at, "workbook: tools", count, limits::kToolsMax)) return;
  if (node.is_map()) {
    for (const YamlField& field : node.fields) {
      if (!is_name(field.key))
        check.error(field.at, "workbook: '" + field.key + "' is not a name for a tool");
      add_workbook_tool(check, field.value, field.key, plan);
    }
    return;
  }
  const std::vector<YamlNode>* items = read_list(check, node, "workbook");
  if (items == nullptr) return;
  for (const YamlNode& item : *items) read_workbook_item(check, item, plan);
}

void read_executor(const Check& check, const YamlNode& node, Document& out) {
  Fields fields(check, node, "executor");
  if (const YamlNode* spec = fields.take("spec")) {
    Fields inner(check, *spec, "executor: 'spec'");
    if (const YamlNode* step = inner.take("final_step"))
      out.final_step = {read_text(check, *step, "executor: 'final_step'"), step->at};
    if (const YamlNode* flag = inner.take("no_next_is_error"))
      out.no_next_is_error =
          read_bool(check, *flag, "executor: 'no_next_is_error'").value_or(false);
    inner.no_effect("pool", "every worker of this server may run the playbook");
    if (check.is_noetl()) {
      if (const YamlNode* step = inner.take("entry_step"))
        out.entry_step = {read_text(check, *step, "executor: 'entry_step'"), step->at};
    }
    inner.finish();
  }
  if (check.is_noetl()) {
    for (std::string_view key : {"profile", "version", "requires"}) fields.take(key);
  }
  fields.finish();
}

void read_workflow(const Check& check, const YamlNode& node, Document& out) {
  out.workflow_at = node.at;
  const std::vector<YamlNode>* items = read_list(check, node, "workflow");
  if (items == nullptr) return;
  if (items->empty()) check.error(node.at, "workflow: the list of steps is empty");
  if (items->size() > limits::kStepsMax) {
    check.error(node.at,
                "workflow: " + std::to_string(items->size()) + " steps; the most is " +
                    std::to_string(limits::kStepsMax),
                "use a loop, or playbooks that call each other");
    return;
  }
  out.drafts.reserve(items->size());
  for (size_t i = 0; i < items->size(); ++i) out.drafts.push_back(read_step(check, (*items)[i], i));
}

void read_kind(const Check& check, Fields& fields) {
  const YamlNode* kind = fields.require("kind", "'Playbook'");
  if (kind == nullptr) return;
  std::string word = read_text(check, *kind, "'kind'");
  if (word != "Playbook")
    check.error(kind->at, "'kind': expected 'Playbook', found '" + word + "'",
                did_you_mean(word, {"Playbook"}));
}

}  // namespace

ApiVersion read_api_version(Diagnostics& diagnostics, const YamlNode& root) {
  const YamlField* field = root.field("apiVersion");
  if (field == nullptr) {
    if (root.is_map())
      diagnostics.error(root.at, "playbook: 'apiVersion' is missing",
                        "write 'apiVersion: tidemill/v1'");
    return ApiVersion::tidemill_v1;
  }
  const std::string& version = field->value.text;
  if (version == "tidemill/v1") return ApiVersion::tidemill_v1;
  if (version == "noetl.io/v2") return ApiVersion::noetl_v2;
  diagnostics.error(field->value.at,
                    "'apiVersion': expected tidemill/v1 or noetl.io/v2, found '" + version + "'",
                    did_you_mean(version, {"tidemill/v1", "noetl.io/v2"}));
  return version.rfind("noetl", 0) == 0 ? ApiVersion::noetl_v2 : ApiVersion::tidemill_v1;
}

void read_document(const Check& check, const YamlNode& root, Document& out) {
  out.plan.api = check.api;
  out.plan.workload = Value(Map{});
  out.plan.keychain = empty_map();
  Fields fields(check, root, "playbook");
  if (!root.is_map()) return;
  fields.take("apiVersion");
  read_kind(check, fields);
  if (const YamlNode* node = fields.require("metadata", "{name: …}"))
    read_metadata(check, *node, out.plan.metadata);
  if (const YamlNode* node = fields.take("executor")) read_executor(check, *node, out);
  if (const YamlNode* node = fields.take("workload")) read_workload(check, *node, out.plan);
  if (const YamlNode* node = fields.take("keychain")) read_keychain(check, *node, out.plan);
  if (const YamlNode* node = fields.take("workbook")) read_workbook(check, *node, out.plan);
  if (const YamlNode* node = fields.require("workflow", "the list of steps"))
    read_workflow(check, *node, out);
  fields.unsupported("vars", "use 'workload' for defaults and 'set: {ctx.NAME: …}' for state");
  fields.finish();
}

}  // namespace tidemill::playbook
