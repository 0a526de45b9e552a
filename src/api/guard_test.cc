// Who is let in with which token, and what goes on record of what is asked.
#include "api/internal/guard.h"

#include <gtest/gtest.h>

namespace tidemill::api {
namespace {

Route route(std::string_view method, std::string_view pattern, Access access = Access::by_method) {
  return {method, pattern, nullptr, access};
}

class GuardTest : public testing::Test {
 protected:
  void add(const std::string& name, TokenKind kind, WallTime expires = WallTime::never()) {
    TokenRecord token{.name = name, .kind = kind, .hash = sha256("tm_" + name)};
    token.expires_at = expires;
    book_.committed({PutToken{token}});
  }
  // 0: it is let in.
  int status(const std::string& authorization, const Route& asked) {
    net::HttpRequest request;
    request.method = std::string(asked.method);
    if (!authorization.empty()) request.headers.push_back({"authorization", authorization});
    last_ = admit(check_, request, &asked);
    EXPECT_EQ(last_.known, !last_.refusal || last_.refusal->status == 403);
    return last_.refusal ? last_.refusal->status : 0;
  }

  engine::TokenBook book_;
  RefusedCounts refused_;
  WallTime now_{1'000};
  TokenCheck check_{.tokens = book_,
                    .required = false,
                    .wall_now = [this] { return now_; },
                    .refused = &refused_};
  Admission last_;
};

TEST_F(GuardTest, NobodyIsAskedWhileThereIsNoTokenUnlessOthersCanReachIt) {
  const Route asked = route("GET", "/v1/tasks");
  EXPECT_EQ(status("", asked), 0);
  EXPECT_EQ(status("Bearer tm_x", asked), 0);
  check_.required = true;
  EXPECT_EQ(status("", asked), 401);
  check_.required = false;
  add("x", TokenKind::client, WallTime{999});  // expired: the door stays closed
  EXPECT_EQ(status("", asked), 401);
  EXPECT_EQ(status("", route("GET", "/healthz", Access::open)), 0);
}

TEST_F(GuardTest, TheHeaderSaysWhoAndTheAnswerWhatIsWrong) {
  add("x", TokenKind::client);
  const Route asked = route("GET", "/v1/tasks");
  for (const char* good : {"Bearer tm_x", "bearer tm_x", "BEARER   tm_x "}) {
    EXPECT_EQ(status(good, asked), 0) << good;
    EXPECT_EQ(last_.token->name, "x");
  }
  for (const char* bad : {"", "tm_x", "Basic tm_x", "Bearer", "Bearer ", "Bearer tm_y", "Bearer x",
                          "Bearer tm_x tm_x"}) {
    EXPECT_EQ(status(bad, asked), 401) << bad;
    EXPECT_EQ(last_.refusal->body.find("tm_y"), std::string::npos);
    bool challenged = false;
    for (const auto& h : last_.refusal->headers) challenged |= h.name == "WWW-Authenticate";
    EXPECT_TRUE(challenged);
  }
  EXPECT_EQ(refused_.without_token, 8U);
}

TEST_F(GuardTest, ATokenHoldsUntilTheMomentItExpires) {
  add("x", TokenKind::admin, WallTime{1'001});
  const Route asked = route("GET", "/v1/tasks");
  EXPECT_EQ(status("Bearer tm_x", asked), 0);
  now_ = WallTime{1'001};
  EXPECT_EQ(status("Bearer tm_x", asked), 401);
  EXPECT_NE(last_.refusal->body.find("has expired"), std::string::npos);
}

TEST_F(GuardTest, KindsMayAskWhatTheirRoutesSay) {
  add("client", TokenKind::client);
  add("worker", TokenKind::worker);
  add("admin", TokenKind::admin);
  add("reader", TokenKind::read_only);
  const auto who = [&](const Route& asked) {
    std::string may;
    for (const char* name : {"client", "worker", "admin", "reader"}) {
      const int got = status(std::string("Bearer tm_") + name, asked);
      EXPECT_TRUE(got == 0 || got == 403);
      if (got == 0) may += std::string(may.empty() ? "" : " ") + name;
    }
    return may;
  };
  EXPECT_EQ(who(route("GET", "/a")), "client admin reader");
  EXPECT_EQ(who(route("POST", "/a")), "admin");  // a route that says nothing
  EXPECT_EQ(who(route("POST", "/a", Access::read)), "client admin reader");
  EXPECT_EQ(who(route("GET", "/a", Access::fetch)), "client worker admin reader");
  EXPECT_EQ(who(route("POST", "/a", Access::produce)), "client admin");
  EXPECT_EQ(who(route("POST", "/a", Access::work)), "worker admin");
  EXPECT_EQ(who(route("GET", "/a", Access::administer)), "admin");
  EXPECT_EQ(refused_.wrong_kind, 1U + 3 + 1 + 0 + 2 + 2 + 3);
  net::HttpRequest request;
  EXPECT_EQ(admit(check_, request, nullptr).refusal->status, 401);  // nothing there: the same
}

TEST_F(GuardTest, WhatChangesSomethingIsOnRecord) {
  EXPECT_TRUE(is_audited(route("POST", "/a")));
  EXPECT_TRUE(is_audited(route("DELETE", "/a")));
  EXPECT_TRUE(is_audited(route("PUT", "/a", Access::work)));
  EXPECT_FALSE(is_audited(route("GET", "/a", Access::administer)));
  EXPECT_FALSE(is_audited(route("POST", "/v1/tasks/wait", Access::read)));
  EXPECT_FALSE(is_audited(route("POST", "/v1/exchange", Access::work)));
}

TEST(AuditNoteTest, ItsLineIsWrittenOnceAndAlsoWhenNobodyAnswers) {
  std::vector<std::string> lines;
  const auto keep = [&](std::string_view text) { lines.emplace_back(text); };
  int sent = 0;
  const net::Respond wire([&](const net::Respond::Make& make) { sent = make().status; });
  {
    auto note = std::make_shared<AuditNote>(keep, wire::AuditLine{.path = "/a"});
    affects_path(*note, route("POST", "/v1/queues/*/pause"), {"night"});
    const net::Respond respond = noted(wire, note);
    net::HttpResponse response;
    response.status = 409;
    respond.send(response);
  }
  EXPECT_EQ(sent, 409);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find(R"("affected":["queue night"],"status":409)"), std::string::npos);
  noted(net::Respond([](auto) {}), std::make_shared<AuditNote>(keep, wire::AuditLine{})).send({});
  ASSERT_EQ(lines.size(), 2U);  // its connection was gone
  EXPECT_NE(lines[1].find(R"("status":null)"), std::string::npos);
}

TEST(AuditNoteTest, OfManyTheFirstAreNamed) {
  std::string line;
  {
    AuditNote note([&](std::string_view text) { line = text; }, {});
    for (size_t i = 0; i < wire::kAuditNamed + 2; ++i) note.affects(std::to_string(i));
    note.answered(200);
    note.answered(500);
  }
  EXPECT_NE(line.find(R"("15"],"affected_more":2,"status":200})"), std::string::npos) << line;
}

}  // namespace
}  // namespace tidemill::api
