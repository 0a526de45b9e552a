#include "cli/internal/live_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "cli/internal/text.h"
#include "os/clock.h"
#include "os/terminal.h"

namespace tidemill::cli {

namespace {

constexpr uint64_t kFailuresShownMax = 20;
constexpr size_t kStepLinesMax = 20;
constexpr Duration kLineEvery = seconds(3);

std::string bar(uint64_t done, uint64_t total, size_t width) {
  const size_t full = total == 0 ? 0 : static_cast<size_t>(done * width / total);
  std::string out;
  for (size_t i = 0; i < width; ++i) out += i < full ? "█" : "░";
  return out;
}

bool lives(StepRecord::State state) {
  using State = StepRecord::State;
  return state == State::running || state == State::expanding || state == State::routing;
}

}  // namespace

LiveView::LiveView(Style style, playbook::PlanPtr plan, std::string all_failures)
    : style_(style),
      plan_(std::move(plan)),
      all_failures_(std::move(all_failures)),
      started_(os::steady_now()),
      last_line_(started_) {}

LiveView::Style LiveView::style_of_stderr() {
  return os::stderr_is_terminal() ? Style::terminal : Style::lines;
}

Duration LiveView::interval() const { return milliseconds(style_ == Style::terminal ? 100 : 250); }

void LiveView::update(const client::Progress& progress) {
  if (style_ == Style::silent) return;
  if (style_ == Style::terminal) {
    draw(progress);
    return;
  }
  print_failures(progress);
  if (os::steady_now() - last_line_ >= kLineEvery) print_line(progress);
}

void LiveView::finish(const client::Progress& progress) {
  if (style_ == Style::silent) return;
  clear();
  print_failures(progress);
  std::fflush(stderr);
}

void LiveView::say(const std::string& line) {
  if (style_ == Style::silent) return;
  clear();
  fmt::print(stderr, "{}\n", line);
}

void LiveView::print_failures(const client::Progress& progress) {
  for (const client::FailureNote& note : progress.failures) {
    if (failures_shown_++ >= kFailuresShownMax) continue;
    clear();
    const bool known = note.step.step < plan_->steps.size();
    fmt::print(stderr, "  {} {}{}: {}\n", note.final ? "failed" : "will retry",
               known ? plan_->steps[note.step.step].name : "task",
               note.work.array ? fmt::format("[{}]", note.work.first) : "",
               one_line(note.error.message, 160));
    if (failures_shown_ == kFailuresShownMax) {
      fmt::print(stderr, "  (more failures are counted, not shown; see all: {})\n", all_failures_);
    }
  }
}

void LiveView::print_line(const client::Progress& progress) {
  const SteadyTime now = os::steady_now();
  const double rate = static_cast<double>(progress.tasks_finished - last_finished_) /
                      std::max(1e-9, (now - last_line_).seconds());
  std::string running;
  for (const client::StepProgress& step : progress.steps) {
    if (!lives(step.state) || step.step >= plan_->steps.size()) continue;
    if (!running.empty()) running += ", ";
    running += plan_->steps[step.step].name;
    if (step.total > 1) running += fmt::format(" {}/{}", step.done + step.failed, step.total);
  }
  fmt::print(stderr, "{:>7}  {} done, {:.0f}/s{}{}\n", duration_text(now - started_),
             counted(progress.tasks_finished, "task"), rate,
             progress.tasks_failed > 0 ? fmt::format(", {} failed", progress.tasks_failed) : "",
             running.empty() ? "" : "; " + one_line(running, 100));
  last_line_ = now;
  last_finished_ = progress.tasks_finished;
}

std::string LiveView::step_line(const client::StepProgress& step) {
  const SteadyTime now = os::steady_now();
  const uint64_t finished = step.done + step.failed;
  Seen& seen = seen_[step.step];
  if (seen.epoch != step.epoch) seen = {step.epoch, now, finished};
  const double elapsed = (now - seen.since).seconds();
  const double rate = elapsed > 0.2 ? static_cast<double>(finished - seen.at_since) / elapsed : 0;
  std::string line = fmt::format(
      "  {:<24} {} {}/{}", one_line(plan_->steps[step.step].name, 24),
      bar(finished, step.total, 20), count_text(finished), count_text(step.total));
  if (rate > 0 && finished < step.total) {
    line += fmt::format("  {:.0f}/s, {} left", rate,
                        duration_text(seconds_f(static_cast<double>(step.total - finished) / rate)));
  }
  if (step.failed > 0) line += fmt::format("  {} failed", count_text(step.failed));
  if (step.epoch > 1) line += fmt::format("  (entry {})", step.epoch);
  return line;
}

void LiveView::draw(const client::Progress& progress) {
  clear();
  print_failures(progress);
  const size_t width = os::stderr_width();
  std::string out = fmt::format("{}  {} done{}{}\n", duration_text(os::steady_now() - started_),
                                counted(progress.tasks_finished, "task"),
                                progress.children > 0
                                    ? ", " + counted(progress.children, "child execution")
                                    : "",
                                progress.tasks_failed > 0
                                    ? fmt::format(", {} failed", progress.tasks_failed)
                                    : "");
  int lines = 1;
  for (const client::StepProgress& step : progress.steps) {
    if (!lives(step.state) || step.step >= plan_->steps.size()) continue;
    if (static_cast<size_t>(lines) > kStepLinesMax) break;
    const std::string line =
        step.total > 1 ? step_line(step)
                       : fmt::format("  {:<24} {}", one_line(plan_->steps[step.step].name, 24),
                                     state_name(step.state));
    out += one_line(line, width * 2) + "\n";
    ++lines;
  }
  fmt::print(stderr, "{}", out);
  std::fflush(stderr);
  lines_drawn_ = lines;
}

void LiveView::clear() {
  if (lines_drawn_ == 0) return;
  fmt::print(stderr, "\x1b[{}A\x1b[J", lines_drawn_);
  lines_drawn_ = 0;
}

}  // namespace tidemill::cli
