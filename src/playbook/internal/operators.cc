#include "playbook/internal/operators.h"

#include <algorithm>

#include "playbook/internal/number_text.h"
#include "playbook/internal/order.h"

namespace tidemill::playbook::expr {

namespace {

int above(const NodePtr& a, const NodePtr& b) {
  return 1 + std::max(a->height, b->height);
}

const Value* boolean(Value& storage, bool b) {
  storage = Value(b);
  return &storage;
}

bool is_output_status(const TemplateNode& node) {
  std::vector<std::string> path;
  return node.static_path(path) && path == std::vector<std::string>{"output", "status"};
}

bool is_word_success(const TemplateNode& node) {
  const Value* v = node.constant();
  return v != nullptr && v->is_string() && v->as_string() == "success";
}

bool is_text(const Value& v, std::string_view text) {
  return v.is_string() && v.as_string() == text;
}

bool holds(Comparison op, std::partial_ordering order) {
  switch (op) {
    case Comparison::less:
      return order < 0;
    case Comparison::less_equal:
      return order <= 0;
    case Comparison::greater:
      return order > 0;
    case Comparison::greater_equal:
      return order >= 0;
    default:
      return false;
  }
}

}  // namespace

ArithmeticNode::ArithmeticNode(Position p, BinaryFunction function, NodePtr left, NodePtr right)
    : TemplateNode(p), function_(function), left_(std::move(left)), right_(std::move(right)) {
  height = above(left_, right_);
}

const Value* ArithmeticNode::compute(Evaluation& e, Value& storage) const {
  Value left_storage, right_storage;
  const Value* left = left_->eval_defined(e, left_storage);
  if (left == nullptr) return nullptr;
  const Value* right = right_->eval_defined(e, right_storage);
  if (right == nullptr) return nullptr;
  return function_(e, at, *left, *right, storage) ? &storage : nullptr;
}

void ArithmeticNode::collect(References& refs, Check) const {
  left_->collect(refs, Check::checked);
  right_->collect(refs, Check::checked);
}

SignNode::SignNode(Position p, Sign sign, NodePtr operand)
    : TemplateNode(p), sign_(sign), operand_(std::move(operand)) {
  height = operand_->height + 1;
}

const Value* SignNode::compute(Evaluation& e, Value& storage) const {
  Value operand_storage;
  const Value* operand = operand_->eval_defined(e, operand_storage);
  if (operand == nullptr) return nullptr;
  const bool done = sign_ == Sign::minus ? negate(e, at, *operand, storage)
                                         : add(e, at, Value(0), *operand, storage);
  return done ? &storage : nullptr;
}

JoinTextNode::JoinTextNode(Position p, std::vector<NodePtr> parts)
    : TemplateNode(p), parts_(std::move(parts)) {
  for (const NodePtr& part : parts_) height = std::max(height, part->height + 1);
}

const Value* JoinTextNode::compute(Evaluation& e, Value& storage) const {
  std::string text;
  for (const NodePtr& part : parts_) {
    Value part_storage;
    const Value* v = part->eval_defined(e, part_storage);
    if (v == nullptr) return nullptr;
    const size_t before = text.size();
    if (v->is_string()) {
      text += v->as_string();
    } else {
      text += render_text(*v);
    }
    if (!e.spend_growth(before, text.size(), at)) return nullptr;
  }
  storage = Value(std::move(text));
  return &storage;
}

void JoinTextNode::collect(References& refs, Check) const {
  for (const NodePtr& part : parts_) part->collect(refs, Check::checked);
}

bool compare(Evaluation& e, Position at, Comparison op, const Value& a, const Value& b, bool& out) {
  int64_t steps = 0;
  if (op == Comparison::equal || op == Comparison::not_equal) {
    out = equal_counted(a, b, steps) == (op == Comparison::equal);
    return e.spend(steps, at);
  }
  out = false;
  if (a.is_undefined() || b.is_undefined()) return true;
  const auto numeric = [](const Value& v) { return v.is_number() || v.is_bool(); };
  if (numeric(a) && numeric(b)) {
    out = holds(op, compare_numbers(a, b));
    return true;
  }
  if (a.kind() != b.kind() || (!a.is_string() && !a.is_list())) {
    return e.fail(at,
                  "cannot order " + std::string(kind_name(a.kind())) + " and " +
                      std::string(kind_name(b.kind())) +
                      (a.is_string() || b.is_string() ? "; convert with | int or | float" : ""));
  }
  out = holds(op, total_order(a, b, Case::sensitive, steps));
  return e.spend(steps, at);
}

bool contains(Evaluation& e, Position at, const Value& container, const Value& item, bool& out) {
  int64_t steps = 0;
  out = false;
  if (container.is_list()) {
    const List& list = container.as_list();
    out = std::any_of(list.begin(), list.end(),
                      [&](const Value& v) { return equal_counted(v, item, steps); });
    return e.spend(steps, at);
  }
  if (container.is_map()) {
    out = (item.is_string() || item.is_integer()) &&
          container.as_map().find(render_text(item)) != nullptr;
    return true;
  }
  if (!container.is_string()) {
    return e.fail(at, "'in' looks into a list, a map or a string, not into a " +
                          std::string(kind_name(container.kind())));
  }
  if (!item.is_string() && !item.is_undefined()) {
    return e.fail(at, "only a string can be in a string, not a " +
                          std::string(kind_name(item.kind())) + "; convert with | string");
  }
  out = item.is_string() && container.as_string().find(item.as_string()) != std::string::npos;
  return e.spend_text(container.as_string().size(), at);
}

CompareNode::CompareNode(Position p, Comparison op, NodePtr left, NodePtr right)
    : TemplateNode(p), op_(op), left_(std::move(left)), right_(std::move(right)) {
  height = above(left_, right_);
  const bool equality = op == Comparison::equal || op == Comparison::not_equal;
  status_alias_ = equality && ((is_output_status(*left_) && is_word_success(*right_)) ||
                               (is_output_status(*right_) && is_word_success(*left_)));
}

const Value* CompareNode::compute(Evaluation& e, Value& storage) const {
  Value left_storage, right_storage;
  const Value* left = left_->eval(e, left_storage);
  if (left == nullptr) return nullptr;
  const Value* right = right_->eval(e, right_storage);
  if (right == nullptr) return nullptr;
  if (status_alias_ && (is_text(*left, "ok") || is_text(*right, "ok"))) {
    return boolean(storage, op_ == Comparison::equal);
  }
  bool result = false;
  if (!compare(e, at, op_, *left, *right, result)) return nullptr;
  return boolean(storage, result);
}

void CompareNode::collect(References& refs, Check) const {
  // An ordering with a name that does not exist passes as well, but hardly ever on purpose.
  const bool equality = op_ == Comparison::equal || op_ == Comparison::not_equal;
  const Check check = equality ? Check::unchecked : Check::checked;
  left_->collect(refs, check);
  right_->collect(refs, check);
}

InNode::InNode(Position p, Sense sense, NodePtr item, NodePtr container)
    : TemplateNode(p), sense_(sense), item_(std::move(item)), container_(std::move(container)) {
  height = above(item_, container_);
}

const Value* InNode::compute(Evaluation& e, Value& storage) const {
  Value item_storage, container_storage;
  const Value* item = item_->eval(e, item_storage);
  if (item == nullptr) return nullptr;
  const Value* container = container_->eval_defined(e, container_storage);
  if (container == nullptr) return nullptr;
  bool result = false;
  if (!contains(e, at, *container, *item, result)) return nullptr;
  return boolean(storage, result == (sense_ == Sense::in));
}

void InNode::collect(References& refs, Check) const {
  item_->collect(refs, Check::unchecked);
  container_->collect(refs, Check::checked);
}

LogicNode::LogicNode(Position p, Op op, NodePtr left, NodePtr right)
    : TemplateNode(p), op_(op), left_(std::move(left)), right_(std::move(right)) {
  height = above(left_, right_);
}

const Value* LogicNode::compute(Evaluation& e, Value& storage) const {
  const Value* left = left_->eval(e, storage);
  if (left == nullptr) return nullptr;
  if (truthy(*left) == (op_ == Op::either)) return left;
  return right_->eval(e, storage);
}

std::string LogicNode::missing(Evaluation& e) const {
  Value storage;
  const Value* left = left_->eval(e, storage);
  if (left == nullptr) return {};
  return truthy(*left) == (op_ == Op::either) ? left_->missing(e) : right_->missing(e);
}

void LogicNode::collect(References& refs, Check check) const {
  left_->collect(refs, Check::unchecked);
  right_->collect(refs, check);
}

NotNode::NotNode(Position p, NodePtr operand) : TemplateNode(p), operand_(std::move(operand)) {
  height = operand_->height + 1;
}

const Value* NotNode::compute(Evaluation& e, Value& storage) const {
  Value operand_storage;
  const Value* operand = operand_->eval(e, operand_storage);
  return operand == nullptr ? nullptr : boolean(storage, !truthy(*operand));
}

ConditionalNode::ConditionalNode(Position p, NodePtr condition, NodePtr then, NodePtr otherwise)
    : TemplateNode(p),
      condition_(std::move(condition)),
      then_(std::move(then)),
      otherwise_(std::move(otherwise)) {
  height = 1 + std::max({condition_->height, then_->height,
                         otherwise_ == nullptr ? 0 : otherwise_->height});
}

const Value* ConditionalNode::compute(Evaluation& e, Value& storage) const {
  Value condition_storage;
  const Value* condition = condition_->eval(e, condition_storage);
  if (condition == nullptr) return nullptr;
  if (truthy(*condition)) return then_->eval(e, storage);
  if (otherwise_ != nullptr) return otherwise_->eval(e, storage);
  storage = Value();
  return &storage;
}

std::string ConditionalNode::missing(Evaluation& e) const {
  Value storage;
  const Value* condition = condition_->eval(e, storage);
  if (condition == nullptr) return {};
  if (truthy(*condition)) return then_->missing(e);
  return otherwise_ == nullptr ? "the condition is false and there is no else"
                               : otherwise_->missing(e);
}

void ConditionalNode::collect(References& refs, Check check) const {
  condition_->collect(refs, Check::unchecked);
  then_->collect(refs, check);
  if (otherwise_ != nullptr) otherwise_->collect(refs, check);
}

}  // namespace tidemill::playbook::expr
