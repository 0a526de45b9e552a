#include "net/internal/http_connection.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tidemill::net {

namespace {

constexpr size_t kPiece = 4096;  // bytes of a read that waits for the peer's end

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

HttpRequest request_of(http::request<http::string_body>&& message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message) {
    request.headers.push_back(
        {lower(std::string_view(field.name_string().data(), field.name_string().size())),
         std::string(field.value())});
  }
  request.body = std::move(message.body());
  return request;
}

HttpResponse error_response(int status, std::string_view code, std::string_view message) {
  HttpResponse response;
  response.status = status;
  response.body = R"({"error":{"code":")";
  response.body.append(code).append(R"(","message":")").append(message).append("\"}}\n");
  return response;
}

}  // namespace

HttpConnection::HttpConnection(tcp::socket socket, uint64_t id, const HttpServerOptions& options,
                               Host& host)
    : id_(id), options_(options), host_(host), stream_(std::move(socket), options.tls.get()) {
  error_code ignored;
  stream_.socket().set_option(tcp::no_delay(true), ignored);
}

void HttpConnection::close() {
  if (std::exchange(closed_, true)) return;
  stream_.close();
  tell_gone();
  host_.closed(id_);
}

void HttpConnection::tell_gone() {
  if (!std::exchange(told_gone_, true)) host_.gone(id_);
}

void HttpConnection::close_if_idle() {
  if (!answering_) close();
}

void HttpConnection::start() {
  if (!stream_.encrypted()) return read();
  stream_.transport().expires_after(time_of(options_.handshake_time));
  stream_.accept_handshake([self = shared_from_this()](error_code error) { self->shaken(error); });
}

// Who cannot agree on the encryption gets no answer, but for one that did not know of it.
void HttpConnection::shaken(error_code error) {
  if (closed_) return;
  if (!error) {
    certificate_ = stream_.peer_name();
    return read();
  }
  if (!is_plain_http(error)) return close();
  const HttpResponse told = error_response(400, "invalid", "this port is encrypted: use https://");
  out_ = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: " + told.content_type +
         "\r\nContent-Length: " + std::to_string(told.body.size()) + "\r\n\r\n" + told.body;
  stream_.transport().expires_after(time_of(options_.handshake_time));
  asio::async_write(stream_.transport(), asio::buffer(out_),
                    [self = shared_from_this()](error_code, size_t) { self->close(); });
}

void HttpConnection::read() {
  parser_.emplace();
  parser_->body_limit(options_.body_max);
  parser_->header_limit(options_.head_max);
  stream_.transport().expires_after(time_of(options_.head_time));
  stream_.with([this](auto& bytes) {
    http::async_read_header(
        bytes, in_, *parser_,
        [self = shared_from_this()](error_code error, size_t) { self->take_head(error); });
  });
}

void HttpConnection::take_head(error_code error) {
  if (closed_) return;
  if (error) return refuse(error);
  const std::string_view expects(parser_->get()[http::field::expect].data(),
                                 parser_->get()[http::field::expect].size());
  if (parser_->is_done()) return take({});
  stream_.transport().expires_after(time_of(options_.body_time));
  if (lower(expects) != "100-continue") return read_body();
  stream_.with([this](auto& bytes) {
    asio::async_write(bytes, asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25),
                      [self = shared_from_this()](error_code failed, size_t) {
                        if (failed || self->closed_) return self->close();
                        self->read_body();
                      });
  });
}

void HttpConnection::read_body() {
  stream_.with([this](auto& bytes) {
    http::async_read(bytes, in_, *parser_, [self = shared_from_this()](error_code failed, size_t) {
      self->take(failed);
    });
  });
}

void HttpConnection::take(error_code error) {
  if (closed_) return;
  if (error) return refuse(error);
  if (!host_.accepts_requests()) {
    keep_alive_ = false;
    answering_ = true;
    return write(error_response(503, "unavailable", "the server is stopping; try again"));
  }
  hand_over();
}

// What could not be read as a request. A client that is gone or too slow gets no answer.
void HttpConnection::refuse(error_code error) {
  keep_alive_ = false;
  answering_ = true;
  if (error == http::error::body_limit) {
    return write(error_response(413, "too_large", "the body is larger than the server takes"));
  }
  if (error == http::error::header_limit) {
    return write(error_response(431, "too_large", "the head is larger than the server takes"));
  }
  const bool malformed =
      error.category() == make_error_code(http::error::bad_line_ending).category();
  if (!malformed || error == http::error::end_of_stream || error == http::error::partial_message) {
    return close();
  }
  write(error_response(400, "invalid", "this is no HTTP/1.1 request: " + error.message()));
}

void HttpConnection::hand_over() {
  keep_alive_ = parser_->get().keep_alive();
  answering_ = true;
  const uint64_t number = ++request_;
  HttpRequest request = request_of(parser_->release());
  request.connection = id_;
  error_code ignored;
  request.peer = stream_.socket().remote_endpoint(ignored).address().to_string(ignored);
  request.certificate = certificate_;
  stream_.transport().expires_never();
  host_.handle(std::move(request),
               Respond([gate = host_.gate(), weak = weak_from_this(), number](Respond::Make make) {
                 // Taken apart on the server's thread only: the connection must not end on this
                 // one.
                 gate->post([weak, number, make = std::move(make)] {
                   if (const auto self = weak.lock()) self->respond(number, make);
                 });
               }));
  watch_for_the_end();
}

// A long poll may wait for minutes, and whoever has the work of a client must hear that it is gone.
// One that has only ended its own sending may still read the answer.
void HttpConnection::watch_for_the_end() {
  if (in_.size() > 0) return;  // it has sent the next request already
  if (stream_.encrypted()) return watch_encrypted();
  stream_.socket().async_wait(
      tcp::socket::wait_read, [self = shared_from_this(), number = request_](error_code error) {
        if (error || self->closed_ || self->request_ != number || !self->answering_) return;
        std::array<char, 1> byte{};
        error_code failed;
        self->stream_.socket().non_blocking(true, failed);
        self->stream_.socket().receive(asio::buffer(byte), tcp::socket::message_peek, failed);
        if (failed == asio::error::eof) {
          self->keep_alive_ = false;
          self->tell_gone();
        } else if (failed && failed != asio::error::would_block) {
          self->close();
        }
      });
}

// What is on the wire says nothing here: it must be read. What comes belongs to the next request.
void HttpConnection::watch_encrypted() {
  if (writing_ || closed_) return;  // answered already
  watching_ = true;
  stream_.with([this](auto& bytes) {
    bytes.async_read_some(in_.prepare(kPiece),
                          [self = shared_from_this()](error_code error, size_t size) {
                            self->watching_ = false;
                            self->in_.commit(size);
                            if (self->closed_) return;
                            if (std::exchange(self->read_waits_, false)) return self->read();
                            if (!error || error == asio::error::operation_aborted) return;
                            self->keep_alive_ = false;
                            if (error == asio::error::eof) return self->tell_gone();
                            self->close();
                          });
  });
}

void HttpConnection::respond(uint64_t request, const Respond::Make& make) {
  if (closed_ || request != request_ || !answering_ || writing_) return;
  write(make());
}

void HttpConnection::write(HttpResponse response) {
  writing_ = true;
  error_code ignored;
  stream_.socket().cancel(ignored);  // the watch
  out_.clear();
  out_ += "HTTP/1.1 " + std::to_string(response.status) + " ";
  const auto reason =
      http::obsolete_reason(http::int_to_status(static_cast<unsigned>(response.status)));
  out_.append(reason.data(), reason.size());
  out_ += "\r\nContent-Type: " + response.content_type;
  out_ += "\r\nContent-Length: " + std::to_string(response.body.size());
  for (const HttpHeader& h : response.headers) out_ += "\r\n" + h.name + ": " + h.value;
  if (!keep_alive_) out_ += "\r\nConnection: close";
  out_ += "\r\n\r\n";
  out_ += response.body;
  stream_.transport().expires_after(time_of(options_.body_time));
  stream_.with([this](auto& bytes) {
    asio::async_write(
        bytes, asio::buffer(out_),
        [self = shared_from_this()](error_code error, size_t) { self->written(error); });
  });
}

void HttpConnection::written(error_code error) {
  writing_ = false;
  answering_ = false;
  if (closed_) return;
  if (error || !keep_alive_ || !host_.accepts_requests()) return close();
  constexpr size_t kKept = 256 * 1024;
  if (out_.capacity() > kKept) out_ = {};
  if (watching_) {
    read_waits_ = true;
  } else {
    read();
  }
}

}  // namespace tidemill::net
