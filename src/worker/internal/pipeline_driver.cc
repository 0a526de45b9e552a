#include "worker/internal/pipeline_driver.h"

#include <utility>

#include "base/assert.h"
#include "model/limits.h"

namespace tidemill::worker {

using playbook::ToolKind;

namespace {

constexpr size_t kLogNotesMax = 1024;  // of an attempt's log: what stands before its tail

// A server may send back what it was sent. Text that is no address is a token.
Secrets secrets_of_http(const playbook::Value& auth) {
  Secrets secrets;
  const bool token = auth.is_string() && auth.as_string().find("://") == std::string::npos;
  if (token || auth.is_map()) {
    secrets.add_keychain(auth);
  } else {
    secrets.add_connection(auth);
  }
  return secrets;
}

}  // namespace

// Callbacks of tools, slots and timers hold it weakly, so they come to nothing when the driver is
// gone.
struct PipelineDriver::State : std::enable_shared_from_this<State> {
  State(DriverServices s, StepContextPtr c, PipelineInput i, Usage& u, std::function<void()> b,
        OnOutcome o)
      : services(s),
        context(std::move(c)),
        task_key(i.task_key),
        pipeline(std::move(i)),
        usage(u),
        on_begun(std::move(b)),
        on_outcome(std::move(o)) {}

  void advance(Pipeline::Next next);
  std::optional<Pipeline::Next> perform(Pipeline::Call call);
  void suspend(Pipeline::Call call);
  bool wait_for_slot(Pipeline::Call& call);
  std::optional<Pipeline::Next> start_tool(Pipeline::Call call);
  void tool_done(ToolResult result);
  void account(ToolResult& result);
  void give_slot_back();
  void end(Outcome outcome);
  void let_go();

  DriverServices services;
  StepContextPtr context;
  std::string task_key;
  Pipeline pipeline;
  Usage& usage;
  std::function<void()> on_begun;
  OnOutcome on_outcome;

  CallId running = 0;  // of the tool that runs
  Secrets sent;        // what its request carries
  ToolRunner* runner = nullptr;
  os::EventLoop::TimerId delay = 0;
  Slots::Ticket ticket = 0;  // in line for a slot
  bool has_slot = false;
  bool starting = false;              // inside ToolRunner::start()
  std::optional<ToolResult> at_once;  // what came from within it
  std::optional<TaskError> stopped;
  bool suspended = false;
  bool over = false;
};

PipelineDriver::PipelineDriver(DriverServices services, StepContextPtr context, PipelineInput input,
                               Usage& usage, std::function<void()> on_begun, OnOutcome on_outcome)
    : state_(std::make_shared<State>(services, std::move(context), std::move(input), usage,
                                     std::move(on_begun), std::move(on_outcome))) {}

PipelineDriver::~PipelineDriver() {
  if (state_->over) return;
  state_->over = true;
  state_->let_go();
}

void PipelineDriver::begin() { state_->advance(state_->pipeline.begin()); }

Status PipelineDriver::resume(std::string_view state, ToolResult result) {
  TIDEMILL_CHECK(state_->pipeline.restore(state));
  if (!std::exchange(state_->usage.begun, true)) state_->on_begun();
  state_->account(result);
  state_->advance(state_->pipeline.call_done(std::move(result)));
  return Ok{};
}

void PipelineDriver::fail_suspended(TaskError error) {
  TIDEMILL_ASSERT(state_->suspended);
  state_->suspended = false;
  ToolResult result;
  result.error = std::move(error);
  state_->advance(state_->pipeline.call_done(std::move(result)));
}

void PipelineDriver::stop(TaskError why) {
  const std::shared_ptr<State> state = state_;
  if (state->stopped || state->over) return;
  state->stopped = std::move(why);
  if (state->running != 0) {
    state->runner->cancel(state->running);  // its on_done ends the pipeline
    return;
  }
  state->let_go();
  state->end(Pipeline::Finished{.error = state->stopped, .data = {}, .http_status = {}});
}

const Pipeline& PipelineDriver::pipeline() const { return state_->pipeline; }

// Calls that are done at once do not nest: a pipeline of many of them must not use up the stack.
void PipelineDriver::State::advance(Pipeline::Next next) {
  const auto self = shared_from_this();
  while (true) {
    if (stopped) return end(Pipeline::Finished{.error = stopped, .data = {}, .http_status = {}});
    if (auto* finished = std::get_if<Pipeline::Finished>(&next)) return end(std::move(*finished));
    if (const auto* wait = std::get_if<Pipeline::Wait>(&next)) {
      delay = services.loop.after(wait->delay, [weak = weak_from_this()] {
        if (const auto state = weak.lock(); state && !state->over) {
          state->delay = 0;
          state->advance(state->pipeline.wait_over());
        }
      });
      return;
    }
    auto again = perform(std::move(std::get<Pipeline::Call>(next)));
    if (!again) return;
    next = std::move(*again);
  }
}

// What comes next when the call was done at once.
std::optional<Pipeline::Next> PipelineDriver::State::perform(Pipeline::Call call) {
  if (call.tool->kind == ToolKind::playbook) {
    suspend(std::move(call));
    return std::nullopt;
  }
  if (runs_code(call.tool->kind) && wait_for_slot(call)) return std::nullopt;
  return start_tool(std::move(call));
}

void PipelineDriver::State::suspend(Pipeline::Call call) {
  suspended = true;
  ++usage.calls;
  if (!std::exchange(usage.begun, true)) on_begun();
  Suspend out{std::move(call.config), std::move(call.input), std::move(call.key),
              call.tool->timeout.value_or(Duration{}), pipeline.save()};
  const OnOutcome tell = on_outcome;
  tell(std::move(out));  // may destroy the driver
}

// True when the call is in line and goes on later.
bool PipelineDriver::State::wait_for_slot(Pipeline::Call& call) {
  if (services.slots.free() > 0 && services.slots.waiting() == 0) {
    services.slots.acquire([] {});
    has_slot = true;
    return false;
  }
  auto kept = std::make_shared<Pipeline::Call>(std::move(call));
  ticket = services.slots.acquire([weak = weak_from_this(), kept] {
    const auto state = weak.lock();
    TIDEMILL_ASSERT(state != nullptr);  // it withdraws before it goes
    state->ticket = 0;
    state->has_slot = true;
    if (auto next = state->start_tool(std::move(*kept))) state->advance(std::move(*next));
  });
  return true;
}

std::optional<Pipeline::Next> PipelineDriver::State::start_tool(Pipeline::Call call) {
  const auto self = shared_from_this();
  if (!std::exchange(usage.begun, true)) on_begun();
  ++usage.calls;
  ToolResult refused;
  playbook::Value auth;
  runner = services.tools.find(call.tool->kind);
  if (runner == nullptr) {
    refused.error = TaskError{
        "config",
        "this worker has no tool of kind " + std::string(playbook::tool_kind_name(call.tool->kind)),
        false};
  } else if (!call.auth.empty()) {
    auto found = services.tools.connection(call.auth, context->execution->keychain);
    if (found.ok()) auth = std::move(*found);
    if (!found.ok()) refused.error = TaskError{"config", found.error().what, false};
  }
  if (refused.error) {
    give_slot_back();
    return pipeline.call_done(std::move(refused));
  }
  sent = call.tool->kind == ToolKind::http ? secrets_of_http(auth) : Secrets();
  running = ++services.last_call;
  const ToolCall request{.id = running,
                         .tool = *call.tool,
                         .config = std::move(call.config),
                         .input = std::move(call.input),
                         .scope = *call.scope,
                         .auth = std::move(auth),
                         .task_key = task_key,
                         .timeout = call.tool->timeout,
                         .noetl = context->execution->plan->api == playbook::ApiVersion::noetl_v2};
  starting = true;
  runner->start(request, [weak = weak_from_this(), id = running](ToolResult result) {
    const auto state = weak.lock();
    if (!state || state->over || state->running != id) return;
    if (state->starting) {
      state->at_once = std::move(result);
    } else {
      state->tool_done(std::move(result));
    }
  });
  starting = false;
  if (!at_once) return std::nullopt;
  ToolResult result = std::move(*at_once);
  at_once.reset();
  running = 0;
  account(result);
  give_slot_back();
  return pipeline.call_done(std::move(result));
}

void PipelineDriver::State::tool_done(ToolResult result) {
  const auto self = shared_from_this();
  running = 0;
  account(result);
  give_slot_back();
  if (!over) advance(pipeline.call_done(std::move(result)));
}

// Counts a result, and takes credentials out of it: from here on it may be kept.
void PipelineDriver::State::account(ToolResult& result) {
  const Secrets& secrets = context->execution->secrets;
  if (!secrets.empty()) {
    result.data = secrets.hidden(result.data);
    if (result.error) secrets.hide(result.error->message);
  }
  if (!sent.empty()) {
    result.data = sent.hidden(result.data);
    if (result.error) sent.hide(result.error->message);
  }
  if (result.error) services.tools.secrets().hide(result.error->message);
  usage.cpu = usage.cpu + result.cpu;
  usage.bytes_in += result.bytes_in;
  usage.bytes_out += result.bytes_out;
  if (result.log.empty()) return;
  if (!usage.log) usage.log.emplace(limits::kLogMax - kLogNotesMax);
  usage.log->skip(result.log_dropped);
  usage.log->add(result.log);
  // The marker of the log itself needs room, too.
  if (usage.log_note.size() + result.log_note.size() <= kLogNotesMax / 2) {
    usage.log_note += result.log_note;
  }
}

void PipelineDriver::State::give_slot_back() {
  if (std::exchange(has_slot, false)) services.slots.release();
}

void PipelineDriver::State::end(Outcome outcome) {
  if (over) return;
  over = true;
  const OnOutcome tell = std::move(on_outcome);
  tell(std::move(outcome));  // may destroy the driver
}

void PipelineDriver::State::let_go() {
  if (delay != 0) services.loop.cancel(delay);
  if (ticket != 0) services.slots.withdraw(ticket);
  delay = 0;
  ticket = 0;
  const CallId call = std::exchange(running, 0);
  if (call != 0) runner->cancel(call);
  give_slot_back();
}

}  // namespace tidemill::worker
