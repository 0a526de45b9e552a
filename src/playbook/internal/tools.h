#pragma once
// The `tool` of a step: one tool or a pipeline, and the tools of the workbook. Used by compile();
// one thread.
#include <string>
#include <vector>

#include "playbook/internal/check.h"

namespace tidemill::playbook {

struct Pipeline {
  std::vector<Tool> tools;  // never empty
  bool named = false;       // written as a list
};

// `{kind: …}`, `[{name: a, kind: …}, …]` or `[{a: {kind: …}}, …]`.
Pipeline read_pipeline(const Check& check, const YamlNode& node, const std::string& step);

// One tool under a known name; `node` is its map.
Tool read_tool(const Check& check, const YamlNode& node, std::string name,
               const std::string& where);

// What a step without `tool` does.
Tool noop_tool(std::string name, Position at);

}  // namespace tidemill::playbook
