#include "playbook/internal/template_parser.h"

#include <algorithm>
#include <array>

#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

namespace {

// The next "{{", "{%" or "{#" from `at`, or the size of the text.
size_t find_tag(std::string_view text, size_t at) {
  while (true) {
    at = text.find('{', at);
    if (at == std::string_view::npos || at + 1 >= text.size()) return text.size();
    if (text[at + 1] == '{' || text[at + 1] == '%' || text[at + 1] == '#') return at;
    ++at;
  }
}

bool contains(std::initializer_list<std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array<std::string_view, 10> kKnownTags = {
    "if", "elif", "else", "endif", "for", "endfor", "set", "endset", "raw", "endraw"};

bool is_known_tag(std::string_view name) {
  return std::find(kKnownTags.begin(), kKnownTags.end(), name) != kKnownTags.end();
}

}  // namespace

bool TemplateParser::parse(Block& out) {
  Tag end;
  return parse_until({}, Tag{}, out, end);
}

void TemplateParser::add_text(size_t end, End of_text, Block& out) {
  std::string_view text = source_.slice(at_, end);
  while (trim_next_ && !text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (of_text == End::trimmed && !text.empty() && is_space(text.back())) text.remove_suffix(1);
  trim_next_ = false;
  if (!text.empty()) out.push_back(std::make_unique<TextStatement>(std::string(text)));
}

bool TemplateParser::parse_until(std::initializer_list<std::string_view> ends, Tag opened,
                                 Block& out, Tag& end) {
  Nesting nesting(source_);
  if (nesting.too_deep(at_)) return false;
  const std::string_view text = source_.text();
  while (true) {
    const size_t begin = find_tag(text, at_);
    const bool dash = begin + 2 < text.size() && text[begin + 2] == '-';
    add_text(begin, dash ? End::trimmed : End::kept, out);
    if (begin == text.size()) {
      end = Tag{.name = {}, .begin = begin};
      return ends.size() == 0 || unexpected(end, ends, opened);
    }
    if (text[begin + 1] == '#') {
      if (!skip_comment(begin)) return false;
      continue;
    }
    if (text[begin + 1] == '{') {
      if (!parse_output(begin, out)) return false;
      continue;
    }
    Tag tag;
    if (!open_tag(begin, tag)) return false;
    if (contains(ends, tag.name)) {
      end = tag;
      return true;
    }
    const bool stray = tag.name.starts_with("end") || tag.name.starts_with("el");
    if (stray && is_known_tag(tag.name)) return unexpected(tag, ends, opened);
    if (!parse_statement(tag, out)) return false;
  }
}

bool TemplateParser::unexpected(const Tag& tag, std::initializer_list<std::string_view> ends,
                                const Tag& opened) {
  const std::string found =
      tag.name.empty() ? "the text ends" : "'{% " + std::string(tag.name) + " %}' is here";
  if (ends.size() == 0) return source_.fail(tag.begin, found + ", but no block is open");
  const Position at = source_.position(opened.begin);
  return source_.fail(tag.begin, found + ", but the '{% " + std::string(opened.name) +
                                     " %}' of line " + std::to_string(at.line) + " needs its '{% " +
                                     std::string(*(ends.end() - 1)) + " %}'");
}

bool TemplateParser::skip_comment(size_t begin) {
  const size_t end = source_.text().find("#}", begin + 2);
  if (end == std::string_view::npos) return source_.fail(begin, "this comment has no '#}'");
  trim_next_ = source_.text()[end - 1] == '-';
  at_ = end + 2;
  return true;
}

bool TemplateParser::parse_output(size_t begin, Block& out) {
  const std::string_view text = source_.text();
  const bool dash = begin + 2 < text.size() && text[begin + 2] == '-';
  lexer_.emplace(source_, begin + (dash ? 3 : 2), Lexer::Closing::output);
  ExpressionParser parser(source_, *lexer_);
  NodePtr node = parser.parse();
  if (node == nullptr) return false;
  if (lexer_->peek().kind != Token::Kind::close) return parser.expected("an operator or '}}'");
  out.push_back(std::make_unique<OutputStatement>(std::move(node)));
  return close_tag();
}

bool TemplateParser::open_tag(size_t begin, Tag& out) {
  has_blocks_ = true;
  const std::string_view text = source_.text();
  const bool sign = begin + 2 < text.size() && (text[begin + 2] == '-' || text[begin + 2] == '+');
  lexer_.emplace(source_, begin + (sign ? 3 : 2), Lexer::Closing::block);
  if (lexer_->peek().kind != Token::Kind::name) {
    return ExpressionParser(source_, *lexer_).expected("if, for, set or raw");
  }
  out = Tag{.name = lexer_->take().text, .begin = begin};
  return !source_.failed() || contains({"raw"}, out.name);
}

bool TemplateParser::close_tag() {
  if (lexer_->peek().kind != Token::Kind::close) {
    return ExpressionParser(source_, *lexer_).expected("the end of the tag");
  }
  at_ = lexer_->end_offset();
  trim_next_ = lexer_->trims();
  return true;
}

bool TemplateParser::parse_statement(const Tag& tag, Block& out) {
  if (tag.name == "if") return parse_if(tag, out);
  if (tag.name == "for") return parse_for(tag, out);
  if (tag.name == "set") return parse_set(tag, out);
  if (tag.name == "raw") return parse_raw(tag, out);
  const std::vector<std::string> known(kKnownTags.begin(), kKnownTags.end());
  const std::string near = nearest(tag.name, known);
  return source_.fail(tag.begin, "there is no block " + quoted(tag.name) +
                                     (near.empty() ? "; there are if, for, set and raw"
                                                   : "; did you mean '" + near + "'?"));
}

bool TemplateParser::parse_if(const Tag& opened, Block& out) {
  std::vector<IfStatement::Branch> branches;
  Tag tag = opened;
  while (tag.name != "endif") {
    IfStatement::Branch branch;
    if (tag.name != "else") {
      branch.condition = ExpressionParser(source_, *lexer_).parse();
      if (branch.condition == nullptr) return false;
    }
    const bool last = tag.name == "else";
    if (!close_tag()) return false;
    const bool done = last ? parse_until({"endif"}, opened, branch.body, tag)
                           : parse_until({"elif", "else", "endif"}, opened, branch.body, tag);
    if (!done) return false;
    branches.push_back(std::move(branch));
  }
  out.push_back(std::make_unique<IfStatement>(std::move(branches)));
  return close_tag();
}

bool TemplateParser::parse_for_head(ForStatement::Parts& parts) {
  ExpressionParser parser(source_, *lexer_);
  const bool bracket = lexer_->take_if("(");
  do {
    if (lexer_->peek().kind != Token::Kind::name || lexer_->peek().is("in")) {
      return parser.expected("a name for the items: for item in list");
    }
    parts.targets.emplace_back(lexer_->take().text);
  } while (lexer_->take_if(","));
  if (bracket && !lexer_->take_if(")")) return parser.expected("')'");
  if (!lexer_->take_if("in")) return parser.expected("'in'");
  parts.list = parser.parse_or();
  if (parts.list == nullptr) return false;
  if (lexer_->take_if("if")) {
    parts.condition = parser.parse_or();
    if (parts.condition == nullptr) return false;
  }
  return close_tag();
}

bool TemplateParser::parse_for(const Tag& opened, Block& out) {
  ForStatement::Parts parts;
  parts.at = source_.position(opened.begin);
  if (!parse_for_head(parts)) return false;
  const int names_before = source_.loop_names;
  Tag end;
  if (!parse_until({"else", "endfor"}, opened, parts.body, end)) return false;
  parts.needs_loop = source_.loop_names != names_before;
  if (end.name == "else" &&
      (!close_tag() || !parse_until({"endfor"}, opened, parts.otherwise, end))) {
    return false;
  }
  out.push_back(std::make_unique<ForStatement>(std::move(parts)));
  return close_tag();
}

bool TemplateParser::parse_set(const Tag& opened, Block& out) {
  ExpressionParser parser(source_, *lexer_);
  if (lexer_->peek().kind != Token::Kind::name) return parser.expected("a name: set x = value");
  std::string name(lexer_->take().text);
  if (lexer_->peek().is(".")) {
    return source_.fail(opened.begin,
                        "set gives a name of this template a value; use the step's own "
                        "'set' to write " +
                            quoted(name));
  }
  NodePtr node;
  Block body;
  if (lexer_->take_if("=")) {
    node = parser.parse();
    if (node == nullptr) return false;
  } else {
    Tag end;
    if (!close_tag() || !parse_until({"endset"}, opened, body, end)) return false;
  }
  out.push_back(std::make_unique<SetStatement>(std::move(name), std::move(node), std::move(body)));
  return close_tag();
}

bool TemplateParser::parse_raw(const Tag& opened, Block& out) {
  if (!close_tag()) return false;
  const std::string_view text = source_.text();
  for (size_t begin = text.find("{%", at_); begin != std::string_view::npos;
       begin = text.find("{%", begin + 2)) {
    const bool dash = begin + 2 < text.size() && text[begin + 2] == '-';
    size_t name = begin + (dash ? 3 : 2);
    while (name < text.size() && is_space(text[name])) ++name;
    if (!text.substr(name).starts_with("endraw")) continue;
    add_text(begin, dash ? End::trimmed : End::kept, out);
    Tag end;
    return open_tag(begin, end) && close_tag();
  }
  return source_.fail(opened.begin, "this '{% raw %}' has no '{% endraw %}'");
}

}  // namespace tidemill::playbook::expr
