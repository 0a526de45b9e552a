#include "playbook/internal/text.h"

#include <algorithm>

namespace tidemill::playbook::expr {

namespace {

bool is_letter(char32_t c) {
  return (c < 0x80 && is_word_start(static_cast<char>(c)) && c != '_') || c >= 0xC0;
}

// Alphabets in which a capital letter is followed by its small one.
bool pairs_even_first(char32_t c) {
  return (c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) || (c >= 0x14A && c <= 0x177) ||
         (c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) || (c >= 0x1E00 && c <= 0x1E95);
}
bool pairs_odd_first(char32_t c) {
  return (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
}

char32_t lower_of(char32_t c) {
  if (c < 0x80) return static_cast<unsigned char>(ascii_lower(static_cast<char>(c)));
  if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3AB && c != 0x3A2) ||
      (c >= 0x410 && c <= 0x42F)) {
    return c + 0x20;
  }
  if (c >= 0x400 && c <= 0x40F) return c + 0x50;
  if (c == 0x178) return 0xFF;
  if (c == 0x386) return 0x3AC;
  if (c >= 0x388 && c <= 0x38A) return c + 37;
  if (c == 0x38C) return 0x3CC;
  if (c == 0x38E || c == 0x38F) return c + 63;
  if (pairs_even_first(c) && c % 2 == 0) return c + 1;
  if (pairs_odd_first(c) && c % 2 == 1) return c + 1;
  return c;
}

char32_t upper_of(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 0x20 : c;
  if (c == 0xFF) return 0x178;
  if (c == 0x3C2) return 0x3A3;  // final sigma
  if ((c >= 0xE0 && c <= 0xFE && c != 0xF7) || (c >= 0x3B1 && c <= 0x3CB) ||
      (c >= 0x430 && c <= 0x44F)) {
    return c - 0x20;
  }
  if (c >= 0x450 && c <= 0x45F) return c - 0x50;
  if (c == 0x3AC) return 0x386;
  if (c >= 0x3AD && c <= 0x3AF) return c - 37;
  if (c == 0x3CC) return 0x38C;
  if (c == 0x3CD || c == 0x3CE) return c - 63;
  if (pairs_even_first(c) && c % 2 == 1) return c - 1;
  if (pairs_odd_first(c) && c % 2 == 0) return c - 1;
  return c;
}

void append_upper(char32_t c, std::string& out) {
  if (c == 0xDF) {
    out += "SS";
  } else {
    utf8_append(upper_of(c), out);
  }
}

// Calls each(code point) or, for bytes that are no UTF-8, copies the byte.
template <class Each>
std::string map_text(std::string_view text, Each each) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_sequence(text, at);
    if (length == 0) {
      out.push_back(text[at++]);
      continue;
    }
    each(utf8_decode(text, at, length), out);
    at += length;
  }
  return out;
}

bool continues(std::string_view text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

unsigned char byte_at(std::string_view text, size_t at) {
  return static_cast<unsigned char>(text[at]);
}

}  // namespace

size_t utf8_sequence(std::string_view text, size_t at) {
  const unsigned char first = byte_at(text, at);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !continues(text, at + 1)) return 0;
  if (first < 0xE0) return 2;
  const unsigned char second = byte_at(text, at + 1);
  if (!continues(text, at + 2)) return 0;
  if (first < 0xF0) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second >= 0xA0;
    return overlong || surrogate ? 0 : 3;
  }
  if (!continues(text, at + 3)) return 0;
  const bool overlong = first == 0xF0 && second < 0x90;
  const bool too_high = first == 0xF4 && second >= 0x90;
  return overlong || too_high ? 0 : 4;
}

char32_t utf8_decode(std::string_view text, size_t at, size_t length) {
  static constexpr unsigned char kMask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t c = byte_at(text, at) & kMask[length];
  for (size_t i = 1; i < length; ++i) c = (c << 6) | (byte_at(text, at + i) & 0x3FU);
  return c;
}

void utf8_append(char32_t c, std::string& out) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

bool is_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_sequence(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

size_t count_code_points(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

size_t offset_of_code_point(std::string_view text, size_t index) {
  for (size_t at = 0; at < text.size(); ++at) {
    if ((byte_at(text, at) & 0xC0) == 0x80) continue;
    if (index == 0) return at;
    --index;
  }
  return text.size();
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return ascii_lower(x) == ascii_lower(y);
         });
}

int compare_ignoring_case(std::string_view a, std::string_view b) {
  if (!is_ascii(a) || !is_ascii(b)) return to_lower(a).compare(to_lower(b));
  const size_t common = std::min(a.size(), b.size());
  for (size_t i = 0; i < common; ++i) {
    const int difference = ascii_lower(a[i]) - ascii_lower(b[i]);
    if (difference != 0) return difference;
  }
  return a.size() < b.size() ? -1 : (a.size() > b.size() ? 1 : 0);
}

std::string to_lower(std::string_view text) {
  return map_text(text, [](char32_t c, std::string& out) { utf8_append(lower_of(c), out); });
}

std::string to_upper(std::string_view text) {
  return map_text(text, append_upper);
}

std::string capitalize(std::string_view text) {
  bool first = true;
  return map_text(text, [&](char32_t c, std::string& out) {
    if (first) {
      append_upper(c, out);
    } else {
      utf8_append(lower_of(c), out);
    }
    first = false;
  });
}

std::string title_case(std::string_view text) {
  bool in_word = false;
  return map_text(text, [&](char32_t c, std::string& out) {
    if (in_word) {
      utf8_append(lower_of(c), out);
    } else {
      append_upper(c, out);
    }
    in_word = is_letter(c) || c == '\'' || (c >= '0' && c <= '9');
  });
}

std::string quoted(std::string_view text) {
  constexpr size_t kLongest = 60;
  std::string out = "'";
  if (text.size() <= kLongest) {
    out += text;
  } else {
    size_t cut = kLongest;
    while (cut > 0 && (byte_at(text, cut) & 0xC0) == 0x80) --cut;
    out += text.substr(0, cut);
    out += "…";
  }
  out += "'";
  return out;
}

}  // namespace tidemill::playbook::expr
