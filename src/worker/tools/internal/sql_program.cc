#include "worker/tools/internal/sql_program.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "playbook/template.h"

namespace tidemill::worker {

namespace {

using playbook::Value;

template <size_t N>
bool is_one_of(const std::string& word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Statements whose expressions may hold parameters. In all others values are written out.
constexpr std::array<std::string_view, 9> kTakesParameters = {
    "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES", "REPLACE", "MERGE", "EXPLAIN"};
constexpr std::array<std::string_view, 4> kMayOnlyRead = {"SELECT", "VALUES", "WITH", "EXPLAIN"};
// What makes a statement that begins with WITH more than a read.
constexpr std::array<std::string_view, 5> kWrites = {"INSERT", "UPDATE", "DELETE", "REPLACE",
                                                     "MERGE"};
constexpr std::array<std::string_view, 11> kOwnTransactionSqlite = {
    "BEGIN",  "COMMIT", "END",    "ROLLBACK", "SAVEPOINT", "RELEASE",
    "VACUUM", "PRAGMA", "ATTACH", "DETACH",   "ANALYZE"};
constexpr std::array<std::string_view, 17> kOwnTransactionPostgres = {
    "BEGIN",     "START",      "COMMIT",  "END",     "ROLLBACK", "ABORT",
    "SAVEPOINT", "RELEASE",    "SET",     "RESET",   "LISTEN",   "UNLISTEN",
    "PREPARE",   "DEALLOCATE", "DECLARE", "DISCARD", "LOAD"};

// After these words of PostgreSQL an expression begins, so a literal may be a parameter. A literal
// after any other word is part of the grammar: INTERVAL '…', DATE '…', AS '…'.
constexpr std::array<std::string_view, 34> kExpressionFollows = {
    "SELECT", "DISTINCT", "ALL",       "WHERE", "AND",   "OR",      "NOT",       "LIKE", "ILIKE",
    "TO",     "THEN",     "ELSE",      "WHEN",  "CASE",  "BETWEEN", "FROM",      "FOR",  "ESCAPE",
    "HAVING", "ON",       "RETURNING", "BY",    "LIMIT", "OFFSET",  "SYMMETRIC", "ZONE", "USING",
    "VALUES", "IN",       "SET",       "ANY",   "SOME",  "UNION",   "RETURN"};
constexpr std::array<std::string_view, 3> kNameFollowsSqlite = {"AS", "COLLATE", "BY"};

bool literal_may_be_parameter(SqlDialect dialect, const std::string& word_before) {
  if (word_before.empty()) return true;
  if (dialect == SqlDialect::sqlite) return !is_one_of(word_before, kNameFollowsSqlite);
  return is_one_of(word_before, kExpressionFollows);
}

SqlTraits traits_of(std::span<const SqlToken> tokens, SqlDialect dialect) {
  std::string first;
  SqlTraits traits;
  for (const SqlToken& t : tokens) {
    if (t.kind != SqlToken::Kind::word) continue;
    const std::string word = sql_upper(t.text);
    if (first.empty()) {
      first = word;
      traits.may_only_read = is_one_of(first, kMayOnlyRead);
      traits.own_transaction = dialect == SqlDialect::sqlite
                                   ? is_one_of(first, kOwnTransactionSqlite)
                                   : is_one_of(first, kOwnTransactionPostgres);
      traits.single_only = first == "VACUUM" || first == "REINDEX" || first == "CLUSTER";
    } else if (first == "WITH" && is_one_of(word, kWrites)) {
      traits.may_only_read = false;
    } else if (word == "CONCURRENTLY" || word == "DATABASE" || word == "TABLESPACE" ||
               word == "SYSTEM") {
      traits.single_only |= first == "CREATE" || first == "DROP" || first == "ALTER";
    }
  }
  if (dialect == SqlDialect::sqlite) traits.single_only = false;
  return traits;
}

std::string first_word(std::span<const SqlToken> tokens) {
  for (const SqlToken& t : tokens) {
    if (t.kind == SqlToken::Kind::word) return sql_upper(t.text);
    if (!is_blank(t) && t.text != "(") break;
  }
  return "";
}

std::string render(const std::vector<SqlContent>& content, std::span<const Value> values) {
  if (content.size() == 1 && content[0].slot)
    return playbook::render_text(values[*content[0].slot]);
  std::string out;
  for (const SqlContent& c : content) {
    if (c.slot) {
      out += playbook::render_text(values[*c.slot]);
    } else {
      out += c.text;
    }
  }
  return out;
}

// `text` in quotes, with the quotes inside it doubled.
std::string quoted(std::string_view text, char open, char close) {
  std::string out(1, open);
  for (const char c : text) {
    out += c;
    if (c == close) out += c;
  }
  out += close;
  return out;
}

// A dollar quote whose tag the text does not contain.
std::string dollar_quoted(std::string_view text, std::string tag) {
  for (int n = 0; text.find(tag) != std::string_view::npos; ++n) {
    tag = "$t" + std::to_string(n) + "$";
  }
  return tag + std::string(text) + tag;
}

bool is_bare_scalar(const Value& v) {
  return v.is_null() || v.is_number() || v.kind() == Value::Kind::boolean;
}

// A number, boolean or null as SQL text. A minus sign gets a space before it, so that it cannot
// begin a comment with a minus of the template.
std::string written_scalar(const Value& v, SqlDialect dialect) {
  const bool postgres = dialect == SqlDialect::postgres;
  if (v.is_null()) return "NULL";
  if (v.kind() == Value::Kind::boolean) {
    if (postgres) return v.as_bool() ? "TRUE" : "FALSE";
    return v.as_bool() ? "1" : "0";
  }
  if (v.kind() == Value::Kind::real && !std::isfinite(v.as_real())) {
    const bool nan = std::isnan(v.as_real());
    if (postgres)
      return nan ? "'NaN'::float8" : v.as_real() > 0 ? "'Infinity'::float8" : "'-Infinity'::float8";
    return nan ? "NULL" : v.as_real() > 0 ? "9e999" : " -9e999";
  }
  std::string text = playbook::render_text(v);
  if (text.starts_with('-')) text.insert(0, 1, ' ');
  return text;
}

}  // namespace

// Puts one statement together.
struct SqlProgram::Writer {
  SqlDialect dialect;
  std::span<const Value> values;
  Passing passing;
  std::string text;
  std::vector<Value> params;

  void add(const Part& part) {
    switch (part.kind) {
      case Part::Kind::text:
        text += part.text;
        return;
      case Part::Kind::ident:
        text += playbook::render_text(values[part.slot]);
        return;
      case Part::Kind::joined:
        text += playbook::render_text(values[part.slot]);
        return;
      case Part::Kind::bare:
        return add_bare(part);
      case Part::Kind::literal:
        return add_literal(part);
      case Part::Kind::quoted_name: {
        const char open = part.text[0];
        text += quoted(render(part.content, values), open, open == '[' ? ']' : open);
        return;
      }
    }
  }

  void add_bare(const Part& part) {
    const Value& v = values[part.slot];
    const bool null_in_postgres = dialect == SqlDialect::postgres && v.is_null();
    if (part.as_parameter && passing == Passing::parameters && !null_in_postgres) {
      return add_parameter(v);
    }
    text += written_scalar(v, dialect);
  }

  void add_literal(const Part& part) {
    std::string content = render(part.content, values);
    if (part.as_parameter && passing == Passing::parameters)
      return add_parameter(std::move(content));
    if (part.prefix.starts_with('$')) {
      text += dollar_quoted(content, part.prefix);
    } else {
      // The escapes of an E'' literal have been undone, so it is written as an ordinary one.
      if (part.prefix != "E") text += part.prefix;
      text += quoted(content, '\'', '\'');
    }
  }

  void add_parameter(Value v) {
    params.push_back(std::move(v));
    text += dialect == SqlDialect::postgres ? '$' : '?';
    text += std::to_string(params.size());
  }
};

Result<SqlProgram> SqlProgram::compile(std::span<const SqlPiece> pieces, SqlDialect dialect) {
  TIDEMILL_TRY(const std::vector<SqlToken> tokens, lex_sql(pieces, dialect));
  SqlProgram program;
  program.dialect_ = dialect;
  for (const auto statement : split_sql(tokens, dialect)) program.add_statement(statement);
  return program;
}

void SqlProgram::add_statement(std::span<const SqlToken> tokens) {
  while (is_blank(tokens.front())) tokens = tokens.subspan(1);
  while (is_blank(tokens.back())) tokens = tokens.first(tokens.size() - 1);
  Statement statement;
  statement.traits = traits_of(tokens, dialect_);
  const bool takes_parameters = is_one_of(first_word(tokens), kTakesParameters);
  std::string word_before;  // the word directly before, "" after anything else
  bool fixed = true;
  for (const SqlToken& t : tokens) {
    const bool literal_ok = takes_parameters && literal_may_be_parameter(dialect_, word_before);
    const bool bind = t.kind == SqlToken::Kind::literal ? literal_ok : takes_parameters;
    Part part = part_of(t, bind ? Passing::parameters : Passing::written);
    if (part.kind != Part::Kind::text && !part.as_parameter) fixed = false;
    const bool joins_text = part.kind == Part::Kind::text && !statement.parts.empty() &&
                            statement.parts.back().kind == Part::Kind::text;
    if (joins_text) {
      statement.parts.back().text += part.text;
    } else {
      statement.parts.push_back(std::move(part));
    }
    if (!is_blank(t)) word_before = t.kind == SqlToken::Kind::word ? sql_upper(t.text) : "";
  }
  if (fixed) {
    // Written once with numbers for values: only their places matter.
    const std::vector<Value> any(
        1 +
            [&] {
              uint32_t most = 0;
              for (const Part& p : statement.parts) {
                most = std::max(most, p.slot);
                for (const SqlContent& c : p.content) most = std::max(most, c.slot.value_or(0));
              }
              return most;
            }(),
        Value(0));
    Writer writer{dialect_, any, Passing::parameters, {}, {}};
    for (const Part& p : statement.parts) writer.add(p);
    statement.fixed_text = std::make_shared<const std::string>(std::move(writer.text));
  }
  statements_.push_back(std::move(statement));
}

SqlProgram::Part SqlProgram::part_of(const SqlToken& token, Passing passing) {
  const bool as_parameter = passing == Passing::parameters;
  Part part;
  if (token.kind == SqlToken::Kind::slot) {
    part.kind = token.is_ident       ? Part::Kind::ident
                : token.touches_word ? Part::Kind::joined
                                     : Part::Kind::bare;
    part.slot = token.slot;
    part.as_parameter = as_parameter && part.kind == Part::Kind::bare;
  } else if (!token.content.empty()) {
    const bool name = token.kind == SqlToken::Kind::quoted_name;
    part.kind = name ? Part::Kind::quoted_name : Part::Kind::literal;
    part.content = token.content;
    part.prefix = token.prefix;
    part.text = name ? token.prefix : "";
    // X'', B'', U&'' and dollar quotes mean more than their text.
    part.as_parameter = as_parameter && !name && (token.prefix.empty() || token.prefix == "E");
  } else {
    part.text = token.text;
  }
  return part;
}

bool SqlProgram::uses_slot(uint32_t slot) const {
  for (const Statement& s : statements_) {
    for (const Part& p : s.parts) {
      const bool own =
          p.kind == Part::Kind::bare || p.kind == Part::Kind::joined || p.kind == Part::Kind::ident;
      if (own && p.slot == slot) return true;
      for (const SqlContent& c : p.content) {
        if (c.slot == slot) return true;
      }
    }
  }
  return false;
}

std::vector<uint32_t> SqlProgram::slots_with_bare_text(std::span<const Value> values) const {
  std::vector<uint32_t> out;
  for (const Statement& s : statements_) {
    for (const Part& p : s.parts) {
      if (p.kind == Part::Kind::bare && !is_bare_scalar(values[p.slot])) out.push_back(p.slot);
      // Beside letters only what cannot be anything but part of a word: digits.
      const bool digits = p.kind == Part::Kind::joined && values[p.slot].is_integer() &&
                          values[p.slot].as_integer() >= 0;
      if (p.kind == Part::Kind::joined && !digits) out.push_back(p.slot);
    }
  }
  return out;
}

BoundSql SqlProgram::bind_one(const Statement& statement, std::span<const Value> values,
                              Passing passing) const {
  BoundSql bound;
  bound.traits = statement.traits;
  if (statement.fixed_text && passing == Passing::parameters) {
    bool null_in_postgres = false;
    for (const Part& p : statement.parts) {
      if (p.kind == Part::Kind::bare) bound.params.push_back(values[p.slot]);
      if (p.kind == Part::Kind::bare && dialect_ == SqlDialect::postgres) {
        null_in_postgres |= values[p.slot].is_null();
      }
      if (p.kind == Part::Kind::literal) bound.params.emplace_back(render(p.content, values));
    }
    bound.text = statement.fixed_text;
    if (!null_in_postgres) return bound;
  }
  Writer writer{dialect_, values, passing, {}, {}};
  for (const Part& p : statement.parts) writer.add(p);
  bound.text = std::make_shared<const std::string>(std::move(writer.text));
  bound.params = std::move(writer.params);
  return bound;
}

Result<std::vector<BoundSql>> SqlProgram::bind(std::span<const Value> values,
                                               Passing passing) const {
  if (!slots_with_bare_text(values).empty()) {
    return Error{ErrorCode::invalid, "text where SQL is written"};
  }
  std::vector<BoundSql> out;
  out.reserve(statements_.size());
  for (const Statement& s : statements_) {
    out.push_back(bind_one(s, values, passing));
  }
  return out;
}

}  // namespace tidemill::worker
