#include "playbook/routing.h"

#include <algorithm>
#include <array>
#include <optional>

namespace tidemill::playbook {

namespace {

constexpr std::array<std::string_view, 9> kBuiltins{
    "ctx", "workload", "output", "event", "step", "execution_id", "iter", "keychain", "task_key"};

void add(std::vector<Reference>& out, const Template& text) {
  const auto& some = text.references();
  out.insert(out.end(), some.begin(), some.end());
}

void add(std::vector<Reference>& out, const std::vector<SetItem>& set) {
  for (const SetItem& item : set) item.value.collect_references(out);
}

// A name of the step's own input reads what that input's template reads; inputs do not see each
// other.
void add_inputs(std::vector<Reference>& out, const Step& step) {
  std::vector<const InputTree*> named;
  for (const Reference& reference : out) {
    const InputTree* field = reference.path.empty() ? nullptr : step.input.field(reference.path[0]);
    if (field && std::find(named.begin(), named.end(), field) == named.end())
      named.push_back(field);
  }
  for (const InputTree* field : named) field->collect_references(out);
}

EvalError with_place(EvalError error, std::string_view place) {
  std::string text(place);
  if (error.at.line > 0) text += " (line " + std::to_string(error.at.line) + ")";
  error.text = text + ": " + error.text;
  return error;
}

std::string of_step(std::string_view what, const Step& step) {
  return std::string(what) + " of step '" + step.name + "'";
}

std::string arc_name(const Plan& plan, const Step& step, size_t arc) {
  return of_step(
      "arc " + std::to_string(arc + 1) + " to '" + plan.step(step.arcs[arc].to).name + "'", step);
}

// The names one evaluation sees. Builds only those that are read.
class Names {
 public:
  Names(const Plan& plan, const Step& step, const RoutingScope& from)
      : plan_(plan), step_(step), from_(from) {}

  // Fills the scope for these references; false with `error` set when an input cannot be rendered.
  bool build(const std::vector<Reference>& references, Fuel& fuel);
  void set(std::string_view name, Value value) { inner_.set(name, std::move(value)); }
  const Scope& scope() const { return inner_; }
  EvalError error;

 private:
  void add_root(const std::string& root);
  bool add_input(const std::string& root, Fuel& fuel);

  const Plan& plan_;
  const Step& step_;
  const RoutingScope& from_;
  Scope outer_;           // builtins, steps, workload keys
  Scope inner_{&outer_};  // inputs, and what set() adds
};

bool Names::build(const std::vector<Reference>& references, Fuel& fuel) {
  std::vector<std::string> seen;
  for (const Reference& reference : references) {
    if (reference.path.empty()) continue;
    const std::string& root = reference.path.front();
    if (std::find(seen.begin(), seen.end(), root) != seen.end()) continue;
    seen.push_back(root);
    add_root(root);
  }
  for (const std::string& root : seen) {
    if (step_.input.field(root) && !add_input(root, fuel)) return false;
  }
  return true;
}

void Names::add_root(const std::string& root) {
  if (root == "workload") {
    outer_.set(root, from_.workload);
  } else if (root == "execution_id") {
    outer_.set(root, Value(std::to_string(from_.execution.raw)));
  } else if (root == "step") {
    Map map;
    map.set("name", Value(step_.name));
    outer_.set(root, Value(std::move(map)));
  } else if (resolve_root(plan_, root) == Root::step) {
    const auto found = std::find_if(from_.steps.begin(), from_.steps.end(),
                                    [&](const auto& entry) { return entry.first == root; });
    if (found != from_.steps.end()) outer_.set(root, found->second);
  } else if (resolve_root(plan_, root) == Root::workload) {
    const Value value = from_.workload.get(root);
    if (!value.is_undefined()) outer_.set(root, value);
  }
}

bool Names::add_input(const std::string& root, Fuel& fuel) {
  Scope with_ctx(&outer_);
  with_ctx.set("ctx", from_.ctx);
  auto value = step_.input.field(root)->render(with_ctx, fuel);
  if (!value.ok()) {
    error = with_place(value.error(), of_step("input '" + root + "'", step_));
    return false;
  }
  inner_.set(root, std::move(value.value()));
  return true;
}

std::vector<std::string_view> events_of(const Plan& plan, const Step& step, Ending ending) {
  if (ending == Ending::failed) return {"step.failed"};
  std::vector<std::string_view> events = {step.loop ? "loop.done" : "call.done", "step.exit"};
  if (plan.api == ApiVersion::noetl_v2)
    events.push_back("step.done");  // its older name of step.exit
  return events;
}

bool can_catch(const Arc& arc) {
  if (!arc.when) return false;
  const auto& references = arc.when->references();
  return std::any_of(references.begin(), references.end(), [](const Reference& r) {
    if (r.path.empty()) return false;
    if (r.path[0] == "event") return true;
    return r.path[0] == "output" && r.path.size() > 1 &&
           (r.path[1] == "status" || r.path[1] == "error" || r.path[1] == "http");
  });
}

// One transition while it is evaluated: ctx as it stands after the writes so far.
class Evaluation {
 public:
  Evaluation(const Plan& plan, const Step& step, const Names& names, Value ctx, Fuel& fuel)
      : plan_(plan), step_(step), names_(names), ctx_(std::move(ctx)), fuel_(fuel) {}

  std::optional<EvalError> write(const std::vector<SetItem>& set, const std::string& place);
  std::optional<EvalError> choose(Ending ending);
  std::optional<EvalError> write_arcs();

  Transition out;

 private:
  Evaluated<bool> is_true(size_t arc, Ending ending);
  Scope frame(std::string_view event) const;

  const Plan& plan_;
  const Step& step_;
  const Names& names_;
  Value ctx_;
  Fuel& fuel_;
};

Scope Evaluation::frame(std::string_view event) const {
  Scope scope(&names_.scope());
  scope.set("ctx", ctx_);
  Map map;
  map.set("name", Value(event));
  scope.set("event", Value(std::move(map)));
  return scope;
}

std::optional<EvalError> Evaluation::write(const std::vector<SetItem>& set,
                                           const std::string& place) {
  for (const SetItem& item : set) {
    if (item.target != SetItem::Target::ctx) continue;  // there is no iteration here
    const Scope scope = frame("step.exit");
    auto value = item.value.render(scope, fuel_);
    if (!value.ok()) return with_place(value.error(), place);
    out.writes.push_back({item.path, std::move(value.value())});
    put_at(ctx_, item.path, out.writes.back().value);
  }
  return std::nullopt;
}

Evaluated<bool> Evaluation::is_true(size_t index, Ending ending) {
  const Arc& arc = step_.arcs[index];
  if (ending == Ending::failed && !can_catch(arc)) return false;
  if (!arc.when) return true;
  for (const std::string_view event : events_of(plan_, step_, ending)) {
    const Scope scope = frame(event);
    const auto value = arc.when->evaluate_condition(scope, fuel_);
    if (!value.ok()) return with_place(value.error(), arc_name(plan_, step_, index));
    if (arc_true(value.value())) return true;
  }
  return false;
}

std::optional<EvalError> Evaluation::choose(Ending ending) {
  for (size_t i = 0; i < step_.arcs.size(); ++i) {
    const auto taken = is_true(i, ending);
    if (!taken.ok()) return taken.error();
    if (!taken.value()) continue;
    out.arcs.push_back(static_cast<uint32_t>(i));
    if (step_.mode == Step::Mode::exclusive) break;
  }
  return std::nullopt;
}

std::optional<EvalError> Evaluation::write_arcs() {
  for (const uint32_t arc : out.arcs) {
    if (auto error = write(step_.arcs[arc].set, arc_name(plan_, step_, arc) + ": set"))
      return error;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Reference> admit_references(const Step& step) {
  std::vector<Reference> out;
  for (const AdmitRule& rule : step.admit) {
    if (rule.when) add(out, *rule.when);
  }
  add_inputs(out, step);
  return out;
}

std::vector<Reference> loop_references(const Step& step) {
  std::vector<Reference> out;
  if (step.loop && step.loop->mode != Loop::Mode::cursor) add(out, step.loop->in);
  if (step.loop && step.loop->max_in_flight_from) add(out, *step.loop->max_in_flight_from);
  add_inputs(out, step);
  return out;
}

std::vector<Reference> transition_references(const Step& step) {
  std::vector<Reference> out;
  add(out, step.set);
  for (const Arc& arc : step.arcs) {
    if (arc.when) add(out, *arc.when);
    add(out, arc.set);
  }
  add_inputs(out, step);
  return out;
}

Root resolve_root(const Plan& plan, std::string_view name) {
  if (std::find(kBuiltins.begin(), kBuiltins.end(), name) != kBuiltins.end()) return Root::builtin;
  return plan.find_step(name) ? Root::step : Root::workload;
}

Evaluated<bool> admitted(const Plan& plan, const Step& step, const RoutingScope& from, Fuel& fuel) {
  Names names(plan, step, from);
  if (!names.build(admit_references(step), fuel)) return names.error;
  names.set("ctx", from.ctx);
  for (const AdmitRule& rule : step.admit) {
    if (!rule.when) return rule.allow;
    const auto value = rule.when->evaluate_condition(names.scope(), fuel);
    if (!value.ok()) return with_place(value.error(), of_step("spec.policy.admit", step));
    if (arc_true(value.value())) return rule.allow;
  }
  return true;
}

Evaluated<LoopRange> loop_range(const Plan& plan, const Step& step, const RoutingScope& from,
                                Fuel& fuel) {
  const Loop& loop = *step.loop;
  LoopRange out{.items = Value(List()), .max_in_flight = loop.max_in_flight};
  Names names(plan, step, from);
  if (!names.build(loop_references(step), fuel)) return names.error;
  names.set("ctx", from.ctx);
  if (loop.mode != Loop::Mode::cursor) {
    auto items = loop.in.evaluate(names.scope(), fuel);
    if (!items.ok()) return with_place(items.error(), of_step("loop.in", step));
    if (!items.value().is_list()) {
      const std::string text =
          "expected a list, got " + std::string(kind_name(items.value().kind()));
      return with_place({.text = text, .at = loop.in.at()}, of_step("loop.in", step));
    }
    out.items = std::move(items.value());
  }
  if (!loop.max_in_flight_from) return out;
  const std::string place = of_step("loop.spec.max_in_flight", step);
  const auto limit = loop.max_in_flight_from->evaluate(names.scope(), fuel);
  if (!limit.ok()) return with_place(limit.error(), place);
  const Value& n = limit.value();
  if (!n.is_integer() || n.as_integer() < 1 || n.as_integer() > UINT32_MAX) {
    return with_place({.text = "expected a positive integer, got " + render_text(n),
                       .at = loop.max_in_flight_from->at()},
                      place);
  }
  out.max_in_flight = static_cast<uint32_t>(n.as_integer());
  return out;
}

Evaluated<Transition> transition(const Plan& plan, const Step& step, Ending ending,
                                 const StepOutput& output, const RoutingScope& from, Fuel& fuel) {
  Names names(plan, step, from);
  if (!names.build(transition_references(step), fuel)) return names.error;
  names.set("output", output_view(output));
  names.set(step.name, step_view(output));
  Evaluation evaluation(plan, step, names, from.ctx, fuel);
  const std::string place = of_step("set", step);
  if (ending == Ending::done) {
    if (auto error = evaluation.write(step.set, place)) return *error;
  }
  if (auto error = evaluation.choose(ending)) return *error;
  if (auto error = evaluation.write_arcs()) return *error;
  return std::move(evaluation.out);
}

}  // namespace tidemill::playbook
