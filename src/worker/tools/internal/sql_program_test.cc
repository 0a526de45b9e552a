// The SQL front half, as tables: what a text with {{0}}, {{1}}, {{0|ident}} in it becomes when the
// given values are bound. Slots are written as {{N}} so that these tests need no template language.
#include "worker/tools/internal/sql_program.h"

#include <gtest/gtest.h>

#include "playbook/json.h"

namespace tidemill::worker {
namespace {

using playbook::Value;

std::vector<SqlPiece> pieces_of(std::string_view text) {
  std::vector<SqlPiece> out;
  while (!text.empty()) {
    const size_t open = text.find("{{");
    if (open != 0) out.push_back({std::string(text.substr(0, open)), std::nullopt, false});
    if (open == std::string_view::npos) break;
    const size_t close = text.find("}}", open);
    const std::string_view inside = text.substr(open + 2, close - open - 2);
    out.push_back({"", static_cast<uint32_t>(inside[0] - '0'), inside.ends_with("|ident")});
    text.remove_prefix(close + 2);
  }
  return out;
}

std::vector<Value> values_of(std::string_view json_array) {
  return playbook::parse_json(json_array).value().as_list();
}

// Statements as "text <- [params]", a line each; or "error: …".
std::string bound(std::string_view text, std::string_view values, SqlDialect dialect,
                  SqlProgram::Passing passing = SqlProgram::Passing::parameters) {
  const auto program = SqlProgram::compile(pieces_of(text), dialect);
  if (!program.ok()) return "error: " + program.error().what;
  const auto statements = program->bind(values_of(values), passing);
  if (!statements.ok()) return "error: " + statements.error().what;
  std::string out;
  for (const BoundSql& s : *statements) {
    if (!out.empty()) out += "\n";
    out += *s.text + " <- " + playbook::to_json(Value(playbook::List(s.params)));
  }
  return out;
}

struct Case {
  const char* text;
  const char* values;
  const char* expected;
};

void check(const std::vector<Case>& cases, SqlDialect dialect) {
  for (const Case& c : cases) EXPECT_EQ(bound(c.text, c.values, dialect), c.expected) << c.text;
}

TEST(SqlProgramTest, ValuesAreBoundInBothDialects) {
  const std::vector<Case> cases = {
      {"SELECT {{0}}", "[1]", "SELECT ?1 <- [1]"},
      {"SELECT {{0}}, {{1}}", "[1.5, true]", "SELECT ?1, ?2 <- [1.5,true]"},
      {"SELECT {{1}}, {{0}}", "[1, 2]", "SELECT ?1, ?2 <- [2,1]"},
      {"SELECT '{{0}}'", R"(["it's"])", R"(SELECT ?1 <- ["it's"])"},
      {"SELECT '{{0}}'", "[7]", R"(SELECT ?1 <- ["7"])"},
      {"SELECT '{{0}}'", "[null]", R"(SELECT ?1 <- [""])"},
      {"SELECT 'a ''b'' {{0}}-{{1}}!'", R"(["x", 2])", R"(SELECT ?1 <- ["a 'b' x-2!"])"},
      {"SELECT '{{0}}', '{{0}}'", R"(["x"])", R"(SELECT ?1, ?2 <- ["x","x"])"},
      {"SELECT '{{0}}'", R"(["'; DROP TABLE t; --"])", R"(SELECT ?1 <- ["'; DROP TABLE t; --"])"},
      {"SELECT '{{0}}'", R"(["{{ 1 }}"])", R"(SELECT ?1 <- ["{{ 1 }}"])"},
      {"SELECT 'plain ''quoted'' -- text'", "[]", "SELECT 'plain ''quoted'' -- text' <- []"},
      {"UPDATE t SET a = {{0}} WHERE b='{{1}}'", R"([3, "k"])",
       R"(UPDATE t SET a = ?1 WHERE b=?2 <- [3,"k"])"},
      {"INSERT INTO t VALUES ({{0}},'{{1}}')", R"([3, {"a": 1}])",
       R"(INSERT INTO t VALUES (?1,?2) <- [3,"{\"a\":1}"])"},
      {"SELECT '{{0}}{{1}}'", R"(["a", "b"])", R"(SELECT ?1 <- ["ab"])"},
  };
  check(cases, SqlDialect::sqlite);
  for (Case c : cases) {
    std::string expected = c.expected;
    for (size_t at = 0; (at = expected.find("?1", at)) != std::string::npos;) expected[at] = '$';
    for (size_t at = 0; (at = expected.find("?2", at)) != std::string::npos;) expected[at] = '$';
    EXPECT_EQ(bound(c.text, c.values, SqlDialect::postgres), expected) << c.text;
  }
}

TEST(SqlProgramTest, TextOutsideALiteralIsRefused) {
  for (const char* text : {"SELECT * FROM {{0}}", "SELECT {{0}}", "SELECT t_{{0}}", "{{0}}"}) {
    EXPECT_EQ(bound(text, R"(["t"])", SqlDialect::sqlite), "error: text where SQL is written")
        << text;
    EXPECT_EQ(bound(text, "[[1]]", SqlDialect::postgres), "error: text where SQL is written")
        << text;
  }
  EXPECT_EQ(bound("SELECT t_{{0}}", "[-1]", SqlDialect::sqlite),
            "error: text where SQL is written");
}

TEST(SqlProgramTest, NamesAndPartsOfNames) {
  check({{"SELECT * FROM {{0|ident}}", R"(["\"my table\""])", R"(SELECT * FROM "my table" <- [])"},
         {"SELECT * FROM \"{{0}}\"", R"(["a\"b"])", R"(SELECT * FROM "a""b" <- [])"},
         {"SELECT * FROM `{{0}}`", R"(["a`b"])", "SELECT * FROM `a``b` <- []"},
         {"SELECT * FROM [{{0}}]", R"(["ab"])", "SELECT * FROM [ab] <- []"},
         {"SELECT * FROM \"pre_{{0}}\" WHERE x = {{1}}", R"(["a", 1])",
          R"(SELECT * FROM "pre_a" WHERE x = ?1 <- [1])"},
         {"SELECT * FROM facility_{{0}}", "[12]", "SELECT * FROM facility_12 <- []"}},
        SqlDialect::sqlite);
}

TEST(SqlProgramTest, CommentsLoseTheirTemplates) {
  check({{"SELECT 1 -- {{0}}\n, {{1}}", R"(["x\n; DROP", 2])", "SELECT 1 -- \n, ?1 <- [2]"},
         {"SELECT /* {{0}} ' */ {{1}}", R"(["*/ DROP", 2])", "SELECT /*  ' */ ?1 <- [2]"},
         {"-- only a comment; {{0}}\n", "[1]", ""},
         {"SELECT 1; /* a ; b */ -- c\n; SELECT 2 -- d", "[]", "SELECT 1 <- []\nSELECT 2 <- []"}},
        SqlDialect::sqlite);
  EXPECT_EQ(bound("SELECT /* a /* ; */ b ; */ 1; SELECT 2", "[]", SqlDialect::postgres),
            "SELECT /* a /* ; */ b ; */ 1 <- []\nSELECT 2 <- []");
}

TEST(SqlProgramTest, SplitsSqlite) {
  check(
      {{"SELECT 1;SELECT ';' ;\n", "[]", "SELECT 1 <- []\nSELECT ';' <- []"},
       {"CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET x=1; DELETE FROM c; END; SELECT 1",
        "[]",
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET x=1; DELETE FROM c; END <- []\n"
        "SELECT 1 <- []"},
       {"create temp trigger t after insert on a begin select case when 1 then 2 end; end;select 2",
        "[]",
        "create temp trigger t after insert on a begin select case when 1 then 2 end; end <- []\n"
        "select 2 <- []"},
       {"BEGIN; UPDATE t SET a = {{0}}; COMMIT", "[1]",
        "BEGIN <- []\nUPDATE t SET a = ?1 <- [1]\nCOMMIT <- []"},
       {"SELECT \"a;b\", [c;d], `e;f`; SELECT 2", "[]",
        "SELECT \"a;b\", [c;d], `e;f` <- []\nSELECT 2 <- []"},
       {"SELECT $$;$$", "[]", "SELECT $$ <- []\n$$ <- []"}},
      SqlDialect::sqlite);
}

TEST(SqlProgramTest, SplitsPostgres) {
  check(
      {{"SELECT $$;$$; SELECT $a$ $$ ; $a$", "[]", "SELECT $$;$$ <- []\nSELECT $a$ $$ ; $a$ <- []"},
       {"SELECT a$1$b; SELECT 2", "[]", "SELECT a$1$b <- []\nSELECT 2 <- []"},
       {"SELECT E'it\\'s;'; SELECT 2", "[]", "SELECT E'it\\'s;' <- []\nSELECT 2 <- []"},
       {"SELECT 'a\\'; SELECT 2", "[]", "SELECT 'a\\' <- []\nSELECT 2 <- []"},
       {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END; "
        "SELECT 2",
        "[]",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END <- []\n"
        "SELECT 2 <- []"},
       {"CREATE RULE r AS ON UPDATE TO t DO (DELETE FROM a; DELETE FROM b); SELECT 1", "[]",
        "CREATE RULE r AS ON UPDATE TO t DO (DELETE FROM a; DELETE FROM b) <- []\nSELECT 1 <- []"},
       {"DO $$ BEGIN PERFORM 1; END $$; SELECT {{0}}", "[1]",
        "DO $$ BEGIN PERFORM 1; END $$ <- []\nSELECT $1 <- [1]"}},
      SqlDialect::postgres);
}

TEST(SqlProgramTest, WrittenOutWhereTheGrammarWantsALiteral) {
  check({{"SELECT now() - INTERVAL '{{0}} days'", "[3]", "SELECT now() - INTERVAL '3 days' <- []"},
         {"SELECT DATE '{{0}}'", R"(["2020-01-01'"])", "SELECT DATE '2020-01-01''' <- []"},
         {"SELECT '{{0}} days'::interval", "[3]", R"(SELECT $1::interval <- ["3 days"])"},
         {"SELECT E'a\\n{{0}}'", R"(["x"])", R"(SELECT $1 <- ["a\nx"])"},
         {"SELECT X'{{0}}'", R"(["ff"])", "SELECT X'ff' <- []"},
         {"CREATE TABLE t (a int DEFAULT {{0}}, b text DEFAULT '{{1}}')", R"([-3, "it's"])",
          "CREATE TABLE t (a int DEFAULT  -3, b text DEFAULT 'it''s') <- []"},
         {"DO $$ BEGIN PERFORM {{0}}; END $$", "[5]", "DO $$ BEGIN PERFORM 5; END $$ <- []"},
         {"DO $$ x {{0}} $$", R"(["a $$ b"])", "DO $t0$ x a $$ b $t0$ <- []"},
         {"NOTIFY ch, '{{0}}'", R"(["p'q"])", "NOTIFY ch, 'p''q' <- []"},
         {"SELECT {{0}} IS NULL", "[null]", "SELECT NULL IS NULL <- []"},
         {"SELECT * FROM t WHERE a LIKE '{{0}}%' AND b IN ('{{1}}', 'c')", R"(["x", "y"])",
          R"(SELECT * FROM t WHERE a LIKE $1 AND b IN ($2, 'c') <- ["x%","y"])"}},
        SqlDialect::postgres);
  check({{"CREATE TABLE t (a DEFAULT {{0}}, b DEFAULT '{{1}}')", R"([true, "it's"])",
          "CREATE TABLE t (a DEFAULT 1, b DEFAULT 'it''s') <- []"},
         {"SELECT 1 AS '{{0}}'", R"(["n"])", "SELECT 1 AS 'n' <- []"},
         {"SELECT x'{{0}}'", R"(["ff"])", "SELECT X'ff' <- []"},
         {"PRAGMA cache_size = {{0}}", "[-5]", "PRAGMA cache_size =  -5 <- []"}},
        SqlDialect::sqlite);
}

TEST(SqlProgramTest, EverythingCanBeWrittenOut) {
  const auto written = SqlProgram::Passing::written;
  EXPECT_EQ(bound("SELECT 5 -{{0}}, '{{1}}', {{2}}, {{3}}", R"([-3, "a'b", true, null])",
                  SqlDialect::postgres, written),
            "SELECT 5 - -3, 'a''b', TRUE, NULL <- []");
}

TEST(SqlProgramTest, AnUnclosedLiteralWithATemplateIsRefused) {
  EXPECT_EQ(bound("SELECT 'abc {{0}}", "[1]", SqlDialect::sqlite),
            "error: the text that begins with 'abc  has a template in it and is not closed by '");
}

TEST(SqlProgramTest, TheTextIsSharedWhereValuesDoNotChangeIt) {
  const auto program =
      SqlProgram::compile(pieces_of("INSERT INTO t VALUES ({{0}}, '{{1}}')"), SqlDialect::sqlite);
  const auto a = program->bind(values_of(R"([1, "x"])"));
  const auto b = program->bind(values_of(R"([null, "y"])"));
  EXPECT_EQ(a->front().text.get(), b->front().text.get());
}

TEST(SqlProgramTest, Traits) {
  const auto traits = [](const char* text, SqlDialect dialect) {
    return SqlProgram::compile(pieces_of(text), dialect)->bind({})->front().traits;
  };
  EXPECT_TRUE(traits("-- c\n select 1", SqlDialect::sqlite).may_only_read);
  EXPECT_FALSE(traits("insert into t values (1)", SqlDialect::sqlite).may_only_read);
  EXPECT_TRUE(traits("with a as (select 1) select * from a", SqlDialect::sqlite).may_only_read);
  EXPECT_FALSE(
      traits("with a as (select 1) update t set b = 1 from a", SqlDialect::sqlite).may_only_read);
  EXPECT_TRUE(traits("Begin immediate", SqlDialect::sqlite).own_transaction);
  EXPECT_TRUE(traits("pragma user_version", SqlDialect::sqlite).own_transaction);
  EXPECT_FALSE(traits("update t set a=1", SqlDialect::sqlite).own_transaction);
  EXPECT_TRUE(traits("SET work_mem = '1MB'", SqlDialect::postgres).own_transaction);
  EXPECT_TRUE(traits("CREATE INDEX CONCURRENTLY i ON t (a)", SqlDialect::postgres).single_only);
  EXPECT_TRUE(traits("VACUUM t", SqlDialect::postgres).single_only);
}

}  // namespace
}  // namespace tidemill::worker
