#pragma once
// The `loop` of a step: its source, a list or a cursor, and how its iterations run and may fail.
// Whether what it names exists is checked later, with all other names. Used by compile(); one
// thread.
#include <string>

#include "playbook/internal/check.h"

namespace tidemill::playbook {

Loop read_loop(const Check& check, const YamlNode& node, const std::string& step);

}  // namespace tidemill::playbook
