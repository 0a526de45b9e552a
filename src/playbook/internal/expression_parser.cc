#include "playbook/internal/expression_parser.h"

#include <algorithm>

#include "model/limits.h"
#include "playbook/internal/access.h"
#include "playbook/internal/literals.h"
#include "playbook/internal/operators.h"
#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

namespace {

struct Keyword {
  std::string_view word;
  Value value;
};

bool is_reserved(std::string_view name) {
  static constexpr std::array<std::string_view, 7> kReserved = {"and", "or",   "not", "in",
                                                                "is",  "else", "if"};
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

// The value of `true`, `None` and so on; false when the name is no constant.
bool constant_of(std::string_view name, Value& out) {
  if (name == "true" || name == "True") {
    out = Value(true);
  } else if (name == "false" || name == "False") {
    out = Value(false);
  } else if (name == "none" || name == "None" || name == "null") {
    out = Value::null();
  } else {
    return false;
  }
  return true;
}

}  // namespace

Failed ExpressionParser::expected(std::string_view what) {
  const Token& token = lex_.peek();
  std::string text = "expected ";
  text += what;
  text += token.kind == Token::Kind::end ? " at " : " before ";
  text += lex_.describe(token);
  return source_.fail(token.begin, std::move(text));
}

bool ExpressionParser::expect(std::string_view sign) {
  const size_t end = lex_.peek().end;
  if (lex_.take_if(sign)) {
    last_end_ = end;
    return true;
  }
  return expected(quoted(sign));
}

NodePtr ExpressionParser::checked(NodePtr node, size_t begin) {
  if (node == nullptr || node->height <= limits::kTemplateHeight) return node;
  source_.fail(begin, "the expression is too long: more than " +
                          std::to_string(limits::kTemplateHeight) + " operations in one chain");
  return nullptr;
}

NodePtr ExpressionParser::parse() {
  Nesting nesting(source_);
  const size_t begin = here();
  if (nesting.too_deep(begin)) return nullptr;
  NodePtr then = parse_or();
  if (then == nullptr || !lex_.take_if("if")) return then;
  NodePtr condition = parse_or();
  if (condition == nullptr) return nullptr;
  NodePtr otherwise;
  if (lex_.take_if("else")) {
    otherwise = parse();
    if (otherwise == nullptr) return nullptr;
  }
  auto node = std::make_unique<ConditionalNode>(at(begin), std::move(condition), std::move(then),
                                                std::move(otherwise));
  return checked(std::move(node), begin);
}

NodePtr ExpressionParser::parse_or() {
  const size_t begin = here();
  NodePtr left = parse_and();
  while (left != nullptr && lex_.take_if("or")) {
    NodePtr right = parse_and();
    if (right == nullptr) return nullptr;
    left = checked(std::make_unique<LogicNode>(at(begin), LogicNode::Op::either, std::move(left),
                                               std::move(right)),
                   begin);
  }
  return left;
}

NodePtr ExpressionParser::parse_and() {
  const size_t begin = here();
  NodePtr left = parse_not();
  while (left != nullptr && lex_.take_if("and")) {
    NodePtr right = parse_not();
    if (right == nullptr) return nullptr;
    left = checked(std::make_unique<LogicNode>(at(begin), LogicNode::Op::both, std::move(left),
                                               std::move(right)),
                   begin);
  }
  return left;
}

NodePtr ExpressionParser::parse_not() {
  const size_t begin = here();
  if (!lex_.peek().is("not")) return parse_comparison();
  Nesting nesting(source_);
  if (nesting.too_deep(begin)) return nullptr;
  lex_.take();
  NodePtr operand = parse_not();
  if (operand == nullptr) return nullptr;
  return checked(std::make_unique<NotNode>(at(begin), std::move(operand)), begin);
}

namespace {

struct ComparisonSign {
  std::string_view sign;
  Comparison op;
};
constexpr std::array<ComparisonSign, 6> kComparisons = {{{"==", Comparison::equal},
                                                         {"!=", Comparison::not_equal},
                                                         {"<", Comparison::less},
                                                         {"<=", Comparison::less_equal},
                                                         {">", Comparison::greater},
                                                         {">=", Comparison::greater_equal}}};

const ComparisonSign* comparison_of(const Token& token) {
  for (const ComparisonSign& c : kComparisons) {
    if (token.is(c.sign)) return &c;
  }
  return nullptr;
}

}  // namespace

NodePtr ExpressionParser::parse_comparison() {
  const size_t begin = here();
  NodePtr left = parse_sum();
  if (left == nullptr) return nullptr;
  NodePtr node;
  if (const ComparisonSign* found = comparison_of(lex_.peek()); found != nullptr) {
    lex_.take();
    NodePtr right = parse_sum();
    if (right == nullptr) return nullptr;
    node = std::make_unique<CompareNode>(at(begin), found->op, std::move(left), std::move(right));
  } else if (lex_.peek().is("in") || (lex_.peek().is("not") && lex_.after().is("in"))) {
    const bool negated = lex_.take_if("not");
    lex_.take();
    NodePtr right = parse_sum();
    if (right == nullptr) return nullptr;
    node = std::make_unique<InNode>(at(begin), negated ? InNode::Sense::not_in : InNode::Sense::in,
                                    std::move(left), std::move(right));
  } else {
    return left;
  }
  if (comparison_of(lex_.peek()) != nullptr || lex_.peek().is("in")) {
    return expected("'and': comparisons are not chained (a < b and b < c),"), nullptr;
  }
  return checked(std::move(node), begin);
}

NodePtr ExpressionParser::parse_sum() {
  const size_t begin = here();
  NodePtr left = parse_join();
  while (left != nullptr && (lex_.peek().is("+") || lex_.peek().is("-"))) {
    const bool plus = lex_.take().is("+");
    NodePtr right = parse_join();
    if (right == nullptr) return nullptr;
    left = checked(std::make_unique<ArithmeticNode>(at(begin), plus ? add : subtract,
                                                    std::move(left), std::move(right)),
                   begin);
  }
  return left;
}

NodePtr ExpressionParser::parse_join() {
  const size_t begin = here();
  NodePtr first = parse_product();
  if (first == nullptr || !lex_.peek().is("~")) return first;
  std::vector<NodePtr> parts;
  parts.push_back(std::move(first));
  while (lex_.take_if("~")) {
    parts.push_back(parse_product());
    if (parts.back() == nullptr) return nullptr;
  }
  return checked(std::make_unique<JoinTextNode>(at(begin), std::move(parts)), begin);
}

NodePtr ExpressionParser::parse_product() {
  static constexpr std::array<std::pair<std::string_view, BinaryFunction>, 4> kSigns = {
      {{"*", multiply}, {"/", divide}, {"//", floor_divide}, {"%", modulo}}};
  const size_t begin = here();
  NodePtr left = parse_power();
  while (left != nullptr) {
    const auto sign = std::find_if(kSigns.begin(), kSigns.end(),
                                   [&](const auto& s) { return lex_.peek().is(s.first); });
    if (sign == kSigns.end()) break;
    lex_.take();
    NodePtr right = parse_power();
    if (right == nullptr) return nullptr;
    left = checked(std::make_unique<ArithmeticNode>(at(begin), sign->second, std::move(left),
                                                    std::move(right)),
                   begin);
  }
  return left;
}

NodePtr ExpressionParser::parse_power() {
  const size_t begin = here();
  NodePtr base = parse_unary();
  if (base == nullptr || !lex_.take_if("**")) return base;
  Nesting nesting(source_);
  if (nesting.too_deep(begin)) return nullptr;
  NodePtr exponent = parse_power();
  if (exponent == nullptr) return nullptr;
  return checked(
      std::make_unique<ArithmeticNode>(at(begin), power, std::move(base), std::move(exponent)),
      begin);
}

// Filters and tests apply to the signed value: -5 | abs is 5.
NodePtr ExpressionParser::parse_unary() {
  const size_t begin = here();
  NodePtr node = parse_signed();
  while (node != nullptr) {
    if (lex_.peek().is("|")) {
      node = checked(parse_filter(std::move(node), begin), begin);
    } else if (lex_.peek().is("is")) {
      node = checked(parse_test(std::move(node), begin), begin);
    } else {
      break;
    }
  }
  return node;
}

NodePtr ExpressionParser::parse_signed() {
  const size_t begin = here();
  if (!lex_.peek().is("-") && !lex_.peek().is("+")) return parse_postfix();
  Nesting nesting(source_);
  if (nesting.too_deep(begin)) return nullptr;
  const auto sign = lex_.take().is("-") ? SignNode::Sign::minus : SignNode::Sign::plus;
  NodePtr operand = parse_signed();
  if (operand == nullptr) return nullptr;
  // A negative number is a constant, so that rows[-1] is a static path.
  const Value* constant = operand->constant();
  if (constant != nullptr && constant->is_number() && sign == SignNode::Sign::minus) {
    const Value negated =
        constant->is_integer() ? Value(-constant->as_integer()) : Value(-constant->as_real());
    return std::make_unique<ConstantNode>(at(begin), negated);
  }
  return checked(std::make_unique<SignNode>(at(begin), sign, std::move(operand)), begin);
}

NodePtr ExpressionParser::parse_postfix() {
  const size_t begin = here();
  NodePtr node = parse_primary();
  while (node != nullptr) {
    if (lex_.peek().is(".")) {
      node = checked(parse_attribute(std::move(node), begin), begin);
    } else if (lex_.peek().is("[")) {
      node = checked(parse_subscript(std::move(node), begin), begin);
    } else if (lex_.peek().is("(")) {
      return expected("an operator; only methods and range can be called,"), nullptr;
    } else {
      break;
    }
  }
  return node;
}

NodePtr ExpressionParser::parse_primary() {
  const Token& token = lex_.peek();
  last_end_ = token.end;
  if (token.kind == Token::Kind::literal) {
    Token literal = lex_.take();
    return std::make_unique<ConstantNode>(at(literal.begin), std::move(literal.value));
  }
  if (token.kind == Token::Kind::name && !is_reserved(token.text)) return parse_name();
  if (token.is("(")) return parse_parenthesis();
  if (token.is("[")) return parse_list();
  if (token.is("{")) return parse_map();
  if (token.kind != Token::Kind::bad) expected("a value");
  return nullptr;
}

NodePtr ExpressionParser::parse_name() {
  const Token name = lex_.take();
  Value constant;
  if (constant_of(name.text, constant)) {
    return std::make_unique<ConstantNode>(at(name.begin), std::move(constant));
  }
  if (lex_.peek().is("(")) {
    if (name.text == "range") return parse_range(name.begin);
    const FunctionSpec* filter = find_function(FunctionSpec::Role::filter, name.text);
    source_.fail(name.begin,
                 "there is no function " + quoted(name.text) +
                     (filter == nullptr ? "; only range can be called"
                                        : "; it is a filter: value | " + std::string(name.text)));
    return nullptr;
  }
  if (name.text == "loop") ++source_.loop_names;
  return std::make_unique<NameNode>(at(name.begin), std::string(name.text));
}

NodePtr ExpressionParser::parse_parenthesis() {
  const size_t begin = lex_.take().begin;
  if (lex_.take_if(")")) return std::make_unique<ListNode>(at(begin), std::vector<NodePtr>{});
  NodePtr first = parse();
  if (first == nullptr) return nullptr;
  if (!lex_.take_if(",")) return expect(")") ? std::move(first) : nullptr;
  std::vector<NodePtr> items;
  items.push_back(std::move(first));
  if (!parse_items(")", items)) return nullptr;
  return checked(std::make_unique<ListNode>(at(begin), std::move(items)), begin);
}

NodePtr ExpressionParser::parse_list() {
  const size_t begin = lex_.take().begin;
  std::vector<NodePtr> items;
  if (!parse_items("]", items)) return nullptr;
  return checked(std::make_unique<ListNode>(at(begin), std::move(items)), begin);
}

bool ExpressionParser::parse_items(std::string_view close, std::vector<NodePtr>& items) {
  while (!lex_.peek().is(close)) {
    items.push_back(parse());
    if (items.back() == nullptr) return false;
    if (!lex_.take_if(",") && !lex_.peek().is(close)) {
      return expected("',' or " + quoted(close));
    }
  }
  return expect(close);
}

NodePtr ExpressionParser::parse_map() {
  const size_t begin = lex_.take().begin;
  MapNode::Fields fields;
  while (!lex_.peek().is("}")) {
    NodePtr key = parse();
    if (key == nullptr || !expect(":")) return nullptr;
    NodePtr value = parse();
    if (value == nullptr) return nullptr;
    fields.emplace_back(std::move(key), std::move(value));
    if (!lex_.take_if(",") && !lex_.peek().is("}")) return expected("',' or '}'"), nullptr;
  }
  if (!expect("}")) return nullptr;
  return checked(std::make_unique<MapNode>(at(begin), std::move(fields)), begin);
}

NodePtr ExpressionParser::parse_range(size_t begin) {
  lex_.take();
  std::vector<NodePtr> bounds;
  if (!parse_items(")", bounds)) return nullptr;
  if (bounds.empty() || bounds.size() > 3) {
    source_.fail(begin, "range takes 1 to 3 integers: range(stop), range(start, stop, step)");
    return nullptr;
  }
  return checked(std::make_unique<RangeNode>(at(begin), std::move(bounds)), begin);
}

NodePtr ExpressionParser::parse_attribute(NodePtr base, size_t begin) {
  const Token name = lex_.take_attribute();
  if (source_.failed()) return nullptr;
  last_end_ = name.end;
  if (lex_.peek().is("(")) return parse_method(std::move(base), name, begin);
  std::string text(source_.slice(begin, name.end));
  if (is_digit(name.text.front())) {
    Value index;
    int64_t number = 0;
    const bool whole = std::all_of(name.text.begin(), name.text.end(), is_digit);
    if (whole && name.text.size() <= 18) {
      for (const char c : name.text) number = number * 10 + (c - '0');
      return std::make_unique<IndexNode>(
          at(begin), std::move(base), std::make_unique<ConstantNode>(at(name.begin), Value(number)),
          std::move(text));
    }
  }
  return std::make_unique<AttributeNode>(at(begin), std::move(base), std::string(name.text),
                                         std::move(text));
}

NodePtr ExpressionParser::parse_subscript(NodePtr base, size_t begin) {
  lex_.take();
  NodePtr from, to, step;
  const auto part = [&](NodePtr& out) {
    if (lex_.peek().is(":") || lex_.peek().is("]")) return true;
    out = parse();
    return out != nullptr;
  };
  if (!part(from)) return nullptr;
  if (lex_.peek().is("]") && from == nullptr) return expected("an index"), nullptr;
  const bool slice = lex_.take_if(":");
  if (slice && !part(to)) return nullptr;
  if (slice && lex_.take_if(":") && !part(step)) return nullptr;
  if (!expect("]")) return nullptr;
  std::string text(source_.slice(begin, last_end_));
  if (slice) {
    return std::make_unique<SliceNode>(
        at(begin), std::move(base),
        SliceNode::Bounds{std::move(from), std::move(to), std::move(step)}, std::move(text));
  }
  const Value* key = from->constant();
  if (key != nullptr && key->is_string()) {
    return std::make_unique<AttributeNode>(at(begin), std::move(base), key->as_string(),
                                           std::move(text));
  }
  return std::make_unique<IndexNode>(at(begin), std::move(base), std::move(from), std::move(text));
}

}  // namespace tidemill::playbook::expr
