// The HTTP server and client against each other over loopback, and the server against clients that
// keep no rule.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <deque>
#include <future>
#include <map>
#include <string>

#include "net/http_client.h"
#include "net/http_server.h"
#include "os/sync.h"

namespace tidemill::net {
namespace {

// Answers /echo at once, keeps /wait until told, and counts closed connections.
class Echo : public HttpHandler {
 public:
  void handle(HttpRequest request, Respond respond) override {
    if (request.path() == "/wait") {
      os::Lock lock(mutex_);
      waiting_.push_back(std::move(respond));
      changed_.notify_all();
      return;
    }
    HttpResponse response;
    response.status = request.path() == "/missing" ? 404 : 200;
    if (request.path() == "/large") response.body.assign(64'000'000, 'x');
    response.body += request.method + " " + request.target + " " + request.body;
    respond.send(std::move(response));
  }
  void connection_closed(uint64_t) override {
    os::Lock lock(mutex_);
    ++closed_;
    changed_.notify_all();
  }
  Respond waiting() {
    os::Lock lock(mutex_);
    while (waiting_.empty()) changed_.wait(mutex_);
    Respond first = std::move(waiting_.front());
    waiting_.pop_front();
    return first;
  }
  void wait_for_closed(int n) {
    os::Lock lock(mutex_);
    while (closed_ < n) changed_.wait(mutex_);
  }

 private:
  os::Mutex mutex_;
  os::Condition changed_;
  std::deque<Respond> waiting_;
  int closed_ = 0;
};

class HttpServerTest : public testing::Test {
 protected:
  void serve(HttpServerOptions options = {}) {
    auto server = HttpServer::listen(options, echo_);
    ASSERT_TRUE(server.ok()) << server.error().what;
    server_ = std::move(*server);
    client_ = std::make_unique<HttpClient>(
        HttpClientOptions{.server = {"127.0.0.1", server_->port()}, .token = {}});
  }
  Result<HttpResponse> ask(const std::string& method, const std::string& target,
                           const std::string& body = {}) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    return client_->ask(std::move(request), seconds(20));
  }

  // A client that writes what it likes.
  int connect_raw() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  std::string raw(const std::string& bytes) {
    const int fd = connect_raw();
    EXPECT_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    shutdown(fd, SHUT_WR);
    std::string all;
    char buffer[4096];
    for (ssize_t n = 0; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;) {
      all.append(buffer, static_cast<size_t>(n));
    }
    close(fd);
    return all;
  }

  Echo echo_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(HttpServerTest, AnswersOneAfterTheOther) {
  serve();
  for (int i = 0; i < 50; ++i) {
    const std::string body(static_cast<size_t>(i) * 1'000, 'x');
    const auto answer = ask("POST", "/echo?i=" + std::to_string(i), body);
    ASSERT_TRUE(answer.ok()) << answer.error().what;
    EXPECT_EQ(answer->body, "POST /echo?i=" + std::to_string(i) + " " + body);
  }
  EXPECT_EQ(ask("GET", "/missing")->status, 404);
}

TEST_F(HttpServerTest, ManyWaitAtOnceAndAreAnsweredInAnyOrder) {
  serve();
  constexpr int kMany = 100;
  std::vector<std::promise<std::string>> bodies(kMany);
  for (int i = 0; i < kMany; ++i) {
    HttpRequest request;
    request.method = "GET";
    request.target = "/wait";
    client_->send(std::move(request), seconds(20), [&bodies, i](Result<HttpResponse> response) {
      bodies[static_cast<size_t>(i)].set_value(response.ok() ? response->body
                                                             : response.error().what);
    });
  }
  std::vector<Respond> all;
  for (int i = 0; i < kMany; ++i) all.push_back(echo_.waiting());
  for (int i = kMany - 1; i >= 0; --i) {
    HttpResponse response;
    response.body = "late";
    all[static_cast<size_t>(i)].send(response);
    all[static_cast<size_t>(i)].send(response);  // the second is ignored
  }
  for (auto& body : bodies) EXPECT_EQ(body.get_future().get(), "late");
  EXPECT_EQ(ask("GET", "/echo")->body, "GET /echo ");
}

TEST_F(HttpServerTest, WhoGoesAwayWhileItWaitsIsNoticed) {
  serve();
  const int fd = connect_raw();
  const std::string request = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  const Respond respond = echo_.waiting();
  close(fd);
  echo_.wait_for_closed(1);
  respond.send({});  // goes nowhere
}

TEST_F(HttpServerTest, WhatIsNoRequestIsRefused) {
  serve({.body_max = 100, .head_max = 1'000});
  EXPECT_TRUE(raw("nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(raw("GET / HTTP/1.1\r\nA: " + std::string(2'000, 'x') + "\r\n\r\n")
                  .starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(raw("POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n" + std::string(101, 'x'))
                  .starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(raw("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_EQ(raw("POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\nhalf"), "");
  EXPECT_EQ(raw(""), "");
  EXPECT_EQ(ask("POST", "/echo", std::string(100, 'y'))->status, 200);  // at the bound
}

// The library counts the request line, and each lot of fields, by itself: a head that fits as a
// whole is taken, and one whose line or fields pass the bound by more than a short field is not.
TEST_F(HttpServerTest, AHeadAtTheBoundIsTakenAndALongerOneIsNot) {
  serve({.head_max = 1'000});
  const auto padded = [](const std::string& begin, const std::string& end, size_t size) {
    return begin + std::string(size - begin.size() - end.size(), 'x') + end;
  };
  const std::string line = "GET /echo HTTP/1.1\r\n";
  const std::string field = "Connection: close\r\nA: ";
  const auto fields = [&](size_t head) {
    return raw(line + padded(field, "\r\n\r\n", head - line.size()));
  };
  EXPECT_TRUE(fields(1'000).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(fields(1'000 + line.size() + field.size()).starts_with("HTTP/1.1 431 "));
  const std::string rest = "Connection: close\r\n\r\n";
  const auto path = [&](size_t head) {
    return raw(padded("GET /", " HTTP/1.1\r\n", head - rest.size()) + rest);
  };
  EXPECT_TRUE(path(1'000).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(path(1'000 + rest.size()).starts_with("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, ConnectionsAtTheBoundAreServedAndOneMoreIsClosed) {
  serve({.connections_max = 2});
  const int first = connect_raw();
  EXPECT_EQ(ask("GET", "/echo")->status, 200);  // and is kept open
  EXPECT_EQ(raw("GET /echo HTTP/1.1\r\n\r\n"), "");
  close(first);
  echo_.wait_for_closed(1);
  EXPECT_EQ(ask("GET", "/echo")->status, 200);
  EXPECT_TRUE(raw("GET /echo HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

// Who does not send the rest of what it has begun, or does not read, is closed; others are served.
TEST_F(HttpServerTest, SlowClientsAreClosed) {
  serve({.head_time = milliseconds(300), .body_time = milliseconds(300)});
  const auto begin = [&](const std::string& bytes) {
    const int fd = connect_raw();
    EXPECT_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    return fd;
  };
  const std::vector<int> slow = {
      begin(""), begin("GET /echo HT"), begin("GET /echo HTTP/1.1\r\nA: b\r\n"),
      begin("POST /echo HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf"),
      begin("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")};
  EXPECT_EQ(ask("GET", "/echo")->status, 200);
  char byte = 0;
  for (const int fd : slow) {
    EXPECT_EQ(recv(fd, &byte, 1, 0), 0);
    close(fd);
  }
  // An answer that is larger than all buffers between, and nobody takes it.
  const int deaf = begin("GET /large HTTP/1.1\r\n\r\n");
  echo_.wait_for_closed(7);  // the five, the client's own when idle, and this one
  close(deaf);
}

TEST_F(HttpServerTest, TwoRequestsInOnePieceAreAnsweredInOrder) {
  serve();
  const std::string one = "GET /echo?1 HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string two = "GET /echo?2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const std::string answers = raw(one + two);
  const size_t first = answers.find("GET /echo?1");
  const size_t second = answers.find("GET /echo?2");
  EXPECT_LT(first, second);
  EXPECT_NE(second, std::string::npos) << answers << "<end>";
}

TEST_F(HttpServerTest, ChunkedBodiesAndEscapes) {
  serve();
  EXPECT_NE(raw("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
                .find("POST /echo abcde"),
            std::string::npos);
  EXPECT_EQ(percent_decoded("a%20b+c%2Fd%zz%4"), "a b c/d%zz%4");
}

TEST_F(HttpServerTest, AConnectionClosedWhileIdleIsReplaced) {
  serve({.head_time = milliseconds(300)});
  EXPECT_EQ(ask("GET", "/echo")->status, 200);
  echo_.wait_for_closed(1);  // the server's patience is over
  EXPECT_EQ(ask("GET", "/echo")->status, 200);
}

TEST_F(HttpServerTest, NobodyThereAndNoAnswerAreErrors) {
  serve();
  HttpRequest request;
  request.method = "GET";
  request.target = "/wait";
  EXPECT_EQ(client_->ask(request, milliseconds(20)).error().code, ErrorCode::timeout);
  server_.reset();
  EXPECT_EQ(client_->ask(request, seconds(20)).error().code, ErrorCode::unavailable);
}

TEST_F(HttpServerTest, APortHasOneOwner) {
  serve();
  const auto second = HttpServer::listen({.port = server_->port()}, echo_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
  EXPECT_EQ(HttpServer::listen({.address = "nowhere"}, echo_).error().code, ErrorCode::invalid);
}

TEST_F(HttpServerTest, AfterItStopsListeningWhatWaitsIsAnswered) {
  serve();
  std::promise<int> status;
  HttpRequest request;
  request.method = "GET";
  request.target = "/wait";
  client_->send(request, seconds(20), [&](Result<HttpResponse> response) {
    status.set_value(response.ok() ? response->status : 0);
  });
  const Respond respond = echo_.waiting();
  server_->stop_listening();
  respond.send({});
  EXPECT_EQ(status.get_future().get(), 200);
  EXPECT_FALSE(client_->ask(request, seconds(20)).ok());
}

TEST(ServerAddressTest, IsAHostAndAPort) {
  const auto good = parse_server_address("http://127.0.0.1:8080/");
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good->host, "127.0.0.1");
  EXPECT_EQ(good->port, 8080);
  EXPECT_EQ(parse_server_address("http://[::1]:80")->host, "::1");
  EXPECT_TRUE(parse_server_address("https://a:1")->encrypted);
  EXPECT_FALSE(good->encrypted);
  for (const char* wrong : {"", "ftp://a:1", "https://a", "http://a", "http://:1", "http://a:0",
                            "http://a:65536", "http://a:1x"}) {
    EXPECT_FALSE(parse_server_address(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace tidemill::net
