#pragma once
// The document around the steps: version, metadata, executor, workload, keychain, workbook,
// workflow. Used by compile(); one thread.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "playbook/internal/check.h"
#include "playbook/internal/step.h"

namespace tidemill::playbook {

// What was read, before names are linked.
struct Document {
  Plan plan;  // without steps
  std::vector<StepDraft> drafts;
  std::optional<std::pair<std::string, Position>> final_step;
  std::optional<std::pair<std::string, Position>> entry_step;
  bool no_next_is_error = false;
  Position workflow_at;
};

// Which language the text is in; what is unknown is reported and read as tidemill/v1.
ApiVersion read_api_version(Diagnostics& diagnostics, const YamlNode& root);

void read_document(const Check& check, const YamlNode& root, Document& out);

}  // namespace tidemill::playbook
