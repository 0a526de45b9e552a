#pragma once
// Json: inputs, results and items are JSON texts. This is enough to make and read small ones; with
// a JSON library of your own, pass its texts through Json::raw() and str(). Values; any thread.
//
//   Json::object().set("n", 7).set("name", "Ada")          {"n":7,"name":"Ada"}
//   input.number("n").value_or(1.0)
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tidemill/error.h"

namespace tidemill::sdk {

class Json {
 public:
  Json() : text_("null") {}
  // Numbers, truth values and texts become what they are in JSON.
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  Json(T value) : text_(of(value)) {}
  Json(std::string_view text);
  Json(const std::string& text) : Json(std::string_view(text)) {}
  Json(const char* text) : Json(std::string_view(text)) {}

  // A text that is JSON already. It is checked before it leaves the process.
  static Json raw(std::string json);
  static Json object();
  static Json list(const std::vector<Json>& items);
  // Adds a field; `this` is an object that object() began.
  Json& set(std::string_view name, const Json& value);

  const std::string& str() const { return text_; }  // the JSON itself

  // ---- reading; errors: invalid (it is no JSON, or another type), not_found ----
  Result<Json> at(std::string_view name) const;  // a field of an object
  Result<std::vector<Json>> items() const;       // of a list
  Result<double> number() const;
  Result<std::int64_t> integer() const;
  Result<bool> boolean() const;
  Result<std::string> text() const;
  Result<double> number(std::string_view name) const;
  Result<std::int64_t> integer(std::string_view name) const;
  Result<bool> boolean(std::string_view name) const;
  Result<std::string> text(std::string_view name) const;

 private:
  friend class JsonAccess;
  template <class T>
  static std::string of(T value) {
    if constexpr (std::is_same_v<T, bool>) {
      return value ? "true" : "false";
    } else if constexpr (std::is_floating_point_v<T>) {
      return of_double(static_cast<double>(value));
    } else {
      return std::to_string(value);
    }
  }
  static std::string of_double(double value);

  std::string text_;
  bool unchecked_ = false;  // came from outside
};

}  // namespace tidemill::sdk
