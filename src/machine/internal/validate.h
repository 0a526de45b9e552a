#pragma once
// Checks of what people ask for, against model/limits.h. Each text names the field, what is wrong
// and what would be right (P10). Pure; any thread.
#include <string>

#include "machine/command.h"
#include "machine/reply.h"

namespace tidemill::machine {

struct Flaw {
  Refused::Why why = Refused::Why::invalid;
  std::string text;  // empty: there is none
  explicit operator bool() const { return !text.empty(); }
};

Flaw flaw_of(const QueueConfig& config);
Flaw flaw_of(const TokenRecord& token);  // created_at is the present time
// `at` is put before the field's name: "tasks[3].".
Flaw flaw_of(const TaskSpec& spec, const std::string& at);
Flaw flaw_of(const ArraySpec& spec);

}  // namespace tidemill::machine
