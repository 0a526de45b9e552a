#pragma once
// JsonWriter: appends JSON to a string, commas included. What is not UTF-8 in a text is written as
// U+FFFD. Owned by one codec function at a time; any thread.
//
//   JsonWriter w(out);
//   w.open('{').key("id").id(7).key("tags").open('[').text("a").close(']').close('}');
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace tidemill::wire {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& key(std::string_view name);  // of our own: nothing in it is escaped
  JsonWriter& text(std::string_view value);
  JsonWriter& number(int64_t value);
  JsonWriter& count(uint64_t value);
  JsonWriter& id(uint64_t value);  // a decimal string, as 64 bits are too many for some readers
  JsonWriter& dotted(uint64_t first, uint64_t second);  // "3.1024"
  JsonWriter& boolean(bool value);
  JsonWriter& raw(std::string_view json);  // what is JSON already

 private:
  void comma();
  std::string& out_;
  bool first_ = true;
};

}  // namespace tidemill::wire
