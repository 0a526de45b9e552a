// The sqlite tool on real files: binding, grouping, isolation of calls, and what it refuses.
#include "worker/tools/sqlite.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "worker/tools/internal/call_bench_test.h"

namespace tidemill::worker {
namespace {

using playbook::Map;
using playbook::to_json;
using playbook::Value;

class SqliteTest : public ::testing::Test {
 protected:
  SqliteTest() {
    std::string name = (std::filesystem::temp_directory_path() / "tidemill_sqlite_XXXXXX").string();
    folder_ = mkdtemp(name.data());
    store_ = folder_ + "/store.db";
    bench_.use(make_sqlite_runner(bench_.loop(), {.refused_files = {store_}}));
  }
  ~SqliteTest() override {
    bench_.use(nullptr);
    std::filesystem::remove_all(folder_);
  }

  BenchCall call(const std::string& statement, const std::string& scope = "{}") {
    return {.auth = Value(folder_ + "/data.db"), .statement = statement, .scope = scope};
  }
  ToolResult run(const std::string& statement, const std::string& scope = "{}") {
    return bench_.run(call(statement, scope));
  }
  std::string json(const std::string& statement, const std::string& scope = "{}") {
    const ToolResult r = run(statement, scope);
    return r.error ? r.error->kind + ": " + r.error->message : to_json(r.data);
  }
  std::string kind(const std::string& statement, const std::string& scope = "{}") {
    const ToolResult r = run(statement, scope);
    return r.error ? r.error->kind : "none";
  }

  std::string folder_;
  std::string store_;
  CallBench bench_;
};

TEST_F(SqliteTest, RowsColumnsAndTypes) {
  EXPECT_EQ(json("SELECT 1 AS a, 2.5 AS b, 'x' AS c, NULL AS d, X'00ff' AS e"),
            R"({"rows":[{"a":1,"b":2.5,"c":"x","d":null,"e":"AP8="}],"row_count":1,)"
            R"("columns":["a","b","c","d","e"]})");
  EXPECT_EQ(json("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)"),
            R"({"rows":[],"row_count":0,"columns":[]})");
  EXPECT_EQ(json("INSERT INTO t VALUES (1, 'a'), (2, 'b')"),
            R"({"rows":[],"row_count":2,"columns":[]})");
  EXPECT_EQ(json("UPDATE t SET b = b || '!' WHERE a = 2 RETURNING a, b"),
            R"({"rows":[{"a":2,"b":"b!"}],"row_count":1,"columns":["a","b"]})");
}

TEST_F(SqliteTest, ValuesAreBound) {
  (void)run("CREATE TABLE t (k TEXT PRIMARY KEY, n, body)");
  const std::string scope =
      R"({"k": "it's; DROP TABLE t", "n": 3, "off": null, "body": {"a": "'"}})";
  EXPECT_EQ(json("INSERT INTO t VALUES ('{{ k }}', {{ n }}, '{{ body | tojson }}')", scope),
            R"({"rows":[],"row_count":1,"columns":[]})");
  EXPECT_EQ(
      json("SELECT k, n, json_extract(body, '$.a') AS a, {{ off }} AS z FROM t WHERE k = '{{ k }}'",
           scope),
      R"({"rows":[{"k":"it's; DROP TABLE t","n":3,"a":"'","z":null}],"row_count":1,)"
      R"("columns":["k","n","a","z"]})");
}

TEST_F(SqliteTest, BareTextIsRefusedAndInNoetlInserted) {
  (void)run("CREATE TABLE t (a)");
  const ToolResult r = run("SELECT count(*) AS n FROM {{ name }}", R"({"name": "t"})");
  ASSERT_TRUE(r.error);
  EXPECT_EQ(r.error->kind, "config");
  EXPECT_NE(r.error->message.find("{{ name }} is a string \"t\" outside a literal"),
            std::string::npos)
      << r.error->message;
  EXPECT_NE(r.error->message.find("ident"), std::string::npos);
  BenchCall noetl = call("SELECT count(*) AS n FROM {{ name }} WHERE {{ one }} = 1",
                         R"({"name": "t", "one": 1})");
  noetl.noetl = true;
  const ToolResult n = bench_.run(noetl);
  ASSERT_FALSE(n.error) << n.error->message;
  EXPECT_EQ(to_json(n.data.get("rows")), R"([{"n":0}])");
  EXPECT_NE(n.log.find("warning: {{ name }}"), std::string::npos);
}

TEST_F(SqliteTest, TheLastStatementGivesTheResultAndACallIsAllOrNothing) {
  EXPECT_EQ(json("CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1); SELECT a FROM t -- done\n;"),
            R"({"rows":[{"a":1}],"row_count":1,"columns":["a"]})");
  EXPECT_EQ(kind("INSERT INTO t VALUES (2); INSERT INTO t VALUES (1)"), "constraint");
  EXPECT_EQ(to_json(run("SELECT count(*) AS n FROM t").data.get("rows")), R"([{"n":1}])");
}

TEST_F(SqliteTest, ErrorsNameThePlace) {
  (void)run("CREATE TABLE t (a)");
  EXPECT_EQ(json("SELECT b FROM t"), "sql: no such column: b at: b FROM t");
  EXPECT_EQ(json("SELEC 1"), "sql: near \"SELEC\": syntax error at: SELEC 1");
  EXPECT_EQ(kind("SELECT ?"), "sql");
  EXPECT_EQ(kind("-- nothing"), "config");
  EXPECT_EQ(kind("SELECT {{ missing }}"), "config");
}

TEST_F(SqliteTest, OneFailureOfAGroupLeavesTheOthers) {
  (void)run("CREATE TABLE t (a INTEGER PRIMARY KEY)");
  std::vector<CallBench::Pending*> calls;
  for (int i = 0; i < 500; ++i) {
    calls.push_back(&bench_.start(
        call("INSERT INTO t VALUES ({{ i }})", "{\"i\": " + std::to_string(i % 450) + "}")));
  }
  bench_.finish();
  int failed = 0;
  for (const auto* c : calls) failed += c->result->error ? 1 : 0;
  EXPECT_EQ(failed, 50);
  EXPECT_EQ(to_json(run("SELECT count(*) AS n FROM t").data.get("rows")), R"([{"n":450}])");
}

TEST_F(SqliteTest, ACallThatUndoesTheTransactionHarmsOnlyItself) {
  (void)run(
      "CREATE TABLE t (a); CREATE TRIGGER g BEFORE INSERT ON t WHEN new.a = 7 "
      "BEGIN SELECT RAISE(ROLLBACK, 'not seven'); END; SELECT 1");
  std::vector<CallBench::Pending*> calls;
  for (int i = 0; i < 20; ++i) {
    calls.push_back(&bench_.start(
        call("INSERT INTO t VALUES ({{ i }})", "{\"i\": " + std::to_string(i) + "}")));
  }
  bench_.finish();
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(calls[static_cast<size_t>(i)]->result->error.has_value(), i == 7);
  EXPECT_EQ(to_json(run("SELECT count(*) AS n FROM t").data.get("rows")), R"([{"n":19}])");
}

TEST_F(SqliteTest, ADeferredConstraintFailsItsOwnCallOnly) {
  (void)run("PRAGMA foreign_keys=ON");
  (void)run(
      "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p(id) DEFERRABLE "
      "INITIALLY DEFERRED); INSERT INTO p VALUES (1)");
  auto& good = bench_.start(call("INSERT INTO c VALUES (1)"));
  auto& bad = bench_.start(call("INSERT INTO c VALUES (2)"));
  bench_.finish();
  EXPECT_FALSE(good.result->error);
  ASSERT_TRUE(bad.result->error);
  EXPECT_EQ(bad.result->error->kind, "constraint");
  EXPECT_EQ(to_json(run("SELECT p FROM c").data.get("rows")), R"([{"p":1}])");
}

TEST_F(SqliteTest, AnExplicitTransactionIsItsOwn) {
  EXPECT_EQ(kind("CREATE TABLE t (a)"), "none");
  EXPECT_EQ(kind("BEGIN; INSERT INTO t VALUES (1); COMMIT"), "none");
  EXPECT_EQ(kind("BEGIN; INSERT INTO t VALUES (2); ROLLBACK"), "none");
  EXPECT_EQ(json("BEGIN; INSERT INTO t VALUES (3)"),
            "sql: the call began a transaction and did not end it: add COMMIT");
  EXPECT_EQ(kind("BEGIN; INSERT INTO t VALUES (4); SELECT nope; COMMIT"), "sql");
  EXPECT_EQ(kind("COMMIT"), "sql");
  EXPECT_EQ(to_json(run("SELECT a FROM t").data.get("rows")), R"([{"a":1}])");
  EXPECT_EQ(kind("VACUUM"), "none");
}

TEST_F(SqliteTest, AReadSeesEveryWriteThatWasAnswered) {
  (void)run("CREATE TABLE t (a)");
  for (int i = 1; i <= 50; ++i) {
    (void)run("INSERT INTO t VALUES (1)");
    ASSERT_EQ(to_json(run("SELECT count(*) AS n FROM t").data.get("rows")),
              "[{\"n\":" + std::to_string(i) + "}]");
  }
  (void)run("CREATE TEMP TABLE own (a)");
  (void)run("INSERT INTO own VALUES (9)");
  EXPECT_EQ(to_json(run("SELECT a FROM own").data.get("rows")), R"([{"a":9}])");
  EXPECT_EQ(kind("WITH x AS (SELECT 5 AS a) INSERT INTO t SELECT a FROM x"), "none");
}

// Who copies data.db alone after a run must have all of it.
TEST_F(SqliteTest, NothingStaysInTheLogWhenTheRunIsOver) {
  (void)run("CREATE TABLE t (a)");
  (void)run("SELECT a FROM t");  // by a connection that can only read
  ASSERT_TRUE(std::filesystem::exists(folder_ + "/data.db-wal"));
  bench_.use(nullptr);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/data.db-wal"));
}

TEST_F(SqliteTest, TheStoreIsRefused) {
  const auto refused = [&](const std::string& path) {
    const ToolResult r = bench_.run({.auth = Value(path), .statement = "SELECT 1"});
    return r.error && r.error->message.find("holds the state of this run") != std::string::npos;
  };
  EXPECT_TRUE(refused(store_));
  EXPECT_TRUE(refused(store_ + "-wal"));
  EXPECT_TRUE(
      refused(folder_ + "/../" + std::filesystem::path(folder_).filename().string() + "/store.db"));
  // By whatever name it goes, once it is there.
  ASSERT_FALSE(
      bench_.run({.auth = Value(folder_ + "/seed.db"), .statement = "CREATE TABLE t (a)"}).error);
  std::filesystem::copy_file(folder_ + "/seed.db", store_);
  std::filesystem::create_hard_link(store_, folder_ + "/link.db");
  std::filesystem::create_symlink(store_, folder_ + "/soft.db");
  EXPECT_TRUE(refused(folder_ + "/link.db"));
  EXPECT_TRUE(refused(folder_ + "/soft.db"));
  EXPECT_EQ(kind("ATTACH '" + folder_ + "/link.db' AS x"), "sql");
  EXPECT_EQ(kind("ATTACH '" + folder_ + "/seed.db' AS x"), "none");
}

TEST_F(SqliteTest, WhatCannotBeOpened) {
  const auto outcome = [&](const Value& auth) {
    const ToolResult r = bench_.run({.auth = auth, .statement = "SELECT 1"});
    return r.error ? r.error->kind : "none";
  };
  EXPECT_EQ(outcome(Value(folder_ + "/no/such/folder.db")), "connect");
  EXPECT_EQ(outcome(Value()), "config");
  EXPECT_EQ(outcome(Value("sqlite://" + folder_ + "/a.db")), "none");
  EXPECT_EQ(outcome(from_json("{\"path\": \"" + folder_ + "/a.db\"}")), "none");
  EXPECT_EQ(outcome(Value(":memory:")), "none");
}

TEST_F(SqliteTest, ATimeoutAndACancelEndALongStatement) {
  (void)run("CREATE TABLE t (a)");
  const std::string endless =
      "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) INSERT INTO t SELECT n FROM "
      "r "
      "WHERE n < 0";
  BenchCall limited = call(endless);
  limited.timeout = milliseconds(50);
  auto& timed = bench_.start(limited);
  auto& other = bench_.start(call("INSERT INTO t VALUES (1)"));
  bench_.finish();
  ASSERT_TRUE(timed.result->error);
  EXPECT_EQ(timed.result->error->kind, "timeout");
  EXPECT_FALSE(other.result->error);
  auto& cancelled = bench_.start(call(endless));
  bench_.loop().after(milliseconds(20), [&] { bench_.runner().cancel(cancelled.id); });
  bench_.finish();
  EXPECT_EQ(cancelled.result->error->kind, "cancelled");
  EXPECT_EQ(to_json(run("SELECT count(*) AS n FROM t").data.get("rows")), R"([{"n":1}])");
}

TEST_F(SqliteTest, ValuesInsideBlocksAreBoundToo) {
  run("CREATE TABLE t (id INTEGER, name TEXT)");
  const std::string insert =
      "INSERT INTO t VALUES {% for i in items %}({{ i.id }}, '{{ i.t }}')"
      "{% if not loop.last %}, {% endif %}{% endfor %}";
  const std::string rows = R"({"items": [{"id": 1, "t": "O'Brien"},
                                         {"id": null, "t": "x'); DROP TABLE t; --"}]})";
  EXPECT_EQ(kind(insert, rows), "none");
  EXPECT_EQ(to_json(run("SELECT * FROM t").data.get("rows")),
            R"([{"id":1,"name":"O'Brien"},{"id":null,"name":"x'); DROP TABLE t; --"}])");
  EXPECT_EQ(json("SELECT {% if true %}{{ w }}{% endif %} AS a", R"({"w": "plain"})").substr(0, 7),
            "config:");
  EXPECT_EQ(to_json(run("SELECT {% if true %}{{ w | ident }}{% endif %} FROM t WHERE id = 1",
                        R"({"w": "name"})")
                        .data.get("rows")),
            R"([{"name":"O'Brien"}])");
  EXPECT_EQ(to_json(run("{% set x %}it's {{ w }}{% endset %}SELECT '{{ x }}' AS a",
                        R"({"w": "me"})")
                        .data.get("rows")),
            R"([{"a":"it's me"}])");
}

TEST_F(SqliteTest, ManyValuesInsideBlocksAreWrittenEscaped) {
  run("CREATE TABLE t (name TEXT)");
  const std::string insert =
      "INSERT INTO t VALUES {% for i in range(40000) %}({% if i > 0 %}'{{ w }}{{ i }}'{% else %}"
      "NULL{% endif %}){% if not loop.last %},{% endif %}{% endfor %}";
  EXPECT_EQ(run(insert, R"({"w": "it's "})").data.get("row_count").as_integer(), 40'000);
  EXPECT_EQ(to_json(run("SELECT name FROM t WHERE rowid = 40000").data.get("rows")),
            R"([{"name":"it's 39999"}])");
}

TEST_F(SqliteTest, BlocksAreRenderedWhole) {
  EXPECT_EQ(to_json(run("SELECT 1 AS a {% if true %}, 2 AS b{% endif %}").data.get("rows")),
            R"([{"a":1,"b":2}])");
}

}  // namespace
}  // namespace tidemill::worker
