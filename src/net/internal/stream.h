#pragma once
// Stream: the bytes of one connection, plain or encrypted, with limits of time. What is done with
// them is the same function for both: `stream.with([&](auto& bytes) { async_write(bytes, …); })`.
// Private to net/; owned by a connection, on its thread.
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "net/internal/beast.h"
#include "net/tls.h"

namespace tidemill::net {

struct Tls::Impl {
  explicit Impl(asio::ssl::context::method method) : context(method) {}
  asio::ssl::context context;
};

class Stream {
 public:
  // `tls` null: plain. It outlives the stream.
  Stream(tcp::socket socket, const Tls* tls) : tcp_(std::move(socket)) { wrap(tls); }
  Stream(asio::io_context& context, const Tls* tls) : tcp_(context) { wrap(tls); }

  bool encrypted() const { return tls_.has_value(); }
  beast::tcp_stream& transport() { return tcp_; }
  tcp::socket& socket() { return tcp_.socket(); }

  template <class Use>
  void with(Use use) {
    if (tls_) {
      use(*tls_);
    } else {
      use(tcp_);
    }
  }

  // Of encrypted ones. A client checks that the certificate it is shown is that of `host`.
  using OnShaken = std::function<void(error_code)>;
  void accept_handshake(OnShaken on_shaken);
  void ask_handshake(const std::string& host, OnShaken on_shaken);
  // The common name in the certificate that the peer has shown, or "".
  std::string peer_name();

  void close();

 private:
  using TlsStream = asio::ssl::stream<beast::tcp_stream&>;

  void wrap(const Tls* tls) {
    if (tls != nullptr) tls_.emplace(tcp_, tls->impl().context);
  }

  beast::tcp_stream tcp_;
  std::optional<TlsStream> tls_;
};

// It is an error of the encryption, not of the connection below it.
bool is_tls_error(const error_code& error);
// Somebody speaks HTTP without encryption to this port.
bool is_plain_http(const error_code& error);

}  // namespace tidemill::net
