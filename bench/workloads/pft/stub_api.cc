#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <deque>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/workloads/pft/spec.h"
#include "bench/workloads/pft/stub_api.h"
#include "os/clock.h"

namespace tidemill::bench::pft {

namespace {

constexpr std::string_view kPatientPath = "/api/v1/patient/";
constexpr std::string_view kStatsPath = "/stats";
constexpr std::string_view kMdsPath = "/api/v1/mds/assessment/";

// The value of `name` in a query string as a whole number, 0 when it is absent or none.
int query_number(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.size() <= name.size() || !pair.starts_with(name) || pair[name.size()] != '=') continue;
    int number = 0;
    const std::string_view digits = pair.substr(name.size() + 1);
    const auto [at, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return failed == std::errc() && at == digits.data() + digits.size() ? number : 0;
  }
  return 0;
}

std::string_view status_text(int status) {
  switch (status) {
    case 200:
      return "200 OK";
    case 404:
      return "404 Not Found";
    case 429:
      return "429 Too Many Requests\r\nRetry-After: 1";
    default:
      return "500 Internal Server Error";
  }
}

struct Connection {
  std::string in;
  std::string out;
  uint32_t generation = 0;  // tells a late answer from one to the descriptor's next owner
  bool open = false;
};

struct Late {
  SteadyTime due;
  int fd;
  uint32_t generation;
  std::string answer;
};

}  // namespace

int respond(std::string_view target, std::string& body) {
  const size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  const std::string_view query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  if (path.starts_with(kMdsPath) && path.size() > kMdsPath.size()) {
    write_mds(path.substr(kMdsPath.size()), body);
    return 200;
  }
  const auto type =
      path.starts_with(kPatientPath) ? type_named(path.substr(kPatientPath.size())) : std::nullopt;
  const int patient = query_number(query, "patientId");
  if (!type || patient < 1 || patient > kPatients) {
    body += R"({"error": "no such thing"})";
    return 404;
  }
  if (*type == Type::demographics) {
    write_demographics(patient, body);
    return 200;
  }
  const int page = query_number(query, "page");
  if (page < 1 || page > page_count(patient, *type)) {
    body += R"({"error": "no such page"})";
    return 404;
  }
  write_page(patient, *type, page, body);
  return 200;
}

// The server's thread.
class StubApi::Server {
 public:
  explicit Server(StubOptions options) : options_(std::move(options)) {
    if (!options_.log_file.empty()) log_ = std::fopen(options_.log_file.c_str(), "w");
  }
  ~Server() {
    if (log_ != nullptr) std::fclose(log_);
    for (size_t fd = 0; fd < connections_.size(); ++fd) {
      if (connections_[fd].open) close(static_cast<int>(fd));
    }
    for (const int fd : {listener_, wake_, epoll_}) {
      if (fd >= 0) close(fd);
    }
  }

  int listen_on_loopback();  // the port, 0 when it cannot
  void run();
  void stop() {
    const uint64_t one = 1;
    (void)!write(wake_, &one, sizeof one);
  }
  StubCounts counts() const {
    return {requests_.load(),  answered_.load(), errors_.load(),          refused_.load(),
            not_found_.load(), accepted_.load(), Duration{cpu_ns_.load()}};
  }

 private:
  void watch(int fd) const;
  void accept_all();
  void read_some(int fd);
  void answer_all(int fd);
  void answer(int fd, std::string_view target);
  int answer_to(std::string_view target);
  void write_stats();
  void send(int fd);
  void send_late();
  int status_for_now();
  void drop(int fd);

  const StubOptions options_;
  int epoll_ = -1;
  int listener_ = -1;
  int wake_ = -1;
  std::vector<Connection> connections_;  // by descriptor
  std::deque<Late> late_;                // the latency is the same for all, so this is in order
  std::string body_;
  std::FILE* log_ = nullptr;
  double error_debt_ = 0;
  double tokens_ = 0;
  SteadyTime tokens_at_{};
  std::atomic<uint64_t> requests_{0}, answered_{0}, errors_{0}, refused_{0}, not_found_{0},
      accepted_{0};
  std::atomic<int64_t> cpu_ns_{0};
};

int StubApi::Server::listen_on_loopback() {
  if (!options_.log_file.empty() && log_ == nullptr) return 0;
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(options_.port));
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, plain, size) != 0 || listen(listener_, 4'096) != 0) return 0;
  if (getsockname(listener_, plain, &size) != 0) return 0;
  watch(listener_);
  watch(wake_);
  return ntohs(address.sin_port);
}

void StubApi::Server::watch(int fd) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  (void)epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void StubApi::Server::run() {
  std::array<epoll_event, 512> events;
  for (;;) {
    timespec left{};
    if (!late_.empty()) {
      const int64_t ns = std::max<int64_t>(0, (late_.front().due - os::steady_now()).ns);
      left = {ns / 1'000'000'000, ns % 1'000'000'000};
    }
    const int n = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()),
                               late_.empty() ? nullptr : &left, nullptr);
    if (n < 0 && errno != EINTR) return;
    for (int i = 0; i < n; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == wake_) return;
      if (fd == listener_) {
        accept_all();
      } else {
        read_some(fd);
      }
    }
    send_late();
    cpu_ns_.store(os::thread_cpu().ns);
  }
}

void StubApi::Server::accept_all() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (static_cast<size_t>(fd) >= connections_.size())
      connections_.resize(static_cast<size_t>(fd) + 1);
    Connection& c = connections_[static_cast<size_t>(fd)];
    c.in.clear();
    c.out.clear();
    ++c.generation;
    c.open = true;
    accepted_.fetch_add(1);
    watch(fd);
  }
}

void StubApi::Server::read_some(int fd) {
  Connection& c = connections_[static_cast<size_t>(fd)];
  std::array<char, 16 * 1024> buffer;
  const ssize_t n = read(fd, buffer.data(), buffer.size());
  if (n <= 0) {
    if (n == 0 || errno != EAGAIN) drop(fd);
    return;
  }
  c.in.append(buffer.data(), static_cast<size_t>(n));
  answer_all(fd);
}

void StubApi::Server::answer_all(int fd) {
  Connection& c = connections_[static_cast<size_t>(fd)];
  size_t at = 0;
  for (;;) {
    const size_t end = c.in.find("\r\n\r\n", at);
    if (end == std::string::npos) break;
    const std::string_view line = std::string_view(c.in).substr(at, c.in.find("\r\n", at) - at);
    at = end + 4;
    const size_t first = line.find(' ');
    const size_t last = line.rfind(' ');
    answer(fd, first < last ? line.substr(first + 1, last - first - 1) : std::string_view("/"));
    if (!c.open) return;
  }
  c.in.erase(0, at);
}

// 200 when nothing is to go wrong with this request.
int StubApi::Server::status_for_now() {
  if (options_.requests_per_second > 0) {
    const SteadyTime now = os::steady_now();
    const auto rate = static_cast<double>(options_.requests_per_second);
    // At most a tenth of a second of unused requests is kept.
    tokens_ = std::min(std::max(1.0, rate / 10), tokens_ + (now - tokens_at_).seconds() * rate);
    tokens_at_ = now;
    if (tokens_ < 1) {
      refused_.fetch_add(1);
      return 429;
    }
    tokens_ -= 1;
  }
  error_debt_ += options_.error_rate;
  if (error_debt_ >= 1) {
    error_debt_ -= 1;
    errors_.fetch_add(1);
    return 500;
  }
  return 200;
}

void StubApi::Server::answer(int fd, std::string_view target) {
  body_.clear();
  const int status = answer_to(target);
  Connection& c = connections_[static_cast<size_t>(fd)];
  std::string late;
  std::string& out = options_.latency.ns > 0 ? late : c.out;
  out += "HTTP/1.1 ";
  out += status_text(status);
  out += "\r\nContent-Type: application/json\r\nContent-Length: ";
  out += std::to_string(body_.size());
  out += "\r\n\r\n";
  out += body_;
  if (options_.latency.ns > 0) {
    late_.push_back({os::steady_now() + options_.latency, fd, c.generation, std::move(late)});
  } else {
    send(fd);
  }
}

// The status, with the body in `body_`.
int StubApi::Server::answer_to(std::string_view target) {
  if (target == kStatsPath) {
    write_stats();
    return 200;
  }
  requests_.fetch_add(1, std::memory_order_relaxed);
  if (log_ != nullptr) {
    (void)std::fwrite(target.data(), 1, target.size(), log_);
    (void)std::fputc('\n', log_);
  }
  int status = status_for_now();
  if (status == 200) {
    status = respond(target, body_);
    (status == 200 ? answered_ : not_found_).fetch_add(1, std::memory_order_relaxed);
  } else {
    body_ = status == 429 ? R"({"error": "slow down"})" : R"({"error": "on purpose"})";
  }
  return status;
}

void StubApi::Server::write_stats() {
  if (log_ != nullptr) (void)std::fflush(log_);
  const StubCounts c = counts();
  const auto add = [this](const char* before, uint64_t count) {
    body_ += before;
    body_ += std::to_string(count);
  };
  add(R"({"requests": )", c.requests);
  add(R"(, "answered": )", c.answered);
  add(R"(, "errors": )", c.errors);
  add(R"(, "refused": )", c.refused);
  add(R"(, "not_found": )", c.not_found);
  add(R"(, "connections": )", c.connections);
  body_ += '}';
}

// Answers are far smaller than a socket's buffer; a client that lets it fill up is cut off.
void StubApi::Server::send(int fd) {
  Connection& c = connections_[static_cast<size_t>(fd)];
  const ssize_t n = ::send(fd, c.out.data(), c.out.size(), MSG_NOSIGNAL);
  const bool all = n == static_cast<ssize_t>(c.out.size());
  c.out.clear();
  if (!all) drop(fd);
}

void StubApi::Server::send_late() {
  if (late_.empty()) return;
  const SteadyTime now = os::steady_now();
  while (!late_.empty() && late_.front().due <= now) {
    Late late = std::move(late_.front());
    late_.pop_front();
    Connection& c = connections_[static_cast<size_t>(late.fd)];
    if (!c.open || c.generation != late.generation) continue;
    c.out = std::move(late.answer);
    send(late.fd);
  }
}

void StubApi::Server::drop(int fd) {
  close(fd);
  connections_[static_cast<size_t>(fd)].open = false;
}

// ---- the door ----

StubApi::StubApi(StubOptions options) : server_(std::make_unique<Server>(std::move(options))) {
  port_ = server_->listen_on_loopback();
  if (port_ > 0) {
    thread_ = os::Thread("stub-api", [this] { server_->run(); });
  }
}

StubApi::~StubApi() {
  server_->stop();
  thread_.join();
}

StubCounts StubApi::counts() {
  const StubCounts now = server_->counts();
  const StubCounts before = std::exchange(taken_, now);
  return {now.requests - before.requests,
          now.answered - before.answered,
          now.errors - before.errors,
          now.refused - before.refused,
          now.not_found - before.not_found,
          now.connections - before.connections,
          now.cpu - before.cpu};
}

}  // namespace tidemill::bench::pft
