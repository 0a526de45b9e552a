#pragma once
// Numbers and their text, exactly and without locales. Pure; any thread.
#include <cstdint>
#include <string>
#include <string_view>

#include "playbook/value.h"

namespace tidemill::playbook::expr {

// The number written in JSON's grammar: int64 when it is whole and fits, else a double. False when
// a double cannot hold its size; what is too small for one is zero.
enum class NumberForm : uint8_t { whole, fraction };  // fraction: also with an exponent
bool number_from_json(std::string_view text, NumberForm form, Value& out);

// The whole text as a decimal int64 (`+` allowed) or double (also inf, nan). False when it is none.
enum class IntegerText : uint8_t { ok, malformed, overflow };
IntegerText parse_integer(std::string_view text, int base, int64_t& out);
bool parse_real(std::string_view text, double& out);

void append_integer(int64_t value, std::string& out);
// Shortest text that reads back equal, always recognisable as a double: "1.0", "1e+21", "nan",
// "inf".
void append_real(double value, std::string& out);

}  // namespace tidemill::playbook::expr
