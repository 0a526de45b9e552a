#include "net/tls.h"

#include <openssl/ssl.h>

#include <string_view>
#include <utility>

#include "net/internal/stream.h"

namespace tidemill::net {

namespace {

using Context = asio::ssl::context;

Error unusable(const std::string& file, std::string_view what, const error_code& error) {
  std::string why = error.message();
  if (why.find("key values mismatch") != std::string::npos)
    why = "it belongs to another certificate";
  if (why.find("no start line") != std::string::npos) why = "it is no PEM file of that kind";
  return {ErrorCode::invalid, file + " cannot be used as " + std::string(what) + ": " + why};
}

// Never asks the person for a passphrase: nobody may be there.
void refuse_passphrases(Context& context) {
  error_code ignored;
  context.set_password_callback([](size_t, Context::password_purpose) { return std::string(); },
                                ignored);
}

Status own_certificate(Context& context, const std::string& certificate, const std::string& key) {
  if (certificate.empty() != key.empty()) {
    return Error{ErrorCode::invalid, "a certificate and its key belong together: give both files"};
  }
  error_code error;
  context.use_certificate_chain_file(certificate, error);
  if (error) return unusable(certificate, "a certificate", error);
  context.use_private_key_file(key, Context::pem, error);
  if (error) return unusable(key, "the key of " + certificate, error);
  return Ok{};
}

void harden(Context& context) {
  SSL_CTX* raw = context.native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
}

Status ask_clients(Context& context, const std::string& ca) {
  error_code error;
  context.load_verify_file(ca, error);
  if (error) return unusable(ca, "an authority of clients", error);
  SSL_CTX_set_client_CA_list(context.native_handle(), SSL_load_client_CA_file(ca.c_str()));
  context.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert, error);
  // Without it a session that is resumed with a certificate is refused.
  static constexpr std::string_view kContextId = "tidemill";
  SSL_CTX_set_session_id_context(context.native_handle(),
                                 reinterpret_cast<const unsigned char*>(kContextId.data()),
                                 static_cast<unsigned>(kContextId.size()));
  return Ok{};
}

}  // namespace

Tls::Tls(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Tls::~Tls() = default;

Result<std::shared_ptr<const Tls>> Tls::for_server(const ServerTlsFiles& files) {
  if (files.certificate.empty()) {
    return Error{ErrorCode::invalid,
                 "a server that encrypts shows a certificate: --tls-cert and --tls-key name it"};
  }
  auto impl = std::make_unique<Impl>(Context::tls_server);
  harden(impl->context);
  refuse_passphrases(impl->context);
  TIDEMILL_CHECK(own_certificate(impl->context, files.certificate, files.key));
  if (!files.client_ca.empty()) TIDEMILL_CHECK(ask_clients(impl->context, files.client_ca));
  return std::shared_ptr<const Tls>(new Tls(std::move(impl)));
}

Result<std::shared_ptr<const Tls>> Tls::for_client(const ClientTlsFiles& files) {
  auto impl = std::make_unique<Impl>(Context::tls_client);
  harden(impl->context);
  refuse_passphrases(impl->context);
  error_code error;
  if (files.ca.empty()) {
    impl->context.set_default_verify_paths(error);
  } else {
    impl->context.load_verify_file(files.ca, error);
    if (error) return unusable(files.ca, "an authority", error);
  }
  impl->context.set_verify_mode(asio::ssl::verify_peer, error);
  if (!files.certificate.empty() || !files.key.empty()) {
    TIDEMILL_CHECK(own_certificate(impl->context, files.certificate, files.key));
  }
  return std::shared_ptr<const Tls>(new Tls(std::move(impl)));
}

}  // namespace tidemill::net
