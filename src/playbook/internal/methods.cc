// The methods of strings, lists and maps that templates may call. None changes its receiver.
#include <algorithm>

#include "playbook/internal/filter_functions.h"
#include "playbook/internal/order.h"
#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

namespace {

bool strip_ends(const Call& call, Ends ends, Value& out) {
  std::string_view set;
  if (!call.text(0, "", set)) return false;
  out = Value(strip(call.subject.as_string(), set, ends));
  return call.e.spend_text(call.subject.as_string().size(), call.at);
}

bool method_strip(const Call& call, Value& out) {
  return strip_ends(call, Ends::both, out);
}
bool method_lstrip(const Call& call, Value& out) {
  return strip_ends(call, Ends::left, out);
}
bool method_rstrip(const Call& call, Value& out) {
  return strip_ends(call, Ends::right, out);
}

bool method_startswith(const Call& call, Value& out) {
  std::string_view prefix;
  if (!call.text(0, "", prefix)) return false;
  out = Value(std::string_view(call.subject.as_string()).starts_with(prefix));
  return true;
}

bool method_endswith(const Call& call, Value& out) {
  std::string_view suffix;
  if (!call.text(0, "", suffix)) return false;
  out = Value(std::string_view(call.subject.as_string()).ends_with(suffix));
  return true;
}

bool method_join(const Call& call, Value& out) {
  List items;
  return items_of(call.e, call.at, "method 'join'", call.arg(0), items) &&
         join_items(call, items, call.subject.as_string(), out);
}

bool method_find(const Call& call, Value& out) {
  std::string_view what;
  if (!call.text(0, "", what)) return false;
  const std::string& text = call.subject.as_string();
  const size_t at = text.find(what);
  out = at == std::string::npos
            ? Value(-1)
            : Value(static_cast<int64_t>(count_code_points(std::string_view(text).substr(0, at))));
  return call.e.spend_text(text.size(), call.at);
}

bool method_count(const Call& call, Value& out) {
  int64_t steps = 0;
  int64_t found = 0;
  if (call.subject.is_list()) {
    for (const Value& item : call.subject.as_list()) {
      if (equal_counted(item, call.arg(0), steps)) ++found;
    }
    out = Value(found);
    return call.e.spend(steps, call.at);
  }
  std::string_view what;
  if (!call.text(0, "", what)) return false;
  if (what.empty()) return call.fail("the text to count is empty");
  const std::string& text = call.subject.as_string();
  for (size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + what.size())) {
    ++found;
  }
  out = Value(found);
  return call.e.spend_text(text.size(), call.at);
}

bool method_isdigit(const Call& call, Value& out) {
  const std::string& text = call.subject.as_string();
  out = Value(!text.empty() && std::all_of(text.begin(), text.end(), is_digit));
  return call.e.spend_text(text.size(), call.at);
}

bool method_splitlines(const Call& call, Value& out) {
  std::string_view text = call.subject.as_string();
  if (!call.e.spend_items(text.size() / 8, call.at)) return false;
  List lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out = Value(std::move(lines));
  return true;
}

bool method_zfill(const Call& call, Value& out) {
  int64_t width = 0;
  if (!call.integer(0, 0, width)) return false;
  const std::string& text = call.subject.as_string();
  const auto length = static_cast<int64_t>(count_code_points(text));
  const int64_t zeros = std::max<int64_t>(width - length, 0);
  if (!call.e.spend_text(text.size() + static_cast<size_t>(zeros), call.at)) return false;
  const size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  out = Value(std::string(text).insert(sign, static_cast<size_t>(zeros), '0'));
  return true;
}

constexpr FunctionSpec method(std::string_view name, Function run, uint8_t receivers,
                              std::array<std::string_view, Call::kMaxArguments> parameters = {},
                              uint8_t required = 0) {
  return {.name = name,
          .run = run,
          .role = FunctionSpec::Role::method,
          .parameters = parameters,
          .required = required,
          .receivers = receivers};
}

}  // namespace

std::span<const FunctionSpec> methods() {
  static constexpr FunctionSpec kTable[] = {
      method("get", filter_get, kOfMap, {"key", "default"}, 1),
      method("items", filter_items, kOfMap),
      method("keys", filter_keys, kOfMap),
      method("values", filter_values, kOfMap),
      method("lower", filter_lower, kOfString),
      method("upper", filter_upper, kOfString),
      method("title", filter_title, kOfString),
      method("capitalize", filter_capitalize, kOfString),
      method("strip", method_strip, kOfString, {"chars"}),
      method("lstrip", method_lstrip, kOfString, {"chars"}),
      method("rstrip", method_rstrip, kOfString, {"chars"}),
      method("split", filter_split, kOfString, {"sep", "maxsplit"}),
      method("splitlines", method_splitlines, kOfString),
      method("replace", filter_replace, kOfString, {"old", "new", "count"}, 2),
      method("startswith", method_startswith, kOfString, {"prefix"}, 1),
      method("endswith", method_endswith, kOfString, {"suffix"}, 1),
      method("join", method_join, kOfString, {"iterable"}, 1),
      method("find", method_find, kOfString, {"sub"}, 1),
      method("count", method_count, kOfString | kOfList, {"value"}, 1),
      method("isdigit", method_isdigit, kOfString),
      method("zfill", method_zfill, kOfString, {"width"}, 1),
  };
  return kTable;
}

}  // namespace tidemill::playbook::expr
