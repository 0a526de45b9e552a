// The postgres tool on a server of its own: binding, types, errors, transactions, pipelining,
// stopping.
#include "worker/tools/postgres.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "worker/tools/internal/call_bench_test.h"
#include "worker/tools/internal/postgres_server_test.h"

namespace tidemill::worker {
namespace {

using playbook::to_json;
using playbook::Value;

class PostgresTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<TestPostgres>(); }
  static void TearDownTestSuite() { server_.reset(); }

  PostgresTest() {
    use(3);
    (void)run("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  }

  void use(size_t connections) {
    bench_.use(make_postgres_runner(bench_.loop(), {.connections = connections}));
  }
  BenchCall call(const std::string& statement, const std::string& scope = "{}") {
    return {.auth = Value(server_->dsn()), .statement = statement, .scope = scope};
  }
  ToolResult run(const std::string& statement, const std::string& scope = "{}") {
    return bench_.run(call(statement, scope));
  }
  // The rows as JSON, or the error.
  std::string rows(const std::string& statement, const std::string& scope = "{}") {
    const ToolResult r = run(statement, scope);
    return r.error ? r.error->kind + ": " + r.error->message : to_json(r.data.get("rows"));
  }

  static std::unique_ptr<TestPostgres> server_;
  CallBench bench_;
};
std::unique_ptr<TestPostgres> PostgresTest::server_;

TEST_F(PostgresTest, TypesBecomeJson) {
  EXPECT_EQ(
      rows("SELECT 1 AS a, 2.5::float8 AS b, 'x' AS c, NULL AS d, true AS e, 12::bigint AS f, "
           "1.10::numeric AS g, 3::numeric AS h"),
      R"([{"a":1,"b":2.5,"c":"x","d":null,"e":true,"f":12,"g":1.1,"h":3}])");
  EXPECT_EQ(rows("SELECT '{\"k\": [1, null]}'::jsonb AS j, ARRAY[1,2]::int[] AS i, "
                 "ARRAY['a \"q\"', NULL, 'b,c'] AS t, ARRAY[[1],[2]] AS n, '{}'::text[] AS z"),
            R"([{"j":{"k":[1,null]},"i":[1,2],"t":["a \"q\"",null,"b,c"],"n":[[1],[2]],"z":[]}])");
  EXPECT_EQ(
      rows("SELECT DATE '2020-02-03' AS d, '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid AS u"),
      R"([{"d":"2020-02-03","u":"6ba7b810-9dad-11d1-80b4-00c04fd430c8"}])");
  const ToolResult made = run("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)");
  EXPECT_EQ(to_json(made.data), R"({"rows":[],"row_count":2,"columns":[]})");
}

TEST_F(PostgresTest, ValuesAreBound) {
  (void)run("CREATE TABLE t (k text PRIMARY KEY, n bigint, r float8, on_ boolean, body jsonb)");
  const std::string scope =
      R"({"k": "it's; DROP TABLE t", "n": 5000000000, "r": -1.5, "on_": true, "body": {"a": "'"}, )"
      R"("off": null})";
  for (int i = 0; i < 4; ++i) {  // the later ones by a prepared statement
    const ToolResult r =
        run("INSERT INTO t VALUES ('{{ k }}', {{ n }}, {{ r }}, {{ on_ }}, '{{ body | tojson }}') "
            "ON CONFLICT (k) DO UPDATE SET n = EXCLUDED.n",
            scope);
    ASSERT_FALSE(r.error) << r.error->message;
    EXPECT_EQ(r.data.get("row_count").as_integer(), 1);
  }
  EXPECT_EQ(rows("SELECT k, n, r, on_, body, {{ off }} AS z FROM t WHERE k = '{{ k }}'", scope),
            R"([{"k":"it's; DROP TABLE t","n":5000000000,"r":-1.5,"on_":true,"body":{"a":"'"},)"
            R"("z":null}])");
}

TEST_F(PostgresTest, PlacesThatWantALiteralGetOne) {
  const std::string scope = R"({"n": 3, "s": "a'b", "d": "2020-01-01"})";
  EXPECT_EQ(rows("SELECT (DATE '{{ d }}' + INTERVAL '{{ n }} days')::date AS d", scope),
            R"([{"d":"2020-01-04"}])");
  EXPECT_EQ(rows("SELECT DATE '{{ d }}' + {{ n }} AS d", scope), R"([{"d":"2020-01-04"}])");
  // No type can be inferred for a parameter here, so the call is sent again with the value written
  // out.
  EXPECT_EQ(rows("SELECT jsonb_build_object('k', '{{ s }}') AS j", scope),
            R"([{"j":{"k":"a'b"}}])");
  EXPECT_EQ(rows("SELECT format('%s-%s', '{{ s }}', {{ n }}) AS f", scope), R"([{"f":"a'b-3"}])");
  EXPECT_EQ(rows("CREATE TABLE t (a int DEFAULT {{ n }}, b text DEFAULT '{{ s }}');"
                 "INSERT INTO t DEFAULT VALUES RETURNING a, b",
                 scope),
            R"([{"a":3,"b":"a'b"}])");
  EXPECT_EQ(
      rows("DO $$ BEGIN CREATE TABLE u AS SELECT {{ n }} AS x; END $$; SELECT x FROM u", scope),
      R"([{"x":3}])");
}

TEST_F(PostgresTest, ErrorsHaveTheSqlstateAndThePlace) {
  EXPECT_EQ(
      rows("SELECT nope FROM (VALUES (1)) v(a)"),
      "sql: 42703: column \"nope\" does not exist at character 8: nope FROM (VALUES (1)) v(a)");
  (void)run("CREATE TABLE t (a int UNIQUE)");
  const ToolResult twice = run("INSERT INTO t VALUES (1), (1)");
  ASSERT_TRUE(twice.error);
  EXPECT_EQ(twice.error->kind, "constraint");
  EXPECT_FALSE(twice.error->retryable);
  EXPECT_NE(twice.error->message.find("23505"), std::string::npos);
  EXPECT_NE(twice.error->message.find("Key (a)=(1) already exists."), std::string::npos);
  EXPECT_EQ(run("COPY t FROM STDIN").error->kind, "network");
  EXPECT_EQ(rows("SELECT 1 AS a"), R"([{"a":1}])");
  EXPECT_EQ(run("SELECT '{{ s }}'", "{\"s\": \"a\\u0000b\"}").error->kind, "config");
}

TEST_F(PostgresTest, ACallIsAllOrNothing) {
  (void)run("CREATE TABLE t (a int UNIQUE)");
  EXPECT_TRUE(run("INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)").error);
  EXPECT_EQ(rows("SELECT count(*) AS n FROM t"), R"([{"n":0}])");
  EXPECT_FALSE(
      run("BEGIN; INSERT INTO t VALUES (2); COMMIT; BEGIN; INSERT INTO t VALUES (3); ROLLBACK")
          .error);
  const ToolResult open = run("BEGIN; INSERT INTO t VALUES (4)");
  ASSERT_TRUE(open.error);
  EXPECT_NE(open.error->message.find("add COMMIT"), std::string::npos);
  EXPECT_TRUE(run("BEGIN; INSERT INTO t VALUES (5); SELECT nope; COMMIT").error);
  EXPECT_EQ(rows("SELECT a FROM t"), R"([{"a":2}])");
  EXPECT_FALSE(run("INSERT INTO t VALUES (9); VACUUM t").error);
}

TEST_F(PostgresTest, SettingsDoNotLeakIntoOtherCalls) {
  use(1);
  EXPECT_EQ(rows("SET application_name = 'x'; SELECT current_setting('application_name') AS a"),
            R"([{"a":"x"}])");
  EXPECT_EQ(rows("SELECT current_setting('application_name') AS a"), R"([{"a":"tidemill"}])");
}

TEST_F(PostgresTest, ManyCallsShareFewConnectionsAndFailAlone) {
  (void)run("CREATE TABLE t (a int UNIQUE)");
  std::vector<CallBench::Pending*> calls;
  for (int i = 0; i < 400; ++i) {
    calls.push_back(&bench_.start(
        call("INSERT INTO t VALUES ({{ i }})", "{\"i\": " + std::to_string(i % 350) + "}")));
  }
  bench_.finish();
  int failed = 0;
  for (const auto* c : calls) failed += c->result && c->result->error ? 1 : 0;
  EXPECT_EQ(failed, 50);
  EXPECT_EQ(rows("SELECT count(*) AS n, count(DISTINCT a) AS d FROM t"), R"([{"n":350,"d":350}])");
  EXPECT_EQ(
      rows("SELECT count(*) <= 3 AS few FROM pg_stat_activity WHERE application_name = 'tidemill'"),
      R"([{"few":true}])");
}

TEST_F(PostgresTest, APreparedStatementOutlivesItsTablesShape) {
  use(1);
  (void)run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(rows("SELECT * FROM t"), R"([{"a":1}])");
  (void)run("ALTER TABLE t ADD COLUMN b text DEFAULT 'x'");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(rows("SELECT * FROM t"), R"([{"a":1,"b":"x"}])");
}

TEST_F(PostgresTest, ATimeoutAndACancelEndAStatementAndSpareTheOthers) {
  use(1);
  BenchCall slow = call("SELECT pg_sleep(30)");
  slow.timeout = milliseconds(300);
  auto& timed = bench_.start(slow);
  auto& behind = bench_.start(call("SELECT 5 AS a"));
  bench_.finish();
  ASSERT_TRUE(timed.result->error);
  EXPECT_EQ(timed.result->error->kind, "timeout");
  ASSERT_FALSE(behind.result->error) << behind.result->error->message;
  auto& cancelled = bench_.start(call("SELECT pg_sleep(30)"));
  auto& waiting = bench_.start(call("SET search_path = x"));
  bench_.loop().after(milliseconds(200), [&] {
    bench_.runner().cancel(waiting.id);
    bench_.runner().cancel(cancelled.id);
  });
  bench_.finish();
  EXPECT_EQ(cancelled.result->error->kind, "cancelled");
  EXPECT_EQ(waiting.result->error->kind, "cancelled");
}

TEST_F(PostgresTest, ALostConnectionIsReplaced) {
  use(1);
  (void)run("SELECT 1");
  const ToolResult gone = run("SELECT pg_terminate_backend(pg_backend_pid())");
  ASSERT_TRUE(gone.error);
  EXPECT_TRUE(gone.error->retryable);
  EXPECT_EQ(rows("SELECT 1 AS a"), R"([{"a":1}])");
}

TEST_F(PostgresTest, UnreachableServersAreConnectErrors) {
  for (const char* dsn : {"host=127.0.0.1 port=1 user=x", "postgres://u:secret@127.0.0.1:1/x"}) {
    const ToolResult r = bench_.run({.auth = Value(dsn), .statement = "SELECT 1"});
    ASSERT_TRUE(r.error) << dsn;
    EXPECT_EQ(r.error->kind, "connect");
    EXPECT_TRUE(r.error->retryable);
    EXPECT_EQ(r.error->message.find("secret"), std::string::npos);
  }
  const ToolResult none = bench_.run({.statement = "SELECT 1"});
  EXPECT_EQ(none.error->kind, "config");
}

TEST_F(PostgresTest, AConnectionMayBeAMap) {
  const std::string folder = server_->dsn().substr(5, server_->dsn().find(' ') - 5);
  const ToolResult r =
      bench_.run({.auth = from_json("{\"host\": \"" + folder +
                                    "\", \"user\": \"test\", \"database\": \"postgres\"}"),
                  .statement = "SELECT current_user::text AS u"});
  ASSERT_FALSE(r.error) << r.error->message;
  EXPECT_EQ(to_json(r.data.get("rows")), R"([{"u":"test"}])");
}

}  // namespace
}  // namespace tidemill::worker
