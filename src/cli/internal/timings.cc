#include "cli/internal/timings.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/internal/text.h"

namespace tidemill::cli {

namespace {

constexpr uint32_t kPage = 10'000;

Status add_array(client::Records& records, ArrayId id, ledger::StepTiming& timing) {
  uint64_t first = 0;
  for (;;) {
    TIDEMILL_TRY(const std::vector<IndexRow> page, records.outcomes(id, first, kPage));
    for (const IndexRow& row : page) timing.add(row.outcome.trace, row.recorded);
    if (page.size() < kPage) return Ok{};
    first = page.back().outcome.index + 1;
  }
}

std::string cell(const Histogram& h) {
  return fmt::format("{} / {}", duration_text(h.quantile(0.5)), duration_text(h.quantile(0.95)));
}

std::string name_of(const playbook::Plan& plan, uint32_t step) {
  return step < plan.steps.size() ? plan.steps[step].name : std::to_string(step);
}

}  // namespace

Result<StepTimings> step_timings(client::Records& records, const std::vector<StepRecord>& steps) {
  StepTimings out;
  for (const StepRecord& step : steps) {
    if (step.array) TIDEMILL_CHECK(add_array(records, step.array, out[step.ref.step]));
    if (!step.task) continue;
    TIDEMILL_TRY(const std::optional<TaskRow> row, records.task(step.task));
    if (row && row->outcome != Outcome::open) out[step.ref.step].add(row->trace, row->recorded);
  }
  return out;
}

std::string timings_table(const StepTimings& timings, const playbook::Plan& plan) {
  std::vector<std::vector<std::string>> rows{{"MEDIAN / P95", "ATTEMPTS", "QUEUE WAIT", "DISPATCH",
                                              "RUN", "REPORT", "COMMIT", "CPU", "IN", "OUT"}};
  for (const auto& [step, t] : timings) {
    rows.push_back({name_of(plan, step), count_text(t.attempts()), cell(t.queue_wait),
                    cell(t.dispatch), cell(t.run), cell(t.report), cell(t.commit),
                    duration_text(t.cpu), bytes_text(t.bytes_in), bytes_text(t.bytes_out)});
  }
  return table(rows);
}

nlohmann::ordered_json timings_json(const StepTimings& timings, const playbook::Plan& plan) {
  const auto part = [](const Histogram& h) {
    return nlohmann::ordered_json{{"median_ms", h.quantile(0.5).milliseconds()},
                                  {"p95_ms", h.quantile(0.95).milliseconds()},
                                  {"total_s", h.total().seconds()}};
  };
  auto out = nlohmann::ordered_json::array();
  for (const auto& [step, t] : timings) {
    out.push_back({{"step", name_of(plan, step)},
                   {"attempts", t.attempts()},
                   {"queue_wait", part(t.queue_wait)},
                   {"dispatch", part(t.dispatch)},
                   {"run", part(t.run)},
                   {"report", part(t.report)},
                   {"commit", part(t.commit)},
                   {"cpu_s", t.cpu.seconds()},
                   {"calls", t.calls},
                   {"bytes_in", t.bytes_in},
                   {"bytes_out", t.bytes_out}});
  }
  return out;
}

}  // namespace tidemill::cli
