#include "cli/internal/run_input.h"

#include <algorithm>
#include <utility>

#include "model/limits.h"
#include "os/environment.h"
#include "os/file.h"
#include "playbook/json.h"
#include "playbook/template.h"

namespace tidemill::cli {

using playbook::Map;
using playbook::Value;

namespace {

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t dot = path.find('.');
    parts.emplace_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    path.remove_prefix(dot + 1);
  }
}

Result<Value> one_set(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Error{ErrorCode::invalid, "--set " + text + ": expected NAME=VALUE, e.g. --set a.b=1"};
  }
  const std::string written = text.substr(equals + 1);
  Result<Value> parsed = playbook::parse_json(written);
  Value value = parsed.ok() ? std::move(*parsed) : Value(written);
  const std::vector<std::string> path = split_path(std::string_view(text).substr(0, equals));
  for (auto part = path.rbegin(); part != path.rend(); ++part) {
    if (part->empty()) {
      return Error{ErrorCode::invalid, "--set " + text + ": a part of the name is empty"};
    }
    Map map;
    map.set(*part, std::move(value));
    value = Value(std::move(map));
  }
  return value;
}

Result<Value> input_of(const std::string& file) {
  // A pipe will do: --input <(some command).
  TIDEMILL_TRY(os::File in, os::File::open(file, os::File::Mode::read));
  TIDEMILL_TRY(const std::string text, in.read_all(limits::kInputMax));
  if (text.size() > limits::kInputMax) {
    return Error{ErrorCode::too_large, "read " + file + ": it has more than " +
                                           std::to_string(limits::kInputMax) + " bytes"};
  }
  Result<Value> value = playbook::parse_json(text);
  if (!value.ok()) return std::move(value).error().with(file + ": the input is a JSON object");
  if (!value->is_map()) {
    return Error{ErrorCode::invalid, file + ": the input is a JSON object, this is a " +
                                         std::string(kind_name(value->kind()))};
  }
  return value;
}

// A secret must not stand in the list of processes: it may come from a variable or a file.
Result<std::string> connection_text(const std::string& written) {
  constexpr std::string_view kVariable = "env:";
  if (written.starts_with(kVariable)) {
    const std::string name = written.substr(kVariable.size());
    if (const auto value = os::environment(name)) return *value;
    return Error{ErrorCode::invalid, "--connect …=" + written + ": the environment has no " + name};
  }
  if (!written.starts_with('@')) return written;
  TIDEMILL_TRY(std::string text, os::read_file(written.substr(1)));
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

}  // namespace

Value deep_merge(const Value& under, const Value& over) {
  if (!under.is_map() || !over.is_map()) return over;
  Map out = under.as_map();
  for (const auto& [key, value] : over.as_map()) {
    const Value* before = out.find(key);
    out.set(key, before == nullptr ? value : deep_merge(*before, value));
  }
  return Value(std::move(out));
}

Result<Value> merged_workload(const RunInput& input, const Value& defaults) {
  Value workload{Map{}};
  if (input.quick) {
    const Value quick = defaults.get("quick");
    Map flag;
    flag.set("quick", Value(true));
    workload = quick.is_map() ? quick : Value(std::move(flag));
  }
  if (!input.input_file.empty()) {
    TIDEMILL_TRY(const Value given, input_of(input.input_file));
    workload = deep_merge(workload, given);
  }
  for (const std::string& set : input.sets) {
    TIDEMILL_TRY(const Value given, one_set(set));
    workload = deep_merge(workload, given);
  }
  return workload;
}

std::vector<std::string> notes_on_sets(const RunInput& input, const Value& defaults) {
  std::vector<std::string> notes;
  if (!defaults.is_map() || defaults.as_map().empty()) return notes;
  std::vector<std::string> known;
  for (const auto& [key, value] : defaults.as_map()) known.emplace_back(key);
  for (const std::string& set : input.sets) {
    const std::string name = set.substr(0, set.find_first_of(".="));
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string meant = playbook::nearest(name, known);
    notes.push_back("the playbook's workload has no '" + name + "'" +
                    (meant.empty() ? "" : "; did you mean '" + meant + "'?"));
  }
  return notes;
}

Result<std::map<std::string, std::string>> connections(const std::vector<std::string>& pairs) {
  std::map<std::string, std::string> out;
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == pair.size()) {
      return Error{ErrorCode::invalid,
                   "--connect " + pair + ": expected NAME=DSN, e.g. --connect pg=postgres://…"};
    }
    TIDEMILL_TRY(out[pair.substr(0, equals)], connection_text(pair.substr(equals + 1)));
  }
  return out;
}

}  // namespace tidemill::cli
