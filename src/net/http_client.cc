#include "net/http_client.h"

#include <charconv>
#include <future>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include "net/internal/stream.h"
#include "os/thread.h"

namespace tidemill::net {

struct HttpClient::Impl {
  struct Job {
    HttpRequest request;
    Duration at_most;
    OnResponse on_response;
    bool again = false;  // the second try: an idle connection had been closed by the server
  };
  class Channel;

  explicit Impl(HttpClientOptions o) : options(std::move(o)) {}

  void start(Job job);
  void put_back(const std::shared_ptr<Channel>& channel);
  void forget(const std::shared_ptr<Channel>& channel) { open.remove(channel); }
  void stop();

  const HttpClientOptions options;
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard{context.get_executor()};
  std::list<std::shared_ptr<Channel>> open;
  std::vector<std::shared_ptr<Channel>> idle;
  bool stopping = false;
  os::Thread thread;
};

// One connection. It has one job at a time, and goes back to the idle ones after it.
class HttpClient::Impl::Channel : public std::enable_shared_from_this<Channel> {
 public:
  explicit Channel(Impl& client)
      : client_(client), resolver_(client.context), stream_(client.context, tls_of(client)) {}

  void run(Job job);
  void close();

 private:
  static const Tls* tls_of(const Impl& client) {
    TIDEMILL_ASSERT(client.options.server.encrypted == (client.options.tls != nullptr));
    return client.options.tls.get();
  }
  void connect();
  void connected();
  void shaken(error_code error);
  void write();
  void read();
  void done();
  void fail(error_code error);
  Error error_of(const error_code& error) const;

  Impl& client_;
  tcp::resolver resolver_;
  Stream stream_;
  beast::flat_buffer in_;
  std::optional<http::response_parser<http::string_body>> parser_;
  std::string out_;
  std::optional<Job> job_;
  bool connected_ = false;
  bool used_before_ = false;
};

namespace {

void append_request(const HttpRequest& request, const HttpClientOptions& options,
                    std::string& out) {
  out += request.method + " " + request.target + " HTTP/1.1\r\nHost: " + options.server.host + ":" +
         std::to_string(options.server.port) + "\r\nUser-Agent: tidemill";
  if (!options.token.empty()) out += "\r\nAuthorization: Bearer " + options.token;
  for (const HttpHeader& h : request.headers) out += "\r\n" + h.name + ": " + h.value;
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    out += "\r\nContent-Length: " + std::to_string(request.body.size());
  }
  out += "\r\n\r\n";
  out += request.body;
}

}  // namespace

void HttpClient::Impl::Channel::run(Job job) {
  job_ = std::move(job);
  out_.clear();
  append_request(job_->request, client_.options, out_);
  if (connected_) {
    used_before_ = true;
    write();
  } else {
    connect();
  }
}

void HttpClient::Impl::Channel::connect() {
  const ServerAddress& server = client_.options.server;
  resolver_.async_resolve(
      server.host, std::to_string(server.port),
      [self = shared_from_this()](error_code error, const tcp::resolver::results_type& found) {
        if (error) return self->fail(error);
        beast::tcp_stream& tcp = self->stream_.transport();
        tcp.expires_after(time_of(self->client_.options.connect_time));
        tcp.async_connect(found, [self](error_code failed, const tcp::endpoint&) {
          if (failed) return self->fail(failed);
          self->connected();
        });
      });
}

void HttpClient::Impl::Channel::connected() {
  error_code ignored;
  stream_.socket().set_option(tcp::no_delay(true), ignored);
  if (!stream_.encrypted()) return shaken({});
  stream_.transport().expires_after(time_of(client_.options.connect_time));
  stream_.ask_handshake(client_.options.server.host,
                        [self = shared_from_this()](error_code error) { self->shaken(error); });
}

void HttpClient::Impl::Channel::shaken(error_code error) {
  if (!job_) return;  // closed meanwhile
  if (error) return fail(error);
  connected_ = true;
  write();
}

void HttpClient::Impl::Channel::write() {
  stream_.transport().expires_after(time_of(job_->at_most));
  stream_.with([this](auto& bytes) {
    asio::async_write(bytes, asio::buffer(out_),
                      [self = shared_from_this()](error_code error, size_t) {
                        if (error) return self->fail(error);
                        self->read();
                      });
  });
}

void HttpClient::Impl::Channel::read() {
  parser_.emplace();
  parser_->body_limit(client_.options.body_max);
  if (job_->request.method == "HEAD") parser_->skip(true);
  stream_.with([this](auto& bytes) {
    http::async_read(bytes, in_, *parser_, [self = shared_from_this()](error_code error, size_t) {
      if (error) return self->fail(error);
      self->done();
    });
  });
}

void HttpClient::Impl::Channel::done() {
  const bool keep = parser_->get().keep_alive();
  auto message = parser_->release();
  HttpResponse response;
  response.status = static_cast<int>(message.result_int());
  response.content_type = std::string(message[http::field::content_type]);
  for (const auto& field : message) {
    response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  response.body = std::move(message.body());
  stream_.transport().expires_never();
  const HttpClient::OnResponse on_response = std::move(job_->on_response);
  job_.reset();
  if (keep) {
    client_.put_back(shared_from_this());
  } else {
    close();
    client_.forget(shared_from_this());
  }
  on_response(std::move(response));
}

// A connection that had been idle may have been closed by the server before the request arrived: it
// is asked once more over a new one. What was sent over a new connection may have been done.
void HttpClient::Impl::Channel::fail(error_code error) {
  if (!job_) return;
  Job job = std::move(*job_);
  job_.reset();
  const bool nothing_came = !parser_ || !parser_->got_some();
  close();
  client_.forget(shared_from_this());
  const bool timed_out = error == beast::error::timeout;
  if (used_before_ && nothing_came && !timed_out && !job.again && !client_.stopping) {
    job.again = true;
    return client_.start(std::move(job));
  }
  job.on_response(error_of(error));
}

Error HttpClient::Impl::Channel::error_of(const error_code& error) const {
  const std::string place =
      client_.options.server.host + ":" + std::to_string(client_.options.server.port);
  const bool timed_out = error == beast::error::timeout;
  if (timed_out && connected_) return {ErrorCode::timeout, place + " has not answered in time"};
  if (is_tls_error(error)) {
    if (!connected_) {
      return {ErrorCode::denied,
              place + ": " + error.message() +
                  ": the server's certificate must be of that name and signed by an authority that "
                  "is trusted; --tls-ca names one"};
    }
    return {ErrorCode::denied,
            place + ": " + error.message() +
                ": the server asks for a certificate that it trusts; --tls-cert and --tls-key "
                "name one"};
  }
  return {ErrorCode::unavailable,
          place + ": " + (timed_out ? "no connection in time" : error.message())};
}

void HttpClient::Impl::Channel::close() {
  stream_.close();
  resolver_.cancel();
}

void HttpClient::Impl::start(Job job) {
  if (stopping) {
    return job.on_response(Error{ErrorCode::unavailable, "the client is stopping"});
  }
  std::shared_ptr<Channel> channel;
  if (job.again || idle.empty()) {
    channel = std::make_shared<Channel>(*this);
    open.push_back(channel);
  } else {
    channel = std::move(idle.back());
    idle.pop_back();
  }
  channel->run(std::move(job));
}

void HttpClient::Impl::put_back(const std::shared_ptr<Channel>& channel) {
  if (idle.size() < options.idle_connections) {
    idle.push_back(channel);
    return;
  }
  channel->close();
  forget(channel);
}

void HttpClient::Impl::stop() {
  stopping = true;
  idle.clear();
  const auto all = open;
  for (const auto& channel : all) channel->close();
  guard.reset();
}

HttpClient::HttpClient(HttpClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {
  impl_->thread = os::Thread("tm-client", [me = impl_.get()] { me->context.run(); });
}

HttpClient::~HttpClient() {
  asio::post(impl_->context, [me = impl_.get()] { me->stop(); });
  impl_->thread.join();
}

void HttpClient::send(HttpRequest request, Duration at_most, OnResponse on_response) {
  auto job =
      std::make_shared<Impl::Job>(Impl::Job{std::move(request), at_most, std::move(on_response)});
  asio::post(impl_->context, [me = impl_.get(), job] { me->start(std::move(*job)); });
}

Result<HttpResponse> HttpClient::ask(HttpRequest request, Duration at_most) {
  std::promise<Result<HttpResponse>> promise;
  auto future = promise.get_future();
  send(std::move(request), at_most,
       [&](Result<HttpResponse> response) { promise.set_value(std::move(response)); });
  return future.get();
}

Result<ServerAddress> parse_server_address(const std::string& url) {
  const auto wrong = [&](const char* why) {
    return Error{ErrorCode::invalid,
                 "'" + url + "' is no address of a server: " + why + "; http://HOST:PORT is one"};
  };
  std::string_view rest(url);
  const bool encrypted = rest.starts_with("https://");
  if (!encrypted && !rest.starts_with("http://")) {
    return wrong("it does not begin with http:// or https://");
  }
  rest.remove_prefix(encrypted ? 8 : 7);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return wrong("it has no port");
  ServerAddress out{.host = std::string(rest.substr(0, colon)), .port = 0, .encrypted = encrypted};
  const std::string_view digits = rest.substr(colon + 1);
  const auto [at, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (failed != std::errc() || at != digits.data() + digits.size() || out.port == 0) {
    return wrong("its port is no number from 1 to 65535");
  }
  if (out.host.starts_with('[') && out.host.ends_with(']')) {
    out.host = out.host.substr(1, out.host.size() - 2);
  }
  return out;
}

Result<HttpClientOptions> client_options(const std::string& url, const std::string& token,
                                         const ClientTlsFiles& files) {
  HttpClientOptions options;
  TIDEMILL_TRY(options.server, parse_server_address(url));
  options.token = token;
  if (options.server.encrypted) {
    TIDEMILL_TRY(options.tls, Tls::for_client(files));
  }
  return options;
}

}  // namespace tidemill::net
