// Filters that encode text for other languages: base64, URLs, hashes, SQL identifiers.
#include "base/hash.h"
#include "playbook/internal/filter_functions.h"
#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

uint32_t byte_or_zero(std::string_view text, size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
}

bool filter_b64encode(const Call& call, Value& out) {
  std::string storage, encoded;
  std::string_view text;
  if (!call.subject_text(storage, text)) return false;
  encoded.reserve((text.size() + 2) / 3 * 4);
  for (size_t i = 0; i < text.size(); i += 3) {
    const uint32_t triple =
        byte_or_zero(text, i) << 16 | byte_or_zero(text, i + 1) << 8 | byte_or_zero(text, i + 2);
    for (size_t k = 0; k < 4; ++k) {
      const bool padding = i + k > text.size();
      encoded += padding ? '=' : kBase64[(triple >> (18 - 6 * k)) & 63];
    }
  }
  out = Value(std::move(encoded));
  return true;
}

bool decode_base64(std::string_view text, std::string& out) {
  uint32_t bits = 0;
  int count = 0;
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  for (char c : text) {
    if (is_space(c)) continue;
    if (c == '-') c = '+';
    if (c == '_') c = '/';
    const size_t digit = kBase64.find(c);
    if (digit == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 0xFF);
    }
  }
  return count < 6;
}

bool filter_b64decode(const Call& call, Value& out) {
  std::string storage, decoded;
  std::string_view text;
  if (!call.subject_text(storage, text)) return false;
  if (!decode_base64(trim(text), decoded)) return call.fail("this is no base64: " + quoted(text));
  if (!is_utf8(decoded)) return call.fail("the decoded bytes are not text (UTF-8)");
  out = Value(std::move(decoded));
  return true;
}

enum class Slash : uint8_t { kept, encoded };

void append_encoded(std::string_view text, Slash slash, std::string& out) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        is_word(c) || c == '-' || c == '.' || c == '~' || (c == '/' && slash == Slash::kept);
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
}

bool filter_urlencode(const Call& call, Value& out) {
  std::string encoded;
  if (call.subject.is_map()) {
    for (const auto& [key, value] : call.subject.as_map()) {
      if (!encoded.empty()) encoded += '&';
      append_encoded(key, Slash::encoded, encoded);
      encoded += '=';
      append_encoded(render_text(value), Slash::encoded, encoded);
    }
  } else {
    std::string storage;
    std::string_view text;
    if (!call.subject_text(storage, text)) return false;
    append_encoded(text, Slash::kept, encoded);
  }
  out = Value(std::move(encoded));
  return call.e.spend_text(out.as_string().size(), call.at);
}

bool filter_hash(const Call& call, Value& out) {
  std::string storage;
  std::string_view text, algorithm;
  if (!call.subject_text(storage, text) || !call.text(0, "sha256", algorithm)) return false;
  if (algorithm == "sha256") {
    out = Value(hex(sha256(text)));
  } else if (algorithm == "md5") {
    out = Value(hex(md5(text)));
  } else {
    return call.fail("unknown algorithm " + quoted(algorithm) + "; there are sha256 and md5");
  }
  return call.e.spend_text(text.size() * 4, call.at);
}

// Each part between dots as a quoted SQL identifier: public.Jobs becomes "public"."Jobs".
bool filter_ident(const Call& call, Value& out) {
  if (!call.subject.is_string()) return call.fail_kind("a string");
  std::string_view rest = call.subject.as_string();
  std::string quoted_parts;
  while (true) {
    const size_t dot = std::min(rest.find('.'), rest.size());
    const std::string_view part = rest.substr(0, dot);
    if (part.empty() || part.find('\0') != std::string_view::npos) {
      return call.fail(quoted(call.subject.as_string()) + " is no SQL identifier");
    }
    quoted_parts += '"';
    for (const char c : part) quoted_parts.append(c == '"' ? 2 : 1, c);
    quoted_parts += '"';
    if (dot == rest.size()) break;
    quoted_parts += '.';
    rest.remove_prefix(dot + 1);
  }
  out = Value(std::move(quoted_parts));
  return call.e.spend_text(out.as_string().size(), call.at);
}

}  // namespace

std::span<const FunctionSpec> encoding_filters() {
  static constexpr FunctionSpec kTable[] = {
      {.name = "b64encode", .run = filter_b64encode},
      {.name = "b64decode", .run = filter_b64decode},
      {.name = "urlencode", .run = filter_urlencode},
      {.name = "hash", .run = filter_hash, .parameters = {"algorithm"}},
      {.name = "ident", .run = filter_ident},
  };
  return kTable;
}

}  // namespace tidemill::playbook::expr
