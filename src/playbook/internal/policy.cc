#include "playbook/internal/policy.h"

#include <utility>

#include "model/limits.h"
#include "playbook/internal/templates.h"

namespace tidemill::playbook {
namespace {

using Do = PolicyRule::Do;

const std::vector<std::string>& action_words() {
  static const std::vector<std::string> words = {"continue", "retry", "break", "jump", "fail"};
  return words;  // in the order of PolicyRule::Do
}

Backoff read_backoff(const Check& check, const YamlNode& node, const std::string& where) {
  static const std::vector<std::string> words = {"none", "fixed", "linear", "exponential"};
  return static_cast<Backoff>(read_choice(check, node, where + ": 'backoff'", words));
}

uint32_t read_attempts(const Check& check, const YamlNode& node, const std::string& what) {
  return static_cast<uint32_t>(read_count(check, node, what, 1, limits::kMaxAttemptsBound));
}

// Keys that belong to one `do` are a mistake under another: they would be read and forgotten.
void check_fit(const Check& check, const YamlNode& then, Do action, std::string_view key, Do owner,
               const std::string& where) {
  const YamlField* field = then.field(key);
  if (field == nullptr || action == owner) return;
  const std::string& word = action_words()[static_cast<size_t>(owner)];
  check.warning(field->at, where + ": '" + std::string(key) + "' has no effect here",
                "it belongs to 'do: " + word + "'");
}

// set_ctx and set_iter are older words for set.
void read_old_sets(const Check& check, Fields& fields, std::vector<SetItem>& out) {
  for (std::string_view key : {std::string_view("set_ctx"), std::string_view("set_iter")}) {
    const YamlNode* node = fields.take(key);
    if (node == nullptr) continue;
    YamlNode wrapped;
    wrapped.kind = YamlNode::Kind::map;
    wrapped.at = node->at;
    wrapped.fields.push_back({.key = std::string(key.substr(4)), .at = node->at, .value = *node});
    for (SetItem& item : read_set(check, wrapped, SetScope::task, fields.where()))
      out.push_back(std::move(item));
  }
}

void read_then(const Check& check, const YamlNode& then, const std::string& where,
               PolicyRule& rule) {
  Fields fields(check, then, where);
  if (const YamlNode* word = fields.require("do", one_of(action_words())))
    rule.action = static_cast<Do>(read_choice(check, *word, where + ": 'do'", action_words()));
  if (const YamlNode* node = fields.take("attempts"))
    rule.attempts = read_attempts(check, *node, where + ": 'attempts'");
  if (const YamlNode* node = fields.take("delay"))
    rule.delay = read_duration(check, *node, where + ": 'delay'");
  if (const YamlNode* node = fields.take("backoff"))
    rule.backoff = read_backoff(check, *node, where);
  if (const YamlNode* node = fields.take("to"))
    rule.jump_to = read_text(check, *node, where + ": 'to'");
  if (const YamlNode* node = fields.take("set"))
    rule.set = read_set(check, *node, SetScope::task, where);
  if (check.is_noetl()) read_old_sets(check, fields, rule.set);
  fields.finish();
  for (std::string_view key : {"attempts", "delay", "backoff"})
    check_fit(check, then, rule.action, key, Do::retry, where);
  check_fit(check, then, rule.action, "to", Do::jump, where);
  if (rule.action == Do::jump && rule.jump_to.empty())
    check.error(then.at, where + ": 'do: jump' needs 'to', the name of a tool of this pipeline");
}

PolicyRule read_rule(const Check& check, const YamlNode& node, const std::string& where) {
  PolicyRule rule;
  rule.at = node.at;
  Fields fields(check, node, where);
  const YamlNode* when = fields.take("when");
  const YamlNode* then = fields.take("then");
  const YamlNode* otherwise = fields.take("else");
  fields.finish();
  if (!node.is_map()) return rule;
  if (otherwise != nullptr) {
    if (when != nullptr || then != nullptr)
      check.error(node.at, where + ": a rule is either {when, then} or {else: {then}}");
    Fields inner(check, *otherwise, where + ": 'else'");
    then = inner.take("then");
    inner.finish();
    when = nullptr;
  }
  if (when != nullptr) rule.when = read_condition(check, *when, where + ": 'when'");
  if (then == nullptr)
    check.error(node.at, where + ": 'then' is missing", "write 'then: {do: continue}'");
  else
    read_then(check, *then, where, rule);
  return rule;
}

// The condition that stands for `retry_on`: a list of HTTP statuses and error kinds, or an
// expression.
std::string retry_condition(const Check& check, const YamlNode& node, const std::string& where) {
  if (!node.is_list()) return {};
  List statuses;
  std::string kinds;
  for (const YamlNode& item : node.items) {
    Value value = item.is_scalar() ? scalar_value(item) : Value();
    if (value.is_integer()) {
      statuses.push_back(value);
    } else if (value.is_string() && is_name(value.as_string())) {
      kinds += (kinds.empty() ? "'" : ", '") + value.as_string() + "'";
    } else {
      check.error(item.at, where + ": 'retry_on' lists HTTP statuses and error kinds",
                  "write for instance [429, 503, timeout]");
    }
  }
  std::string numbers;
  for (const Value& status : statuses)
    numbers += (numbers.empty() ? "" : ", ") + std::to_string(status.as_integer());
  std::string any;
  if (!numbers.empty()) any = "output.http.status in [" + numbers + "]";
  if (!kinds.empty()) any += (any.empty() ? "" : " or ") + ("output.error.kind in [" + kinds + "]");
  return any;
}

void read_retry_on(const Check& check, const YamlNode* node, const std::string& where,
                   PolicyRule& rule) {
  std::string any;
  if (node != nullptr && !node->is_list()) {
    rule.when = read_condition(check, *node, where + ": 'retry_on'");
    return;
  }
  if (node != nullptr) any = retry_condition(check, *node, where);
  std::string text = "output.status == 'error'";
  if (!any.empty()) text += " and (" + any + ")";
  Evaluated<Template> compiled = Template::compile_expression(text, rule.at);
  if (!compiled.ok()) return;
  rule.when = std::move(compiled.value());
  rule.of_errors = true;
}

std::optional<uint32_t> find_tool(const std::vector<Tool>& tools, std::string_view name) {
  for (size_t i = 0; i < tools.size(); ++i) {
    if (tools[i].name == name) return static_cast<uint32_t>(i);
  }
  return std::nullopt;
}

}  // namespace

std::vector<PolicyRule> read_policy(const Check& check, const YamlNode& policy,
                                    const std::string& where) {
  std::vector<PolicyRule> rules;
  Fields fields(check, policy, where + ": 'policy'");
  const YamlNode* list = fields.require("rules", "a list of {when, then}");
  fields.no_effect("mode", "the first rule that matches wins");
  fields.no_effect("on_unmatched", "without a match an error fails and success goes on");
  for (std::string_view hook : {"before", "after", "finally"})
    fields.unsupported(hook, "write a tool of its own in the pipeline");
  fields.finish();
  if (list == nullptr) return rules;
  const std::vector<YamlNode>* items = read_list(check, *list, where + ": 'rules'");
  if (items == nullptr) return rules;
  for (const YamlNode& item : *items) {
    if (!rules.empty() && !rules.back().when && !check.diagnostics.has_errors())
      check.warning(item.at, where + ": this rule is never reached",
                    "the rule above it matches always");
    rules.push_back(read_rule(check, item, where + ": rule " + std::to_string(rules.size() + 1)));
  }
  return rules;
}

PolicyRule read_retry(const Check& check, const YamlNode& node, const std::string& where) {
  PolicyRule rule;
  rule.at = node.at;
  rule.action = Do::retry;
  if (node.is_scalar()) {
    rule.attempts = read_attempts(check, node, where + ": 'retry'");
    read_retry_on(check, nullptr, where, rule);
    return rule;
  }
  const std::string inside = where + ": 'retry'";
  Fields fields(check, node, inside);
  if (const YamlNode* n = fields.take_one({"max_attempts", "attempts"}))
    rule.attempts = read_attempts(check, *n, inside + ": 'max_attempts'");
  if (const YamlNode* n = fields.take("backoff")) rule.backoff = read_backoff(check, *n, inside);
  if (const YamlNode* n = fields.take_one({"delay", "initial_delay"}))
    rule.delay = read_duration(check, *n, inside + ": 'delay'");
  read_retry_on(check, fields.take_one({"retry_on", "retry_when"}), inside, rule);
  fields.finish();
  return rule;
}

void resolve_jumps(const Check& check, std::vector<Tool>& tools, const std::string& where) {
  std::vector<std::string> names;
  for (const Tool& tool : tools) names.push_back(tool.name);
  for (size_t i = 0; i < tools.size(); ++i) {
    for (PolicyRule& rule : tools[i].rules) {
      if (rule.action != Do::jump || rule.jump_to.empty()) continue;
      if (std::optional<uint32_t> index = find_tool(tools, rule.jump_to)) {
        rule.jump_index = *index;
      } else if (rule.jump_to == "previous" && i > 0) {
        rule.jump_index = static_cast<uint32_t>(i - 1);
      } else if (rule.jump_to == "previous") {
        check.error(rule.at, where + ": no tool comes before '" + tools[i].name + "'");
      } else {
        std::string suggestion = did_you_mean(rule.jump_to, names);
        if (suggestion.empty()) suggestion = "this pipeline has " + one_of(names);
        check.error(rule.at, where + ": jump to unknown tool '" + rule.jump_to + "'", suggestion);
      }
    }
  }
}

}  // namespace tidemill::playbook
