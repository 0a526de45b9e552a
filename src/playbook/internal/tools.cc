#include "playbook/internal/tools.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "model/limits.h"
#include "playbook/internal/link.h"
#include "playbook/internal/policy.h"
#include "playbook/internal/templates.h"
#include "playbook/internal/tool_kinds.h"

namespace tidemill::playbook {
namespace {

const std::vector<std::string>& http_methods() {
  static const std::vector<std::string> methods = {"GET",  "POST",   "PUT",    "PATCH",
                                                   "HEAD", "DELETE", "OPTIONS"};
  return methods;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// The kind that the tool names; noop when it names none that can run, which is reported.
const ToolKindInfo& read_kind(const Check& check, Fields& fields) {
  const ToolKindInfo& noop = info_of(ToolKind::noop);
  const YamlNode* node = fields.require("kind", "for instance 'kind: python'");
  if (node == nullptr) return noop;
  std::string name = read_text(check, *node, fields.where() + ": 'kind'");
  if (const ToolKindInfo* info = find_kind(name)) return *info;
  if (std::optional<std::string_view> instead = missing_kind(name)) {
    check.error(node->at, fields.where() + ": tools of kind '" + name + "' are not supported",
                std::string(*instead));
    return noop;
  }
  std::string suggestion = did_you_mean(name, kind_names());
  if (suggestion.empty()) suggestion = "the kinds are " + one_of(kind_names());
  check.error(node->at, fields.where() + ": unknown kind of tool '" + name + "'", suggestion);
  return noop;
}

bool known_kind(const YamlNode& node) {
  const YamlField* kind = node.field("kind");
  return kind != nullptr && find_kind(kind->value.text) != nullptr;
}

InputTree read_key(const Check& check, const ToolKey& key, const YamlNode& node,
                   const std::string& where) {
  const std::string what = where + ": '" + std::string(key.name) + "'";
  if (key.form == ToolKey::Form::code)
    return {.node = Template::constant(Value(read_text(check, node, what)))};
  if (key.form == ToolKey::Form::text && !node.is_scalar()) {
    check.error(node.at, what + ": expected text, found " + std::string(describe(node)));
    return {};
  }
  if (key.form == ToolKey::Form::map && node.is_list())
    check.error(node.at, what + ": expected a map, found a list", "write 'name: value' lines");
  return read_tree(check, node);
}

// The keys of the kind. Of two that exclude each other the second is reported.
InputTree read_config(const Check& check, Fields& fields, const ToolKindInfo& info) {
  InputTree::Fields config;
  std::string_view given[3] = {};
  for (const ToolKey& key : info.keys) {
    const YamlField* field = fields.take_field(key.name);
    if (field == nullptr || field->value.is_null()) continue;
    if (key.name == "name" && fields.has("task")) continue;  // the name of the tool itself
    std::string_view& before = given[key.group];
    if (key.group != 0 && !before.empty()) {
      check.error(field->at,
                  fields.where() + ": '" + std::string(key.name) + "' and '" + std::string(before) +
                      "' exclude each other",
                  "keep one of them");
      continue;
    }
    before = key.name;
    std::string name(key.name == "task" ? "name" : key.name);
    config.emplace_back(std::move(name), read_key(check, key, field->value, fields.where()));
  }
  return {.node = std::move(config)};
}

bool has_required(const YamlNode& node, const ToolKindInfo& info) {
  if (info.required_group_1.empty()) return true;
  return std::any_of(info.keys.begin(), info.keys.end(), [&](const ToolKey& key) {
    const YamlField* field = node.field(key.name);
    return key.group == 1 && field != nullptr && !field->value.is_null();
  });
}

void check_method(const Check& check, const YamlNode& node, const std::string& where) {
  const YamlField* field = node.field("method");
  if (field == nullptr || !field->value.is_scalar()) return;
  const std::string& method = field->value.text;
  if (method.find('{') != std::string::npos) return;
  const std::vector<std::string>& known = http_methods();
  if (std::find(known.begin(), known.end(), upper(method)) != known.end()) return;
  check.error(field->value.at, where + ": unknown HTTP method '" + method + "'",
              did_you_mean(upper(method), known));
}

// A list of texts: `commands`, `cmds`, `command` of a shell tool.
void check_command_list(const Check& check, const YamlNode& node, const std::string& where) {
  for (std::string_view key : {"commands", "cmds", "command"}) {
    const YamlField* field = node.field(key);
    if (field == nullptr) continue;
    const std::string what = where + ": '" + std::string(key) + "'";
    if (field->value.is_map())
      check.error(field->value.at, what + ": expected text or a list of texts, found a map");
    if (!field->value.is_list()) continue;
    if (field->value.items.empty()) check.error(field->value.at, what + ": the list is empty");
    for (const YamlNode& item : field->value.items) {
      if (!item.is_scalar())
        check.error(item.at, what + ": expected text, found " + std::string(describe(item)));
    }
  }
}

void report_missing_keys(Fields& fields, ToolKind kind) {
  switch (kind) {
    case ToolKind::python:
      fields.unsupported("libs", "write the imports into 'code'");
      fields.unsupported("script", "write the program into 'code', or run it with kind: shell");
      break;
    case ToolKind::postgres:
    case ToolKind::sqlite:
      fields.unsupported("params", "write the values as templates in the SQL; they are bound");
      for (std::string_view key : {"db_host", "db_port", "db_user", "db_password", "db_name"})
        fields.unsupported(key, "name a connection with 'auth'");
      break;
    case ToolKind::http:
      fields.unsupported("pagination", "write a pipeline that jumps back to its first tool");
      break;
    default:
      break;
  }
  fields.unsupported("eval", "write 'spec.policy.rules'");
  for (std::string_view key : {"save", "sink"})
    fields.unsupported(key, "write a tool that saves, after this one in the pipeline");
  fields.no_effect("output", "results are kept in the row or beside it by their size");
}

// {connect: 10, read: 30} is how noetl.io/v2 writes a timeout for http.
Duration read_timeout(const Check& check, const YamlNode& node, const std::string& where) {
  const std::string what = where + ": 'timeout'";
  if (!check.is_noetl() || !node.is_map()) return read_duration(check, node, what);
  Duration sum{};
  for (const YamlField& field : node.fields) sum = sum + read_duration(check, field.value, what);
  return sum;
}

void read_tool_spec(const Check& check, const YamlNode& node, Tool& tool,
                    const std::string& where) {
  Fields fields(check, node, where + ": 'spec'");
  if (const YamlNode* policy = fields.take("policy")) {
    for (PolicyRule& rule : read_policy(check, *policy, where))
      tool.rules.push_back(std::move(rule));
  }
  if (const YamlNode* timeout = fields.take("timeout"))
    tool.timeout = read_timeout(check, *timeout, where);
  if (tool.kind == ToolKind::python) {
    if (const YamlNode* isolation = fields.take("isolation")) {
      static const std::vector<std::string> words = {"warm", "fresh"};
      tool.fresh_interpreter = read_choice(check, *isolation, where + ": 'isolation'", words) == 1;
    }
  }
  fields.no_effect("result", "results are kept in the row or beside it by their size");
  fields.finish();
}

std::optional<Template> read_auth(const Check& check, const YamlNode& node,
                                  const std::string& where) {
  if (!node.is_scalar()) {
    check.error(
        node.at,
        where + ": 'auth' is the name of a connection, found " + std::string(describe(node)),
        "write 'auth: NAME' and give it with --connect NAME=…");
    return std::nullopt;
  }
  Template auth = read_template(check, node);
  if (auth.is_constant() && node.text.find('{') == std::string::npos &&
      node.text.find_first_of(" \t\n:/") != std::string::npos)
    check.error(node.at, where + ": 'auth' is the name of a connection, not its address",
                "write 'auth: NAME' and give it with --connect NAME=…");
  return auth;
}

InputTree read_input(const Check& check, Fields& fields, ToolKind kind) {
  const YamlNode* node = nullptr;
  if (kind == ToolKind::playbook)
    node = fields.take_one({"input", "payload", "args"});
  else if (kind == ToolKind::workbook && check.is_noetl())
    node = fields.take_one({"input", "args", "with"});
  else
    node = fields.take_one({"input", "args"});
  if (node == nullptr) return empty_map();
  return read_map(check, *node, fields.where() + ": 'input'");
}

// `body` is what some noetl.io/v2 documents call the payload.
void take_body(const Check& check, Fields& fields, InputTree& config) {
  const YamlNode* body = check.is_noetl() ? fields.take("body") : nullptr;
  if (body == nullptr) return;
  std::get<InputTree::Fields>(config.node).emplace_back("payload", read_tree(check, *body));
}

bool is_module(std::string_view text) {
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find('.', begin), text.size());
    if (!is_name(text.substr(begin, end - begin))) return false;
    begin = end + 1;
  }
  return true;
}

// `libs: {alias: module}` of noetl.io/v2 are imports before the code.
void take_libs(const Check& check, Fields& fields, InputTree& config) {
  const YamlNode* libs = check.is_noetl() ? fields.take("libs") : nullptr;
  InputTree* code = nullptr;
  for (auto& [key, tree] : std::get<InputTree::Fields>(config.node)) {
    if (key == "code") code = &tree;
  }
  if (libs == nullptr || code == nullptr) return;
  std::string text;
  for (const YamlField& lib : libs->fields) {
    if (!is_name(lib.key) || !lib.value.is_scalar() || !is_module(lib.value.text)) {
      check.error(lib.at, fields.where() + ": 'libs' is a map of names to modules",
                  "write the import into 'code'");
      continue;
    }
    text += "import " + lib.value.text + " as " + lib.key + "\n";
  }
  text += constant_text(code);
  *code = {.node = Template::constant(Value(std::move(text)))};
}

bool is_named_form(const YamlNode& item) {
  return item.field("kind") == nullptr && item.fields.size() == 1 &&
         item.fields.front().value.is_map();
}

void check_names(const Check& check, const std::vector<Tool>& tools, const std::string& where) {
  for (size_t i = 0; i < tools.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (tools[k].name != tools[i].name) continue;
      check.error(tools[i].at, where + ": two tools are named '" + tools[i].name + "'",
                  "the first is in line " + std::to_string(tools[k].at.line));
      break;
    }
  }
}

Tool read_item(const Check& check, const YamlNode& item, size_t index, const std::string& where) {
  if (!item.is_map()) {
    check.error(item.at, where + ": expected a tool, found " + std::string(describe(item)),
                "write '- name: NAME' and 'kind: KIND' below it");
    return noop_tool("tool_" + std::to_string(index), item.at);
  }
  if (is_named_form(item)) {
    const YamlField& field = item.fields.front();
    if (!is_name(field.key))
      check.error(field.at, where + ": '" + field.key + "' is not a name for a tool");
    Tool tool = read_tool(check, field.value, field.key, where + ", tool '" + field.key + "'");
    tool.at = field.at;
    return tool;
  }
  const YamlField* name = item.field("name");
  if (name == nullptr || name->value.is_null()) {
    std::string generated = "task_" + std::to_string(index);
    check.strict(item.at, where + ": every tool of a pipeline needs a name",
                 "write '- name: NAME' before its 'kind'");
    return read_tool(check, item, generated, where + ", tool '" + generated + "'");
  }
  std::string text = read_name(check, name->value, where + ": 'name'");
  return read_tool(check, item, text, where + ", tool '" + text + "'");
}

}  // namespace

Tool noop_tool(std::string name, Position at) {
  Tool tool;
  tool.name = std::move(name);
  tool.config = empty_map();
  tool.input = empty_map();
  tool.at = at;
  return tool;
}

Tool read_tool(const Check& check, const YamlNode& node, std::string name,
               const std::string& where) {
  Tool tool = noop_tool(std::move(name), node.at);
  Fields fields(check, node, where);
  if (!node.is_map()) return tool;
  const ToolKindInfo& info = read_kind(check, fields);
  tool.kind = info.kind;
  fields.take("desc");
  if (info.kind != ToolKind::workbook) fields.take("name");
  tool.config = read_config(check, fields, info);
  if (info.kind == ToolKind::http) {
    check_method(check, node, where);
    take_body(check, fields, tool.config);
  }
  if (info.kind == ToolKind::python) take_libs(check, fields, tool.config);
  check_command_list(check, node, where);
  tool.input = read_input(check, fields, info.kind);
  if (const YamlNode* auth = fields.take("auth")) tool.auth = read_auth(check, *auth, where);
  if (info.needs_auth && !fields.has("auth"))
    check.error(node.at, where + ": 'auth' is missing (the name of a connection)",
                "write 'auth: NAME' and give it with --connect NAME=…");
  if (!has_required(node, info))
    check.error(node.at, where + ": " + std::string(info.required_group_1) + " is missing");
  if (const YamlNode* retry = fields.take("retry"))
    tool.rules.push_back(read_retry(check, *retry, where));
  if (const YamlNode* timeout = fields.take("timeout"))
    tool.timeout = read_timeout(check, *timeout, where);
  if (const YamlNode* spec = fields.take("spec")) read_tool_spec(check, *spec, tool, where);
  report_missing_keys(fields, info.kind);
  if (known_kind(node)) fields.finish();
  return tool;
}

Pipeline read_pipeline(const Check& check, const YamlNode& node, const std::string& step) {
  const std::string where = "step '" + step + "'";
  Pipeline pipeline;
  if (node.is_map()) {
    pipeline.tools.push_back(read_tool(check, node, step, where));
  } else if (node.is_list()) {
    pipeline.named = true;
    bool fits = check_count(check, node.at, where + ": tools of the pipeline", node.items.size(),
                            limits::kToolsMax);
    for (size_t i = 0; fits && i < node.items.size(); ++i)
      pipeline.tools.push_back(read_item(check, node.items[i], i, where));
    if (node.items.empty())
      check.error(node.at, where + ": the pipeline is empty", "leave 'tool' out, or use noop");
  } else {
    check.error(
        node.at,
        where + ": 'tool' is a map or a list of tools, found " + std::string(describe(node)),
        node.is_scalar() ? "write 'tool: {kind: " + node.text + "}'" : "");
  }
  if (pipeline.tools.empty()) pipeline.tools.push_back(noop_tool(step, node.at));
  check_names(check, pipeline.tools, where);
  resolve_jumps(check, pipeline.tools, where);
  return pipeline;
}

}  // namespace tidemill::playbook
