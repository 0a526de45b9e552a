#include <array>
#include <charconv>
#include <cmath>

#include "sdk/internal/json_access.h"
#include "sdk/internal/translate.h"
#include "tidemill/json.h"
#include "wire/json_text.h"

namespace tidemill::sdk {

namespace {

// What was read of the text, or why not.
template <class T>
Result<T> read_as(tidemill::Result<T> found) {
  if (!found.ok()) return outer(std::move(found).error());
  return std::move(found).value();
}

template <class T, class Read>
Result<T> read_field(const Json& json, std::string_view name, Read read) {
  auto field = wire::json_field(json.str(), name);
  if (!field.ok()) return outer(std::move(field).error());
  tidemill::Result<T> value = read(*field);
  if (!value.ok()) return outer(std::move(value).error().with(name));
  return std::move(value).value();
}

}  // namespace

Json::Json(std::string_view text) : text_(wire::json_quoted(text)) {}

Json Json::raw(std::string json) {
  Json out = JsonAccess::trusted(std::move(json));
  out.unchecked_ = true;
  return out;
}

Json Json::object() { return JsonAccess::trusted("{}"); }

Json Json::list(const std::vector<Json>& items) {
  Json out = JsonAccess::trusted("[");
  for (const Json& item : items) {
    if (out.text_.size() > 1) out.text_ += ',';
    out.text_ += item.text_;
    out.unchecked_ = out.unchecked_ || item.unchecked_;
  }
  out.text_ += ']';
  return out;
}

Json& Json::set(std::string_view name, const Json& value) {
  if (text_.size() < 2 || text_.front() != '{' || text_.back() != '}') text_ = "{}";
  text_.pop_back();
  if (text_.size() > 1) text_ += ',';
  text_ += wire::json_quoted(name);
  text_ += ':';
  text_ += value.text_;
  text_ += '}';
  unchecked_ = unchecked_ || value.unchecked_;
  return *this;
}

// What JSON has no number for becomes something that is none, and is refused when it is used.
std::string Json::of_double(double value) {
  if (!std::isfinite(value)) return "NaN";
  std::array<char, 32> digits{};
  const auto [end, failed] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return failed == std::errc() ? std::string(digits.data(), end) : "NaN";
}

Result<Json> Json::at(std::string_view name) const {
  auto field = wire::json_field(text_, name);
  if (!field.ok()) return outer(std::move(field).error());
  return JsonAccess::trusted(std::move(*field));
}

Result<std::vector<Json>> Json::items() const {
  auto found = wire::json_items(text_);
  if (!found.ok()) return outer(std::move(found).error());
  std::vector<Json> out;
  out.reserve(found->size());
  for (std::string& item : *found) out.push_back(JsonAccess::trusted(std::move(item)));
  return out;
}

Result<double> Json::number() const { return read_as(wire::json_number(text_)); }
Result<std::int64_t> Json::integer() const { return read_as(wire::json_integer(text_)); }
Result<bool> Json::boolean() const { return read_as(wire::json_boolean(text_)); }
Result<std::string> Json::text() const { return read_as(wire::json_string(text_)); }

Result<double> Json::number(std::string_view name) const {
  return read_field<double>(*this, name, wire::json_number);
}
Result<std::int64_t> Json::integer(std::string_view name) const {
  return read_field<std::int64_t>(*this, name, wire::json_integer);
}
Result<bool> Json::boolean(std::string_view name) const {
  return read_field<bool>(*this, name, wire::json_boolean);
}
Result<std::string> Json::text(std::string_view name) const {
  return read_field<std::string>(*this, name, wire::json_string);
}

}  // namespace tidemill::sdk
