#include "wire/internal/json_writer.h"

#include <simdjson.h>

#include <array>
#include <charconv>

namespace tidemill::wire {

namespace {

template <class T>
void append_number(std::string& out, T value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_escaped(std::string& out, char c) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      out += "\\u00";
      out += kHex[(static_cast<unsigned char>(c) >> 4) & 0xf];
      out += kHex[static_cast<unsigned char>(c) & 0xf];
  }
}

void append_text(std::string& out, std::string_view text) {
  size_t plain = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    append_escaped(out, text[i]);
    plain = i + 1;
  }
  out.append(text, plain);
}

// How many bytes from `at` on are one character of UTF-8; 0 when they are none.
size_t character_at(std::string_view text, size_t at) {
  for (size_t n = 1; n <= 4 && at + n <= text.size(); ++n) {
    if (simdjson::validate_utf8(text.data() + at, n)) return n;
  }
  return 0;
}

std::string as_utf8(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t n = character_at(text, at);
    if (n == 0) {
      out += "\xEF\xBF\xBD";
      ++at;
    } else {
      out.append(text, at, n);
      at += n;
    }
  }
  return out;
}

}  // namespace

void JsonWriter::comma() {
  if (!first_) out_ += ',';
  first_ = false;
}

JsonWriter& JsonWriter::open(char bracket) {
  comma();
  out_ += bracket;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  comma();
  out_ += '"';
  out_ += name;
  out_ += "\":";
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  comma();
  out_ += '"';
  if (simdjson::validate_utf8(value.data(), value.size())) {
    append_text(out_, value);
  } else {
    append_text(out_, as_utf8(value));
  }
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::number(int64_t value) {
  comma();
  append_number(out_, value);
  return *this;
}

JsonWriter& JsonWriter::count(uint64_t value) {
  comma();
  append_number(out_, value);
  return *this;
}

JsonWriter& JsonWriter::id(uint64_t value) {
  comma();
  out_ += '"';
  append_number(out_, value);
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::dotted(uint64_t first, uint64_t second) {
  comma();
  out_ += '"';
  append_number(out_, first);
  out_ += '.';
  append_number(out_, second);
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  comma();
  out_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  comma();
  out_ += json;
  return *this;
}

}  // namespace tidemill::wire
