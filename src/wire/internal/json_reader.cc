#include "wire/internal/json_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "model/limits.h"

namespace tidemill::wire {

namespace {

Error expected(const char* what) { return {ErrorCode::invalid, std::string("expected ") + what}; }

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// Levenshtein distance, up to `most`.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

// The reader that goes field by field looks at no more than it must, so one that checks all of it
// goes before.
Result<JsonValue> JsonText::root() {
  simdjson::dom::parser check;
  simdjson::dom::element ignored;
  auto error = check.allocate(std::max<size_t>(bytes_.size(), 64),
                              static_cast<size_t>(limits::kJsonMaxDepth));
  if (error == simdjson::SUCCESS) error = check.parse(bytes_).get(ignored);
  if (error != simdjson::SUCCESS) {
    return Error{ErrorCode::invalid, std::string("the body is no JSON: ") +
                                         std::string(simdjson::error_message(error))};
  }
  JsonValue root;
  error = parser_.iterate(bytes_).get(document_);
  if (error == simdjson::SUCCESS) error = document_.get_value().get(root);
  if (error != simdjson::SUCCESS) return expected("an object");
  return root;
}

Status read(JsonValue value, std::string& out) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return expected("a text");
  out = text;
  return Ok{};
}

Status read(JsonValue value, bool& out) {
  return value.get_bool().get(out) == simdjson::SUCCESS ? Status(Ok{}) : expected("true or false");
}

Status read(JsonValue value, uint64_t& out) {
  if (value.get_uint64().get(out) != simdjson::SUCCESS)
    return expected("a whole number, not negative");
  return Ok{};
}

Status read(JsonValue value, uint32_t& out) {
  uint64_t wide = 0;
  TIDEMILL_CHECK(read(value, wide));
  if (wide > std::numeric_limits<uint32_t>::max()) return expected("a number below 4294967296");
  out = static_cast<uint32_t>(wide);
  return Ok{};
}

Status read(JsonValue value, int32_t& out) {
  int64_t wide = 0;
  if (value.get_int64().get(wide) != simdjson::SUCCESS) return expected("a whole number");
  if (wide < std::numeric_limits<int32_t>::min() || wide > std::numeric_limits<int32_t>::max()) {
    return expected("a number from -2147483648 to 2147483647");
  }
  out = static_cast<int32_t>(wide);
  return Ok{};
}

Status read_milliseconds(JsonValue value, Duration& out) {
  constexpr double kMost = 9e12;  // ms in 285 years
  double ms = 0;
  if (value.get_double().get(ms) != simdjson::SUCCESS || !(ms >= 0) || ms > kMost) {
    return expected("a number of milliseconds, not negative");
  }
  out = Duration{static_cast<int64_t>(ms * 1e6)};
  return Ok{};
}

Status read_microseconds(JsonValue value, Duration& out) {
  int64_t us = 0;
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 1'000;
  if (value.get_int64().get(us) != simdjson::SUCCESS || us < -kMost || us > kMost) {
    return expected("a whole number of microseconds");
  }
  out = microseconds(us);
  return Ok{};
}

Status read_id(JsonValue value, uint64_t& out) {
  std::string_view digits;
  if (value.get_string().get(digits) == simdjson::SUCCESS) {
    const auto [at, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    if (failed == std::errc() && at == digits.data() + digits.size() && !digits.empty()) {
      return Ok{};
    }
  } else if (value.get_uint64().get(out) == simdjson::SUCCESS) {
    return Ok{};
  }
  return expected("an id: a text of digits");
}

Status read_raw(JsonValue value, std::string& out) {
  std::string_view raw;
  if (simdjson::to_json_string(value).get(raw) != simdjson::SUCCESS) return expected("a value");
  out = trimmed(raw);
  return Ok{};
}

Error unknown_field(std::string_view name, std::initializer_list<std::string_view> known) {
  std::optional<std::string_view> nearest;
  size_t best = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string_view k : known) {
    const size_t d = distance(name, k);
    if (d < best) {
      best = d;
      nearest = k;
    }
  }
  std::string what = "there is no such field";
  if (nearest) what += "; did you mean '" + std::string(*nearest) + "'?";
  return {ErrorCode::invalid, std::move(what)};
}

}  // namespace tidemill::wire
