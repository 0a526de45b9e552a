#include "net/internal/stream.h"

#include <array>

namespace tidemill::net {

void Stream::accept_handshake(OnShaken on_shaken) {
  tls_->async_handshake(asio::ssl::stream_base::server, std::move(on_shaken));
}

void Stream::ask_handshake(const std::string& host, OnShaken on_shaken) {
  error_code no_address;
  asio::ip::make_address(host, no_address);
  // A name is told, so that a server of several names shows the right certificate.
  if (no_address) SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str());
  error_code failed;
  tls_->set_verify_callback(asio::ssl::host_name_verification(host), failed);
  if (failed) return on_shaken(failed);
  tls_->async_handshake(asio::ssl::stream_base::client, std::move(on_shaken));
}

std::string Stream::peer_name() {
  if (!tls_) return {};
  X509* certificate = SSL_get0_peer_certificate(tls_->native_handle());
  if (certificate == nullptr) return {};
  std::array<char, 256> name{};
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                             name.data(), static_cast<int>(name.size()));
  return size <= 0 ? std::string() : std::string(name.data(), static_cast<size_t>(size));
}

void Stream::close() {
  error_code ignored;
  tcp_.socket().shutdown(tcp::socket::shutdown_both, ignored);
  tcp_.close();
}

bool is_tls_error(const error_code& error) {
  return error.category() == asio::error::get_ssl_category();
}

bool is_plain_http(const error_code& error) {
  return is_tls_error(error) &&
         ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_HTTP_REQUEST;
}

}  // namespace tidemill::net
