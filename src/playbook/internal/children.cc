// check_children(): what is wrong between playbooks that call each other.
#include <algorithm>
#include <set>
#include <utility>

#include "playbook/compile.h"
#include "playbook/internal/diagnostics.h"

namespace tidemill::playbook {
namespace {

using Plans = std::map<std::string, PlanPtr>;

class ChildCheck {
 public:
  ChildCheck(const Plans& plans, const ChildKey& key_of) : plans_(plans), key_of_(key_of) {}

  // Depth first, without recursion: chains of playbooks may be long.
  void run(const std::string& root) {
    enter(root);
    while (!path_.empty()) {
      Frame& frame = path_.back();
      const Plan& plan = *plans_.at(frame.name);
      if (frame.next == plan.children.size()) {
        finished_.insert(frame.name);
        path_.pop_back();
        continue;
      }
      follow(frame.name, plan.children[frame.next++]);
    }
  }

  std::vector<ChildDiagnostic> take() { return std::move(found_); }

 private:
  struct Frame {
    std::string name;
    size_t next = 0;
  };

  void enter(const std::string& name) {
    auto found = plans_.find(name);
    if (found != plans_.end() && found->second != nullptr) path_.push_back({name, 0});
  }

  void follow(std::string parent, const ChildReference& child) {
    const std::string key = key_of_ ? key_of_(parent, child.path) : child.path;
    auto found = plans_.find(key);
    if (found == plans_.end()) {
      std::vector<std::string> known;
      for (const auto& [name, loaded] : plans_) known.push_back(name);
      report(parent, child, "there is no playbook '" + child.path + "'",
             did_you_mean(child.path, known));
      return;
    }
    if (found->second == nullptr) return;
    check_return_step(parent, child, *found->second);
    check_inputs(parent, child, *found->second);
    if (report_cycle(parent, child, key)) return;
    if (finished_.count(key) == 0) enter(key);
  }

  bool report_cycle(const std::string& parent, const ChildReference& child,
                    const std::string& key) {
    auto same = [&](const Frame& frame) { return frame.name == key; };
    auto begin = std::find_if(path_.begin(), path_.end(), same);
    if (begin == path_.end()) return false;
    std::string chain;
    for (auto frame = begin; frame != path_.end(); ++frame) chain += "'" + frame->name + "' calls ";
    report(parent, child,
           "playbooks call each other without end: " + chain + "'" + key + "'",
           "use a loop, or an arc back to an earlier step");
    return true;
  }

  void check_return_step(const std::string& parent, const ChildReference& child, const Plan& plan) {
    if (child.return_step.empty() || plan.find_step(child.return_step)) return;
    std::vector<std::string> names;
    for (const Step& step : plan.steps) names.push_back(step.name);
    report(parent, child,
           "'return_step': playbook '" + child.path + "' has no step '" + child.return_step + "'",
           did_you_mean(child.return_step, names));
  }

  // A key without a default is legal, and a slip of the pen when one is near.
  void check_inputs(const std::string& parent, const ChildReference& child, const Plan& plan) {
    if (!plan.workload.is_map()) return;
    std::vector<std::string> keys;
    for (const auto& [key, value] : plan.workload.as_map()) keys.push_back(key);
    for (const std::string& input : child.inputs) {
      if (plan.workload.as_map().find(input) != nullptr) continue;
      std::string suggestion = did_you_mean(input, keys);
      if (suggestion.empty()) continue;
      report(parent, child,
             "the workload of playbook '" + child.path + "' has no key '" + input + "'", suggestion,
             Diagnostic::Severity::warning);
    }
  }

  void report(const std::string& parent, const ChildReference& child, std::string text,
              std::string suggestion, Diagnostic::Severity severity = Diagnostic::Severity::error) {
    found_.push_back({.path = parent,
                      .diagnostic = {.severity = severity,
                                     .at = child.at,
                                     .text = std::move(text),
                                     .suggestion = std::move(suggestion)}});
  }

  const Plans& plans_;
  const ChildKey& key_of_;
  std::vector<Frame> path_;  // from the root to the playbook that is looked at
  std::set<std::string> finished_;
  std::vector<ChildDiagnostic> found_;
};

}  // namespace

std::vector<ChildDiagnostic> check_children(const Plans& plans, const std::string& root,
                                            const ChildKey& key_of) {
  ChildCheck check(plans, key_of);
  check.run(root);
  return check.take();
}

}  // namespace tidemill::playbook
