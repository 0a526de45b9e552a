// `next`: a name, a list, or {spec, arcs}.
#include <algorithm>

#include "playbook/internal/step.h"
#include "playbook/internal/templates.h"

namespace tidemill::playbook {
namespace {

std::string where_of(const StepDraft& draft) { return "next of step '" + draft.step.name + "'"; }

void add_plain(const Check& check, const YamlNode& node, StepDraft& draft) {
  std::string target = read_text(check, node, where_of(draft));
  if (target.empty()) return;
  Arc& arc = draft.step.arcs.emplace_back();
  arc.at = node.at;
  draft.targets.emplace_back(std::move(target), node.at);
}

void add_arc(const Check& check, const YamlNode& node, StepDraft& draft) {
  if (node.is_scalar()) return add_plain(check, node, draft);
  const std::string where = where_of(draft);
  Fields fields(check, node, where);
  const YamlNode* target = fields.require("step", "the step to go to");
  Arc arc;
  arc.at = node.at;
  if (const YamlNode* when = fields.take("when"))
    arc.when = read_condition(check, *when, where + ": 'when'");
  if (const YamlNode* set = fields.take("set"))
    arc.set = read_set(check, *set, SetScope::routing, where);
  fields.unsupported("args", "write 'set: {ctx.NAME: …}' and read ctx.NAME in the step");
  fields.unsupported("then", "write 'step' and 'when' in the arc itself");
  fields.no_effect("spec", "an arc has no settings of its own");
  fields.no_effect("desc", "");
  fields.finish();
  if (target == nullptr) return;
  draft.targets.emplace_back(read_text(check, *target, where + ": 'step'"), target->at);
  draft.step.arcs.push_back(std::move(arc));
}

// Without any `when` all of a list is meant; with one, the first that is true.
void read_arc_list(const Check& check, const std::vector<YamlNode>& items, StepDraft& draft) {
  for (const YamlNode& item : items) add_arc(check, item, draft);
  const std::vector<Arc>& arcs = draft.step.arcs;
  bool conditional =
      std::any_of(arcs.begin(), arcs.end(), [](const Arc& a) { return a.when.has_value(); });
  if (!conditional && arcs.size() > 1) draft.step.mode = Step::Mode::inclusive;
}

void read_next_spec(const Check& check, const YamlNode& node, StepDraft& draft) {
  const std::string where = where_of(draft);
  Fields fields(check, node, where + ": 'spec'");
  if (const YamlNode* mode = fields.take("mode")) {
    static const std::vector<std::string> words = {"exclusive", "inclusive"};
    draft.step.mode = static_cast<Step::Mode>(read_choice(check, *mode, where + ": 'mode'", words));
  }
  if (const YamlNode* none = fields.take("on_no_match")) {
    static const std::vector<std::string> words = {"complete", "quiet"};
    draft.step.on_no_match =
        static_cast<Step::NoMatch>(read_choice(check, *none, where + ": 'on_no_match'", words));
  }
  fields.no_effect("policy", "");
  fields.finish();
}

// In an exclusive router nothing after an arc without `when` is ever taken.
void check_order(const Check& check, const StepDraft& draft) {
  if (draft.step.mode != Step::Mode::exclusive || check.diagnostics.has_errors()) return;
  const std::vector<Arc>& arcs = draft.step.arcs;
  for (size_t i = 0; i + 1 < arcs.size(); ++i) {
    if (arcs[i].when) continue;
    check.warning(arcs[i + 1].at, where_of(draft) + ": this arc is never taken",
                  "the arc in line " + std::to_string(arcs[i].at.line) +
                      " has no 'when'; write 'mode: inclusive' to take both");
    return;
  }
}

}  // namespace

void read_next(const Check& check, const YamlNode& node, StepDraft& draft) {
  if (node.is_scalar()) return add_plain(check, node, draft);
  if (node.is_list()) {
    read_arc_list(check, node.items, draft);
    return check_order(check, draft);
  }
  if (node.field("step") != nullptr && node.field("arcs") == nullptr)
    return add_arc(check, node, draft);
  Fields fields(check, node, where_of(draft));
  if (const YamlNode* spec = fields.take("spec")) read_next_spec(check, *spec, draft);
  if (const YamlNode* arcs = fields.require("arcs", "a list of {step, when, set}")) {
    if (const std::vector<YamlNode>* items =
            read_list(check, *arcs, where_of(draft) + ": 'arcs'")) {
      for (const YamlNode& item : *items) add_arc(check, item, draft);
    }
  }
  for (std::string_view key : {"mode", "on_no_match"}) fields.misplaced(key, "spec");
  fields.finish();
  check_order(check, draft);
}

}  // namespace tidemill::playbook
