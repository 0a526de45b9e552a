// Filters of text.
#include <algorithm>

#include "playbook/internal/access.h"
#include "playbook/internal/filter_functions.h"
#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

namespace {

bool map_text(const Call& call, std::string (*function)(std::string_view), Value& out) {
  std::string storage;
  std::string_view text;
  if (!call.subject_text(storage, text)) return false;
  out = Value(function(text));
  return true;
}

// Both sides of every match of `from`, at most `limit` of them; an empty `from` matches between
// characters as in Python.
template <class Copy, class Replace>
void walk_matches(std::string_view text, std::string_view from, int64_t limit, Copy copy,
                  Replace replace) {
  if (!from.empty()) {
    for (; limit != 0; --limit) {
      const size_t match = text.find(from);
      if (match == std::string_view::npos) break;
      copy(text.substr(0, match));
      replace();
      text.remove_prefix(match + from.size());
    }
    copy(text);
    return;
  }
  while (limit != 0) {
    replace();
    --limit;
    if (text.empty()) break;
    const size_t bytes = std::max<size_t>(utf8_sequence(text, 0), 1);
    copy(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  copy(text);
}

void split_spaces(std::string_view text, int64_t limit, List& out) {
  while (true) {
    text = strip(text, {}, Ends::left);
    if (text.empty()) return;
    if (limit-- == 0) {
      out.emplace_back(trim(text));
      return;
    }
    const auto end = std::find_if(text.begin(), text.end(), is_space);
    const auto size = static_cast<size_t>(end - text.begin());
    out.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
}

bool filter_join(const Call& call, Value& out) {
  List items;
  std::string_view separator, attribute;
  if (!items_of(call.e, call.at, "filter 'join'", call.subject, items) ||
      !call.text(0, "", separator) || !call.text(1, "", attribute)) {
    return false;
  }
  for (Value& item : items) {
    if (attribute.empty()) break;
    const Value* found = value_at(item, attribute);
    if (found == nullptr) return call.fail(missing_key("", item, attribute));
    item = Value(*found);
  }
  return join_items(call, items, separator, out);
}

bool filter_length(const Call& call, Value& out) {
  const Value& v = call.subject;
  if (v.is_string()) {
    out = Value(static_cast<int64_t>(count_code_points(v.as_string())));
    return call.e.spend_text(v.as_string().size(), call.at);
  }
  if (!v.is_list() && !v.is_map()) return call.fail_kind("a list, a map or a string");
  out = Value(static_cast<int64_t>(v.is_list() ? v.as_list().size() : v.as_map().size()));
  return true;
}

bool filter_reverse(const Call& call, Value& out) {
  List items;
  if (!items_of(call.e, call.at, "filter 'reverse'", call.subject, items)) return false;
  std::reverse(items.begin(), items.end());
  if (call.subject.is_string()) return join_items(call, items, "", out);
  out = Value(std::move(items));
  return true;
}

}  // namespace

std::string_view strip(std::string_view text, std::string_view set, Ends ends) {
  const auto drops = [&](char c) {
    return set.empty() ? is_space(c) : set.find(c) != std::string_view::npos;
  };
  while (ends != Ends::right && !text.empty() && drops(text.front())) text.remove_prefix(1);
  while (ends != Ends::left && !text.empty() && drops(text.back())) text.remove_suffix(1);
  return text;
}

bool join_items(const Call& call, const List& items, std::string_view separator, Value& out) {
  std::string text;
  for (size_t i = 0; i < items.size(); ++i) {
    const size_t before = text.size();
    if (i > 0) text += separator;
    if (items[i].is_string()) {
      text += items[i].as_string();
    } else {
      text += render_text(items[i]);
    }
    if (!call.e.spend_growth(before, text.size(), call.at)) return false;
  }
  out = Value(std::move(text));
  return true;
}

bool filter_lower(const Call& call, Value& out) { return map_text(call, to_lower, out); }
bool filter_upper(const Call& call, Value& out) { return map_text(call, to_upper, out); }
bool filter_title(const Call& call, Value& out) { return map_text(call, title_case, out); }
bool filter_capitalize(const Call& call, Value& out) { return map_text(call, capitalize, out); }

bool filter_trim(const Call& call, Value& out) {
  std::string storage;
  std::string_view text, set;
  if (!call.subject_text(storage, text) || !call.text(0, "", set)) return false;
  out = Value(strip(text, set, Ends::both));
  return true;
}

bool filter_replace(const Call& call, Value& out) {
  std::string storage, from_storage, to_storage;
  std::string_view text;
  int64_t limit = -1;
  if (!call.subject_text(storage, text) || !call.integer(2, -1, limit)) return false;
  from_storage = render_text(call.arg(0));
  to_storage = render_text(call.arg(1));
  const std::string_view from = from_storage;
  const std::string_view to = to_storage;
  size_t size = 0;
  size_t matches = 0;
  walk_matches(
      text, from, limit, [&](std::string_view kept) { size += kept.size(); }, [&] { ++matches; });
  if (__builtin_mul_overflow(matches, to.size(), &matches)) matches = text.max_size();
  if (!call.e.spend_text(size + matches, call.at)) return false;
  std::string replaced;
  replaced.reserve(size + matches);
  walk_matches(
      text, from, limit, [&](std::string_view kept) { replaced += kept; }, [&] { replaced += to; });
  out = Value(std::move(replaced));
  return true;
}

bool filter_split(const Call& call, Value& out) {
  std::string storage;
  std::string_view text, separator;
  int64_t limit = -1;
  if (!call.subject_text(storage, text) || !call.integer(1, -1, limit)) return false;
  if (!call.e.spend_items(text.size() / 8, call.at)) return false;
  List parts;
  if (!call.has(0) || call.arg(0).is_null()) {
    split_spaces(text, limit, parts);
    out = Value(std::move(parts));
    return true;
  }
  if (!call.text(0, "", separator)) return false;
  if (separator.empty()) return call.fail("the separator is empty");
  for (; limit != 0; --limit) {
    const size_t match = text.find(separator);
    if (match == std::string_view::npos) break;
    parts.emplace_back(text.substr(0, match));
    text.remove_prefix(match + separator.size());
  }
  parts.emplace_back(text);
  out = Value(std::move(parts));
  return true;
}

std::span<const FunctionSpec> text_filters() {
  static constexpr FunctionSpec kTable[] = {
      {.name = "lower", .run = filter_lower},
      {.name = "upper", .run = filter_upper},
      {.name = "title", .run = filter_title},
      {.name = "capitalize", .run = filter_capitalize},
      {.name = "trim", .run = filter_trim, .parameters = {"chars"}},
      {.name = "replace",
       .run = filter_replace,
       .parameters = {"old", "new", "count"},
       .required = 2},
      {.name = "split", .run = filter_split, .parameters = {"sep", "maxsplit"}},
      {.name = "join", .run = filter_join, .parameters = {"d", "attribute"}},
      {.name = "length", .run = filter_length},
      {.name = "count", .run = filter_length},
      {.name = "reverse", .run = filter_reverse},
  };
  return kTable;
}

}  // namespace tidemill::playbook::expr
