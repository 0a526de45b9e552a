#pragma once
// Evaluation: what one evaluation changes while it walks the nodes: the innermost scope, the fuel,
// and the first failure. It lives on the stack of the thread that evaluates.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "playbook/template.h"
#include "playbook/value.h"

namespace tidemill::playbook::expr {

// What a failing function returns: false, or no value.
struct Failed {
  operator bool() const { return false; }
  operator const Value*() const { return nullptr; }
};

class Evaluation {
 public:
  Evaluation(const Scope& scope, Fuel& fuel) : scope_(&scope), fuel_(fuel) {}

  const Value* find(std::string_view name) const { return scope_->find(name); }

  // Each pays for work before it is done, and is false (and a failure) when that is more than
  // allowed.
  bool step(Position at) {
    if (--fuel_.left >= 0) [[likely]]
      return true;
    return fail_fuel(at);
  }
  bool spend(int64_t steps, Position at) {
    fuel_.left -= steps;
    return fuel_.left >= 0 || fail_fuel(at);
  }
  bool spend_text(size_t bytes, Position at);  // a text of this size is made or read
  bool spend_growth(size_t before, size_t after, Position at);  // a text has grown
  bool spend_items(size_t items, Position at);  // a list or map of this size is made or read
  bool check_depth(const Value& made, Position at);

  Failed fail(Position at, std::string text);
  Failed fail_undefined(const TemplateNode& node, const Value& undefined);

  const EvalError& error() const { return error_; }

  // The frame that `set` and `for` write. Frames are left in the reverse order of entering.
  class Frame {
   public:
    explicit Frame(Evaluation& e) : e_(e), scope_(e.scope_), outer_(e.scope_), inner_(e.frame_) {
      e.scope_ = &scope_;
      e.frame_ = &scope_;
    }
    ~Frame() {
      e_.scope_ = outer_;
      e_.frame_ = inner_;
    }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

   private:
    Evaluation& e_;
    Scope scope_;
    const Scope* outer_;
    Scope* inner_;
  };
  // While it lives, the value of each {{ }} is put aside with its place in the text, which does not
  // get it. Of text that becomes a value (`set` blocks) nothing is put aside.
  struct Output {
    size_t at = 0;
    Value value;
    bool is_ident = false;
  };
  class Outputs {
   public:
    Outputs(Evaluation& e, std::vector<Output>* to) : e_(e), before_(e.outputs_) {
      e.outputs_ = to;
    }
    ~Outputs() { e_.outputs_ = before_; }
    Outputs(const Outputs&) = delete;
    Outputs& operator=(const Outputs&) = delete;

   private:
    Evaluation& e_;
    std::vector<Output>* before_;
  };
  std::vector<Output>* outputs() const { return outputs_; }

  void bind(std::string_view name, Value value) { frame_->set(name, std::move(value)); }

  // Explanations look at the scope again, with little fuel and without touching this evaluation.
  const Scope& scope() const { return *scope_; }

 private:
  Failed fail_fuel(Position at);

  const Scope* scope_;
  Scope* frame_ = nullptr;
  std::vector<Output>* outputs_ = nullptr;
  Fuel& fuel_;
  EvalError error_;
};

}  // namespace tidemill::playbook::expr
