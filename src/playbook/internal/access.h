#pragma once
// Nodes that reach into values: names, attributes, indexes, slices. They borrow: no container is
// copied on the way. Immutable; any thread.
#include <string>
#include <vector>

#include "playbook/internal/node.h"

namespace tidemill::playbook::expr {

class NameNode : public TemplateNode {
 public:
  NameNode(Position p, std::string name);
  std::string missing(Evaluation& e) const override;
  void collect(References& refs, Check check) const override;
  bool static_path(std::vector<std::string>& path) const override;

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  std::string name_;
  Value undefined_;
};

// `base.key`, and `base['key']` with a constant text.
class AttributeNode : public TemplateNode {
 public:
  AttributeNode(Position p, NodePtr base, std::string key, std::string text);
  std::string missing(Evaluation& e) const override;
  void collect(References& refs, Check check) const override;
  bool static_path(std::vector<std::string>& path) const override;

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  NodePtr base_;
  std::string key_;
  Value undefined_;
};

// `base[index]`; a map is looked up by the text of a number, a list and a string by position.
class IndexNode : public TemplateNode {
 public:
  IndexNode(Position p, NodePtr base, NodePtr index, std::string text);
  std::string missing(Evaluation& e) const override;
  void collect(References& refs, Check check) const override;
  bool static_path(std::vector<std::string>& path) const override;

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  NodePtr base_;
  NodePtr index_;
  Value undefined_;
};

// `base[from:to:step]`, each part optional (null).
class SliceNode : public TemplateNode {
 public:
  struct Bounds {
    NodePtr from, to, step;
  };
  SliceNode(Position p, NodePtr base, Bounds bounds, std::string text);
  std::string missing(Evaluation& e) const override { return base_->missing(e); }
  void collect(References& refs, Check check) const override;

 private:
  const Value* compute(Evaluation& e, Value& storage) const override;
  bool bound(Evaluation& e, const NodePtr& node, Value& out) const;
  NodePtr base_;
  Bounds bounds_;
};

// What `container[index]` is, also for the filters get, first and last; null when there is nothing.
// A character of a string is kept in `storage`.
const Value* item_at(const Value& container, const Value& index, Value& storage);
// A dotted path of attributes ("a.b", "rows.0.id"); null when something is missing.
const Value* value_at(const Value& container, std::string_view dotted);

// "'output' has no 'dta'; did you mean 'data'?", for messages.
std::string missing_key(std::string_view base, const Value& container, std::string_view key);

}  // namespace tidemill::playbook::expr
