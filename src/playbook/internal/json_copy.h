#pragma once
// JsonCopy: turns JSON text into the text that write_json would make of its value, without
// making the value: what is only handed on need not be read and written again. Strings are
// checked and copied eight bytes at a time. Gives up (and somebody reads the value) where it
// would take more than a look at one token: a key that comes twice or has escapes, and whatever
// is no JSON. Pure; one owner at a time.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "playbook/internal/json_scanner.h"
#include "playbook/value.h"

namespace tidemill::playbook::expr {

class JsonCopy {
 public:
  explicit JsonCopy(std::string_view text);
  JsonCopy(const JsonCopy&) = delete;
  JsonCopy& operator=(const JsonCopy&) = delete;

  // Each takes one thing; false when it is not there, or this gives up.
  bool take(char c) {
    if (next() != c) return false;
    *to_++ = *at_++;
    return true;
  }
  bool take_key(std::string_view& key);  // without its quotes; part of the text
  bool take_value(int depth);            // below `depth` outer levels
  bool at_end() { return next() == '\0' && at_ == end_; }

  // Of the copy so far.
  size_t size() const { return static_cast<size_t>(to_ - out_.data()); }
  std::string finish();
  // The deepest level, counted from the outermost, of what was taken since the last call.
  uint32_t deepest() { return static_cast<uint32_t>(std::exchange(deepest_, 0)); }

 private:
  // The next character that is no blank, 0 at the end.
  char next() {
    while (at_ != end_ && JsonScanner::is_blank(*at_)) ++at_;
    return at_ == end_ ? '\0' : *at_;
  }
  void make_room(size_t more);
  void append(std::string_view written, const char* go_on);
  bool take_plain_string();
  bool take_string();
  bool take_escaped_string();
  bool take_number();
  bool take_other_number();
  bool take_word(std::string_view word);
  bool take_list(int depth);
  bool take_map(int depth);
  bool is_new_key(size_t first, std::string_view key);
  std::string_view rest() const { return {at_, static_cast<size_t>(end_ - at_)}; }

  const char* at_;
  const char* end_;
  std::string out_;  // from to_ on it has room for the text that is left, and one word
  char* to_;
  std::vector<std::string_view> keys_;  // of the open maps
  int deepest_ = 0;
};

// Reads what a JsonCopy or write_json has written.
void read_known_json(std::string_view text, Value& out);

}  // namespace tidemill::playbook::expr
