#pragma once
// ExpressionParser: tokens to nodes, by descending through the levels of precedence:
//   a if c else b · or · and · not · comparison, in · + - · ~ · * / // % · ** · unary, filters,
//   tests
// Recursion is bounded by Source::depth, chains by the height of the tree. One owner.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "playbook/internal/calls.h"
#include "playbook/internal/lexer.h"
#include "playbook/internal/node.h"

namespace tidemill::playbook::expr {

class ExpressionParser {
 public:
  ExpressionParser(Source& source, Lexer& lexer) : source_(source), lex_(lexer) {}

  // One expression, up to a token that cannot continue it. Null after a mistake.
  NodePtr parse();
  // A value without `x if c else y`: the list of `for … in list if …`.
  NodePtr parse_or();

  Failed expected(std::string_view what);  // "expected … before 'token'"

 private:
  struct Arguments {
    std::vector<NodePtr> positional;
    std::vector<std::pair<std::string, NodePtr>> named;
    std::vector<size_t> named_at;  // offsets, for messages
  };

  NodePtr parse_and();
  NodePtr parse_not();
  NodePtr parse_comparison();
  NodePtr parse_sum();
  NodePtr parse_join();
  NodePtr parse_product();
  NodePtr parse_power();
  NodePtr parse_unary();
  NodePtr parse_signed();
  NodePtr parse_postfix();
  NodePtr parse_primary();
  NodePtr parse_name();
  NodePtr parse_parenthesis();
  NodePtr parse_list();
  NodePtr parse_map();
  NodePtr parse_range(size_t begin);
  NodePtr parse_attribute(NodePtr base, size_t begin);
  NodePtr parse_subscript(NodePtr base, size_t begin);
  NodePtr parse_method(NodePtr base, const Token& name, size_t begin);
  NodePtr parse_filter(NodePtr subject, size_t begin);
  NodePtr parse_items_filter(NodePtr subject, const Token& name, size_t begin);
  NodePtr parse_test(NodePtr subject, size_t begin);

  bool parse_items(std::string_view close, std::vector<NodePtr>& items);
  bool parse_arguments(Arguments& out);  // behind the opening parenthesis, or none at all
  bool bind(const FunctionSpec& spec, Arguments& given, size_t offset, ArgumentNodes& out);
  bool bind_inner(ItemsNode::Mode mode, std::string_view name, Arguments& given, size_t offset,
                  ItemsNode::Inner& inner);
  bool take_constant_name(Arguments& given, std::string_view what, size_t offset, std::string& out);
  const FunctionSpec* find(FunctionSpec::Role role, const Token& name);
  NodePtr checked(NodePtr node, size_t begin);  // refuses a tree that is too high
  bool expect(std::string_view sign);
  Position at(size_t offset) const { return source_.position(offset); }
  size_t here() const { return lex_.peek().begin; }

  Source& source_;
  Lexer& lex_;
  size_t last_end_ = 0;  // of the last token of a postfix chain: bounds its source text
};

}  // namespace tidemill::playbook::expr
