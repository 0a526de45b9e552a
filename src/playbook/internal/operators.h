#pragma once
// Nodes of operators: arithmetic, `~`, comparison, `in`, logic and the conditional expression.
// Immutable; any thread.
#include <string_view>
#include <vector>

#include "playbook/internal/arithmetic.h"
#include "playbook/internal/node.h"

namespace tidemill::playbook::expr {

class ArithmeticNode : public TemplateNode {
 public:
  ArithmeticNode(Position p, BinaryFunction function, NodePtr left, NodePtr right);
  void collect(References& refs, Check check) const override;

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  BinaryFunction function_;
  NodePtr left_, right_;
};

// Unary minus and plus.
class SignNode : public TemplateNode {
 public:
  enum class Sign : uint8_t { minus, plus };
  SignNode(Position p, Sign sign, NodePtr operand);
  void collect(References& refs, Check) const override { operand_->collect(refs, Check::checked); }

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  Sign sign_;
  NodePtr operand_;
};

// a ~ b ~ c as one text.
class JoinTextNode : public TemplateNode {
 public:
  JoinTextNode(Position p, std::vector<NodePtr> parts);
  void collect(References& refs, Check check) const override;

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  std::vector<NodePtr> parts_;
};

enum class Comparison : uint8_t { equal, not_equal, less, less_equal, greater, greater_equal };

// Ordering of two values of one kind; comparing with undefined is false. False return: a failure.
bool compare(Evaluation& e, Position at, Comparison op, const Value& a, const Value& b, bool& out);
bool contains(Evaluation& e, Position at, const Value& container, const Value& item, bool& out);

class CompareNode : public TemplateNode {
 public:
  CompareNode(Position p, Comparison op, NodePtr left, NodePtr right);
  void collect(References& refs, Check check) const override;

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  Comparison op_;
  NodePtr left_, right_;
  // `output.status` is compared with "success", the older word for "ok".
  bool status_alias_ = false;
};

class InNode : public TemplateNode {
 public:
  enum class Sense : uint8_t { in, not_in };
  InNode(Position p, Sense sense, NodePtr item, NodePtr container);
  void collect(References& refs, Check check) const override;

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  Sense sense_;
  NodePtr item_, container_;
};

// `and`, `or`: the operand that decides is the value.
class LogicNode : public TemplateNode {
 public:
  enum class Op : uint8_t { both, either };
  LogicNode(Position p, Op op, NodePtr left, NodePtr right);
  std::string missing(Evaluation& e) const override;
  void collect(References& refs, Check check) const override;

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  Op op_;
  NodePtr left_, right_;
};

class NotNode : public TemplateNode {
 public:
  NotNode(Position p, NodePtr operand);
  void collect(References& refs, Check) const override {
    operand_->collect(refs, Check::unchecked);
  }

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  NodePtr operand_;
};

// `then if condition else otherwise`; without else it is undefined.
class ConditionalNode : public TemplateNode {
 public:
  ConditionalNode(Position p, NodePtr condition, NodePtr then, NodePtr otherwise);
  std::string missing(Evaluation& e) const override;
  void collect(References& refs, Check check) const override;

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  NodePtr condition_, then_, otherwise_;
};

}  // namespace tidemill::playbook::expr
