#include "worker/internal/tail_text.h"

#include <algorithm>
#include <utility>

namespace tidemill::worker {

namespace {

constexpr size_t kNearLine = 256;

bool inside_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

void TailText::add(std::string_view bytes) {
  if (bytes.size() > bound_) {
    dropped_ += text_.size() + bytes.size() - bound_;
    text_.assign(bytes.substr(bytes.size() - bound_));
    return;
  }
  text_.append(bytes);
  if (text_.size() > 2 * bound_) {
    const size_t surplus = text_.size() - bound_;
    dropped_ += surplus;
    text_.erase(0, surplus);
  }
}

void TailText::skip(uint64_t bytes) {
  if (bytes == 0) return;
  dropped_ += text_.size() + bytes;
  text_.clear();
}

std::string TailText::take() {
  KeptTail kept = take_tail();
  if (kept.dropped == 0) return std::move(kept.text);
  return "[the first " + std::to_string(kept.dropped) +
         (kept.dropped == 1 ? " byte was" : " bytes were") + " dropped]\n" + kept.text;
}

KeptTail TailText::take_tail() {
  if (text_.size() > bound_) {
    dropped_ += text_.size() - bound_;
    text_.erase(0, text_.size() - bound_);
  }
  if (dropped_ != 0) {
    size_t cut = 0;
    while (cut < text_.size() && cut < 4 && inside_character(text_[cut])) ++cut;
    const size_t line = text_.find('\n');
    if (line < std::min(kNearLine, text_.size() / 2)) cut = line + 1;
    dropped_ += cut;
    text_.erase(0, cut);
  }
  return {std::exchange(text_, {}), std::exchange(dropped_, 0)};
}

std::string keep_tail(std::string text, uint64_t bound) {
  if (text.size() <= bound) return text;
  TailText tail(bound);
  tail.add(text);
  return tail.take();
}

std::string keep_ends(std::string text, uint64_t bound) {
  if (text.size() <= bound) return text;
  constexpr size_t kMarker = 64;  // the line that tells of what was dropped
  size_t head = std::min(text.find('\n'), static_cast<size_t>(bound / 4));
  while (head > 0 && inside_character(text[head])) --head;
  const std::string tail = keep_tail(text.substr(head), bound - head - kMarker);
  return text.substr(0, head) + "\n" + tail;
}

}  // namespace tidemill::worker
