#include "playbook/template.h"

#include <algorithm>

#include "playbook/internal/number_text.h"
#include "playbook/internal/statements.h"
#include "playbook/internal/template_parser.h"
#include "playbook/internal/text.h"
#include "playbook/json.h"

namespace tidemill::playbook {

struct TemplateBody {
  std::string text;
  Position at;
  expr::Block block;
  const TemplateNode* single = nullptr;  // the one expression whose value keeps its type
  expr::NodePtr bare;                    // owner of `single` when there are no braces
  bool has_blocks = false;
  bool is_constant = false;
  Value constant;
  std::vector<Reference> references;
};

namespace {

// White space with a line break in it, as block scalars leave around an expression.
bool is_line_break(const expr::Statement& statement) {
  const std::string* text = statement.text();
  return text != nullptr && text->find('\n') != std::string::npos && expr::trim(*text).empty();
}

const TemplateNode* single_expression(const expr::Block& block) {
  const TemplateNode* found = nullptr;
  for (const auto& statement : block) {
    if (is_line_break(*statement)) continue;
    if (found != nullptr || statement->expression() == nullptr) return nullptr;
    found = statement->expression();
  }
  return found;
}

std::vector<Reference> references_of(const TemplateBody& body) {
  expr::References refs;
  if (body.bare != nullptr) {
    body.bare->collect(refs, expr::Check::checked);
  } else {
    expr::collect_block(refs, body.block);
  }
  return refs.take();
}

bool parse_template(expr::Source& source, TemplateBody& body) {
  expr::TemplateParser parser(source);
  if (!parser.parse(body.block) || source.failed()) return false;
  body.has_blocks = parser.has_blocks();
  if (!body.has_blocks) body.single = single_expression(body.block);
  const bool literal = std::all_of(body.block.begin(), body.block.end(),
                                   [](const auto& s) { return s->text() != nullptr; });
  if (literal && !body.has_blocks) {
    body.is_constant = true;
    std::string text;
    for (const auto& statement : body.block) text += *statement->text();
    body.constant = Value(std::move(text));
  }
  return true;
}

bool parse_bare(expr::Source& source, size_t begin, TemplateBody& body) {
  expr::Lexer lexer(source, begin, expr::Lexer::Closing::none);
  expr::ExpressionParser parser(source, lexer);
  if (lexer.peek().kind == expr::Token::Kind::end) {
    return source.fail(begin, "an expression is missing here");
  }
  body.bare = parser.parse();
  if (body.bare == nullptr || source.failed()) return false;
  if (lexer.peek().kind != expr::Token::Kind::end) return parser.expected("an operator");
  body.single = body.bare.get();
  return true;
}

size_t first_character(std::string_view text) {
  const auto found = std::find_if_not(text.begin(), text.end(), expr::is_space);
  return static_cast<size_t>(found - text.begin());
}

Evaluated<Value> rendered(const TemplateBody& body, expr::Evaluation& e) {
  std::string out;
  out.reserve(body.text.size() + 32);
  expr::Evaluation::Frame frame(e);
  if (!expr::render_block(e, body.block, out)) return e.error();
  return Value(std::move(out));
}

Value copy_of(const Value* v, Value& storage) {
  return v == &storage ? std::move(storage) : Value(*v);
}

}  // namespace

const Value* Scope::find(std::string_view name) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->outer_) {
    if (const Value* found = scope->find_later(name); found != nullptr) return found;
    if (const Value* found = scope->frame_.find(name); found != nullptr) return found;
    if (scope->map_ == nullptr) continue;
    if (const Value* found = scope->map_->find(name); found != nullptr) return found;
  }
  return nullptr;
}

void Scope::set_later(std::string_view name, std::function<Value()> make) {
  for (Later& later : later_) {
    if (later.name != name) continue;
    later.make = std::move(make);
    later.made.reset();
    return;
  }
  later_.push_back({std::string(name), std::move(make), std::nullopt});
}

void Scope::forget_later(std::string_view name) {
  std::erase_if(later_, [name](const Later& later) { return later.name == name; });
}

const Value* Scope::find_later(std::string_view name) const {
  for (const Later& later : later_) {
    if (later.name != name) continue;
    if (!later.made) later.made = later.make();
    return &*later.made;
  }
  return nullptr;
}

std::vector<std::string> Scope::names() const {
  Map seen;
  for (const Scope* scope = this; scope != nullptr; scope = scope->outer_) {
    for (const Later& later : scope->later_) seen.set(later.name, Value());
    for (const auto& entry : scope->frame_) seen.set(entry.first, Value());
    if (scope->map_ == nullptr) continue;
    for (const auto& entry : *scope->map_) seen.set(entry.first, Value());
  }
  std::vector<std::string> names;
  for (const auto& entry : seen) names.push_back(entry.first);
  return names;
}

Evaluated<Template> Template::compile(std::string_view text, Position at) {
  auto body = std::make_shared<TemplateBody>();
  body->text = text;
  body->at = at;
  expr::Source source(body->text, at);
  if (!parse_template(source, *body)) return source.error();
  body->references = references_of(*body);
  Template compiled;
  compiled.body_ = std::move(body);
  return compiled;
}

Evaluated<Template> Template::compile_expression(std::string_view text, Position at) {
  auto body = std::make_shared<TemplateBody>();
  body->text = text;
  body->at = at;
  expr::Source source(body->text, at);
  const size_t begin = first_character(text);
  const std::string_view start = text.substr(begin, 2);
  if (start == "{{" || start == "{%" || start == "{#") {
    // Only what is between the white space at the ends counts.
    const std::string_view inner = expr::trim(text);
    Evaluated<Template> compiled = compile(inner, source.position(begin));
    if (!compiled.ok()) return compiled;
    if (!compiled.value().is_expression() && !compiled.value().has_blocks()) {
      source.fail(begin, "expected one expression: write all of it inside one {{ }}");
      return source.error();
    }
    return compiled;
  }
  if (!parse_bare(source, begin, *body)) {
    const size_t braces = text.find("{{");
    if (braces == std::string_view::npos) return source.error();
    return EvalError{"an expression reads names without braces: write all of it inside one {{ }}",
                     source.position(braces), false};
  }
  body->references = references_of(*body);
  Template compiled;
  compiled.body_ = std::move(body);
  return compiled;
}

Template Template::constant(Value value) {
  auto body = std::make_shared<TemplateBody>();
  body->text = render_text(value);
  body->is_constant = true;
  body->constant = std::move(value);
  Template made;
  made.body_ = std::move(body);
  return made;
}

bool Template::is_constant() const {
  return body_ == nullptr || body_->is_constant;
}

bool Template::is_expression() const {
  return body_ != nullptr && body_->single != nullptr;
}

const std::vector<Reference>& Template::references() const {
  static const std::vector<Reference> kNone;
  return body_ == nullptr ? kNone : body_->references;
}

const std::string& Template::text() const {
  static const std::string kEmpty;
  return body_ == nullptr ? kEmpty : body_->text;
}

Position Template::at() const {
  return body_ == nullptr ? Position{} : body_->at;
}

Evaluated<Value> Template::evaluate(const Scope& scope, Fuel& fuel) const {
  if (body_ == nullptr) return Value("");
  if (body_->is_constant) return body_->constant;
  expr::Evaluation e(scope, fuel);
  if (body_->single == nullptr) return rendered(*body_, e);
  Value storage;
  const Value* v = body_->single->eval_defined(e, storage);
  if (v == nullptr) return e.error();
  return copy_of(v, storage);
}

Evaluated<Value> Template::evaluate_condition(const Scope& scope, Fuel& fuel) const {
  if (!is_expression()) return evaluate(scope, fuel);
  expr::Evaluation e(scope, fuel);
  Value storage;
  const Value* v = body_->single->eval(e, storage);
  if (v == nullptr) return e.error();
  return copy_of(v, storage);
}

bool Template::has_blocks() const {
  return body_ != nullptr && body_->has_blocks;
}

std::vector<Template::Piece> Template::pieces() const {
  std::vector<Piece> pieces;
  const auto expression_piece = [&](const TemplateNode* node) {
    // The piece keeps the whole body alive, of which the node is a part.
    pieces.push_back(Piece{.literal = {},
                           .expression = std::shared_ptr<const TemplateNode>(body_, node),
                           .is_ident = node->ends_in_ident()});
  };
  if (body_ == nullptr || body_->has_blocks) return pieces;
  if (body_->is_constant) {
    pieces.push_back(Piece{.literal = render_text(body_->constant), .expression = nullptr});
    return pieces;
  }
  if (body_->bare != nullptr) expression_piece(body_->bare.get());
  for (const auto& statement : body_->block) {
    if (statement->expression() != nullptr) {
      expression_piece(statement->expression());
    } else {
      pieces.push_back(Piece{.literal = *statement->text(), .expression = nullptr});
    }
  }
  return pieces;
}

Evaluated<std::vector<Template::Given>> Template::evaluate_apart(const Scope& scope,
                                                                Fuel& fuel) const {
  TIDEMILL_ASSERT(has_blocks());
  expr::Evaluation e(scope, fuel);
  std::vector<expr::Evaluation::Output> outputs;
  std::string text;
  {
    const expr::Evaluation::Outputs apart(e, &outputs);
    expr::Evaluation::Frame frame(e);
    if (!expr::render_block(e, body_->block, text)) return e.error();
  }
  std::vector<Given> given;
  size_t at = 0;
  for (expr::Evaluation::Output& output : outputs) {
    if (output.at > at) given.push_back({text.substr(at, output.at - at), std::nullopt});
    at = output.at;
    given.push_back({{}, std::move(output.value), output.is_ident});
  }
  if (at < text.size()) given.push_back({text.substr(at), std::nullopt});
  return given;
}

Evaluated<Value> Template::evaluate_piece(const Piece& piece, const Scope& scope, Fuel& fuel) {
  if (piece.expression == nullptr) return Value(piece.literal);
  expr::Evaluation e(scope, fuel);
  Value storage;
  const Value* v = piece.expression->eval_defined(e, storage);
  if (v == nullptr) return e.error();
  return copy_of(v, storage);
}

std::string render_text(const Value& value) {
  std::string text;
  switch (value.kind()) {
    case Value::Kind::undefined:
    case Value::Kind::null:
      return text;
    case Value::Kind::boolean:
      return value.as_bool() ? "true" : "false";
    case Value::Kind::integer:
      expr::append_integer(value.as_integer(), text);
      return text;
    case Value::Kind::real:
      expr::append_real(value.as_real(), text);
      return text;
    case Value::Kind::string:
      return value.as_string();
    case Value::Kind::list:
    case Value::Kind::map:
      return to_json(value);
  }
  return text;
}

}  // namespace tidemill::playbook
