#pragma once
// Reading JSON messages: the whole text is checked first (grammar, UTF-8, depth), then taken apart
// field by field. Errors name the path of what is wrong: "tasks[3]: priority: expected …". Unknown
// fields are errors, with the nearest name there is. Owned by one codec function at a time.
//
//   JsonText text(json)
//   root()  →  each_field(root, on_field)  →  read(value, out.queue) or unknown_field(name, known)
#include <simdjson.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace tidemill::wire {

using JsonValue = simdjson::ondemand::value;

class JsonText {
 public:
  explicit JsonText(std::string_view json) : bytes_(json) {}
  // Errors: invalid, what is wrong and where (line and column).
  Result<JsonValue> root();

 private:
  simdjson::padded_string bytes_;
  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
};

// Each: invalid, when the value is of another type or out of range.
Status read(JsonValue value, std::string& out);
Status read(JsonValue value, bool& out);
Status read(JsonValue value, uint64_t& out);
Status read(JsonValue value, uint32_t& out);
Status read(JsonValue value, int32_t& out);
Status read_milliseconds(JsonValue value, Duration& out);  // may have a fraction; not negative
Status read_microseconds(JsonValue value, Duration& out);  // a whole number
Status read_id(JsonValue value, uint64_t& out);            // a decimal string, or a number
template <class Tag>
Status read(JsonValue value, Id<Tag>& out) {
  return read_id(value, out.raw);
}
// The text of any value as it stands, without the spaces around it.
Status read_raw(JsonValue value, std::string& out);

Error unknown_field(std::string_view name, std::initializer_list<std::string_view> known);

template <class OnField>
Status each_field(JsonValue value, OnField on_field) {
  simdjson::ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    return Error{ErrorCode::invalid, "expected an object"};
  }
  for (auto field : object) {
    std::string_view name;
    JsonValue inner;
    if (field.unescaped_key().get(name) != simdjson::SUCCESS ||
        field.value().get(inner) != simdjson::SUCCESS) {
      return Error{ErrorCode::invalid, "expected an object"};
    }
    // The reader's buffer may be used again by what is read next.
    const std::string kept(name);
    if (Status status = on_field(kept, inner); !status.ok()) {
      return std::move(status).error().with(kept);
    }
  }
  return Ok{};
}

template <class OnItem>
Status each_item(JsonValue value, OnItem on_item) {
  simdjson::ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) {
    return Error{ErrorCode::invalid, "expected a list"};
  }
  uint64_t index = 0;
  for (auto item : array) {
    JsonValue inner;
    if (item.get(inner) != simdjson::SUCCESS) return Error{ErrorCode::invalid, "expected a list"};
    if (Status status = on_item(inner); !status.ok()) {
      return std::move(status).error().with("[" + std::to_string(index) + "]");
    }
    ++index;
  }
  return Ok{};
}

template <class T>
Status read(JsonValue value, std::vector<T>& out) {
  return each_item(value, [&](JsonValue item) { return read(item, out.emplace_back()); });
}

}  // namespace tidemill::wire
