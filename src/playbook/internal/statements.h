#pragma once
// Statements: the parts of a template that render text: literal text, {{ }}, and the {% %} blocks.
// Immutable after parsing; any thread.
#include <memory>
#include <string>
#include <vector>

#include "playbook/internal/node.h"

namespace tidemill::playbook::expr {

class Statement {
 public:
  virtual ~Statement() = default;
  // Appends to `out`. False after a failure.
  virtual bool render(Evaluation& e, std::string& out) const = 0;
  virtual void collect(References& refs) const = 0;
  // Of {{ expr }}; null for others.
  virtual const TemplateNode* expression() const { return nullptr; }
  // Of literal text; null for others.
  virtual const std::string* text() const { return nullptr; }
};

using Block = std::vector<std::unique_ptr<Statement>>;

bool render_block(Evaluation& e, const Block& block, std::string& out);
void collect_block(References& refs, const Block& block);

class TextStatement : public Statement {
 public:
  explicit TextStatement(std::string text) : text_(std::move(text)) {}
  bool render(Evaluation& e, std::string& out) const override;
  void collect(References&) const override {}
  const std::string* text() const override { return &text_; }

 private:
  std::string text_;
};

class OutputStatement : public Statement {
 public:
  explicit OutputStatement(NodePtr node) : node_(std::move(node)) {}
  bool render(Evaluation& e, std::string& out) const override;
  void collect(References& refs) const override { node_->collect(refs, Check::checked); }
  const TemplateNode* expression() const override { return node_.get(); }

 private:
  NodePtr node_;
};

class IfStatement : public Statement {
 public:
  struct Branch {
    NodePtr condition;  // null: else
    Block body;
  };
  explicit IfStatement(std::vector<Branch> branches) : branches_(std::move(branches)) {}
  bool render(Evaluation& e, std::string& out) const override;
  void collect(References& refs) const override;

 private:
  std::vector<Branch> branches_;
};

class ForStatement : public Statement {
 public:
  struct Parts {
    Position at;
    std::vector<std::string> targets;
    NodePtr list;
    NodePtr condition;  // null: every item
    Block body;
    Block otherwise;          // rendered when there was no item
    bool needs_loop = false;  // the body reads `loop`
  };
  explicit ForStatement(Parts parts) : parts_(std::move(parts)) {}
  bool render(Evaluation& e, std::string& out) const override;
  void collect(References& refs) const override;

 private:
  bool bind_targets(Evaluation& e, const Value& item) const;
  bool keep(Evaluation& e, List& items) const;  // applies the condition

  Parts parts_;
};

// {% set name = expr %}, and {% set name %}…{% endset %} when there is no node.
class SetStatement : public Statement {
 public:
  SetStatement(std::string name, NodePtr node, Block body)
      : name_(std::move(name)), node_(std::move(node)), body_(std::move(body)) {}
  bool render(Evaluation& e, std::string& out) const override;
  void collect(References& refs) const override;

 private:
  std::string name_;
  NodePtr node_;
  Block body_;
};

}  // namespace tidemill::playbook::expr
