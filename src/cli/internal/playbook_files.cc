#include "cli/internal/playbook_files.h"

#include <deque>
#include <map>
#include <string>
#include <utility>

#include "model/limits.h"
#include "os/file.h"
#include "playbook/child_places.h"

namespace tidemill::cli {

namespace {

void add_messages(LoadedPlaybook& out, const std::vector<playbook::Diagnostic>& diagnostics,
                  const std::string& file, const std::string& text) {
  for (const playbook::Diagnostic& d : diagnostics) {
    out.messages.push_back(playbook::format(d, file, text));
    (d.severity == playbook::Diagnostic::Severity::error ? out.errors : out.warnings) += 1;
  }
}

// The playbooks that one run can come to, by file.
class Children {
 public:
  explicit Children(LoadedPlaybook& out) : out_(out), base_(os::folder_of(out.file)) {
    plans_[out.file] = out.plan;
  }

  void load() {
    std::deque<playbook::PlanPtr> queue{out_.plan};
    while (!queue.empty()) {
      const playbook::PlanPtr plan = queue.front();
      queue.pop_front();
      for (const playbook::ChildReference& child : plan->children) {
        if (const playbook::PlanPtr loaded = load_one(plan->file, child.path)) {
          queue.push_back(loaded);
        }
      }
    }
  }

  void check() {
    const auto key_of = [this](const std::string& naming, const std::string& path) {
      const auto found = files_.find({naming, path});
      return found == files_.end() ? path : found->second;
    };
    for (const playbook::ChildDiagnostic& d :
         playbook::check_children(plans_, out_.file, key_of)) {
      const playbook::PlanPtr& in = plans_.at(d.path);
      add_messages(out_, {d.diagnostic}, d.path, in->text);
    }
  }

 private:
  // Null when it was loaded before, cannot be found (check() says so), or has mistakes.
  playbook::PlanPtr load_one(const std::string& naming, const std::string& path) {
    for (const std::string& file : playbook::child_places(path, naming, base_)) {
      if (plans_.contains(file)) {
        files_[{naming, path}] = file;
        return nullptr;
      }
      Result<std::string> text = os::read_regular_file(file, limits::kPlaybookMax);
      if (!text.ok()) continue;
      files_[{naming, path}] = file;
      playbook::Compiled compiled = playbook::compile(*text, file);
      add_messages(out_, compiled.diagnostics, file, *text);
      plans_[file] = compiled.plan;
      if (compiled.plan) out_.child_texts.push_back(std::move(*text));
      return compiled.plan;
    }
    return nullptr;
  }

  LoadedPlaybook& out_;
  std::string base_;
  std::map<std::string, playbook::PlanPtr> plans_;
  std::map<std::pair<std::string, std::string>, std::string> files_;  // by who names it, and how
};

}  // namespace

Result<LoadedPlaybook> load_playbook(const std::string& file) {
  LoadedPlaybook out;
  out.file = file;
  auto text = os::read_regular_file(file, limits::kPlaybookMax);
  if (!text.ok() && text.error().code == ErrorCode::not_found)
    return Error{ErrorCode::invalid, text.error().what};  // a wrong command line
  TIDEMILL_TRY(out.text, std::move(text));
  playbook::Compiled compiled = playbook::compile(out.text, file);
  out.plan = compiled.plan;
  add_messages(out, compiled.diagnostics, file, out.text);
  if (!out.plan) return out;

  Children children(out);
  children.load();
  children.check();
  if (out.errors > 0) out.plan = nullptr;
  return out;
}

}  // namespace tidemill::cli
