#include "playbook/internal/check_names.h"

#include <algorithm>
#include <set>

#include "playbook/internal/reference_walk.h"

namespace tidemill::playbook {
namespace {

struct OldName {
  std::string_view name;
  std::string_view instead;
};

// Names of older documents that held what a call had given. Undefined they would make conditions
// false and errors pass, so they are errors everywhere.
constexpr OldName kRetiredNames[] = {
    {"outcome", "write 'output'"},     {"response", "write 'output.data'"},
    {"result", "write 'output.data'"}, {"_prev", "write the name of the tool"},
    {"vars", "write 'ctx'"},           {"args", "write the name of the input, or ctx.NAME"},
};

// Names that readers of other engines' documents expect.
constexpr OldName kOldNames[] = {
    {"payload", "write 'workload'"},
    {"job", "write 'execution_id'"},
    {"env", "give the value with --set, as a workload key"},
    {"error", "write 'output.error'"},
};

std::string dotted(const std::vector<std::string>& path) {
  std::string text;
  for (const std::string& part : path) text += (text.empty() ? "" : ".") + part;
  return text;
}

bool is_routing(Place place) {
  return place == Place::routing || place == Place::admit || place == Place::loop_source;
}

bool is_inside_task(Place place) { return !is_routing(place); }

class NameCheck {
 public:
  NameCheck(const Check& check, const Plan& plan) : check_(check), names_(plan), plan_(plan) {
    for (const Step& step : plan.steps) {
      add_writes(step.set);
      for (const Arc& arc : step.arcs) add_writes(arc.set);
      for (const Tool& tool : step.tools) add_rules(tool);
    }
    for (const Tool& tool : plan.workbook) add_rules(tool);
  }

  void run() {
    for (uint32_t i = 0; i < plan_.steps.size(); ++i) {
      iter_known_ = false;
      walk_references(plan_, i, [this](const Site& site, const Reference& r) { look(site, r); });
    }
  }

 private:
  void add_rules(const Tool& tool) {
    for (const PolicyRule& rule : tool.rules) add_writes(rule.set);
  }

  void add_writes(const std::vector<SetItem>& items) {
    for (const SetItem& item : items) {
      if (item.target == SetItem::Target::ctx && !item.path.empty())
        ctx_keys_.insert(item.path.front());
    }
  }

  void look(const Site& site, const Reference& r) {
    if (r.path.empty()) return;
    switch (names_.meaning(site, r.path.front())) {
      case Meaning::unknown:
        return unknown(site, r);
      case Meaning::workload:
        return workload(r);
      case Meaning::ctx:
        return ctx(r);
      case Meaning::iter:
        return iter(site, r);
      case Meaning::output:
        return output(site, r);
      case Meaning::event:
        return event(site, r);
      case Meaning::keychain:
        return keychain(site, r);
      case Meaning::attempt:
      case Meaning::task_key:
        return task_only(site, r);
      default:
        return;
    }
  }

  void unresolved(const Reference& r, std::string why, std::string suggestion) {
    check_.strict(r.at, "unresolved reference '" + dotted(r.path) + "'" + std::move(why),
                  std::move(suggestion));
  }

  // Where undefined may pass, only what looks like a slip of the pen is worth a word.
  void unknown(const Site& site, const Reference& r) {
    const std::string& name = r.path.front();
    for (const OldName& retired : kRetiredNames) {
      if (retired.name != name) continue;
      check_.error(r.at, "unresolved reference '" + dotted(r.path) + "'",
                   std::string(retired.instead));
      return;
    }
    std::string suggestion =
        check_.diagnostics.flooded() ? std::string() : did_you_mean(name, visible(site));
    for (const OldName& old : kOldNames) {
      if (old.name == name) suggestion = std::string(old.instead);
    }
    if (site.place == Place::rule && site.tool != nullptr &&
        site.tool->input.field(name) != nullptr)
      suggestion = "rules do not see the tool's input; write it as the step's input";
    if (site.step.loop && name == site.step.loop->iterator) {
      check_.strict(r.at, "'" + name + "' is of one iteration and cannot be read here");
      return;
    }
    if (r.checked) {
      if (suggestion.empty() && r.path.size() == 1)
        suggestion = "give it a default in 'workload', or set it as an input";
      return unresolved(r, "", suggestion);
    }
    if (!suggestion.empty())
      check_.warning(r.at, "unresolved reference '" + dotted(r.path) + "'", suggestion);
  }

  void workload(const Reference& r) {
    if (r.path.size() < 2 || !plan_.workload.is_map()) return;
    const Map& defaults = plan_.workload.as_map();
    if (defaults.find(r.path[1]) != nullptr) return;
    std::vector<std::string> keys;
    for (const auto& [key, value] : defaults) keys.push_back(key);
    std::string suggestion = check_.suggest(r.path[1], keys);
    if (!r.checked && suggestion.empty()) return;
    if (suggestion.empty()) suggestion = "give it a default in 'workload' (null will do)";
    if (r.checked) return unresolved(r, ": 'workload' has no such key", suggestion);
    check_.warning(r.at, "unresolved reference '" + dotted(r.path) + "'", suggestion);
  }

  void ctx(const Reference& r) {
    if (r.path.size() < 2 || ctx_keys_.count(r.path[1]) > 0) return;
    std::vector<std::string> keys(ctx_keys_.begin(), ctx_keys_.end());
    std::string suggestion = check_.suggest(r.path[1], keys);
    if (r.checked) return unresolved(r, ": nothing sets it", suggestion);
    if (!suggestion.empty())
      check_.warning(r.at, "unresolved reference '" + dotted(r.path) + "'", suggestion);
  }

  void iter(const Site& site, const Reference& r) {
    if (is_routing(site.place)) {
      check_.strict(r.at, "'iter' is of one iteration and cannot be read here",
                    "read 'output', or write ctx.NAME in a policy rule");
      return;
    }
    if (r.path.size() < 2) return;
    const std::set<std::string>& keys = iter_keys(site.step);
    if (keys.count(r.path[1]) > 0) return;
    std::vector<std::string> known(keys.begin(), keys.end());
    std::string suggestion = check_.suggest(r.path[1], known);
    if (r.checked) return unresolved(r, ": nothing in this step sets it", suggestion);
    if (!suggestion.empty())
      check_.warning(r.at, "unresolved reference '" + dotted(r.path) + "'", suggestion);
  }

  // The iterator, and what rules of this step's tools write. Made when first needed.
  const std::set<std::string>& iter_keys(const Step& step) {
    if (iter_known_) return iter_keys_;
    iter_known_ = true;
    iter_keys_.clear();
    if (step.loop)
      iter_keys_ = {step.loop->iterator, "index", "_index", "_total", "loop_index", "loop_total"};
    auto add = [this](const Tool& tool) {
      for (const PolicyRule& rule : tool.rules) {
        for (const SetItem& item : rule.set) {
          if (item.target == SetItem::Target::iter && !item.path.empty())
            iter_keys_.insert(item.path.front());
        }
      }
    };
    for (const Tool& tool : step.tools) add(tool);
    for (const Tool& tool : plan_.workbook) add(tool);
    return iter_keys_;
  }

  void output(const Site& site, const Reference& r) {
    if (site.place == Place::admit || site.place == Place::loop_source ||
        site.place == Place::step_input || site.place == Place::claim ||
        (site.place == Place::tool_input && site.position == 0)) {
      return unresolved(r, ": there is no output before the tool has run",
                        "write the name of the step whose result is meant");
    }
    if (r.path.size() < 2) return;
    std::vector<std::string> parts = {"status", "data", "error", "http"};
    if (site.place == Place::routing && site.step.loop)
      parts.insert(parts.end(), {"items", "results", "total", "done", "failed"});
    if (std::find(parts.begin(), parts.end(), r.path[1]) != parts.end()) return;
    std::vector<std::string> inner(r.path.begin() + 1, r.path.end());
    std::string suggestion = check_.suggest(r.path[1], parts);
    if (suggestion.empty())
      suggestion = "a result is below 'output.data': write 'output.data." + dotted(inner) + "'";
    unresolved(r, ": output has " + one_of(parts), suggestion);
  }

  void event(const Site& site, const Reference& r) {
    if (site.place == Place::routing || site.place == Place::rule) return;
    unresolved(r, ": there is no event before the tool has run", "");
  }

  void keychain(const Site& site, const Reference& r) {
    if (site.place == Place::tool_input || site.place == Place::claim) return keychain_key(r);
    check_.error(r.at, "keychain is readable in tool inputs only",
                 "read it in the 'input' of the tool that needs it");
  }

  void keychain_key(const Reference& r) {
    const auto* entries = std::get_if<InputTree::Fields>(&plan_.keychain.node);
    if (r.path.size() < 2 || entries == nullptr) return;
    if (plan_.keychain.field(r.path[1]) != nullptr) return;
    std::vector<std::string> known;
    for (const auto& entry : *entries) known.push_back(entry.key);
    unresolved(r, ": the keychain has no such name", check_.suggest(r.path[1], known));
  }

  void task_only(const Site& site, const Reference& r) {
    if (is_inside_task(site.place)) return;
    unresolved(r, ": it belongs to a task", "read it in a tool");
  }

  std::vector<std::string> visible(const Site& site) const {
    std::vector<std::string> names = {"workload", "ctx", "step", "execution_id"};
    if (is_inside_task(site.place)) names.insert(names.end(), {"iter", "task_key", "_attempt"});
    if (site.place == Place::routing || site.place == Place::rule)
      names.insert(names.end(), {"output", "event"});
    if (site.place == Place::tool_input) names.emplace_back("keychain");
    if (site.step.loop && is_inside_task(site.place))
      names.insert(names.end(), {site.step.loop->iterator, "loop_index", "loop_total"});
    auto add_fields = [&names](const InputTree& tree) {
      if (const auto* fields = std::get_if<InputTree::Fields>(&tree.node)) {
        for (const auto& field : *fields) names.push_back(field.key);
      }
    };
    add_fields(site.step.input);
    if (site.tool != nullptr && !site.own_input && site.place == Place::tool_input)
      add_fields(site.tool->input);
    if (site.step.is_pipeline && is_inside_task(site.place)) {
      for (const Tool& tool : site.step.tools) names.push_back(tool.name);
    }
    for (const Step& step : plan_.steps) names.push_back(step.name);
    for (const auto& [key, value] : plan_.workload.as_map()) names.push_back(key);
    return names;
  }

  const Check& check_;
  Names names_;
  const Plan& plan_;
  std::set<std::string> ctx_keys_;
  std::set<std::string> iter_keys_;  // of the step that is walked
  bool iter_known_ = false;
};

}  // namespace

void check_names(const Check& check, const Plan& plan) { NameCheck(check, plan).run(); }

}  // namespace tidemill::playbook
