#include "cli/internal/playbook_files.h"

#include <deque>
#include <utility>

#include "os/file.h"

namespace tidemill::cli {

namespace {

void add_messages(LoadedPlaybook& out, const std::vector<playbook::Diagnostic>& diagnostics,
                  const std::string& file, const std::string& text) {
  for (const playbook::Diagnostic& d : diagnostics) {
    out.messages.push_back(playbook::format(d, file, text));
    (d.severity == playbook::Diagnostic::Severity::error ? out.errors : out.warnings) += 1;
  }
}

std::string beside(const std::string& file, const std::string& path) {
  if (path.starts_with("/")) return path;
  const std::string folder = os::folder_of(file);
  return folder == "." ? path : folder + "/" + path;
}

// A child that is not a file here may be a catalogue path that only exists at run time;
// check_children says so where it is an error.
void load_children(LoadedPlaybook& out, std::map<std::string, playbook::PlanPtr>& plans) {
  std::deque<playbook::PlanPtr> queue{out.plan};
  while (!queue.empty()) {
    const playbook::PlanPtr plan = queue.front();
    queue.pop_front();
    for (const playbook::ChildReference& child : plan->children) {
      if (plans.contains(child.path)) continue;
      const std::string file = beside(out.file, child.path);
      Result<std::string> text = os::read_file(file);
      if (!text.ok()) continue;
      playbook::Compiled compiled = playbook::compile(*text, file);
      add_messages(out, compiled.diagnostics, file, *text);
      plans[child.path] = compiled.plan;
      if (!compiled.plan) continue;
      queue.push_back(compiled.plan);
      out.child_texts.push_back(std::move(*text));
    }
  }
}

}  // namespace

Result<LoadedPlaybook> load_playbook(const std::string& file) {
  LoadedPlaybook out;
  out.file = file;
  TIDEMILL_TRY(out.text, os::read_file(file));
  playbook::Compiled compiled = playbook::compile(out.text, file);
  out.plan = compiled.plan;
  add_messages(out, compiled.diagnostics, file, out.text);
  if (!out.plan) return out;

  std::map<std::string, playbook::PlanPtr> plans{{file, out.plan}};
  load_children(out, plans);
  for (const playbook::ChildDiagnostic& d : playbook::check_children(plans, file)) {
    const auto in = plans.find(d.path);
    const std::string& text = in == plans.end() ? out.text : in->second->text;
    add_messages(out, {d.diagnostic}, d.path == file ? file : beside(file, d.path), text);
  }
  if (out.errors > 0) out.plan = nullptr;
  return out;
}

}  // namespace tidemill::cli
