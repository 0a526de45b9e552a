#include "wire/json_text.h"

#include <simdjson.h>

#include <algorithm>

#include "model/limits.h"
#include "wire/internal/json_reader.h"
#include "wire/internal/json_writer.h"

namespace tidemill::wire {

namespace {

using Element = simdjson::dom::element;

Error wrong_type(const char* wanted) {
  return {ErrorCode::invalid, std::string("expected ") + wanted};
}

// Parses all of it and gives the root to `look`.
template <class T, class Look>
Result<T> looked(std::string_view json, Look look) {
  simdjson::dom::parser parser;
  Element root;
  auto error = parser.allocate(std::max<size_t>(json.size(), 64),
                               static_cast<size_t>(limits::kJsonMaxDepth));
  if (error == simdjson::SUCCESS) error = parser.parse(json.data(), json.size()).get(root);
  if (error != simdjson::SUCCESS) {
    return Error{ErrorCode::invalid,
                 std::string("this is no JSON: ") + simdjson::error_message(error)};
  }
  return look(root);
}

}  // namespace

struct JsonCheck::Impl {
  simdjson::dom::parser parser;
};

JsonCheck::JsonCheck() : impl_(std::make_unique<Impl>()) {}
JsonCheck::~JsonCheck() = default;

Status JsonCheck::check(std::string_view json) {
  simdjson::dom::parser& parser = impl_->parser;
  // It stands within a report, which takes some of the depth.
  constexpr auto kDepth = static_cast<size_t>(limits::kJsonMaxDepth - 8);
  auto error = simdjson::SUCCESS;
  if (json.size() > parser.capacity() || parser.max_depth() != kDepth) {
    error = parser.allocate(std::max<size_t>(json.size(), 1'024), kDepth);
  }
  Element ignored;
  if (error == simdjson::SUCCESS) error = parser.parse(json.data(), json.size()).get(ignored);
  if (error == simdjson::SUCCESS) return Ok{};
  return Error{ErrorCode::invalid,
               std::string("this is no JSON: ") + simdjson::error_message(error)};
}

std::string json_quoted(std::string_view text) {
  std::string out;
  JsonWriter(out).text(text);
  return out;
}

Result<std::string> json_field(std::string_view json, std::string_view name) {
  return looked<std::string>(json, [&](Element root) -> Result<std::string> {
    simdjson::dom::object object;
    if (root.get(object) != simdjson::SUCCESS) return wrong_type("an object");
    Element field;
    if (object.at_key(name).get(field) != simdjson::SUCCESS) {
      return Error{ErrorCode::not_found, "there is no field '" + std::string(name) + "'"};
    }
    return std::string(simdjson::minify(field));
  });
}

Result<std::vector<std::string>> json_items(std::string_view json) {
  return looked<std::vector<std::string>>(json,
                                          [](Element root) -> Result<std::vector<std::string>> {
                                            simdjson::dom::array array;
                                            if (root.get(array) != simdjson::SUCCESS)
                                              return wrong_type("a list");
                                            std::vector<std::string> out;
                                            for (const Element item : array)
                                              out.emplace_back(simdjson::minify(item));
                                            return out;
                                          });
}

Result<double> json_number(std::string_view json) {
  return looked<double>(json, [](Element root) -> Result<double> {
    double value = 0;
    if (root.get(value) != simdjson::SUCCESS) return wrong_type("a number");
    return value;
  });
}

Result<int64_t> json_integer(std::string_view json) {
  return looked<int64_t>(json, [](Element root) -> Result<int64_t> {
    int64_t value = 0;
    if (root.get(value) != simdjson::SUCCESS) return wrong_type("a whole number");
    return value;
  });
}

Result<bool> json_boolean(std::string_view json) {
  return looked<bool>(json, [](Element root) -> Result<bool> {
    bool value = false;
    if (root.get(value) != simdjson::SUCCESS) return wrong_type("true or false");
    return value;
  });
}

Result<std::string> json_string(std::string_view json) {
  return looked<std::string>(json, [](Element root) -> Result<std::string> {
    std::string_view value;
    if (root.get(value) != simdjson::SUCCESS) return wrong_type("a text");
    return std::string(value);
  });
}

}  // namespace tidemill::wire
