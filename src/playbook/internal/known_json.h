#pragma once
// KnownJson: tells whether JSON text is, byte for byte, what write_json would make of it: no blanks,
// no escapes but the short ones, numbers in their shortest form, each key once. Such text need not
// be read to be written again. Pure; any thread.
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "playbook/internal/json_scanner.h"
#include "playbook/value.h"

namespace tidemill::playbook::expr {

class KnownJson {
 public:
  explicit KnownJson(std::string_view text) : text_(text), scan_(text) {}

  // The character at the place reached, 0 at the end.
  char next() const { return offset() < text_.size() ? text_[offset()] : '\0'; }
  // Steps over one character, a string or a value of `depth` outer levels. False when it is not
  // there, or not as write_json would write it.
  bool take(char c) { return next() == c && scan_.take(c); }
  bool take_string(std::string_view& raw);
  bool take_value(int depth);

  size_t offset() const { return scan_.offset(); }
  // Levels of lists and maps in what take_value() saw since the last call of this.
  uint32_t take_levels() { return static_cast<uint32_t>(std::exchange(deepest_, 0)); }

 private:
  bool take_list(int depth);
  bool take_map(int depth);
  bool take_number();
  bool new_key(size_t first, std::string_view raw);

  std::string_view text_;
  JsonScanner scan_;
  std::vector<std::string_view> keys_;  // of the maps that are open
  int deepest_ = 0;
};

// Reads text that KnownJson has passed, or write_json has written.
void read_known_json(std::string_view text, Value& out);

}  // namespace tidemill::playbook::expr
