#pragma once
// TailText: text that keeps its end when it grows too long, and says in its first line how much
// went missing. For logs and the output of programs. A value; one owner at a time.
#include <cstdint>
#include <string>
#include <string_view>

namespace tidemill::worker {

// What a TailText kept: only bytes that were added, and how many went missing before them.
struct KeptTail {
  std::string text;
  uint64_t dropped = 0;
};

class TailText {
 public:
  explicit TailText(uint64_t bound) : bound_(bound) {}
  void add(std::string_view bytes);
  // Counts bytes that somebody else dropped at this place; what was added before them goes, too.
  void skip(uint64_t bytes);
  bool empty() const { return text_.empty() && dropped_ == 0; }
  // The text, at most `bound` bytes and the line that tells of what was dropped. Cut at a line
  // where one is near, else at a character of UTF-8.
  std::string take();
  KeptTail take_tail();  // the same without that line

 private:
  uint64_t bound_;
  uint64_t dropped_ = 0;
  std::string text_;  // at most twice the bound, so that cutting costs little
};

// The same for a text that is there as a whole.
std::string keep_tail(std::string text, uint64_t bound);

// For errors: the first line says where and what, the last ones say why; the middle goes. At most
// `bound` bytes, which is 256 or more.
std::string keep_ends(std::string text, uint64_t bound);

}  // namespace tidemill::worker
