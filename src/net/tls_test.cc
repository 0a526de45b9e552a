// Encrypted connections: what works without encryption works with it, and who is let in.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <future>

#include "net/http_client.h"
#include "net/http_server.h"
#include "os/sync.h"

namespace tidemill::net {
namespace {

// Tells whose certificate it saw; keeps /wait until told.
class Witness : public HttpHandler {
 public:
  void handle(HttpRequest request, Respond respond) override {
    os::Lock lock(mutex_);
    if (request.path() == "/wait") {
      waiting_.push_back(std::move(respond));
      changed_.notify_all();
      return;
    }
    HttpResponse response;
    response.body = "[" + request.certificate + "] " + request.body;
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

class TlsTest : public testing::Test {
 protected:
  // Two authorities; a server's certificate for 127.0.0.1 and a client's, of the first.
  static void SetUpTestSuite() {
    folder() = testing::TempDir() + "tls_" + std::to_string(getpid()) + "/";
    std::filesystem::create_directories(folder());
    make("ca", "/CN=authority", "");
    make("other-ca", "/CN=nobody", "");
    make("server", "/CN=server", "-CA ca.pem -CAkey ca.key -addext subjectAltName=IP:127.0.0.1");
    make("worker", "/O=x/CN=gpu-1", "-CA ca.pem -CAkey ca.key");
    make("stranger", "/CN=gpu-1", "-CA other-ca.pem -CAkey other-ca.key");
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder()); }

  static std::string& folder() {
    static std::string path;
    return path;
  }
  static std::string at(const std::string& name) { return folder() + name; }
  static void make(const std::string& name, const std::string& subject, const std::string& more) {
    const std::string command =
        "cd " + folder() +
        " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1" +
        " -nodes -days 2 -keyout " + name + ".key -out " + name + ".pem -subj " + subject + " " +
        more + " 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

  void serve(HttpServerOptions options = {}, const std::string& client_ca = {}) {
    auto tls = Tls::for_server({at("server.pem"), at("server.key"), client_ca});
    ASSERT_TRUE(tls.ok()) << tls.error().what;
    options.tls = *tls;
    auto server = HttpServer::listen(options, witness_);
    ASSERT_TRUE(server.ok()) << server.error().what;
    server_ = std::move(*server);
  }
  std::unique_ptr<HttpClient> client(const ClientTlsFiles& files, const char* host = "127.0.0.1") {
    const std::string url = std::string("https://") + host + ":" + std::to_string(server_->port());
    auto options = client_options(url, "", files);
    EXPECT_TRUE(options.ok()) << options.error().what;
    return std::make_unique<HttpClient>(std::move(*options));
  }
  static Result<HttpResponse> post(HttpClient& client, std::string body) {
    HttpRequest request;
    request.method = "POST";
    request.target = "/";
    request.body = std::move(body);
    return client.ask(std::move(request), seconds(20));
  }
  static void ask_to_wait(HttpClient& client, Duration at_most, std::promise<std::string>& body) {
    HttpRequest request;
    request.method = "GET";
    request.target = "/wait";
    client.send(std::move(request), at_most, [&body](Result<HttpResponse> response) {
      body.set_value(response.ok() ? response->body : response.error().what);
    });
  }
  int connect_raw() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  // What comes until the server closes.
  static std::string read_all(int fd) {
    std::string all;
    char buffer[4096];
    for (ssize_t n = 0; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;) {
      all.append(buffer, static_cast<size_t>(n));
    }
    close(fd);
    return all;
  }

  Witness witness_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(TlsTest, AnswersOneAfterTheOtherLargeAndSmall) {
  serve();
  const auto one = client({.ca = at("ca.pem")});
  for (size_t i = 0; i < 20; ++i) {
    const std::string body(i * 100'000, 'x');
    const auto answer = post(*one, body);
    ASSERT_TRUE(answer.ok()) << answer.error().what;
    EXPECT_EQ(answer->body, "[] " + body);
  }
}

TEST_F(TlsTest, ManyWaitAtOnceAndTheirConnectionsAreUsedAgain) {
  serve();
  const auto one = client({.ca = at("ca.pem")});
  constexpr size_t kMany = 20;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::promise<std::string>> bodies(kMany);
    for (auto& body : bodies) ask_to_wait(*one, seconds(20), body);
    std::vector<Respond> all;
    for (size_t i = 0; i < kMany; ++i) all.push_back(witness_.waiting());
    for (size_t i = kMany; i-- > 0;) {
      HttpResponse response;
      response.body = "late";
      all[i].send(response);
    }
    for (auto& body : bodies) EXPECT_EQ(body.get_future().get(), "late");
  }
  EXPECT_EQ(post(*one, "after")->body, "[] after");
}

TEST_F(TlsTest, WhoGoesAwayWhileItWaitsIsNoticed) {
  serve();
  const auto one = client({.ca = at("ca.pem")});
  std::promise<std::string> body;
  ask_to_wait(*one, milliseconds(300), body);
  const Respond respond = witness_.waiting();
  EXPECT_NE(body.get_future().get().find("has not answered in time"), std::string::npos);
  witness_.wait_for_closed(1);
  respond.send({});  // goes nowhere
}

TEST_F(TlsTest, AServerIsTrustedByItsAuthorityAndItsName) {
  serve();
  const auto wrong = [&](const ClientTlsFiles& files, const char* host) {
    const auto answer = post(*client(files, host), "");
    return answer.ok()
               ? "trusted"
               : std::string(error_code_name(answer.error().code)) + " " + answer.error().what;
  };
  const std::string stranger = wrong({.ca = at("other-ca.pem")}, "127.0.0.1");
  EXPECT_TRUE(stranger.starts_with("denied")) << stranger;
  EXPECT_NE(stranger.find("--tls-ca"), std::string::npos);
  EXPECT_TRUE(wrong({}, "127.0.0.1").starts_with("denied"));  // the system does not know it
  EXPECT_TRUE(wrong({.ca = at("ca.pem")}, "localhost").starts_with("denied"));
}

TEST_F(TlsTest, AClientShowsACertificateWhenTheServerAsksForOne) {
  serve({}, at("ca.pem"));
  const auto known =
      client({.ca = at("ca.pem"), .certificate = at("worker.pem"), .key = at("worker.key")});
  for (int i = 0; i < 3; ++i) {
    const auto answer = post(*known, "hello");
    ASSERT_TRUE(answer.ok()) << answer.error().what;
    EXPECT_EQ(answer->body, "[gpu-1] hello");
  }
  EXPECT_FALSE(post(*client({.ca = at("ca.pem")}), "").ok());
  EXPECT_FALSE(
      post(*client(
               {.ca = at("ca.pem"), .certificate = at("stranger.pem"), .key = at("stranger.key")}),
           "")
          .ok());
}

TEST_F(TlsTest, SilentConnectionsAreClosedAndCountAgainstTheLimit) {
  serve({.connections_max = 2, .handshake_time = milliseconds(500)});
  const int first = connect_raw();
  const int second = connect_raw();
  EXPECT_EQ(read_all(connect_raw()), "");  // at once: there are two already
  EXPECT_EQ(read_all(first), "");
  EXPECT_EQ(read_all(second), "");  // their time is over
  EXPECT_TRUE(post(*client({.ca = at("ca.pem")}), "now").ok());
}

TEST_F(TlsTest, WhoDoesNotKnowOfTheEncryptionIsTold) {
  serve();
  const int fd = connect_raw();
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  EXPECT_NE(read_all(fd).find("https"), std::string::npos);
  const int other = connect_raw();
  ASSERT_EQ(send(other, "nonsense\r\n\r\n", 12, MSG_NOSIGNAL), 12);
  EXPECT_EQ(read_all(other).find("HTTP"), std::string::npos);
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreNamed) {
  const auto server = [&](const std::string& certificate, const std::string& key,
                          const std::string& ca) {
    const auto tls = Tls::for_server({certificate, key, ca});
    return tls.ok() ? "good" : tls.error().what;
  };
  EXPECT_EQ(server(at("server.pem"), at("server.key"), at("ca.pem")), "good");
  EXPECT_NE(server(at("none.pem"), at("server.key"), "").find("none.pem"), std::string::npos);
  EXPECT_NE(server(at("server.pem"), at("worker.key"), "").find("another certificate"),
            std::string::npos);
  EXPECT_NE(server(at("server.key"), at("server.key"), "").find("no PEM file"), std::string::npos);
  EXPECT_NE(server(at("server.pem"), "", "").find("give both files"), std::string::npos);
  EXPECT_NE(server("", "", at("ca.pem")).find("--tls-cert"), std::string::npos);
  EXPECT_NE(server(at("server.pem"), at("server.key"), at("none")).find("none"), std::string::npos);
  EXPECT_FALSE(Tls::for_client({.ca = at("none")}).ok());
  EXPECT_FALSE(client_options("https://a:1", "", {.ca = at("none")}).ok());
  EXPECT_TRUE(client_options("https://a:1", "", {.ca = at("ca.pem")}).ok());
  EXPECT_EQ(client_options("http://a:1", "", {.ca = at("none")})->tls, nullptr);
}

}  // namespace
}  // namespace tidemill::net
