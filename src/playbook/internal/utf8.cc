#include "playbook/internal/utf8.h"

#include <cstdint>

namespace tidemill::playbook {
namespace {

uint8_t byte_at(std::string_view text, size_t i) {
  return i < text.size() ? static_cast<uint8_t>(text[i]) : 0;
}

bool is_continuation(uint8_t b) { return (b & 0xc0) == 0x80; }

// Length of the well-formed sequence that begins at `i` with a byte above 0x7f; 0 when there is
// none.
size_t sequence_length(std::string_view text, size_t i) {
  uint8_t first = byte_at(text, i);
  uint8_t second = byte_at(text, i + 1);
  size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (size_t k = 1; k < length; ++k) {
    if (!is_continuation(byte_at(text, i + k))) return 0;
  }
  if (first == 0xe0 && second < 0xa0) return 0;  // overlong
  if (first == 0xed && second > 0x9f) return 0;  // a surrogate
  if (first == 0xf0 && second < 0x90) return 0;  // overlong
  if (first == 0xf4 && second > 0x8f) return 0;  // above U+10FFFF
  return length;
}

}  // namespace

std::optional<BadByte> find_bad_byte(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    uint8_t b = byte_at(text, i);
    if (b >= 0x80) {
      size_t length = sequence_length(text, i);
      if (length == 0) return BadByte{.offset = i, .control = false};
      i += length;
      continue;
    }
    if (b == 0x7f || (b < 0x20 && b != '\t' && b != '\n' && b != '\r'))
      return BadByte{.offset = i, .control = true};
    ++i;
  }
  return std::nullopt;
}

}  // namespace tidemill::playbook
