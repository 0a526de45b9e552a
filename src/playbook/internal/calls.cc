#include "playbook/internal/calls.h"

#include <algorithm>

#include "playbook/internal/access.h"
#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

namespace {

int height_of(const NodePtr& subject, const ArgumentNodes& arguments) {
  int height = subject == nullptr ? 0 : subject->height;
  for (const NodePtr& argument : arguments) {
    if (argument != nullptr) height = std::max(height, argument->height);
  }
  return height + 1;
}

using Storages = std::array<Value, Call::kMaxArguments>;

// Evaluates the arguments that were given. Those of `default` may be undefined.
bool evaluate_arguments(Evaluation& e, const ArgumentNodes& nodes, FunctionSpec::Undefined rule,
                        Storages& storages, Call& call) {
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i] == nullptr) continue;
    call.arguments[i] = rule == FunctionSpec::Undefined::passes
                            ? nodes[i]->eval(e, storages[i])
                            : nodes[i]->eval_defined(e, storages[i]);
    if (call.arguments[i] == nullptr) return false;
  }
  return true;
}

uint8_t receiver_bit(const Value& v) {
  if (v.is_string()) return kOfString;
  if (v.is_list()) return kOfList;
  return v.is_map() ? kOfMap : 0;
}

void collect_arguments(References& refs, const ArgumentNodes& arguments, Check check) {
  for (const NodePtr& argument : arguments) {
    if (argument != nullptr) argument->collect(refs, check);
  }
}

}  // namespace

CallNode::CallNode(Position p, const FunctionSpec& spec, NodePtr subject, ArgumentNodes arguments,
                   std::string text)
    : TemplateNode(p), spec_(spec), subject_(std::move(subject)), arguments_(std::move(arguments)) {
  source = std::move(text);
  height = height_of(subject_, arguments_);
}

const Value* CallNode::compute(Evaluation& e, Value& storage) const {
  Value subject_storage;
  const bool passes = spec_.undefined == FunctionSpec::Undefined::passes;
  const Value* subject =
      passes ? subject_->eval(e, subject_storage) : subject_->eval_defined(e, subject_storage);
  if (subject == nullptr) return nullptr;
  Call call{.e = e, .at = at, .spec = spec_, .subject = *subject};
  if (spec_.role == FunctionSpec::Role::method && (spec_.receivers & receiver_bit(*subject)) == 0) {
    return e.fail(at, "a value of kind " + std::string(kind_name(subject->kind())) +
                          " has no method '" + std::string(spec_.name) + "'");
  }
  Storages storages;
  if (!evaluate_arguments(e, arguments_, spec_.undefined, storages, call)) return nullptr;
  Value result;
  if (!spec_.run(call, result)) return nullptr;
  storage = std::move(result);
  return &storage;
}

std::string CallNode::missing(Evaluation& e) const {
  if (!is_default()) return "it is empty";
  return arguments_[0] == nullptr ? std::string() : arguments_[0]->missing(e);
}

void CallNode::collect(References& refs, Check check) const {
  const bool test = spec_.role == FunctionSpec::Role::test;
  // get('key') reads one key of its subject, and nothing needs to be there.
  std::vector<std::string> path;
  const Value* key = arguments_[0] == nullptr ? nullptr : arguments_[0]->constant();
  if (spec_.name == "get" && key != nullptr && key->is_string() && subject_->static_path(path)) {
    path.push_back(key->as_string());
    refs.add(std::move(path), at, Check::unchecked);
  } else {
    subject_->collect(refs, test || is_default() ? Check::unchecked : Check::checked);
  }
  collect_arguments(refs, arguments_,
                    is_default() ? check : (test ? Check::unchecked : Check::checked));
}

const Value* NotTestNode::compute(Evaluation& e, Value& storage) const {
  Value test_storage;
  const Value* result = test_->eval(e, test_storage);
  if (result == nullptr) return nullptr;
  storage = Value(!truthy(*result));
  return &storage;
}

RangeNode::RangeNode(Position p, std::vector<NodePtr> bounds)
    : TemplateNode(p), bounds_(std::move(bounds)) {
  for (const NodePtr& bound : bounds_) height = std::max(height, bound->height + 1);
}

const Value* RangeNode::compute(Evaluation& e, Value& storage) const {
  std::array<int64_t, 3> bounds = {0, 0, 1};
  for (size_t i = 0; i < bounds_.size(); ++i) {
    Value bound_storage;
    const Value* v = bounds_[i]->eval_defined(e, bound_storage);
    if (v == nullptr) return nullptr;
    if (!v->is_integer()) return e.fail(bounds_[i]->at, "range is called with integers");
    bounds[bounds_.size() == 1 ? 1 : i] = v->as_integer();
  }
  const auto [start, stop, step] = bounds;
  if (step == 0) return e.fail(at, "the step of range cannot be 0");
  // Computed without overflow in 64 unsigned bits.
  const bool empty = step > 0 ? start >= stop : start <= stop;
  const uint64_t distance = step > 0 ? static_cast<uint64_t>(stop) - static_cast<uint64_t>(start)
                                     : static_cast<uint64_t>(start) - static_cast<uint64_t>(stop);
  const uint64_t size = step > 0 ? static_cast<uint64_t>(step) : ~static_cast<uint64_t>(step) + 1;
  const uint64_t count = empty ? 0 : (distance - 1) / size + 1;
  if (!e.spend_items(count, at)) return nullptr;
  List list;
  list.reserve(count);
  uint64_t next = static_cast<uint64_t>(start);
  for (uint64_t i = 0; i < count; ++i, next += static_cast<uint64_t>(step)) {
    list.emplace_back(static_cast<int64_t>(next));
  }
  storage = Value(std::move(list));
  return &storage;
}

void RangeNode::collect(References& refs, Check) const {
  for (const NodePtr& bound : bounds_) bound->collect(refs, Check::checked);
}

ItemsNode::ItemsNode(Position p, Mode mode, std::string_view name, NodePtr subject, Inner inner)
    : TemplateNode(p),
      mode_(mode),
      what_("filter '" + std::string(name) + "'"),
      subject_(std::move(subject)),
      inner_(std::move(inner)) {
  height = height_of(subject_, inner_.arguments);
  if (inner_.fallback != nullptr) height = std::max(height, inner_.fallback->height + 1);
}

const Value* ItemsNode::compute(Evaluation& e, Value& storage) const {
  Value subject_storage;
  const Value* subject = subject_->eval_defined(e, subject_storage);
  if (subject == nullptr) return nullptr;
  List items;
  if (!items_of(e, at, what_, *subject, items)) return nullptr;
  static constexpr FunctionSpec kNone{};
  const FunctionSpec& spec = inner_.spec == nullptr ? kNone : *inner_.spec;
  Storages storages;
  Call arguments{.e = e, .at = at, .spec = spec, .subject = *subject};
  if (!evaluate_arguments(e, inner_.arguments, spec.undefined, storages, arguments)) return nullptr;
  List out;
  for (const Value& item : items) {
    if (!e.step(at) || !each(e, item, arguments, out)) return nullptr;
  }
  storage = Value(std::move(out));
  return e.check_depth(storage, at) ? &storage : nullptr;
}

bool ItemsNode::each(Evaluation& e, const Value& item, Call& arguments, List& out) const {
  const Value undefined;
  const Value* v = inner_.attribute.empty() ? &item : value_at(item, inner_.attribute);
  Value result;
  if (v == nullptr && inner_.fallback != nullptr) {
    v = inner_.fallback->eval_defined(e, result);
    if (v == nullptr) return false;
  }
  if (v == nullptr && mode_ == Mode::map) {
    return e.fail(
        at, what_ + ": in an item, " + missing_key("", item, inner_.attribute) + "; give default=");
  }
  if (v == nullptr) v = &undefined;
  if (inner_.spec != nullptr) {
    const Call call{
        .e = e, .at = at, .spec = *inner_.spec, .subject = *v, .arguments = arguments.arguments};
    Value applied;
    if (!inner_.spec->run(call, applied)) return false;
    result = std::move(applied);
    v = &result;
  }
  if (mode_ == Mode::map) {
    if (v->is_undefined()) return e.fail(at, what_ + ": the result for an item is undefined");
    out.push_back(*v);
  } else if (truthy(*v) == (mode_ == Mode::select)) {
    out.push_back(item);
  }
  return true;
}

void ItemsNode::collect(References& refs, Check) const {
  subject_->collect(refs, Check::checked);
  collect_arguments(refs, inner_.arguments, Check::checked);
  if (inner_.fallback != nullptr) inner_.fallback->collect(refs, Check::checked);
}

}  // namespace tidemill::playbook::expr
