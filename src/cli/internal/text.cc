#include "cli/internal/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace tidemill::cli {

std::string duration_text(Duration d) {
  const double s = d.seconds();
  if (s < 0) return "0 s";
  if (s < 1e-3) return fmt::format("{:.0f} µs", s * 1e6);
  if (s < 1) return fmt::format("{:.3g} ms", s * 1e3);
  if (s < 60) return fmt::format("{:.3g} s", s);
  const auto whole = static_cast<int64_t>(s);
  if (whole < 3600) return fmt::format("{} m {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} m", whole / 3600, whole % 3600 / 60);
}

std::string time_text(WallTime t) {
  if (t.ns == 0) return {};
  const std::time_t whole = t.ns / 1'000'000'000;
  std::tm parts{};
  localtime_r(&whole, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts)};
}

std::string iso_time(WallTime t) {
  if (t.ns == 0) return {};
  const std::time_t whole = t.ns / 1'000'000'000;
  std::tm parts{};
  gmtime_r(&whole, &parts);
  char text[32];
  const size_t n = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:03}Z", std::string_view(text, n), t.ns / 1'000'000 % 1000);
}

std::string count_text(uint64_t n) {
  std::string digits = std::to_string(n);
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, " ");
  }
  return digits;
}

std::string counted(uint64_t n, std::string_view noun) {
  return count_text(n) + " " + std::string(noun) + (n == 1 ? "" : "s");
}

std::string bytes_text(uint64_t n) {
  if (n < 1000) return fmt::format("{} B", n);
  if (n < 1'000'000) return fmt::format("{:.3g} kB", static_cast<double>(n) / 1e3);
  if (n < 1'000'000'000) return fmt::format("{:.3g} MB", static_cast<double>(n) / 1e6);
  return fmt::format("{:.3g} GB", static_cast<double>(n) / 1e9);
}

std::string one_line(std::string_view text, size_t width) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  if (line.size() <= width) {
    return end == std::string_view::npos ? std::string(line) : std::string(line) + " …";
  }
  size_t cut = width > 1 ? width - 1 : 0;
  while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xc0) == 0x80) --cut;
  return std::string(line.substr(0, cut)) + "…";
}

std::string_view without_newline(std::string_view text) {
  return text.substr(0, text.find_last_not_of('\n') + 1);
}

std::string_view state_name(ExecutionRecord::State state) {
  using State = ExecutionRecord::State;
  switch (state) {
    case State::running:
      return "running";
    case State::stopping:
      return "stopping";
    case State::done:
      return "done";
    case State::failed:
      return "failed";
    case State::cancelled:
      return "cancelled";
  }
  return "?";
}

std::string_view state_name(StepRecord::State state) {
  using State = StepRecord::State;
  switch (state) {
    case State::waiting:
      return "waiting";
    case State::expanding:
      return "expanding";
    case State::running:
      return "running";
    case State::routing:
      return "routing";
    case State::done:
      return "done";
    case State::failed:
      return "failed";
    case State::skipped:
      return "skipped";
    case State::cancelled:
      return "cancelled";
  }
  return "?";
}

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::open:
      return "open";
    case Outcome::done:
      return "done";
    case Outcome::failed:
      return "buried";
    case Outcome::cancelled:
      return "cancelled";
  }
  return "?";
}

namespace {

// Characters as a terminal counts them, near enough: bytes that begin one.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

bool is_number(std::string_view cell) {
  return !cell.empty() && std::all_of(cell.begin(), cell.end(),
                                      [](char c) { return (c >= '0' && c <= '9') || c == ' '; });
}

}  // namespace

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string pad(widths[i] - width_of(row[i]), ' ');
      if (i > 0) line += "  ";
      line += is_number(row[i]) ? pad + row[i] : row[i] + pad;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace tidemill::cli
