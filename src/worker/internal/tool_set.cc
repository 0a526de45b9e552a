#include "worker/internal/tool_set.h"

#include <utility>
#include <vector>

#include "base/assert.h"
#include "playbook/json.h"
#include "playbook/template.h"

namespace tidemill::worker {

namespace {

using playbook::ToolKind;
using playbook::Value;

class NoopRunner final : public ToolRunner {
 public:
  void start(const ToolCall& call, OnDone on_done) override {
    ToolResult result;
    result.data = call.input;
    on_done(std::move(result));
  }
  void cancel(CallId) override {}
};

}  // namespace

void ToolSet::add(ToolKind kind, std::unique_ptr<ToolRunner> runner) {
  const auto slot = static_cast<size_t>(kind);
  TIDEMILL_ASSERT(slot < runners_.size());
  runners_[slot] = std::move(runner);
}

ToolRunner* ToolSet::find(ToolKind kind) const {
  const auto slot = static_cast<size_t>(kind);
  return slot < runners_.size() ? runners_[slot].get() : nullptr;
}

void ToolSet::add_connection(const std::string& name, const std::string& text) {
  Value value(text);
  if (text.starts_with('{')) {
    if (auto map = playbook::parse_json(text); map.ok()) value = std::move(*map);
  }
  secrets_.add_connection(value);
  connections_.insert_or_assign(name, std::move(value));
}

Value ToolSet::given(const std::string& name) const {
  const auto found = connections_.find(name);
  return found == connections_.end() ? Value() : found->second;
}

Result<Value> ToolSet::connection(const std::string& name, const Value& keychain) const {
  if (const auto found = connections_.find(name); found != connections_.end()) return found->second;
  if (Value entry = keychain.get(name); !entry.is_undefined()) return entry;
  std::vector<std::string> names;
  for (const auto& [known, value] : connections_) names.push_back(known);
  if (keychain.is_map()) {
    for (const auto& [known, value] : keychain.as_map()) names.push_back(known);
  }
  std::string text = "no connection is named '" + name + "'";
  if (const std::string near = playbook::nearest(name, names); !near.empty()) {
    text += "; did you mean '" + near + "'?";
  } else {
    text += "; give it with --connect " + name + "=…";
  }
  return Error{ErrorCode::not_found, std::move(text)};
}

bool runs_code(ToolKind kind) { return kind == ToolKind::python || kind == ToolKind::shell; }

std::unique_ptr<ToolRunner> make_noop_runner() { return std::make_unique<NoopRunner>(); }

}  // namespace tidemill::worker
