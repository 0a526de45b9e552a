#pragma once
// Nodes that call functions: filters, tests, methods, range, and the filters that apply another
// filter or a test to each item. Immutable; any thread.
#include <array>

#include "playbook/internal/functions.h"
#include "playbook/internal/node.h"

namespace tidemill::playbook::expr {

// Argument nodes by the position of their parameter; null where not given.
using ArgumentNodes = std::array<NodePtr, Call::kMaxArguments>;

// `subject | filter(…)`, `subject is test(…)` and `subject.method(…)`.
class CallNode : public TemplateNode {
 public:
  CallNode(Position p, const FunctionSpec& spec, NodePtr subject, ArgumentNodes arguments,
           std::string text);
  std::string missing(Evaluation& e) const override;
  void collect(References& refs, Check check) const override;
  bool ends_in_ident() const override { return spec_.name == "ident"; }

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  // Of the filters only `default` takes what is undefined.
  bool is_default() const {
    return spec_.role == FunctionSpec::Role::filter &&
           spec_.undefined == FunctionSpec::Undefined::passes;
  }

  const FunctionSpec& spec_;
  NodePtr subject_;
  ArgumentNodes arguments_;
};

// `subject is not test`.
class NotTestNode : public TemplateNode {
 public:
  NotTestNode(Position p, NodePtr test) : TemplateNode(p), test_(std::move(test)) {
    height = test_->height + 1;
  }
  void collect(References& refs, Check check) const override { test_->collect(refs, check); }

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  NodePtr test_;
};

// range(stop), range(start, stop), range(start, stop, step).
class RangeNode : public TemplateNode {
 public:
  RangeNode(Position p, std::vector<NodePtr> bounds);
  void collect(References& refs, Check check) const override;

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  std::vector<NodePtr> bounds_;
};

// map, select, reject, selectattr, rejectattr.
class ItemsNode : public TemplateNode {
 public:
  enum class Mode : uint8_t { map, select, reject };
  struct Inner {
    std::string attribute;               // "" = the item itself
    const FunctionSpec* spec = nullptr;  // null: the attribute (map), or its truth (select)
    ArgumentNodes arguments;
    NodePtr fallback;  // map(attribute=…, default=…)
  };
  ItemsNode(Position p, Mode mode, std::string_view name, NodePtr subject, Inner inner);
  void collect(References& refs, Check check) const override;

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  bool each(Evaluation& e, const Value& item, Call& call, List& out) const;

  Mode mode_;
  std::string what_;
  NodePtr subject_;
  Inner inner_;
};

}  // namespace tidemill::playbook::expr
