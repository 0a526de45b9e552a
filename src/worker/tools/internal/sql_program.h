#pragma once
// SQL with template expressions, made ready once and bound often: text is split into statements,
// each expression is given its place (bound parameter, part of a literal, name, written-out text),
// and bind() turns the values of one call into statement texts and parameters. The rules are those
// of the playbook language: a literal with a template in it is bound whole, numbers, booleans and
// null are bound, other text outside a literal is refused. A compiled program is immutable; pure;
// any thread.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "playbook/value.h"
#include "worker/tools/internal/sql_lexer.h"

namespace tidemill::worker {

// What a tool must know of a statement before it runs it, found from its first words.
struct SqlTraits {
  bool may_only_read = false;  // SELECT, VALUES, WITH, EXPLAIN: the database has the last word
  bool own_transaction =
      false;                 // begins, ends or cannot be inside a transaction; changes the session
  bool single_only = false;  // must not share even an implicit transaction (PostgreSQL)
};

// A statement that can be sent. `params` are null, boolean, number or string.
struct BoundSql {
  std::shared_ptr<const std::string>
      text;                             // the same pointer for every call where it does not vary
  std::vector<playbook::Value> params;  // ?1… in SQLite, $1… in PostgreSQL
  SqlTraits traits;
};

class SqlProgram {
 public:
  // Errors: invalid.
  static Result<SqlProgram> compile(std::span<const SqlPiece> pieces, SqlDialect dialect);

  // How values are passed: as parameters where the grammar allows, or all written out as escaped
  // literals (for the few places where a database cannot infer a parameter's type).
  enum class Passing : uint8_t { parameters, written };

  // `values` by slot number; those of unused slots are ignored. Errors: invalid, naming the slot in
  // `bare_text_slot()` order when text stands where SQL is written.
  Result<std::vector<BoundSql>> bind(std::span<const playbook::Value> values,
                                     Passing passing = Passing::parameters) const;

  bool uses_slot(uint32_t slot) const;
  // The slots outside literals whose value is neither number, boolean nor null.
  std::vector<uint32_t> slots_with_bare_text(std::span<const playbook::Value> values) const;
  size_t statement_count() const { return statements_.size(); }

 private:
  struct Part {
    enum class Kind : uint8_t { text, bare, joined, ident, literal, quoted_name };
    Kind kind = Kind::text;
    std::string text;                 // kind text; of a quoted name its quote
    uint32_t slot = 0;                // bare, joined, ident
    std::vector<SqlContent> content;  // literal, quoted_name
    std::string prefix;               // literal
    bool as_parameter = false;        // bare, literal
  };
  struct Statement {
    std::vector<Part> parts;
    SqlTraits traits;
    std::shared_ptr<const std::string> fixed_text;  // when it is the same for all values but null
  };
  struct Writer;

  BoundSql bind_one(const Statement& statement, std::span<const playbook::Value> values,
                    Passing passing) const;
  void add_statement(std::span<const SqlToken> tokens);
  static Part part_of(const SqlToken& token, Passing passing);

  SqlDialect dialect_ = SqlDialect::sqlite;
  std::vector<Statement> statements_;
};

// Where each statement of a text ends: token ranges without the semicolons, without empty
// statements. Exposed for its tests.
std::vector<std::span<const SqlToken>> split_sql(std::span<const SqlToken> tokens,
                                                 SqlDialect dialect);

}  // namespace tidemill::worker
