#pragma once
// compile(): YAML text → tree with positions → checked, versioned Plan. All mistakes are reported,
// not the first only; each names file:line:column, what was expected, and the nearest name where
// there is one. Pure: it reads no file; the caller brings the text. Any thread.
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "playbook/plan.h"

namespace tidemill::playbook {

struct Diagnostic {
  enum class Severity : uint8_t { error, warning };
  Severity severity = Severity::error;
  Position at;
  std::string text;        // what is wrong and what was expected
  std::string suggestion;  // "did you mean 'parallel'?", or the next step; may be empty
};

struct Compiled {
  PlanPtr plan;  // null when there is an error
  std::vector<Diagnostic> diagnostics;
};

Compiled compile(std::string_view text, std::string_view file);

// "examples/a.yaml:3:7: error: …" with the source line and a caret below, as compilers print it.
std::string format(const Diagnostic& diagnostic, std::string_view file, std::string_view text);

// What is wrong between playbooks: a child that is missing, that calls its way back to itself, that
// has no step of the name given as return_step, or that has no workload key of the name of an
// input.
struct ChildDiagnostic {
  std::string path;  // of the playbook in which `diagnostic.at` is: a key of `plans`
  Diagnostic diagnostic;
};

// The key in `plans` of the playbook that the one of key `naming` calls by `path`.
using ChildKey = std::function<std::string(const std::string& naming, const std::string& path)>;

// `plans` holds what the caller could load, `root` among them; null for a text that did not
// compile, of which enough has been said. Without `key_of` a path is its own key. Only what is
// reachable from `root` is looked at.
std::vector<ChildDiagnostic> check_children(const std::map<std::string, PlanPtr>& plans,
                                            const std::string& root, const ChildKey& key_of = {});

}  // namespace tidemill::playbook
