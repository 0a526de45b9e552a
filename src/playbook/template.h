#pragma once
// Templates ({{ }}, {% %}, {# #}) and bare expressions, compiled once and evaluated often.
// Expressions are total: no I/O, bounded steps (Fuel), single pass (a value is never parsed as a
// template again). A compiled Template is immutable; any thread may evaluate it.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "playbook/value.h"

namespace tidemill::playbook {

// 1-based place in the playbook's text. Where a text of several lines is given a position (block
// scalars), it is that of its first character and the other lines begin in the same column.
struct Position {
  int line = 0;
  int column = 0;
};

// A static path that a template reads: root and attributes up to the first dynamic index, e.g.
// `load.rows[i].x` is {"load", "rows"}; constant indexes are decimal texts: `rows[0].x` is
// {"rows", "0", "x"}, and a map with the key "0" answers it as well as a list does. Names that
// `for` and `set` bind are no references. `checked` is false where undefined is allowed to pass
// (under `default`, `is defined`, equality, as a condition), so that the checker does not complain
// of it.
struct Reference {
  std::vector<std::string> path;
  Position at;  // inside the playbook, as far as compile's `at` was
  bool checked = true;
};

// Names visible to an evaluation; a chain of frames, nearest first. Lookups that miss every frame
// give undefined. Frames borrow: what they were given by reference lives as long as the evaluation.
// One owner at a time.
class Scope {
 public:
  explicit Scope(const Scope* outer = nullptr) : outer_(outer) {}
  // A frame of the entries of a map, which is not copied (workload keys); `set` hides them.
  explicit Scope(const Map& names, const Scope* outer = nullptr) : outer_(outer), map_(&names) {}

  void set(std::string_view name, Value value) {
    if (frame_.empty()) frame_.reserve(12);
    if (!later_.empty()) forget_later(name);
    frame_.set(name, std::move(value));
  }
  // The value is made when it is asked for, once.
  void set_later(std::string_view name, std::function<Value()> make);
  const Value* find(std::string_view name) const;
  // The names visible from here, nearest first, each once: for "did you mean".
  std::vector<std::string> names() const;

 private:
  struct Later {
    std::string name;
    std::function<Value()> make;
    mutable std::optional<Value> made;
  };
  void forget_later(std::string_view name);
  const Value* find_later(std::string_view name) const;

  const Scope* outer_;
  const Map* map_ = nullptr;
  Map frame_;
  std::vector<Later> later_;  // they hide names of frame_
};

// Steps an evaluation may take; it is an error of the playbook to need more.
struct Fuel {
  int64_t left;
};
inline constexpr int64_t kRoutingFuel = 20'000;     // on the engine thread
inline constexpr int64_t kWorkerFuel = 50'000'000;  // on a worker

// Why an evaluation failed. `text` names the reference and what was near. `needs_fuel` tells a
// routing that would succeed with more fuel (it is then run on a worker).
struct EvalError {
  std::string text;
  Position at;
  bool needs_fuel = false;
};

template <class T>
class Evaluated {  // a T or an EvalError
 public:
  Evaluated(T value) : v_(std::in_place_index<0>, std::move(value)) {}
  Evaluated(EvalError error) : v_(std::in_place_index<1>, std::move(error)) {}
  bool ok() const { return v_.index() == 0; }
  T& value() { return std::get<0>(v_); }
  const T& value() const { return std::get<0>(v_); }
  const EvalError& error() const { return std::get<1>(v_); }

 private:
  std::variant<T, EvalError> v_;
};

struct TemplateNode;  // internal

class Template {
 public:
  Template() = default;  // the empty text

  // `at` is where the text begins in the playbook. A text that is exactly one {{ expr }} keeps the
  // expression's type (comments and line breaks at its ends do not count); any other renders to a
  // string. Errors: EvalError with the position.
  static Evaluated<Template> compile(std::string_view text, Position at);
  // A bare expression without braces; text that is exactly one {{ expr }} is accepted too (arcs'
  // when), and so is one with {% %} blocks, whose text is the value. Any other text around {{ }} is
  // an error.
  static Evaluated<Template> compile_expression(std::string_view text, Position at);
  static Template constant(Value value);

  bool is_constant() const;
  // True when this is one expression whose value keeps its type.
  bool is_expression() const;
  const std::vector<Reference>& references() const;
  const std::string& text() const;
  Position at() const;
  // The same for copies of one compiled template, and for no others while one of them lives.
  const void* identity() const { return body_.get(); }

  // The value. Rendering, computing with or returning undefined where it is not allowed is an
  // error; `allow_undefined` evaluation (conditions) returns it as a value.
  Evaluated<Value> evaluate(const Scope& scope, Fuel& fuel) const;  // undefined is an error
  Evaluated<Value> evaluate_condition(const Scope& scope,
                                      Fuel& fuel) const;  // undefined is a value

  // The pieces of a template used by the SQL tools: literal text and expressions in order; a
  // template with {% %} blocks has none before it is evaluated.
  struct Piece {
    std::string literal;  // when `expression` is null
    std::shared_ptr<const TemplateNode> expression;
    bool is_ident = false;  // ends in the filter `ident`
  };
  bool has_blocks() const;
  std::vector<Piece> pieces() const;
  // What a template with blocks gives this time: text, and the values of its {{ }} apart from it.
  struct Given {
    std::string literal;  // when there is no value
    std::optional<Value> value;
    bool is_ident = false;
  };
  Evaluated<std::vector<Given>> evaluate_apart(const Scope& scope, Fuel& fuel) const;
  static Evaluated<Value> evaluate_piece(const Piece& piece, const Scope& scope, Fuel& fuel);

 private:
  std::shared_ptr<const struct TemplateBody> body_;
};

// Text of a value where it is rendered into a string: strings as they are, numbers shortest,
// true/false, null as "", lists and maps as JSON.
std::string render_text(const Value& value);

// The candidate nearest to `word` by edit distance when near enough to be meant, else "".
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace tidemill::playbook
