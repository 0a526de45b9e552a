#pragma once
// JSON text to Value and back. Integers that fit stay int64; other numbers are doubles, written
// with the shortest text that reads back equal and keeps the kind (1.0 is "1.0"); NaN and
// infinities are written as null. Of equal keys the last one counts. Depth is bounded
// (model/limits.h: kJsonMaxDepth). Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "playbook/value.h"

namespace tidemill::playbook {

// Errors: invalid (with byte offset and what was expected), too_large (depth).
Result<Value> parse_json(std::string_view text);

// The same value, for texts of which only a part will be looked at: the outer level of a map is
// read, and long lists and maps inside it stay text until somebody looks inside.
Result<Value> parse_json_lazily(std::string_view text);

void write_json(const Value& value, std::string& out);  // appends; undefined is written as null
std::string to_json(const Value& value);
std::string to_json_pretty(const Value& value);  // two spaces, for people

// Appends the JSON string literal of `text`; bytes that are not UTF-8 become U+FFFD.
void write_json_string(std::string_view text, std::string& out);

// Splits the text of a JSON array into the texts of its items, without making Values of them: a
// loop's collection becomes item chunks this way. Errors: invalid (not an array, or malformed).
Result<std::vector<std::string_view>> split_json_array(std::string_view text);

}  // namespace tidemill::playbook
