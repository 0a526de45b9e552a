// The http tool against a small server on the same loop.
#include "worker/tools/http.h"

#include <gtest/gtest.h>

#include <vector>

#include "worker/tools/internal/call_bench_test.h"
#include "worker/tools/internal/http_server_test.h"

namespace tidemill::worker {
namespace {

using playbook::Map;
using playbook::to_json;
using playbook::Value;

class HttpTest : public ::testing::Test {
 protected:
  HttpTest() { bench_.use(make_http_runner(bench_.loop())); }

  ToolResult get(const std::string& path, const std::string& more = "{}") {
    Value config = from_json(more);
    config.mutable_map().set("url", Value(server_.url(path)));
    return bench_.run({.config = config});
  }

  CallBench bench_;
  std::vector<TestRequest> seen_;
  std::function<std::string(const TestRequest&)> respond_ = [](const TestRequest&) {
    return json_answer(200, R"({"a": [1, 2.5, "x"]})");
  };
  TestHttpServer server_{bench_.loop(), [this](const TestRequest& r) {
                           seen_.push_back(r);
                           return respond_(r);
                         }};
};

TEST_F(HttpTest, AJsonBodyIsParsed) {
  const ToolResult r = get("/x?a=1");
  ASSERT_FALSE(r.error) << r.error->message;
  EXPECT_EQ(r.http_status, 200);
  EXPECT_EQ(to_json(r.data.get("data")), R"({"a":[1,2.5,"x"]})");
  EXPECT_EQ(r.data.get("status_code").as_integer(), 200);
  EXPECT_EQ(r.data.get("headers").get("content-type").as_string(), "application/json");
  EXPECT_EQ(seen_.at(0).method, "GET");
  EXPECT_EQ(seen_.at(0).target, "/x?a=1");
  EXPECT_GT(r.bytes_in, 20U);
  EXPECT_GT(r.bytes_out, 20U);
}

TEST_F(HttpTest, OtherBodiesAreText) {
  respond_ = [](const TestRequest&) {
    return answer(200, "{\"a\": 1}", "Content-Type: text/plain\r\n");
  };
  EXPECT_EQ(get("/").data.get("data").as_string(), "{\"a\": 1}");
  respond_ = [](const TestRequest&) { return json_answer(200, ""); };
  EXPECT_TRUE(get("/").data.get("data").is_null());
}

TEST_F(HttpTest, ParamsAreEncodedAndJoinTheQuery) {
  (void)get("/p", R"({"params": {"a b": "x&y", "n": 7, "l": [1, 2], "none": null}})");
  (void)get("/p?q=1#part", R"({"params": {"a": true}})");
  EXPECT_EQ(seen_.at(0).target, "/p?a%20b=x%26y&n=7&l=1&l=2");
  EXPECT_EQ(seen_.at(1).target, "/p?q=1&a=true");
}

TEST_F(HttpTest, BodiesAndMethods) {
  (void)get("/", R"({"method": "post", "json": {"a": 1}})");
  (void)get("/", R"({"method": "PUT", "data": {"a": "x y", "b": 2}})");
  (void)get("/", R"({"method": "PATCH", "data": "raw", "headers": {"Content-Type": "a/b"}})");
  (void)get("/", R"({"method": "DELETE"})");
  (void)get("/");
  ASSERT_EQ(seen_.size(), 5U);
  EXPECT_EQ(seen_[0].method, "POST");
  EXPECT_EQ(seen_[0].body, R"({"a":1})");
  EXPECT_NE(seen_[0].head.find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_EQ(seen_[0].head.find("Expect"), std::string::npos);
  EXPECT_EQ(seen_[1].method, "PUT");
  EXPECT_EQ(seen_[1].body, "a=x%20y&b=2");
  EXPECT_EQ(seen_[2].method, "PATCH");
  EXPECT_EQ(seen_[2].body, "raw");
  EXPECT_NE(seen_[2].head.find("Content-Type: a/b\r\n"), std::string::npos);
  EXPECT_EQ(seen_[3].method, "DELETE");
  // A handle that is used again keeps nothing of the request before.
  EXPECT_EQ(seen_[4].method, "GET");
  EXPECT_EQ(seen_[4].body, "");
  EXPECT_EQ(seen_[4].head.find("Content-"), std::string::npos);
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(HttpTest, AuthInItsForms) {
  struct Case {
    const char* auth;
    const char* header;
  };
  const Case cases[] = {
      {R"("secret")", "Authorization: Bearer secret\r\n"},
      {R"({"type": "bearer", "token": "t"})", "Authorization: Bearer t\r\n"},
      {R"({"type": "basic", "username": "u", "password": "p"})", "Authorization: Basic dTpw\r\n"},
      {R"({"type": "header", "name": "X-Key", "value": "v"})", "X-Key: v\r\n"},
  };
  for (const Case& c : cases) {
    Map config;
    config.set("url", Value(server_.url("/")));
    (void)bench_.run({.config = Value(config), .auth = from_json(c.auth)});
    EXPECT_NE(seen_.back().head.find(c.header), std::string::npos) << seen_.back().head;
  }
  Map config;
  config.set("endpoint", "v1/x");
  const std::string base = "http://u:p%40@127.0.0.1:" + std::to_string(server_.port()) + "/api/";
  (void)bench_.run({.config = Value(config), .auth = Value(base)});
  EXPECT_EQ(seen_.back().target, "/api/v1/x");
  EXPECT_NE(seen_.back().head.find("Authorization: Basic dTpwQA==\r\n"), std::string::npos);
}

TEST_F(HttpTest, AStatusOutside2xxIsAnErrorWithData) {
  for (const int status : {404, 429, 500, 503}) {
    respond_ = [status](const TestRequest&) {
      return answer(status, R"({"why": "because"})",
                    "Content-Type: application/json\r\nRetry-After: 3\r\n");
    };
    const ToolResult r = get("/a?token=hidden");
    ASSERT_TRUE(r.error);
    EXPECT_EQ(r.error->kind, "http");
    EXPECT_EQ(r.error->retryable, status != 404);
    EXPECT_EQ(r.http_status, status);
    EXPECT_EQ(r.data.get("headers").get("retry-after").as_string(), "3");
    EXPECT_EQ(r.data.get("data").get("why").as_string(), "because");
    EXPECT_NE(r.error->message.find("answered " + std::to_string(status)), std::string::npos);
    EXPECT_EQ(r.error->message.find("hidden"), std::string::npos);
  }
}

// A message goes to terminals and into JSON; a server must not write there what it likes.
TEST_F(HttpTest, WhatAMessageShowsOfABodyIsPlainText) {
  respond_ = [](const TestRequest&) {
    return answer(500, "a\x1b[2Jb\r\nc\xff" + std::string(189, 'x') + "\xc3\xa9");
  };
  const std::string message = get("/x").error->message;
  EXPECT_NE(message.find(": a [2Jb  c\xef\xbf\xbdxxx"), std::string::npos) << message;
  EXPECT_TRUE(message.ends_with("x\xef\xbf\xbd…")) << message;
}

TEST_F(HttpTest, AnnouncedJsonThatIsNoneIsAnErrorExceptInNoetl) {
  respond_ = [](const TestRequest&) { return json_answer(200, "<html>"); };
  const ToolResult r = get("/");
  ASSERT_TRUE(r.error);
  EXPECT_EQ(r.error->kind, "body");
  EXPECT_EQ(r.data.get("data").as_string(), "<html>");
  Map config;
  config.set("url", Value(server_.url("/")));
  EXPECT_FALSE(bench_.run({.config = Value(config), .noetl = true}).error);
}

TEST_F(HttpTest, RedirectsAreFollowed) {
  respond_ = [](const TestRequest& r) {
    if (r.target == "/a") return answer(302, "", "Location: /b\r\nX-First: 1\r\n");
    return json_answer(200, "7");
  };
  const ToolResult r = get("/a");
  EXPECT_EQ(r.data.get("data").as_integer(), 7);
  EXPECT_TRUE(r.data.get("headers").get("x-first").is_undefined());
  respond_ = [](const TestRequest&) { return answer(302, "", "Location: /again\r\n"); };
  EXPECT_EQ(get("/a").error->kind, "redirect");
}

TEST_F(HttpTest, ARedirectIsAskedForWithItsOwnQuery) {
  respond_ = [](const TestRequest& r) {
    if (r.target.starts_with("/a")) return answer(302, "", "Location: /b?y=2\r\n");
    return json_answer(200, "7");
  };
  EXPECT_EQ(get("/a?x=1").data.get("data").as_integer(), 7);
  ASSERT_EQ(seen_.size(), 2U);
  EXPECT_EQ(seen_[1].target, "/b?y=2");
  // The handle that was redirected is used again.
  EXPECT_EQ(get("/c?z=3").data.get("data").as_integer(), 7);
  EXPECT_EQ(seen_.at(2).target, "/c?z=3");
}

TEST_F(HttpTest, HeadersOfItsOwnStandForTheUsualOnes) {
  const auto count = [](const std::string& head, std::string_view name) {
    size_t n = 0;
    for (size_t at = head.find(name); at != std::string::npos; at = head.find(name, at + 1)) ++n;
    return n;
  };
  get("/");
  get("/", R"({"headers": {"user-agent": "mine", "X-Other": "1"}})");
  get("/");
  ASSERT_EQ(seen_.size(), 3U);
  for (const size_t usual : {0U, 2U}) {
    EXPECT_EQ(count(seen_[usual].head, "User-Agent: tidemill\r\n"), 1U) << seen_[usual].head;
    EXPECT_EQ(count(seen_[usual].head, "Accept-Encoding: "), 1U) << seen_[usual].head;
    EXPECT_EQ(count(seen_[usual].head, "X-Other"), 0U) << seen_[usual].head;
  }
  EXPECT_EQ(count(seen_[1].head, "user-agent: mine\r\n"), 1U) << seen_[1].head;
  EXPECT_EQ(count(seen_[1].head, "User-Agent"), 0U) << seen_[1].head;
  EXPECT_EQ(count(seen_[1].head, "Accept-Encoding: "), 1U) << seen_[1].head;
}

TEST_F(HttpTest, AnAddressNobodyCanReadIsRefused) {
  for (const std::string url : {"/a b", "/a\nX-Evil: 1", "/a?b c"}) {
    const ToolResult r = get(url);
    ASSERT_TRUE(r.error) << url;
    EXPECT_EQ(r.error->kind, "config") << url;
  }
  EXPECT_TRUE(seen_.empty());
}

TEST_F(HttpTest, AProxyOfTheEnvironmentIsAsked) {
  ::setenv("http_proxy", server_.url("").c_str(), 1);
  bench_.use(make_http_runner(bench_.loop()));
  const ToolResult r = bench_.run({.config = from_json(R"({"url": "http://far.example/x?y=1"})")});
  ::unsetenv("http_proxy");
  ASSERT_FALSE(r.error) << r.error->message;
  EXPECT_EQ(seen_.at(0).target, "http://far.example/x?y=1");
}

TEST_F(HttpTest, GzipIsUndone) {
  // gzip of {"z":1}
  const unsigned char gz[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
                              0x03, 0xab, 0x56, 0xaa, 0x52, 0xb2, 0x32, 0xac, 0x05,
                              0x00, 0x3c, 0x0a, 0x2b, 0x41, 0x07, 0x00, 0x00, 0x00};
  respond_ = [&](const TestRequest&) {
    return answer(200, std::string(reinterpret_cast<const char*>(gz), sizeof gz),
                  "Content-Type: application/json\r\nContent-Encoding: gzip\r\n");
  };
  const ToolResult r = get("/");
  ASSERT_FALSE(r.error) << r.error->message;
  EXPECT_EQ(r.data.get("data").get("z").as_integer(), 1);
  EXPECT_NE(seen_.at(0).head.find("gzip"), std::string::npos);
}

TEST_F(HttpTest, UnreachableUnresolvableAndWrong) {
  const auto kind = [&](const char* config) {
    const ToolResult r = bench_.run({.config = from_json(config)});
    return r.error ? r.error->kind + (r.error->retryable ? " retryable" : "") : "none";
  };
  EXPECT_EQ(kind(R"({"url": "http://127.0.0.1:1/"})"), "connect retryable");
  EXPECT_EQ(kind(R"({"url": "http://nowhere.invalid/"})"), "dns retryable");
  EXPECT_EQ(kind(R"({"url": "ftp://a/"})"), "config");
  EXPECT_EQ(kind(R"({"url": "http://[x/"})"), "config");
  EXPECT_EQ(kind(R"({})"), "config");
  EXPECT_EQ(kind(R"({"url": "http://a/", "headers": {"A": "x\r\nB: y"}})"), "config");
  EXPECT_EQ(kind(R"({"url": "http://a/", "headers": {"A B": "x"}})"), "config");
  EXPECT_EQ(kind(R"({"url": "http://a/", "timeout": -1})"), "config");
  EXPECT_EQ(kind(R"({"url": "http://a/", "params": 3})"), "config");
}

TEST_F(HttpTest, TlsToAPlainServerFailsAsTls) {
  Map config;
  config.set("url", Value("https://127.0.0.1:" + std::to_string(server_.port()) + "/"));
  // The server takes the greeting for garbage and says so in plain text.
  respond_ = [](const TestRequest&) { return std::string("close"); };
  auto& pending = bench_.start({.config = Value(config), .timeout = seconds(20)});
  bench_.loop().after(milliseconds(200), [&] { server_.drop_all(); });
  bench_.finish();
  ASSERT_TRUE(pending.result->error);
  EXPECT_EQ(pending.result->error->kind, "tls") << pending.result->error->message;
}

TEST_F(HttpTest, ATimeoutAndACancelEndAHangingRequest) {
  respond_ = [](const TestRequest&) { return std::string(); };
  Map config;
  config.set("url", Value(server_.url("/")));
  EXPECT_EQ(bench_.run({.config = Value(config), .timeout = milliseconds(50)}).error->kind,
            "timeout");
  auto& pending = bench_.start({.config = Value(config)});
  bench_.loop().after(milliseconds(20), [&] { bench_.runner().cancel(pending.id); });
  bench_.finish();
  EXPECT_EQ(pending.result->error->kind, "cancelled");
}

TEST_F(HttpTest, AServerThatHangsUpIsANetworkError) {
  respond_ = [](const TestRequest&) { return std::string("close"); };
  const ToolResult r = get("/");
  EXPECT_EQ(r.error->kind, "network");
  EXPECT_TRUE(r.error->retryable);
}

TEST_F(HttpTest, AnIdleConnectionThatWasClosedIsReplaced) {
  (void)get("/");
  server_.drop_all();
  const ToolResult r = get("/");
  EXPECT_FALSE(r.error);
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(HttpTest, AThousandAreInFlightAtOnceAndConnectionsAreKept) {
  constexpr int kCalls = 1'000;
  server_.answer_together(kCalls);
  Map config;
  config.set("url", Value(server_.url("/")));
  const auto round = [&] {
    std::vector<CallBench::Pending*> calls;
    for (int i = 0; i < kCalls; ++i) calls.push_back(&bench_.start({.config = Value(config)}));
    bench_.finish();
    int good = 0;
    for (const auto* c : calls) good += c->result && !c->result->error ? 1 : 0;
    return good;
  };
  EXPECT_EQ(round(), kCalls);
  EXPECT_EQ(server_.connections(), kCalls);
  EXPECT_EQ(round(), kCalls);
  EXPECT_EQ(server_.connections(), kCalls);
  EXPECT_EQ(server_.requests(), 2 * kCalls);
}

}  // namespace
}  // namespace tidemill::worker
