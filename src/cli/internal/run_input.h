#pragma once
// What a run is given: the workload from --input and --set, connections from --connect. Main
// thread.
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "playbook/value.h"

namespace tidemill::cli {

// JSON or YAML-like scalars: `--set a.b=1` gives {"a": {"b": 1}}; text that is no JSON is a string.
// `quick` merges the mapping `workload.quick` of the playbook (its own small variant) first, or,
// where there is none, sets `quick: true`. Errors: invalid, not_found (the input file).
struct RunInput {
  std::string input_file;
  std::vector<std::string> sets;
  bool quick = false;
};
Result<playbook::Value> merged_workload(const RunInput& input, const playbook::Value& defaults);

// What --set names and the playbook's workload does not have: mostly a slip.
std::vector<std::string> notes_on_sets(const RunInput& input, const playbook::Value& defaults);

// `name=dsn` pairs. Errors: invalid.
Result<std::map<std::string, std::string>> connections(const std::vector<std::string>& pairs);

// `over` merged over `under`, maps deeply, everything else replaced.
playbook::Value deep_merge(const playbook::Value& under, const playbook::Value& over);

}  // namespace tidemill::cli
