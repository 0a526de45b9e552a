#include "worker/internal/cursor_attempt.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "model/limits.h"
#include "playbook/json.h"
#include "worker/internal/shared_text.h"

namespace tidemill::worker {

namespace {

using playbook::List;
using playbook::Loop;
using playbook::Map;
using playbook::Value;

}  // namespace

void CursorAttempt::run() {
  if (resumes()) return resume();
  claim();
}

// In the next round of the loop: thousands of rows must not nest, and others get their turn.
void CursorAttempt::later(void (CursorAttempt::*what)()) {
  services_.driver.loop.defer([this, what, alive = alive()] {
    if (!alive.expired()) (this->*what)();
  });
}

void CursorAttempt::claim() {
  if (draining_) {
    Report report = counted();
    report.kind = Report::Kind::returned;
    return finish(std::move(report));
  }
  if (++claims_ > limits::kPipelineGuard) {
    return give_up({"guard",
                    fmt::format("{} claims without an end; does the pipeline mark its rows?",
                                limits::kPipelineGuard),
                    false});
  }
  claim_names_.emplace(&context().names);
  claim_names_->set("__frame_max_rows", Value(static_cast<int64_t>(loop().frame_max_rows)));
  driver_ = make_driver(
      {.plan = *context().execution->plan,
       .tools = {&*loop().cursor, 1},
       .is_pipeline = false,
       .input = context().step->input,
       .names = *claim_names_,
       .ctx = context().scope.ctx,
       .iteration = std::nullopt,
       .task_key = task_key(),
       .call_key = task_key()},
      [this](PipelineDriver::Outcome o) { take_claim(std::get<Pipeline::Finished>(o)); });
  driver_->begin();
}

void CursorAttempt::take_claim(const Pipeline::Finished& finished) {
  if (finished.error) return give_up(*finished.error);
  const Value rows = finished.data.get("rows");
  if (!rows.is_list())
    return give_up({"config", "the claim gave no rows; it must return them", false});
  rows_ = rows.as_list();
  at_ = 0;
  if (!rows_.empty()) return later(&CursorAttempt::next_frame);
  Map result;
  result.set("total", Value(static_cast<int64_t>(counts_.total)));
  result.set("done", Value(static_cast<int64_t>(counts_.done)));
  result.set("failed", Value(static_cast<int64_t>(counts_.failed)));
  finish_done(playbook::to_json(result), counted());
}

void CursorAttempt::next_frame() {
  if (at_ >= rows_.size()) return claim();
  driver_ = frame_driver();
  driver_->begin();
}

// A row, or a list of them.
Value CursorAttempt::frame() const {
  if (loop().frame_process == Loop::Process::row) return rows_[at_];
  const size_t n = std::min<size_t>(std::max(loop().frame_max_rows, 1U), rows_.size() - at_);
  const auto first = rows_.begin() + static_cast<std::ptrdiff_t>(at_);
  return List(first, first + static_cast<std::ptrdiff_t>(n));
}

std::unique_ptr<PipelineDriver> CursorAttempt::frame_driver() {
  Value item = frame();
  // Children are keyed by what is worked on: a later attempt claims in another order.
  std::string call_key = fmt::format("{}/{:016x}", task_key(), hash64(playbook::to_json(item)));
  const uint64_t seen = counts_.total;
  return make_driver(
      {.plan = *context().execution->plan,
       .tools = context().step->tools,
       .is_pipeline = context().step->is_pipeline,
       .input = context().step->input,
       .names = context().names,
       .ctx = context().scope.ctx,
       .iteration = Iteration{loop().iterator, std::move(item), seen, seen + rows_.size() - at_},
       .task_key = task_key(),
       .call_key = std::move(call_key)},
      [this](PipelineDriver::Outcome o) { take_frame(std::move(o)); });
}

void CursorAttempt::take_frame(PipelineDriver::Outcome outcome) {
  if (auto* child = std::get_if<PipelineDriver::Suspend>(&outcome)) {
    std::string state = save(child->state);
    return suspend(std::move(*child), std::move(state),
                   [this](TaskError why) { driver_->fail_suspended(std::move(why)); });
  }
  const auto& finished = std::get<Pipeline::Finished>(outcome);
  const bool stopping = finished.error && (finished.error->kind == "cancelled");
  count(finished.error.has_value());
  if (!finished.error) {
    const auto& writes = driver_->pipeline().ctx_writes();
    ctx_writes_.insert(ctx_writes_.end(), writes.begin(), writes.end());
    return later(&CursorAttempt::next_frame);
  }
  const bool goes_on = loop().on_failure == Loop::OnFailure::proceed && !stopping &&
                       counts_.failed <= loop().max_failed.value_or(UINT64_MAX);
  if (!goes_on) return give_up(*finished.error);
  later(&CursorAttempt::next_frame);
}

void CursorAttempt::count(bool failed) {
  const Value item = frame();
  const uint64_t n = loop().frame_process == Loop::Process::row ? 1 : item.as_list().size();
  counts_.total += n;
  (failed ? counts_.failed : counts_.done) += n;
  at_ += n;
}

void CursorAttempt::give_up(TaskError error) { finish_failed(std::move(error), counted()); }

Report CursorAttempt::counted() const {
  Report report;
  report.routing = shared(playbook::encode_cursor_counts(counts_));
  if (!ctx_writes_.empty()) report.ctx_writes = shared(playbook::encode_ctx_writes(ctx_writes_));
  return report;
}

void CursorAttempt::stop_running(TaskError why) {
  if (driver_) return driver_->stop(why);
  finish_failed(std::move(why));
}

// ---- across a suspension ----

std::string CursorAttempt::save(std::string pipeline) const {
  Map map;
  map.set("rows", Value(rows_));
  map.set("at", Value(static_cast<int64_t>(at_)));
  map.set("counts", Value(playbook::encode_cursor_counts(counts_)));
  map.set("writes", Value(playbook::encode_ctx_writes(ctx_writes_)));
  map.set("pipeline", Value(std::move(pipeline)));
  return playbook::to_json(map);
}

void CursorAttempt::resume() {
  const TaskError corrupt{"input", "the state of a suspended claimer makes no sense", false};
  auto state = playbook::parse_json(*assignment().resumed_with);
  if (!state.ok()) return finish_failed(corrupt);
  const Value rows = state->get("rows");
  const Value at = state->get("at");
  const Value counts = state->get("counts");
  const Value writes = state->get("writes");
  const Value pipeline = state->get("pipeline");
  const bool sound = rows.is_list() && at.is_integer() && counts.is_string() &&
                     writes.is_string() && pipeline.is_string() &&
                     static_cast<size_t>(at.as_integer()) < rows.as_list().size();
  if (!sound) return finish_failed(corrupt);
  auto known_counts = playbook::decode_cursor_counts(counts.as_string());
  auto known_writes = playbook::decode_ctx_writes(writes.as_string());
  if (!known_counts.ok() || !known_writes.ok()) return finish_failed(corrupt);
  rows_ = rows.as_list();
  at_ = static_cast<size_t>(at.as_integer());
  counts_ = *known_counts;
  ctx_writes_ = std::move(*known_writes);
  driver_ = frame_driver();
  fetch_child([this, pipeline](ToolResult result) {
    const Status resumed = driver_->resume(pipeline.as_string(), std::move(result));
    if (!resumed.ok()) finish_failed({"input", resumed.error().what, false});
  });
}

}  // namespace tidemill::worker
