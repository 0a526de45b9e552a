#include "worker/internal/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "model/limits.h"

namespace tidemill::worker {

namespace {

using playbook::Backoff;
using playbook::Fuel;
using playbook::PolicyRule;

Decision fail(TaskError error) {
  Decision decision;
  decision.action = PolicyRule::Do::fail;
  decision.error = std::move(error);
  return decision;
}

std::string place_of(const PolicyRule& rule, const std::string& file) {
  return fmt::format("{}:{}:{}", file, rule.at.line, rule.at.column);
}

// Before try number attempt + 1.
Duration delay_of(const PolicyRule& rule, uint32_t attempt) {
  constexpr uint32_t kDoublingsMax = 30;
  Duration delay = rule.delay;
  if (rule.backoff == Backoff::linear) delay = delay * attempt;
  if (rule.backoff == Backoff::exponential) {
    delay = delay * (int64_t{1} << std::min(attempt - 1, kDoublingsMax));
  }
  return rule.backoff == Backoff::exponential ? std::min(delay, limits::kBackoffCap) : delay;
}

Decision no_match(const std::optional<TaskError>& failure) {
  return failure ? fail(*failure) : Decision{};
}

Decision failed_by_rule(const PolicyRule& rule, const std::optional<TaskError>& failure,
                        const std::string& file) {
  if (failure) return fail(*failure);
  return fail({"policy", place_of(rule, file) + ": the policy calls this result a failure", false});
}

Decision exhausted(const PolicyRule& rule, const std::optional<TaskError>& failure,
                   const std::string& file) {
  if (failure) return fail(*failure);
  return fail({"policy",
               fmt::format("{}: the policy would retry, but all {} attempts are used",
                           place_of(rule, file), rule.attempts),
               true});
}

}  // namespace

TaskError template_error(const playbook::EvalError& error, const std::string& file) {
  return {"template", fmt::format("{}:{}:{}: {}", file, error.at.line, error.at.column, error.text),
          false};
}

Decision decide(const playbook::Tool& tool, const playbook::Scope& scope,
                const std::optional<TaskError>& failure, uint32_t attempt,
                const std::string& file) {
  const PolicyRule* match = nullptr;
  for (const PolicyRule& rule : tool.rules) {
    if (rule.of_errors && !failure) continue;
    if (rule.when) {
      Fuel fuel{playbook::kWorkerFuel};
      const auto when = rule.when->evaluate_condition(scope, fuel);
      if (!when.ok()) return fail(template_error(when.error(), file));
      if (!playbook::arc_true(when.value())) continue;
    }
    match = &rule;
    break;
  }
  if (match == nullptr) return no_match(failure);
  if (match->action == PolicyRule::Do::fail) return failed_by_rule(*match, failure, file);
  if (match->action == PolicyRule::Do::retry && attempt >= match->attempts) {
    return exhausted(*match, failure, file);
  }
  Decision decision;
  decision.action = match->action;
  decision.jump_index = match->jump_index;
  if (match->action == PolicyRule::Do::retry) decision.delay = delay_of(*match, attempt);
  for (const playbook::SetItem& item : match->set) {
    Fuel fuel{playbook::kWorkerFuel};
    auto value = item.value.render(scope, fuel);
    if (!value.ok()) return fail(template_error(value.error(), file));
    decision.writes.push_back({item.target, item.path, std::move(value.value())});
  }
  return decision;
}

}  // namespace tidemill::worker
