#pragma once
// Playbooks from files: the text, its Plan, the playbooks it names, and everything that is wrong
// with any of them. Main thread.
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "playbook/compile.h"

namespace tidemill::cli {

struct LoadedPlaybook {
  std::string file;  // as the person named it
  std::string text;
  playbook::PlanPtr plan;  // null when there are errors
  std::vector<std::string> child_texts;  // of every playbook reachable by a constant path
  uint32_t errors = 0;
  uint32_t warnings = 0;
  std::vector<std::string> messages;  // formatted, in order of files
};

// Children are looked up as the worker will do it (playbook/child_places.h). Errors: the file
// cannot be read; mistakes in the text are in `messages`.
Result<LoadedPlaybook> load_playbook(const std::string& file);

}  // namespace tidemill::cli
