#include "worker/internal/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "model/limits.h"
#include "playbook/json.h"

namespace tidemill::worker {

namespace {

using playbook::Fuel;
using playbook::InputTree;
using playbook::Map;
using playbook::PolicyRule;
using playbook::StepOutput;
using playbook::Tool;
using playbook::ToolKind;
using playbook::Value;

Value number(uint64_t n) { return Value(static_cast<int64_t>(n)); }

// The statements of the SQL tools bind their values, so the tool renders them itself.
bool rendered_by_tool(ToolKind kind, std::string_view key) {
  if (kind != ToolKind::postgres && kind != ToolKind::sqlite) return false;
  return key == "query" || key == "command" || key == "commands";
}

// The tool's own input over that of the step.
Value merged(const Value& below, const Value& above) {
  if (above.as_map().empty()) return below;
  if (below.as_map().empty()) return above;
  Map map = below.as_map();
  for (const auto& [name, value] : above.as_map()) map.set(name, value);
  return map;
}

}  // namespace

Pipeline::Pipeline(PipelineInput input)
    : in_(std::move(input)), results_(&in_.names), visits_(in_.tools.size(), 0) {
  TIDEMILL_ASSERT(!in_.tools.empty());
  if (in_.iteration && !in_.iteration->iterator.empty()) {
    iter_.mutable_map().set(in_.iteration->iterator, in_.iteration->item);
  }
}

Pipeline::Next Pipeline::begin() {
  if (auto error = render_input()) return failed(std::move(*error));
  return enter(0);
}

std::optional<TaskError> Pipeline::render_input() {
  name_near(results_);
  if (in_.input.empty()) return std::nullopt;
  Fuel fuel{playbook::kWorkerFuel};
  auto rendered = in_.input.render(*near_, fuel);
  if (!rendered.ok()) return template_error(rendered.error(), in_.plan.file);
  if (rendered.value().is_map()) input_ = std::move(rendered.value());
  input_names_.emplace(input_.as_map(), &results_);
  name_near(*input_names_);
  return std::nullopt;
}

void Pipeline::name_near(const playbook::Scope& outer) {
  near_.emplace(&outer);
  near_->set("ctx", in_.ctx);
  near_->set("iter", iter_);
  near_->set("task_key", Value(in_.task_key));
  if (!in_.iteration) return;
  const Iteration& it = *in_.iteration;
  if (!it.iterator.empty()) near_->set(it.iterator, it.item);
  near_->set("loop_index", number(it.index));
  near_->set("_index", number(it.index));
  near_->set("loop_total", number(it.total));
  near_->set("_total", number(it.total));
}

Pipeline::Next Pipeline::enter(size_t tool) {
  at_ = tool;
  attempt_ = 1;
  ++visits_[tool];
  return call();
}

Pipeline::Next Pipeline::call() {
  if (++calls_ > limits::kPipelineGuard) {
    return failed({"guard",
                   fmt::format("the pipeline made {} tool calls without coming to its end",
                               limits::kPipelineGuard),
                   false});
  }
  near_->set("_attempt", number(attempt_));
  const Tool& named = in_.tools[at_];
  Call out{.tool = &named};
  if (named.kind == ToolKind::workbook) {
    TaskError error;
    out.tool = resolve_workbook(named, error);
    if (out.tool == nullptr) return failed(std::move(error));
  }
  if (auto error = render_call(out)) return failed(std::move(*error));
  called_ = out.tool;
  if (out.tool->kind == ToolKind::playbook)
    out.key = fmt::format("{}/{}/{}/{}", in_.call_key, named.name, visits_[at_], attempt_);
  return out;
}

const Tool* Pipeline::resolve_workbook(const Tool& reference, TaskError& error) const {
  const InputTree* const name = reference.config.field("name");
  Fuel fuel{playbook::kWorkerFuel};
  const auto text = name == nullptr ? playbook::Evaluated<Value>(Value(reference.name))
                                    : name->render(*near_, fuel);
  if (!text.ok()) {
    error = template_error(text.error(), in_.plan.file);
    return nullptr;
  }
  const std::string wanted = playbook::render_text(text.value());
  std::vector<std::string> names;
  for (const Tool& tool : in_.plan.workbook) {
    if (tool.name == wanted) return &tool;
    names.push_back(tool.name);
  }
  const std::string near = playbook::nearest(wanted, names);
  error = {"config",
           fmt::format("{}:{}:{}: the workbook has no tool '{}'{}", in_.plan.file,
                       reference.at.line, reference.at.column, wanted,
                       near.empty() ? "" : "; did you mean '" + near + "'?"),
           false};
  return nullptr;
}

// Inputs first, for the rest may name them; of a workbook tool, the caller's inputs over its own.
std::optional<TaskError> Pipeline::render_call(Call& out) {
  tool_input_ = input_;
  tool_names_.reset();
  const Tool& named = in_.tools[at_];
  if (out.tool != &named) {
    if (auto error = add_input(out.tool->input)) return error;
  }
  if (auto error = add_input(named.input)) return error;
  const playbook::Scope* const scope = tool_names_ ? &*tool_names_ : &*near_;
  out.input = tool_input_;
  out.scope = scope;
  Map config;
  if (const auto* fields = std::get_if<InputTree::Fields>(&out.tool->config.node)) {
    config.reserve(fields->size());
    for (const auto& [key, tree] : *fields) {
      if (rendered_by_tool(out.tool->kind, key)) continue;
      Fuel fuel{playbook::kWorkerFuel};
      auto value = tree.render(*scope, fuel);
      if (!value.ok()) return template_error(value.error(), in_.plan.file);
      config.append_distinct(key, std::move(value.value()));
    }
  }
  out.config = Value(std::move(config));
  if (!out.tool->auth) return std::nullopt;
  Fuel fuel{playbook::kWorkerFuel};
  const auto auth = out.tool->auth->evaluate(*scope, fuel);
  if (!auth.ok()) return template_error(auth.error(), in_.plan.file);
  out.auth = playbook::render_text(auth.value());
  return std::nullopt;
}

std::optional<TaskError> Pipeline::add_input(const InputTree& input) {
  if (input.empty()) return std::nullopt;
  Fuel fuel{playbook::kWorkerFuel};
  auto rendered = input.render(*near_, fuel);
  if (!rendered.ok()) return template_error(rendered.error(), in_.plan.file);
  if (rendered.value().is_map()) tool_input_ = merged(tool_input_, rendered.value());
  tool_names_.emplace(tool_input_.as_map(), &*near_);
  return std::nullopt;
}

Pipeline::Next Pipeline::call_done(ToolResult result) {
  failure_ = std::move(result.error);
  result.error.reset();
  remember(result);
  const Tool& named = in_.tools[at_];
  const bool last = at_ + 1 == in_.tools.size();
  if (named.rules.empty() && last) {
    if (failure_) return failed(placed(*failure_));
    return succeeded();
  }
  show_output();
  return follow(decide(named, *near_, failure_, attempt_, in_.plan.file));
}

void Pipeline::remember(const ToolResult& result) {
  StepOutput output;
  output.status = failure_ ? StepOutput::Status::error : StepOutput::Status::ok;
  if (!result.data.is_undefined()) output.data = result.data;
  if (failure_) output.error = playbook::error_value(*failure_);
  if (result.http_status) output.http_status = *result.http_status;
  std::erase_if(outputs_, [this](const ToolOutput& o) { return o.tool == at_; });
  outputs_.push_back({at_, std::move(output)});
}

// `output` and, in a pipeline, the tool's name.
void Pipeline::show_output() {
  const size_t tool = outputs_.back().tool;
  near_->set_later("output", [this, tool] { return playbook::output_view(output_of(tool)); });
  if (!in_.is_pipeline) return;
  results_.set_later(in_.tools[tool].name,
                     [this, tool] { return playbook::step_view(output_of(tool)); });
}

const StepOutput& Pipeline::output_of(size_t tool) const {
  const auto found = std::find_if(outputs_.begin(), outputs_.end(),
                                  [tool](const ToolOutput& o) { return o.tool == tool; });
  TIDEMILL_ASSERT(found != outputs_.end());
  return found->output;
}

void Pipeline::write(PolicyWrite write) {
  if (write.target == playbook::SetItem::Target::iter) {
    playbook::put_at(iter_, write.path, std::move(write.value));
    near_->set("iter", iter_);
    return;
  }
  playbook::put_at(in_.ctx, write.path, write.value);
  near_->set("ctx", in_.ctx);
  ctx_writes_.push_back({std::move(write.path), std::move(write.value)});
}

Pipeline::Next Pipeline::follow(Decision decision) {
  for (PolicyWrite& w : decision.writes) write(std::move(w));
  switch (decision.action) {
    case PolicyRule::Do::fail:
      if (failure_ && decision.error == *failure_) return failed(placed(*failure_));
      return failed(std::move(decision.error));
    case PolicyRule::Do::stop:
      return succeeded();
    case PolicyRule::Do::jump:
      TIDEMILL_ASSERT(decision.jump_index < in_.tools.size());
      return enter(decision.jump_index);
    case PolicyRule::Do::retry:
      ++attempt_;
      return Wait{decision.delay};
    case PolicyRule::Do::proceed:
      break;
  }
  if (at_ + 1 == in_.tools.size()) return succeeded();
  return enter(at_ + 1);
}

Pipeline::Finished Pipeline::failed(TaskError error) {
  Finished out;
  out.error = std::move(error);
  if (!outputs_.empty()) {
    out.data = outputs_.back().output.data;
    if (const auto http = outputs_.back().output.http_status)
      out.http_status = static_cast<int>(*http);
  }
  return out;
}

// What a tool said, with the place of that tool: a policy sees it without.
TaskError Pipeline::placed(TaskError error) const {
  const Tool& tool = called_ != nullptr ? *called_ : in_.tools[at_];
  error.message = fmt::format("{}:{}:{}: {}", in_.plan.file, tool.at.line, tool.at.column,
                              error.message);
  return error;
}

// A single tool: its data. A pipeline: the data of the tool that ran last and, under its name, that
// of each one; the last one's own keys hide names. Data that is no map is under `result`.
Pipeline::Finished Pipeline::succeeded() const {
  const StepOutput& last = outputs_.back().output;
  Finished out;
  if (last.http_status) out.http_status = static_cast<int>(*last.http_status);
  if (!in_.is_pipeline) {
    out.data = last.data;
    return out;
  }
  Map map;
  if (last.data.is_map()) {
    map = last.data.as_map();
  } else {
    map.set("result", last.data);
  }
  for (size_t i = 0; i < in_.tools.size(); ++i) {
    const auto ran = std::find_if(outputs_.begin(), outputs_.end(),
                                  [i](const ToolOutput& o) { return o.tool == i; });
    const std::string& name = in_.tools[i].name;
    if (ran != outputs_.end() && map.find(name) == nullptr) map.set(name, ran->output.data);
  }
  out.data = Value(std::move(map));
  return out;
}

// ---- across a suspension ----

namespace {

Value saved_output(size_t tool, const StepOutput& output) {
  Map map;
  map.set("tool", number(tool));
  map.set("failed", Value(output.status == StepOutput::Status::error));
  map.set("data", output.data);
  map.set("error", output.error);
  if (output.http_status) map.set("http", Value(*output.http_status));
  return map;
}

}  // namespace

std::string Pipeline::save() const {
  Map map;
  map.set("at", number(at_));
  map.set("attempt", number(attempt_));
  map.set("calls", number(calls_));
  playbook::List visits;
  for (const uint32_t n : visits_) visits.push_back(number(n));
  map.set("visits", Value(std::move(visits)));
  playbook::List outputs;
  for (const ToolOutput& o : outputs_) outputs.push_back(saved_output(o.tool, o.output));
  map.set("outputs", Value(std::move(outputs)));
  map.set("iter", iter_);
  map.set("writes", Value(playbook::encode_ctx_writes(ctx_writes_)));
  return playbook::to_json(map);
}

Status Pipeline::restore(std::string_view saved) {
  const Error corrupt{ErrorCode::corrupt, "the state of a suspended pipeline makes no sense"};
  TIDEMILL_TRY(const Value map, playbook::parse_json(saved));
  const Value at = map.get("at");
  const Value visits = map.get("visits");
  const Value outputs = map.get("outputs");
  const Value writes = map.get("writes");
  const bool sound = at.is_integer() && static_cast<size_t>(at.as_integer()) < visits_.size() &&
                     visits.is_list() && visits.as_list().size() == visits_.size() &&
                     outputs.is_list() && writes.is_string() && map.get("iter").is_map() &&
                     map.get("attempt").is_integer() && map.get("calls").is_integer();
  if (!sound) return corrupt;
  if (auto error = render_input()) return Error{ErrorCode::invalid, error->message};
  TIDEMILL_TRY(ctx_writes_, playbook::decode_ctx_writes(writes.as_string()));
  playbook::apply(in_.ctx, ctx_writes_);
  iter_ = map.get("iter");
  near_->set("ctx", in_.ctx);
  near_->set("iter", iter_);
  for (const Value& one : outputs.as_list()) {
    const Value tool = one.get("tool");
    if (!tool.is_integer() || static_cast<size_t>(tool.as_integer()) >= visits_.size())
      return corrupt;
    StepOutput output;
    const Value failed = one.get("failed");
    if (failed.kind() == Value::Kind::boolean && failed.as_bool()) {
      output.status = StepOutput::Status::error;
    }
    output.data = one.get("data");
    output.error = one.get("error");
    if (one.get("http").is_integer()) output.http_status = one.get("http").as_integer();
    outputs_.push_back({static_cast<size_t>(tool.as_integer()), std::move(output)});
    show_output();
  }
  at_ = static_cast<size_t>(at.as_integer());
  attempt_ = static_cast<uint32_t>(map.get("attempt").as_integer());
  calls_ = static_cast<uint64_t>(map.get("calls").as_integer());
  for (size_t i = 0; i < visits_.size(); ++i) {
    const Value& n = visits.as_list()[i];
    if (!n.is_integer()) return corrupt;
    visits_[i] = static_cast<uint32_t>(n.as_integer());
  }
  near_->set("_attempt", number(attempt_));
  return Ok{};
}

}  // namespace tidemill::worker
