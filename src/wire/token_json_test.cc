// Tokens and lines of the audit log as JSON.
#include "wire/token_json.h"

#include <gtest/gtest.h>

#include "wire/audit_json.h"

namespace tidemill::wire {
namespace {

TEST(TokenJsonTest, WhatIsAskedForComesBack) {
  NewToken token{.name = "gpu", .kind = TokenKind::worker, .queues = {"a", "\"b\""}};
  token.expires_at = WallTime{1'800'000'000'000'000'000};
  token.expires_in = hours(1);
  const auto read = parse_new_token(to_json(token));
  ASSERT_TRUE(read.ok()) << read.error().what;
  EXPECT_EQ(read->name, "gpu");
  EXPECT_EQ(read->kind, TokenKind::worker);
  EXPECT_EQ(read->queues, token.queues);
  EXPECT_EQ(read->expires_at, token.expires_at);
  EXPECT_EQ(read->expires_in, token.expires_in);
}

TEST(TokenJsonTest, OfTwoEndsTheEarlierHoldsAndTheSecretIsOnlyAHash) {
  NewToken token{.name = "x", .kind = TokenKind::admin};
  EXPECT_EQ(record_of(token, "s", WallTime{5}).expires_at, WallTime::never());
  token.expires_in = Duration{10};
  EXPECT_EQ(record_of(token, "s", WallTime{5}).expires_at, WallTime{15});
  token.expires_at = WallTime{12};
  EXPECT_EQ(record_of(token, "s", WallTime{5}).expires_at, WallTime{12});
  EXPECT_EQ(record_of(token, "s", WallTime{5}).hash, sha256("s"));
}

TEST(TokenJsonTest, MistakesAreNamed) {
  const auto wrong = [](const char* json) {
    const auto read = parse_new_token(json);
    return read.ok() ? "accepted" : read.error().what;
  };
  EXPECT_NE(wrong(R"({"name": "a"})").find("kind: is missing"), std::string::npos);
  EXPECT_NE(wrong(R"({"name": "a", "kind": "root"})").find("kind: expected client, worker"),
            std::string::npos);
  EXPECT_NE(wrong(R"({"name": "a", "kind": "admin", "queue": []})").find("queues"),
            std::string::npos);
  EXPECT_NE(wrong(R"({"kind": "admin", "expires_at": "soon"})").find("expires_at: expected a time"),
            std::string::npos);
  EXPECT_NE(wrong(R"({"kind": "admin", "expires_in_ms": -1})").find("expires_in_ms"),
            std::string::npos);
}

TEST(TokenJsonTest, TheListHoldsNoSecret) {
  TokenRecord record{.name = "a", .kind = TokenKind::read_only, .hash = sha256("secret")};
  record.created_at = WallTime{1'700'000'000'000'000'000};
  const std::string text = to_json(std::vector<TokenRecord>{record});
  EXPECT_EQ(text, R"({"tokens":[{"name":"a","kind":"read-only",)"
                  R"("created_at":"2023-11-14T22:13:20.000Z"}]})");
  const auto read = parse_tokens(text);
  ASSERT_TRUE(read.ok()) << read.error().what;
  ASSERT_EQ(read->size(), 1U);
  EXPECT_EQ((*read)[0].kind, TokenKind::read_only);
  const auto made = parse_made_token(to_json(MadeToken{record, "tm_1"}));
  ASSERT_TRUE(made.ok()) << made.error().what;
  EXPECT_EQ(made->secret, "tm_1");
  EXPECT_EQ(made->record.name, "a");
}

TEST(AuditJsonTest, ALineSaysWhoAndWhat) {
  AuditLine line{.at = WallTime{1'700'000'000'000'000'000}, .peer = "127.0.0.1"};
  line.method = "POST";
  line.path = "/v1/tasks";
  EXPECT_EQ(to_json(line), R"({"time":"2023-11-14T22:13:20.000Z","peer":"127.0.0.1",)"
                           R"("method":"POST","path":"/v1/tasks","status":null})");
  line.token = "ci";
  line.kind = "client";
  line.certificate = "a\nb";
  line.affected = {"task 7", "task 8"};
  line.affected_more = 3;
  line.status = 200;
  EXPECT_EQ(to_json(line),
            R"({"time":"2023-11-14T22:13:20.000Z","token":"ci","kind":"client",)"
            R"("certificate":"a\nb","peer":"127.0.0.1","method":"POST","path":"/v1/tasks",)"
            R"("affected":["task 7","task 8"],"affected_more":3,"status":200})");
}

}  // namespace
}  // namespace tidemill::wire
