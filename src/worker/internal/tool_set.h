#pragma once
// ToolSet: the runners of all tool kinds, and the connections that `auth` names. Owned by the
// Worker; its event thread only.
#include <array>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "playbook/plan.h"
#include "playbook/value.h"
#include "worker/internal/secrets.h"
#include "worker/tool.h"

namespace tidemill::worker {

class ToolSet {
 public:
  void add(playbook::ToolKind kind, std::unique_ptr<ToolRunner> runner);
  ToolRunner* find(playbook::ToolKind kind) const;  // null: this worker has none

  // A connection's text: a string (DSN, URL, path), or a JSON object.
  void add_connection(const std::string& name, const std::string& text);
  // What `auth: name` stands for: a connection given to the worker, else an entry of the keychain.
  // Errors: not_found, with what to do.
  Result<playbook::Value> connection(const std::string& name,
                                     const playbook::Value& keychain) const;
  playbook::Value given(const std::string& name) const;  // undefined: no connection of that name
  const Secrets& secrets() const { return secrets_; }    // of the connections

 private:
  std::array<std::unique_ptr<ToolRunner>, 8> runners_;
  std::map<std::string, playbook::Value> connections_;
  Secrets secrets_;
};

// Code runs in a slot; everything else waits for I/O.
bool runs_code(playbook::ToolKind kind);

// The tool that does nothing but carry policies: its data is its input.
std::unique_ptr<ToolRunner> make_noop_runner();

}  // namespace tidemill::worker
