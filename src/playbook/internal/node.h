#pragma once
// TemplateNode: one node of a compiled expression. Immutable after compilation and shared by
// threads; everything that changes during an evaluation is in Evaluation.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "playbook/internal/evaluation.h"
#include "playbook/internal/references.h"
#include "playbook/template.h"
#include "playbook/value.h"

namespace tidemill::playbook {

struct TemplateNode {
  explicit TemplateNode(Position p) : at(p) {}
  virtual ~TemplateNode() = default;
  TemplateNode(const TemplateNode&) = delete;
  TemplateNode& operator=(const TemplateNode&) = delete;

  // The value: borrowed from the scope, from this node, or kept in `storage`. Null after a failure,
  // which the evaluation then holds. May be undefined.
  const Value* eval(expr::Evaluation& e, Value& storage) const {
    return e.step(at) ? compute(e, storage) : nullptr;
  }
  // The same, where undefined is an error.
  const Value* eval_defined(expr::Evaluation& e, Value& storage) const {
    const Value* v = eval(e, storage);
    if (v != nullptr && v->is_undefined()) [[unlikely]]
      return e.fail_undefined(*this, *v);
    return v;
  }

  // Why the value is undefined, for a message: "'output' has no 'dta'; did you mean 'data'?".
  virtual std::string missing(expr::Evaluation&) const { return {}; }
  // Adds what this node and its children read.
  virtual void collect(expr::References& refs, expr::Check check) const = 0;
  // True and the names in order, when this is a root with constant attributes and indexes.
  virtual bool static_path(std::vector<std::string>&) const { return false; }
  virtual const Value* constant() const { return nullptr; }
  virtual bool ends_in_ident() const { return false; }

  Position at;
  int height = 1;      // of the tree below, this node included: bounds the recursion
  std::string source;  // what the author wrote, for accesses and calls

 private:
  virtual const Value* compute(expr::Evaluation& e, Value& storage) const = 0;
};

namespace expr {

using NodePtr = std::unique_ptr<TemplateNode>;

}  // namespace expr
}  // namespace tidemill::playbook
