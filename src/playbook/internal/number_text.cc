#include "playbook/internal/number_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

namespace {

// Whether a number that is out of a double's range is so because it is too small: its first digit
// that counts stands far below 10^0.
bool is_tiny(std::string_view text) {
  const size_t mark = std::min(text.find_first_of("eE"), text.size());
  const std::string_view digits = text.substr(0, mark);
  const size_t first = digits.find_first_of("123456789");
  if (first == std::string_view::npos) return true;
  const size_t point = std::min(digits.find('.'), digits.size());
  const auto place = static_cast<int64_t>(point) - static_cast<int64_t>(first);
  int64_t exponent = 0;
  if (mark < text.size()) {
    std::string_view written = text.substr(mark + 1);
    if (written.front() == '+') written.remove_prefix(1);
    const auto read = std::from_chars(written.data(), written.data() + written.size(), exponent);
    if (read.ec == std::errc::result_out_of_range) return written.front() == '-';
    exponent = std::clamp<int64_t>(exponent, -1'000'000'000, 1'000'000'000);
  }
  return place + exponent < 0;
}

}  // namespace

bool number_from_json(std::string_view text, NumberForm form, Value& out) {
  const char* end = text.data() + text.size();
  if (form == NumberForm::whole) {
    int64_t integer = 0;
    if (std::from_chars(text.data(), end, integer).ec == std::errc()) {
      out = Value(integer);
      return true;
    }
  }
  double real = 0.0;
  const auto result = std::from_chars(text.data(), end, real);
  if (result.ec != std::errc()) {
    if (!is_tiny(text)) return false;
    real = text.front() == '-' ? -0.0 : 0.0;
  }
  if (std::isinf(real)) return false;
  out = Value(real);
  return true;
}

IntegerText parse_integer(std::string_view text, int base, int64_t& out) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, out, base);
  if (result.ptr != end || text.empty() || result.ec == std::errc::invalid_argument) {
    return IntegerText::malformed;
  }
  return result.ec == std::errc() ? IntegerText::ok : IntegerText::overflow;
}

bool parse_real(std::string_view text, double& out) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, out);
  if (text.empty() || result.ptr != end || result.ec == std::errc::invalid_argument) return false;
  if (result.ec == std::errc()) return true;
  const double sign = text.front() == '-' ? -1.0 : 1.0;
  out = sign * (is_tiny(text) ? 0.0 : std::numeric_limits<double>::infinity());
  return true;
}

void append_integer(int64_t value, std::string& out) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void append_real(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "nan";
    return;
  }
  char buffer[32];
  const char* end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  const std::string_view text(buffer, static_cast<size_t>(end - buffer));
  out += text;
  if (text.find_first_of(".en") == std::string_view::npos) out += ".0";
}

}  // namespace tidemill::playbook::expr
