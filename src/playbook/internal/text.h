#pragma once
// Text helpers of the expression language: UTF-8 by code points, and case without locales.
// Strings that are not UTF-8 are treated byte by byte where they are not. Pure; any thread.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidemill::playbook::expr {

// Bytes of text that cost as much as one step of an evaluation.
inline constexpr size_t kBytesPerStep = 64;

constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool is_word(char c) {
  return is_word_start(c) || is_digit(c);
}
constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The length of the UTF-8 sequence at `at`, or 0 when the bytes there are no valid one (overlong,
// surrogate, out of range, cut short).
size_t utf8_sequence(std::string_view text, size_t at);
// Decodes a sequence of the length utf8_sequence gave.
char32_t utf8_decode(std::string_view text, size_t at, size_t length);
void utf8_append(char32_t c, std::string& out);

bool is_ascii(std::string_view text);
bool is_utf8(std::string_view text);
size_t count_code_points(std::string_view text);
// Byte offset of code point number `index` (the size when there are fewer).
size_t offset_of_code_point(std::string_view text, size_t index);

std::string_view trim(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);   // ASCII
int compare_ignoring_case(std::string_view a, std::string_view b);  // all scripts we map

// Latin, Greek and Cyrillic letters by the simple mappings of Unicode; other text stays.
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);  // ß becomes SS
std::string capitalize(std::string_view text);
std::string title_case(std::string_view text);

// `'text'`, shortened to about 60 bytes: for messages.
std::string quoted(std::string_view text);

}  // namespace tidemill::playbook::expr
