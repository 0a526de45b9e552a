#include "worker/tools/internal/sql_lexer.h"

#include <cctype>
#include <utility>

namespace tidemill::worker {

namespace {

constexpr char kSlotMark = '\0';  // what peek() answers at a slot and at the end

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}
bool is_word(char c) { return is_word_start(c) || is_digit(c) || c == '$'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

class Lexer {
 public:
  Lexer(std::span<const SqlPiece> pieces, SqlDialect dialect)
      : pieces_(pieces), postgres_(dialect == SqlDialect::postgres) {}

  Result<std::vector<SqlToken>> run();

 private:
  using Kind = SqlToken::Kind;

  // What ends a quoted stretch, and how the end is written inside it.
  struct Quote {
    std::string close;
    bool doubled = true;       // the closing character twice stands for itself
    bool backslashes = false;  // E'' literals
  };

  bool at_end() const { return piece_ == pieces_.size(); }
  bool at_slot() const { return !at_end() && pieces_[piece_].slot.has_value(); }
  std::string_view rest() const;
  char peek(size_t ahead = 0) const;
  void skip(size_t n);
  void settle();

  Status next();
  void take_slot();
  void take_run(Kind kind, bool (*belongs)(char));
  void take_line_comment();
  void take_block_comment();
  Status take_quoted(Kind kind, std::string prefix, std::string open, const Quote& quote);
  void take_escape(std::string& written, std::string& content);
  std::string dollar_tag() const;
  std::string pop_literal_prefix();

  std::span<const SqlPiece> pieces_;
  bool postgres_;
  size_t piece_ = 0;
  size_t at_ = 0;  // in the text of piece_
  std::vector<SqlToken> out_;
};

Result<std::vector<SqlToken>> Lexer::run() {
  settle();
  while (!at_end()) TIDEMILL_CHECK(next());
  for (size_t i = 0; i < out_.size(); ++i) {
    if (out_[i].kind != Kind::slot) continue;
    const bool before = i > 0 && (out_[i - 1].kind == Kind::word || out_[i - 1].kind == Kind::slot);
    const bool after =
        i + 1 < out_.size() && (out_[i + 1].kind == Kind::word || out_[i + 1].kind == Kind::slot);
    out_[i].touches_word = before || after;
  }
  return std::move(out_);
}

std::string_view Lexer::rest() const {
  if (at_end() || at_slot()) return {};
  return std::string_view(pieces_[piece_].text).substr(at_);
}

char Lexer::peek(size_t ahead) const {
  const std::string_view r = rest();
  return ahead < r.size() ? r[ahead] : kSlotMark;
}

void Lexer::skip(size_t n) {
  at_ += n;
  settle();
}

// Leaves finished and empty pieces behind.
void Lexer::settle() {
  while (!at_end() && !at_slot() && at_ >= pieces_[piece_].text.size()) {
    ++piece_;
    at_ = 0;
  }
}

Status Lexer::next() {
  const char c = peek();
  const char c2 = peek(1);
  if (at_slot()) {
    take_slot();
  } else if (is_space(c)) {
    take_run(Kind::space, is_space);
  } else if (c == '-' && c2 == '-') {
    take_line_comment();
  } else if (c == '/' && c2 == '*') {
    take_block_comment();
  } else if (c == '\'') {
    const std::string prefix = pop_literal_prefix();
    return take_quoted(Kind::literal, prefix, "'", {"'", true, prefix == "E"});
  } else if (c == '"') {
    return take_quoted(Kind::quoted_name, "\"", "\"", {"\""});
  } else if (!postgres_ && c == '`') {
    return take_quoted(Kind::quoted_name, "`", "`", {"`"});
  } else if (!postgres_ && c == '[') {
    return take_quoted(Kind::quoted_name, "[", "[", {"]", false});
  } else if (const std::string tag = dollar_tag(); !tag.empty()) {
    return take_quoted(Kind::literal, tag, tag, {tag, false});
  } else if (is_word_start(c) || is_digit(c)) {
    take_run(Kind::word, is_word);
  } else {
    SqlToken token;
    token.kind = Kind::punctuation;
    token.text = std::string(1, c);
    out_.push_back(std::move(token));
    skip(1);
  }
  return Ok{};
}

void Lexer::take_slot() {
  SqlToken token;
  token.kind = Kind::slot;
  token.slot = *pieces_[piece_].slot;
  token.is_ident = pieces_[piece_].is_ident;
  out_.push_back(std::move(token));
  ++piece_;
  at_ = 0;
  settle();
}

void Lexer::take_run(Kind kind, bool (*belongs)(char)) {
  const std::string_view r = rest();
  size_t n = 1;
  while (n < r.size() && belongs(r[n])) ++n;
  SqlToken token;
  token.kind = kind;
  token.text = std::string(r.substr(0, n));
  out_.push_back(std::move(token));
  skip(n);
}

// Slots in comments are not evaluated: text that nobody reads must not be able to fail or to end
// the comment.
void Lexer::take_line_comment() {
  SqlToken token;
  token.kind = Kind::comment;
  while (!at_end()) {
    if (at_slot()) {
      take_slot();
      out_.pop_back();
      continue;
    }
    const char c = peek();
    if (c == '\n') break;
    token.text += c;
    skip(1);
  }
  out_.push_back(std::move(token));
}

void Lexer::take_block_comment() {
  SqlToken token;
  token.kind = Kind::comment;
  int depth = 0;
  while (!at_end()) {
    if (at_slot()) {
      take_slot();
      out_.pop_back();
      continue;
    }
    const char c = peek();
    const char c2 = peek(1);
    token.text += c;
    if (c == '/' && c2 == '*' && (postgres_ || depth == 0)) {
      ++depth;
    } else if (c == '*' && c2 == '/') {
      --depth;
    } else {
      skip(1);
      continue;
    }
    token.text += c2;
    skip(2);
    if (depth == 0) break;
  }
  out_.push_back(std::move(token));
}

Status Lexer::take_quoted(Kind kind, std::string prefix, std::string open, const Quote& quote) {
  SqlToken token;
  token.kind = kind;
  const bool dollar = prefix == open;
  std::string written = (dollar ? "" : prefix) + open;
  token.prefix = std::move(prefix);
  std::string content;
  bool has_slots = false;
  bool closed = false;
  skip(open.size());
  while (!at_end() && !closed) {
    if (at_slot()) {
      if (!content.empty()) token.content.push_back({std::exchange(content, {}), std::nullopt});
      token.content.push_back({"", pieces_[piece_].slot});
      has_slots = true;
      take_slot();
      out_.pop_back();
    } else if (rest().starts_with(quote.close)) {
      written += quote.close;
      const bool doubled = quote.doubled && peek(1) == quote.close[0];
      if (doubled) {
        written += quote.close;
        content += quote.close;
      }
      closed = !doubled;
      skip(doubled ? 2 : quote.close.size());
    } else if (quote.backslashes && peek() == '\\' && rest().size() > 1) {
      take_escape(written, content);
    } else {
      written += peek();
      content += peek();
      skip(1);
    }
  }
  if (has_slots && !closed) {
    return Error{ErrorCode::invalid, "the text that begins with " + written.substr(0, 40) +
                                         " has a template in it and is not closed by " +
                                         quote.close};
  }
  if (has_slots) {
    if (!content.empty()) token.content.push_back({std::move(content), std::nullopt});
  } else {
    token.text = std::move(written);
  }
  out_.push_back(std::move(token));
  return Ok{};
}

// One backslash escape of an E'' literal. Numeric escapes above ASCII are rare beside a template
// and are read as the bytes they name.
void Lexer::take_escape(std::string& written, std::string& content) {
  const char c = peek(1);
  written += '\\';
  written += c;
  size_t taken = 2;
  switch (c) {
    case 'n':
      content += '\n';
      break;
    case 't':
      content += '\t';
      break;
    case 'r':
      content += '\r';
      break;
    case 'b':
      content += '\b';
      break;
    case 'f':
      content += '\f';
      break;
    case 'x': {
      int value = 0;
      const std::string_view r = rest();
      while (taken < 4 && taken < r.size() && std::isxdigit(static_cast<unsigned char>(r[taken]))) {
        const char d = r[taken];
        value = value * 16 + (is_digit(d) ? d - '0' : (d | 0x20) - 'a' + 10);
        written += d;
        ++taken;
      }
      content += static_cast<char>(value);
      break;
    }
    default:
      content += c;
  }
  skip(taken);
}

// "$tag$" or "$$" when a dollar quote of PostgreSQL begins here, else "".
std::string Lexer::dollar_tag() const {
  if (!postgres_ || peek() != '$') return "";
  const std::string_view r = rest();
  size_t n = 1;
  if (n < r.size() && is_digit(r[n])) return "";
  while (n < r.size() && r[n] != '$' && is_word(r[n])) ++n;
  if (n >= r.size() || r[n] != '$') return "";
  return std::string(r.substr(0, n + 1));
}

// E, X, B, N or U& written directly before the quote belongs to the literal.
std::string Lexer::pop_literal_prefix() {
  if (out_.empty()) return "";
  if (postgres_ && out_.size() >= 2 && out_.back().text == "&" &&
      sql_upper(out_[out_.size() - 2].text) == "U") {
    out_.resize(out_.size() - 2);
    return "U&";
  }
  if (out_.back().kind != Kind::word) return "";
  const std::string word = sql_upper(out_.back().text);
  const bool prefix =
      postgres_ ? word == "E" || word == "X" || word == "B" || word == "N" : word == "X";
  if (!prefix) return "";
  out_.pop_back();
  return word;
}

}  // namespace

Result<std::vector<SqlToken>> lex_sql(std::span<const SqlPiece> pieces, SqlDialect dialect) {
  return Lexer(pieces, dialect).run();
}

std::string sql_upper(std::string_view word) {
  std::string out(word);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

}  // namespace tidemill::worker
