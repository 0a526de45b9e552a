#include "cli/internal/hints.h"

#include <gtest/gtest.h>

namespace tidemill::cli {
namespace {

TEST(HintsTest, AWordIsQuotedWhenTheShellWouldChangeIt) {
  EXPECT_EQ(shell_word("runs/a-1.yaml"), "runs/a-1.yaml");
  EXPECT_EQ(shell_word("my runs/a.yaml"), "'my runs/a.yaml'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word("$HOME"), "'$HOME'");
  EXPECT_EQ(shell_word(""), "''");
}

TEST(HintsTest, ACommandNamesTheStoreThatTheRunUsed) {
  EXPECT_EQ(command_hint("show 12", ""), "tidemill show 12");
  EXPECT_EQ(command_hint("show 12", "my run.db"), "tidemill show 12 --store 'my run.db'");
}

TEST(HintsTest, NoPasswordIsRepeated) {
  EXPECT_EQ(without_password("shop=shop.db"), "shop=shop.db");
  EXPECT_EQ(without_password("pg=postgres://ada@db/x"), "pg=postgres://ada@db/x");
  EXPECT_EQ(without_password("pg=postgres://ada:s3@cr:et@db:5/x"), "pg=postgres://ada:***@db:5/x");
  EXPECT_EQ(without_password("pg=postgres://db:5432/x"), "pg=postgres://db:5432/x");
  EXPECT_EQ(without_password("pg=host=db password=secret dbname=x"),
            "pg=host=db password=*** dbname=x");
  EXPECT_EQ(without_password("pg=host=db password='a b' dbname=x"),
            "pg=host=db password=*** dbname=x");
  EXPECT_EQ(without_password("pg=postgres://db/x?user=a&password=secret&y=z"),
            "pg=postgres://db/x?user=a&password=***&y=z");
  EXPECT_EQ(without_password("api={\"token\": \"secret\"}"), "api=***");
}

TEST(HintsTest, NoTokenIsRepeated) {
  EXPECT_EQ(connection_word("api=sekret-token-1"), "api=***");
  EXPECT_EQ(connection_word("shop=shop.db"), "shop=shop.db");
  EXPECT_EQ(connection_word("shop=data/shop"), "shop=data/shop");
  EXPECT_EQ(connection_word("api=env:TOKEN"), "api=env:TOKEN");
  EXPECT_EQ(connection_word("api=@token"), "api=@token");
  EXPECT_EQ(connection_word("pg=host=db password=secret"), "pg=host=db password=***");
}

TEST(HintsTest, NoSecretWorkloadValueIsRepeated) {
  EXPECT_EQ(without_secret("count=3"), "count=3");
  EXPECT_EQ(without_secret("people=[\"Bob\"]"), "people=[\"Bob\"]");
  EXPECT_EQ(without_secret("api.token=s3cret"), "api.token=…");
  EXPECT_EQ(without_secret("PGPASSWORD=s3cret"), "PGPASSWORD=…");
  EXPECT_EQ(without_secret("api_key=s3cret"), "api_key=…");
  EXPECT_EQ(without_secret("db=postgres://ada:s3cret@db/x"), "db=…");
  EXPECT_EQ(without_secret("db=postgres://ada@db/x"), "db=postgres://ada@db/x");
  // A map may hold anything.
  EXPECT_EQ(without_secret("api={\"t\": \"s3cret\"}"), "api=…");
}

}  // namespace
}  // namespace tidemill::cli
