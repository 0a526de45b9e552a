#include "sdk/internal/call.h"

#include <exception>
#include <optional>
#include <utility>

#include "model/limits.h"
#include "os/clock.h"
#include "sdk/internal/json_access.h"

namespace tidemill::sdk {

namespace {

constexpr uint64_t kReportBytesMax = 4 * 1024 * 1024;  // of results in one report

// One index when its handler has returned.
struct Ended {
  std::string json;
  std::optional<TaskError> error;
};

TaskError error_of(Failure failure, const Attempt& attempt) {
  if (attempt.cancelled) return {"cancelled", std::move(failure.message), false};
  return {std::move(failure.kind), std::move(failure.message), failure.retryable};
}

Ended ended(Output&& output, const Attempt& attempt, wire::JsonCheck& check) {
  if (const Failure* failure = output.failure()) return {{}, error_of(*failure, attempt)};
  Json json = *output.result();
  const std::string& text = json.str();
  const bool look = JsonAccess::unchecked(json) || text == "NaN";
  if (const tidemill::Status good = look ? check.check(text) : tidemill::Status(Ok{}); !good.ok()) {
    return {{}, TaskError{"result", "the handler's result: " + good.error().what, false}};
  }
  return {JsonAccess::take(std::move(json)), std::nullopt};
}

// What `f` gives; what it throws as a failure.
template <class T, class F>
std::variant<T, Failure> guarded(F f) {
  try {
    return f();
  } catch (const std::exception& e) {
    return Failure{"exception", e.what()};
  } catch (...) {
    return Failure{"exception", "the handler threw something that is no std::exception"};
  }
}

std::vector<Ended> run_single(const Handler& handler, Attempt& attempt, wire::JsonCheck& check) {
  Context context(attempt);
  auto given = guarded<Output>([&] { return handler(context, attempt.own_input()); });
  std::vector<Ended> all;
  if (auto* failure = std::get_if<Failure>(&given)) {
    all.push_back({{}, error_of(std::move(*failure), attempt)});
  } else {
    all.push_back(ended(std::move(std::get<Output>(given)), attempt, check));
  }
  return all;
}

std::vector<Ended> run_range(const RangeHandler& handler, Attempt& attempt,
                             wire::JsonCheck& check) {
  Context context(attempt);
  const Range range(attempt);
  auto given = guarded<RangeOutput>([&] { return handler(context, range); });
  const uint64_t count = range.count();
  std::vector<Ended> all;
  all.reserve(count);
  if (auto* failure = std::get_if<Failure>(&given)) {
    all.assign(count, {{}, error_of(std::move(*failure), attempt)});
    return all;
  }
  std::vector<Output>& outputs = std::get<RangeOutput>(given).all();
  if (outputs.size() > count) outputs.resize(count);
  for (Output& output : outputs) all.push_back(ended(std::move(output), attempt, check));
  const Failure missing{"result", "the handler returned without an output for this index"};
  while (all.size() < count) all.push_back({{}, error_of(missing, attempt)});
  return all;
}

// ---- reports ----

bool may_join(const Report& report, const Ended& one, uint64_t bytes) {
  if (one.error) return report.kind == Report::Kind::failed && report.error == *one.error;
  return report.kind == Report::Kind::done && one.json.size() <= limits::kInlineMax &&
         report.result.inline_json.empty() && bytes + one.json.size() <= kReportBytesMax;
}

Report report_of(const client::WorkItem& item, uint64_t at, Ended&& one) {
  Report report;
  report.work = item.ref();
  if (report.work.array) report.work = WorkRef::of(report.work.array, item.index + at);
  report.epoch = item.assignment->epoch;
  if (one.error) {
    report.kind = Report::Kind::failed;
    report.error = std::move(*one.error);
  } else if (item.count == 1 || one.json.size() > limits::kInlineMax) {
    report.result.inline_json = std::move(one.json);
  } else {
    report.results.push_back(std::move(one.json));
  }
  return report;
}

// The part of the call's time that falls to [from, to) of `count` indexes.
Trace share_of(const Trace& whole, int64_t from, int64_t to, int64_t count) {
  Trace part = whole;
  const Duration each = (whole.finished - whole.started) / count;
  part.started = whole.started + each * from;
  part.finished = whole.started + each * to;
  part.cpu = whole.cpu / count * (to - from);
  return part;
}

std::vector<Report> reports_of(const client::WorkItem& item, std::vector<Ended>&& all,
                               const Trace& trace) {
  std::vector<Report> reports;
  uint64_t bytes = 0;
  for (uint64_t at = 0; at < all.size(); ++at) {
    const uint64_t size = all[at].json.size();
    if (!reports.empty() && may_join(reports.back(), all[at], bytes)) {
      Report& last = reports.back();
      ++last.work.count;
      if (!all[at].error) last.results.push_back(std::move(all[at].json));
      bytes += size;
      continue;
    }
    reports.push_back(report_of(item, at, std::move(all[at])));
    bytes = size;
  }
  const auto count = static_cast<int64_t>(all.size());
  for (Report& report : reports) {
    const auto from = static_cast<int64_t>(report.work.array ? report.work.first - item.index : 0);
    const auto width = static_cast<int64_t>(report.work.count);
    report.trace = count == 1 ? trace : share_of(trace, from, from + width, count);
  }
  return reports;
}

}  // namespace

std::vector<std::string> Handlers::kinds() const {
  std::vector<std::string> all;
  for (const auto& [kind, handler] : single) all.push_back(kind);
  for (const auto& [kind, handler] : ranges) {
    if (!single.contains(kind)) all.push_back(kind);
  }
  return all;
}

bool Handlers::takes_whole(const Assignment& assignment) const {
  return assignment.work.array && ranges.contains(assignment.kind);
}

std::vector<Report> call(const Handlers& handlers, Attempt& attempt, wire::JsonCheck& check) {
  const Assignment& assignment = attempt.assignment();
  const SteadyTime received = attempt.item.received;
  const Duration cpu = os::thread_cpu();
  Trace trace;
  trace.started = os::steady_now() - received;
  trace.inputs_ready = trace.started;
  const auto single = handlers.single.find(assignment.kind);
  const bool whole = handlers.takes_whole(assignment) || single == handlers.single.end();
  std::vector<Ended> all = whole ? run_range(handlers.ranges.at(assignment.kind), attempt, check)
                                 : run_single(single->second, attempt, check);
  trace.finished = os::steady_now() - received;
  trace.cpu = os::thread_cpu() - cpu;
  trace.calls = 1;
  return reports_of(attempt.item, std::move(all), trace);
}

}  // namespace tidemill::sdk
