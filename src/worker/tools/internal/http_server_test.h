#pragma once
// A few lines of HTTP/1.1 server for tests, on the loop of the code it answers: keep-alive, one
// handler that gives whole raw answers. An empty answer is none (the request hangs), "close" closes
// the connection. One thread.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "os/event_loop.h"

namespace tidemill::worker {

struct TestRequest {
  std::string method;
  std::string target;
  std::string head;  // all lines
  std::string body;
};

inline std::string answer(int status, const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " Some\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
inline std::string json_answer(int status, const std::string& body) {
  return answer(status, body, "Content-Type: application/json\r\n");
}

class TestHttpServer {
 public:
  using Handler = std::function<std::string(const TestRequest&)>;

  TestHttpServer(os::EventLoop& loop, Handler handler) : loop_(loop), handler_(std::move(handler)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 4096), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    loop_.watch(listener_, EPOLLIN, [this](uint32_t) { accept_all(); });
  }
  ~TestHttpServer() {
    loop_.unwatch(listener_);
    close(listener_);
    for (const auto& [fd, text] : input_) {
      loop_.unwatch(fd);
      close(fd);
    }
  }

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  int port() const { return port_; }
  int connections() const { return connections_; }
  int requests() const { return requests_; }
  // Answers wait from now on until so many are there: all these requests are in flight at once.
  void answer_together(size_t count) { together_ = count; }
  void drop_all() {
    while (!input_.empty()) drop(input_.begin()->first);
  }

 private:
  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      ++connections_;
      input_[fd] = "";
      loop_.watch(fd, EPOLLIN, [this, fd](uint32_t) { read_some(fd); });
    }
  }
  void drop(int fd) {
    loop_.unwatch(fd);
    close(fd);
    input_.erase(fd);
  }
  void read_some(int fd) {
    char buffer[65536];
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n <= 0) return drop(fd);
    std::string& in = input_[fd];
    in.append(buffer, static_cast<size_t>(n));
    for (TestRequest request; take(in, request);) {
      ++requests_;
      std::string out = handler_(request);
      if (out == "close") return drop(fd);
      if (!out.empty()) answers_.emplace_back(fd, std::move(out));
    }
    if (answers_.size() >= together_) write_all();
  }
  void write_all() {
    for (const auto& [fd, out] : std::exchange(answers_, {})) {
      EXPECT_EQ(write(fd, out.data(), out.size()), static_cast<ssize_t>(out.size()));
    }
  }
  static bool take(std::string& in, TestRequest& out) {
    const size_t end = in.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    size_t length = 0;
    if (const size_t at = in.find("Content-Length: "); at < end)
      length = std::stoul(in.substr(at + 16));
    if (in.size() < end + 4 + length) return false;
    out.head = in.substr(0, end + 2);
    out.method = in.substr(0, in.find(' '));
    const size_t target = out.method.size() + 1;
    out.target = in.substr(target, in.find(' ', target) - target);
    out.body = in.substr(end + 4, length);
    in.erase(0, end + 4 + length);
    return true;
  }

  os::EventLoop& loop_;
  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  int connections_ = 0;
  int requests_ = 0;
  size_t together_ = 1;
  std::vector<std::pair<int, std::string>> answers_;  // not written yet, and to whom
  std::map<int, std::string> input_;  // by descriptor
};

}  // namespace tidemill::worker
