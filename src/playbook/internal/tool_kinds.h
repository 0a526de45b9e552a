#pragma once
// The kinds of tools as data: their names, their keys, and the kinds that other engines have.
// Constants; any thread.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "playbook/plan.h"

namespace tidemill::playbook {

struct ToolKey {
  enum class Form : uint8_t { tree, map, text, code };  // code: never a template
  std::string_view name;
  Form form = Form::tree;
  // Keys of one group exclude each other; 0 is no group.
  int group = 0;
};

struct ToolKindInfo {
  ToolKind kind;
  std::string_view name;
  std::span<const ToolKey> keys;
  // Groups of which one key must be given, as messages name them: "'url' or 'endpoint'".
  std::string_view required_group_1;
  bool runs_code = false;  // takes a slot
  bool needs_auth = false;
};

const ToolKindInfo& info_of(ToolKind kind);
const ToolKindInfo* find_kind(std::string_view name);
std::vector<std::string> kind_names();

// Kinds of the language that Tidemill does not have; what to do instead, or nullopt for no such
// kind.
std::optional<std::string_view> missing_kind(std::string_view name);

}  // namespace tidemill::playbook
