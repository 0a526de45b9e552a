// Where statements end: a semicolon does, except inside parentheses and inside the bodies of
// triggers and of SQL-standard functions.
#include <algorithm>

#include "worker/tools/internal/sql_program.h"

namespace tidemill::worker {

namespace {

// Follows one statement token by token and says whether a semicolon ends it.
class StatementTracker {
 public:
  explicit StatementTracker(SqlDialect dialect) : postgres_(dialect == SqlDialect::postgres) {}

  // True when `token` is the semicolon that ends the statement.
  bool ends_with(const SqlToken& token) {
    if (is_blank(token)) return false;
    if (token.text == ";" && token.kind == SqlToken::Kind::punctuation) {
      const bool inside = parentheses_ > 0 || body_depth_ > 0 || (is_trigger_ && !trigger_closed());
      before_last_ = last_;
      last_ = ";";
      return !inside;
    }
    if (token.text == "(") ++parentheses_;
    if (token.text == ")") parentheses_ = std::max(0, parentheses_ - 1);
    before_last_ = last_;
    last_ = token.kind == SqlToken::Kind::word ? sql_upper(token.text) : "other";
    if (token.kind == SqlToken::Kind::word) word(last_);
    return false;
  }

 private:
  void word(const std::string& w) {
    if (words_ < kHeadWords) head(w);
    ++words_;
    if (!is_function_) return;
    // A body that is written in SQL, not in a quoted text: BEGIN ATOMIC … END, with CASE … END
    // inside.
    if (body_depth_ == 0 ? w == "ATOMIC" && before_last_ == "BEGIN" : w == "CASE") ++body_depth_;
    if (body_depth_ > 0 && w == "END") --body_depth_;
  }

  void head(const std::string& w) {
    if (words_ == 0) is_create_ = w == "CREATE";
    if (!is_create_) return;
    if (!postgres_ && w == "TRIGGER") is_trigger_ = true;
    if (postgres_ && (w == "FUNCTION" || w == "PROCEDURE")) is_function_ = true;
  }

  bool trigger_closed() const { return last_ == "END" && before_last_ == ";"; }

  static constexpr int kHeadWords = 4;  // CREATE OR REPLACE FUNCTION, CREATE TEMP TRIGGER

  bool postgres_;
  bool is_create_ = false;
  bool is_trigger_ = false;
  bool is_function_ = false;
  int words_ = 0;
  int parentheses_ = 0;
  int body_depth_ = 0;
  std::string last_;
  std::string before_last_;
};

}  // namespace

std::vector<std::span<const SqlToken>> split_sql(std::span<const SqlToken> tokens,
                                                 SqlDialect dialect) {
  std::vector<std::span<const SqlToken>> out;
  const auto add = [&](size_t from, size_t to) {
    const auto statement = tokens.subspan(from, to - from);
    if (!std::all_of(statement.begin(), statement.end(), is_blank)) out.push_back(statement);
  };
  StatementTracker tracker(dialect);
  size_t start = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!tracker.ends_with(tokens[i])) continue;
    add(start, i);
    start = i + 1;
    tracker = StatementTracker(dialect);
  }
  add(start, tokens.size());
  return out;
}

}  // namespace tidemill::worker
