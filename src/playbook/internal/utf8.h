#pragma once
// Checks a playbook's bytes before anything parses them. Pure; any thread.
#include <cstddef>
#include <optional>
#include <string_view>

namespace tidemill::playbook {

struct BadByte {
  size_t offset = 0;
  bool control = false;  // a control character; else not UTF-8
};

// The first byte that is not well-formed UTF-8 (no overlong forms, no surrogates), or is a control
// character other than tab, newline and carriage return.
std::optional<BadByte> find_bad_byte(std::string_view text);

}  // namespace tidemill::playbook
