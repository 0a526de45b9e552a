#pragma once
// JsonCopy: turns JSON text into the text that write_json would make of its value, token by token
// and without making the value: what is only handed on need not be read and written again. Gives up
// (and somebody reads the value) where that takes more than a look at one token: a key that comes
// twice, and whatever is no JSON. Pure; one owner at a time.
#include <algorithm>
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
  explicit JsonCopy(std::string_view text) : scan_(text) { out_.reserve(text.size()); }

  // Each copies one thing; false when it is not there, or this gives up.
  bool copy(char c) {
    if (!scan_.take(c)) return false;
    out_ += c;
    return true;
  }
  bool copy_string();
  bool copy_value(int depth);  // below `depth` outer levels
  bool at_end() { return scan_.finish(); }

  size_t size() const { return out_.size(); }  // of the copy so far
  std::string_view since(size_t begin) const { return std::string_view(out_).substr(begin); }
  std::string take() { return std::move(out_); }
  // The deepest level, counted from the outermost, of what was copied since the last call.
  uint32_t take_deepest() { return static_cast<uint32_t>(std::exchange(deepest_, 0)); }

 private:
  bool copy_list(int depth);
  bool copy_map(int depth);
  bool copy_number();
  bool copy_word(std::string_view word);
  bool is_new_key(size_t first, size_t begin);

  JsonScanner scan_;
  std::string out_;
  // Where the keys of the open maps are in out_, with their quotes.
  std::vector<std::pair<size_t, size_t>> keys_;
  int deepest_ = 0;
};

// Reads what a JsonCopy or write_json has written.
void read_known_json(std::string_view text, Value& out);

}  // namespace tidemill::playbook::expr
