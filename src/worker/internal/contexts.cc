#include "worker/internal/contexts.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "playbook/compile.h"
#include "playbook/json.h"

namespace tidemill::worker {

namespace {

using playbook::Map;
using playbook::StepScope;
using playbook::Value;

constexpr size_t kExecutionsKept = 1'024;
constexpr size_t kPlansKept = 256;
constexpr size_t kStepsKept = 64;
constexpr uint64_t kResultBytesKept = 32 * 1024 * 1024;  // as JSON text

std::string key_of(const Sha256& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

std::string key_of(ExecutionId execution, const ResultRef& ref) {
  ByteWriter key;
  key.u64(execution.raw);
  key.u8(static_cast<uint8_t>(ref.place));
  key.u64(ref.task.raw);
  key.u64(ref.array.raw);
  key.raw(key_of(ref.blob));
  return key.take();
}

// The data of a fetched result in the place where its reference was.
void put_fetched(StepScope::Result& result, Value fetched) {
  if (result.output.loop) {
    if (!result.output.data.is_map()) result.output.data = Value(Map());
    Map& map = result.output.data.mutable_map();
    map.set("results", fetched);
    map.set("items", std::move(fetched));
  } else {
    result.output.data = std::move(fetched);
  }
  result.ref = {};
}

void name_results(StepContext& context) {
  for (const StepScope::Result& result : context.scope.results) {
    context.names.set(result.step, playbook::step_view(result.output));
  }
  Map step;
  step.set("name", Value(context.scope.step));
  step.set("epoch", Value(static_cast<int64_t>(context.scope.epoch)));
  context.names.set("step", Value(std::move(step)));
  Map event;
  event.set("name", Value("call.done"));
  context.names.set("event", Value(std::move(event)));
}

std::string first_error(const playbook::Compiled& compiled, const std::string& file) {
  for (const auto& d : compiled.diagnostics) {
    if (d.severity != playbook::Diagnostic::Severity::error) continue;
    return file + ":" + std::to_string(d.at.line) + ":" + std::to_string(d.at.column) + ": " +
           d.text;
  }
  return file + ": no plan";
}

}  // namespace

ExecutionContext::ExecutionContext(wire::ExecutionInfo i, playbook::PlanPtr p, Value w,
                                   const ToolSet* tools)
    : info(std::move(i)),
      plan(std::move(p)),
      workload(std::move(w)),
      workload_names(workload.as_map()),
      names(&workload_names) {
  names.set("workload", workload);
  names.set("execution_id", Value(std::to_string(info.id.raw)));
  if (plan->keychain.empty()) return;
  playbook::Fuel fuel{playbook::kWorkerFuel};
  auto rendered = plan->keychain.render(names, fuel);
  if (!rendered.ok()) {
    keychain_error = plan->file + ":" + std::to_string(rendered.error().at.line) + ":" +
                     std::to_string(rendered.error().at.column) + ": keychain: " +
                     rendered.error().text;
    return;
  }
  Map entries;
  for (const auto& [name, entry] : rendered.value().as_map()) {
    const Value given = tools == nullptr ? Value() : tools->given(name);
    entries.set(name, given.is_undefined() ? entry : given);
  }
  keychain = Value(std::move(entries));
  names.set("keychain", keychain);
  secrets.add_keychain(keychain);
}

StepContext::StepContext(std::shared_ptr<const ExecutionContext> e)
    : execution(std::move(e)), names(&execution->names) {}

void Contexts::step(const Assignment& assignment, OnContext on_context) {
  if (StepContextPtr known = cached_step(assignment)) return on_context(std::move(known));
  execution(
      assignment.step.execution,
      [this, ref = assignment.step, input = assignment.input, on_context = std::move(on_context)](
          Result<std::shared_ptr<const ExecutionContext>> found) mutable {
        if (!found.ok()) return on_context(std::move(found).error());
        auto scope = playbook::decode_scope(input ? std::string_view(*input) : "");
        if (!scope.ok()) return on_context(std::move(scope).error());
        auto context = std::make_shared<StepContext>(std::move(found).value());
        context->scope = std::move(scope).value();
        const auto index = context->execution->plan->find_step(context->scope.step);
        if (!index) {
          return on_context(
              Error{ErrorCode::corrupt, "the playbook has no step '" + context->scope.step + "'"});
        }
        context->step = &context->execution->plan->step(*index);
        build_step(std::move(context), ref, std::move(input), std::move(on_context));
      });
}

StepContextPtr Contexts::cached_step(const Assignment& assignment) const {
  for (const CachedStep& cached : steps_) {
    if (cached.ref != assignment.step) continue;
    const bool same = cached.input == assignment.input ||
                      (cached.input && assignment.input && *cached.input == *assignment.input);
    if (same) return cached.context;
  }
  return nullptr;
}

// Fetches one reference after the other, then names everything.
void Contexts::build_step(std::shared_ptr<StepContext> context, StepRef ref, SharedBytes input,
                          OnContext on_context) {
  for (size_t i = 0; i < context->scope.results.size(); ++i) {
    const ResultRef wanted = context->scope.results[i].ref;
    if (wanted.place == ResultRef::Place::none) continue;
    result(ref.execution, wanted,
           [this, context, i, ref, input, on_context](Result<Value> fetched) mutable {
             if (!fetched.ok()) {
               return on_context(std::move(fetched).error().with(
                   "the result of step '" + context->scope.results[i].step + "'"));
             }
             put_fetched(context->scope.results[i], std::move(fetched).value());
             build_step(std::move(context), ref, std::move(input), std::move(on_context));
           });
    return;
  }
  name_results(*context);
  steps_.push_front({ref, std::move(input), context});
  if (steps_.size() > kStepsKept) steps_.pop_back();
  on_context(StepContextPtr(std::move(context)));
}

void Contexts::execution(ExecutionId id, OnExecution on_execution) {
  if (const auto known = executions_.find(id); known != executions_.end()) {
    return on_execution(known->second);
  }
  auto& waiting = waiting_[id];
  waiting.push_back(std::move(on_execution));
  if (waiting.size() > 1) return;
  exchange_.fetch_execution(id, [this, id](Result<wire::ExecutionInfo> info) {
    if (!info.ok()) return finish_execution(id, std::move(info).error().with("the execution"));
    build_execution(std::move(info).value());
  });
}

void Contexts::build_execution(wire::ExecutionInfo info) {
  const Sha256 hash = info.plan;
  const std::string file = info.file;
  plan(hash, file, [this, info = std::move(info)](Result<playbook::PlanPtr> found) mutable {
    const ExecutionId id = info.id;
    if (!found.ok()) return finish_execution(id, std::move(found).error().with("the playbook"));
    auto workload = playbook::parse_json(info.workload ? std::string_view(*info.workload) : "{}");
    if (!workload.ok() || !workload->is_map()) {
      return finish_execution(id, Error{ErrorCode::corrupt, "the workload is no map"});
    }
    finish_execution(id, std::make_shared<const ExecutionContext>(
                             std::move(info), std::move(found).value(), std::move(*workload),
                             tools_));
  });
}

void Contexts::finish_execution(ExecutionId id,
                                Result<std::shared_ptr<const ExecutionContext>> context) {
  if (context.ok()) {
    executions_.emplace(id, *context);
    execution_order_.push_back(id);
    if (execution_order_.size() > kExecutionsKept) {
      executions_.erase(execution_order_.front());
      execution_order_.pop_front();
    }
  }
  const std::vector<OnExecution> waiting = std::move(waiting_[id]);
  waiting_.erase(id);
  for (const OnExecution& on_execution : waiting) on_execution(context);
}

void Contexts::plan(const Sha256& hash, const std::string& file, OnPlan on_plan) {
  const std::string key = key_of(hash);
  if (const auto known = plans_.find(key); known != plans_.end()) return on_plan(known->second);
  exchange_.fetch_plan(hash,
                       [this, key, file, on_plan = std::move(on_plan)](Result<SharedBytes> text) {
                         if (!text.ok()) return on_plan(std::move(text).error());
                         playbook::Compiled compiled = playbook::compile(**text, file);
                         if (!compiled.plan)
                           return on_plan(Error{ErrorCode::invalid, first_error(compiled, file)});
                         if (plans_.size() >= kPlansKept) plans_.clear();
                         plans_.emplace(key, compiled.plan);
                         on_plan(compiled.plan);
                       });
}

void Contexts::result(ExecutionId execution, const ResultRef& ref, OnValue on_value) {
  if (ref.place == ResultRef::Place::none) return on_value(Value::null());
  std::string key = key_of(execution, ref);
  if (const auto known = results_.find(key); known != results_.end()) {
    return on_value(known->second.value);
  }
  exchange_.fetch_result(
      ref, [this, key = std::move(key), on_value = std::move(on_value)](Result<SharedBytes> text) {
        if (!text.ok()) return on_value(std::move(text).error());
        auto value = playbook::parse_json(**text);
        if (!value.ok()) return on_value(std::move(value).error());
        keep_result(key, {*value, (*text)->size()});
        on_value(std::move(*value));
      });
}

void Contexts::keep_result(const std::string& key, CachedResult result) {
  if (result.size > kResultBytesKept / 4) return;
  const uint64_t size = result.size;
  if (!results_.emplace(key, std::move(result)).second) return;
  result_order_.push_back(key);
  result_bytes_ += size;
  while (result_bytes_ > kResultBytesKept) {
    const auto oldest = results_.find(result_order_.front());
    result_bytes_ -= oldest->second.size;
    results_.erase(oldest);
    result_order_.pop_front();
  }
}

}  // namespace tidemill::worker
