#pragma once
// Nodes of literals: constants, lists, maps. A list or map is built anew by every evaluation, from
// the values of its items. Immutable after compilation, owned by their template; any thread.
#include <vector>

#include "playbook/internal/node.h"

namespace tidemill::playbook::expr {

class ConstantNode : public TemplateNode {
 public:
  ConstantNode(Position p, Value value) : TemplateNode(p), value_(std::move(value)) {}
  void collect(References&, Check) const override {}
  const Value* constant() const override { return &value_; }

 private:
  const Value* compute(Evaluation&, Value&) const override { return &value_; }
  Value value_;
};

class ListNode : public TemplateNode {
 public:
  ListNode(Position p, std::vector<NodePtr> items);
  void collect(References& refs, Check check) const override;

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  std::vector<NodePtr> items_;
};

class MapNode : public TemplateNode {
 public:
  using Fields = std::vector<std::pair<NodePtr, NodePtr>>;
  MapNode(Position p, Fields fields);
  void collect(References& refs, Check check) const override;

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  Fields fields_;
};

}  // namespace tidemill::playbook::expr
