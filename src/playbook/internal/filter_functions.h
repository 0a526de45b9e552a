#pragma once
// Filters that are methods of strings and maps as well. Pure; any thread.
#include "playbook/internal/functions.h"

namespace tidemill::playbook::expr {

bool filter_lower(const Call& call, Value& out);
bool filter_upper(const Call& call, Value& out);
bool filter_title(const Call& call, Value& out);
bool filter_capitalize(const Call& call, Value& out);
bool filter_trim(const Call& call, Value& out);
bool filter_replace(const Call& call, Value& out);
bool filter_split(const Call& call, Value& out);

bool filter_get(const Call& call, Value& out);
bool filter_keys(const Call& call, Value& out);
bool filter_values(const Call& call, Value& out);
bool filter_items(const Call& call, Value& out);

// `text` without the characters of `set` at the chosen ends; white space when `set` is empty.
enum class Ends : uint8_t { both, left, right };
std::string_view strip(std::string_view text, std::string_view set, Ends ends);

// Texts joined by a separator; items must be scalars.
bool join_items(const Call& call, const List& items, std::string_view separator, Value& out);

}  // namespace tidemill::playbook::expr
