#pragma once
// Tls: what one side of an encrypted connection shows and whom it trusts, read from PEM files once.
// TLS 1.2 and later. Made by main or a client, shared by all connections of one server or client;
// immutable, any thread.
#include <memory>
#include <string>

#include "base/result.h"

namespace tidemill::net {

struct ServerTlsFiles {
  std::string certificate;  // with those that lead to its authority
  std::string key;
  std::string client_ca;  // when given, a client must show a certificate signed by it
};

struct ClientTlsFiles {
  std::string ca;           // whom to trust; "": whom the system trusts
  std::string certificate;  // to show, when the server asks for one
  std::string key;
};

class Tls {
 public:
  // Errors: invalid, naming the file and what is wrong with it.
  static Result<std::shared_ptr<const Tls>> for_server(const ServerTlsFiles& files);
  static Result<std::shared_ptr<const Tls>> for_client(const ClientTlsFiles& files);
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  explicit Tls(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::net
