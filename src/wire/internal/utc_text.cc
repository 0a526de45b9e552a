#include "wire/internal/utc_text.h"

#include <array>
#include <charconv>

namespace tidemill::wire {

namespace {

struct Date {
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
};

// Days since 1970-01-01 and back, proleptic Gregorian calendar (Howard Hinnant, chrono-Compatible
// Low-Level Date Algorithms).
int64_t days_of(const Date& d) {
  const int64_t y = d.month <= 2 ? d.year - 1 : d.year;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t yoe = y - era * 400;
  const int64_t doy = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
  return era * 146'097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719'468;
}

Date date_of(int64_t days) {
  const int64_t z = days + 719'468;
  const int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
  const int64_t doe = z - era * 146'097;
  const int64_t yoe = (doe - doe / 1'460 + doe / 36'524 - doe / 146'096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const int64_t mp = (5 * doy + 2) / 153;
  const int64_t month = mp < 10 ? mp + 3 : mp - 9;
  return {yoe + era * 400 + (month <= 2 ? 1 : 0), month, doy - (153 * mp + 2) / 5 + 1};
}

void append_padded(std::string& out, int64_t value, size_t width) {
  const std::string digits = std::to_string(value);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out += digits;
}

std::optional<int64_t> digits(std::string_view text, size_t at, size_t count) {
  int64_t value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// ".125" → nanoseconds; nothing when it is no fraction.
std::optional<int64_t> fraction(std::string_view text) {
  if (text.empty()) return 0;
  if (text.size() < 2 || text.size() > 10 || text[0] != '.') return std::nullopt;
  int64_t ns = 0;
  for (size_t i = 1; i < 10; ++i) {
    const char c = i < text.size() ? text[i] : '0';
    if (c < '0' || c > '9') return std::nullopt;
    ns = ns * 10 + (c - '0');
  }
  return ns;
}

}  // namespace

std::string utc_text(WallTime time) {
  constexpr int64_t kDay = 86'400'000;
  const int64_t ms = time.ns / 1'000'000;
  const Date date = date_of(ms / kDay);
  const int64_t rest = ms % kDay;
  std::string out;
  append_padded(out, date.year, 4);
  out += '-';
  append_padded(out, date.month, 2);
  out += '-';
  append_padded(out, date.day, 2);
  out += 'T';
  append_padded(out, rest / 3'600'000, 2);
  out += ':';
  append_padded(out, rest / 60'000 % 60, 2);
  out += ':';
  append_padded(out, rest / 1'000 % 60, 2);
  out += '.';
  append_padded(out, rest % 1'000, 3);
  return out += 'Z';
}

std::optional<WallTime> parse_utc(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() < kShape.size() + 1 || text.back() != 'Z') return std::nullopt;
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] != 'd' && text[i] != kShape[i]) return std::nullopt;
  }
  std::array<int64_t, 6> parts{};
  constexpr std::array<std::pair<size_t, size_t>, 6> kPlaces = {
      {{0, 4}, {5, 2}, {8, 2}, {11, 2}, {14, 2}, {17, 2}}};
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto value = digits(text, kPlaces[i].first, kPlaces[i].second);
    if (!value) return std::nullopt;
    parts[i] = *value;
  }
  const auto ns = fraction(text.substr(kShape.size(), text.size() - kShape.size() - 1));
  const auto [year, month, day, hour, minute, second] = parts;
  const Date date{year, month, day};
  const int64_t days = days_of(date);
  const Date again = date_of(days);  // 31 February becomes another day
  if (!ns || year < 1970 || year > 2261 || again.month != month || again.day != day || hour > 23 ||
      minute > 59 || second > 59) {
    return std::nullopt;
  }
  return WallTime{(((days * 24 + hour) * 60 + minute) * 60 + second) * 1'000'000'000 + *ns};
}

}  // namespace tidemill::wire
