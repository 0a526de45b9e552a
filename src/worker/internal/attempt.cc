#include "worker/internal/attempt.h"

#include <fmt/format.h>

#include <utility>

#include "model/limits.h"
#include "os/clock.h"
#include "playbook/json.h"
#include "worker/internal/tail_text.h"

namespace tidemill::worker {

namespace {

using playbook::Value;

// What failed on the way to the inputs, as the task's error. What may be otherwise later is tried
// again.
TaskError input_error(const Error& error) {
  const bool transient = error.code == ErrorCode::unavailable || error.code == ErrorCode::io ||
                         error.code == ErrorCode::timeout;
  return {"input", error.what, transient};
}

}  // namespace

Attempt::Attempt(AttemptServices services, WorkItem item, OnReport on_report)
    : services_(services), item_(std::move(item)), on_report_(std::move(on_report)) {}

Attempt::~Attempt() {
  if (timer_ != 0) services_.driver.loop.cancel(timer_);
}

void Attempt::begin() {
  if (const Duration limit = assignment().attempt_timeout; limit.ns > 0) {
    timer_ = services_.driver.loop.after(limit, [this, limit] {
      timer_ = 0;
      stop(
          {"timeout", fmt::format("the attempt was not done after {:g} s", limit.seconds()), true});
    });
  }
  prepare();
}

void Attempt::prepare() {
  services_.contexts.step(assignment(), [this, alive = alive()](Result<StepContextPtr> found) {
    if (!alive.expired()) take_context(std::move(found));
  });
}

void Attempt::take_context(Result<StepContextPtr> found) {
  if (!on_report_) return;
  if (!found.ok()) return finish_failed(input_error(found.error()));
  context_ = std::move(*found);
  if (const std::string& error = context_->execution->keychain_error; !error.empty()) {
    return finish_failed({"template", error, false});
  }
  enter();
}

void Attempt::enter() {
  inputs_ready_ = os::steady_now() - item_.received;
  entered_ = true;
  run();
}

void Attempt::note_begun() {
  if (!std::exchange(usage_.begun, true)) started_ = os::steady_now() - item_.received;
}

void Attempt::stop(TaskError why) {
  if (stopped_ || !on_report_) return;
  stopped_ = std::move(why);
  if (entered_) {
    stop_running(*stopped_);
  } else {
    finish_failed(*stopped_);
  }
}

std::unique_ptr<PipelineDriver> Attempt::make_driver(PipelineInput input,
                                                     PipelineDriver::OnOutcome on_outcome) {
  return std::make_unique<PipelineDriver>(
      services_.driver, context_, std::move(input), usage_,
      [this] { started_ = os::steady_now() - item_.received; }, std::move(on_outcome));
}

std::string Attempt::task_key() const {
  const StepRef& step = assignment().step;
  return fmt::format("{}/{}/{}/{}", step.execution.raw, context().scope.step, step.epoch,
                     item_.index);
}

void Attempt::finish_done(std::string result_json, Report report) {
  report.kind = Report::Kind::done;
  if (result_json.size() <= limits::kInlineMax) {
    report.result.inline_json = std::move(result_json);
    return finish(std::move(report));
  }
  // The bytes are durable before the report that names them leaves.
  auto bytes = std::make_shared<const std::string>(std::move(result_json));
  auto kept = std::make_shared<Report>(std::move(report));
  services_.exchange.put_blob(bytes, [this, kept, alive = alive()](Result<ResultRef> ref) {
    if (alive.expired() || !on_report_) return;
    if (!ref.ok()) return finish_failed(input_error(ref.error()));
    kept->result.blob = *ref;
    finish(std::move(*kept));
  });
}

void Attempt::finish_failed(TaskError error, Report report) {
  report.kind = Report::Kind::failed;
  report.error = std::move(error);
  finish(std::move(report));
}

void Attempt::finish(Report report) {
  finished_ = os::steady_now() - item_.received;
  report.work = item_.ref();
  report.epoch = assignment().epoch;
  if (usage_.log) report.log = usage_.log_note + usage_.log->take();
  hide_secrets(report.error.message);
  hide_secrets(report.log);
  report.error.message = keep_ends(std::move(report.error.message), limits::kErrorTextMax);
  report.trace = trace();
  const OnReport tell = std::exchange(on_report_, nullptr);
  tell(std::move(report));  // may destroy this
}

// Not even in the text of somebody else's error.
void Attempt::hide_secrets(std::string& text) const {
  services_.driver.tools.secrets().hide(text);
  if (context_) context_->execution->secrets.hide(text);
}

Trace Attempt::trace() const {
  Trace trace;
  trace.inputs_ready = inputs_ready_;
  trace.started = usage_.begun ? started_ : inputs_ready_;
  trace.finished = finished_;
  trace.cpu = usage_.cpu;
  trace.bytes_in = usage_.bytes_in;
  trace.bytes_out = usage_.bytes_out;
  trace.calls = usage_.calls;
  return trace;
}

void Attempt::suspend(PipelineDriver::Suspend child, std::string state,
                      std::function<void(TaskError)> on_failure) {
  const Value path = child.config.get("path");
  if (!path.is_string() || path.as_string().empty()) {
    return on_failure({"config", "a playbook tool needs `path`, a text", false});
  }
  // What a child is given is its workload, a row.
  if (context().execution->secrets.in(child.input)) {
    return on_failure({"config",
                       "the input of a child playbook would hold a value of the keychain, and "
                       "inputs are stored: give the child a keychain of its own",
                       false});
  }
  auto kept = std::make_shared<Report>();
  kept->kind = Report::Kind::suspended;
  kept->resume_with = std::make_shared<const std::string>(std::move(state));
  kept->child.key = std::move(child.key);
  kept->child.input = std::make_shared<const std::string>(playbook::to_json(child.input));
  const Value step = child.config.get("return_step");
  if (step.is_string()) kept->child.return_step = step.as_string();
  kept->child.timeout = child.timeout;
  services_.children.find(path.as_string(), context().execution->info.file,
                          [this, kept, on_failure = std::move(on_failure),
                           alive = alive()](Result<ChildPlaybooks::Found> found) {
                            if (alive.expired() || !on_report_) return;
                            if (!found.ok())
                              return on_failure({"playbook", found.error().what, false});
                            kept->child.path = std::move(found->file);
                            kept->child.plan = found->hash;
                            finish(std::move(*kept));
                          });
}

void Attempt::fetch_child(std::function<void(ToolResult)> on_result) {
  const ChildResult& child = *assignment().child;
  ToolResult result;
  if (child.failed) {
    result.error = child.error;
    return on_result(std::move(result));
  }
  services_.contexts.result(
      assignment().step.execution, child.result,
      [this, on_result = std::move(on_result), alive = alive()](Result<Value> data) {
        if (alive.expired() || !on_report_) return;
        if (!data.ok()) return finish_failed(input_error(data.error()));
        ToolResult fetched;
        fetched.data = std::move(*data);
        on_result(std::move(fetched));
      });
}

}  // namespace tidemill::worker
