#pragma once
// Text for people: durations, times, counts, tables. Main thread; no state.
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/records.h"

namespace tidemill::cli {

std::string duration_text(Duration d);       // "1.2 ms", "3.4 s", "2 m 05 s"
std::string time_text(WallTime t);           // "2026-11-22 15:08:32" in local time; "" for none
std::string iso_time(WallTime t);            // UTC, for --json; "" for none
std::string count_text(uint64_t n);          // "104 829"
std::string counted(uint64_t n, std::string_view noun);  // "1 task", "1 200 tasks"
std::string bytes_text(uint64_t n);          // "1.2 MB"
std::string one_line(std::string_view text, size_t width);  // first line, cut with "…"

std::string_view without_newline(std::string_view text);    // at its end

std::string_view state_name(ExecutionRecord::State state);
std::string_view state_name(StepRecord::State state);
std::string_view outcome_name(Outcome outcome);  // "open", "done", "buried", "cancelled"

// Columns as wide as their widest cell; numbers (cells of digits) to the right.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace tidemill::cli
