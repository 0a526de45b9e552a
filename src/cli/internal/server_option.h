#pragma once
// --server: which server a command talks to. Main thread.
#include <CLI/CLI.hpp>

#include <memory>
#include <string>

#include "base/result.h"
#include "client/server_api.h"

namespace tidemill::cli {

inline constexpr uint16_t kDefaultPort = 7117;

// Adds --server, --token, --tls-ca, --tls-cert and --tls-key with their variables, TIDEMILL_SERVER
// and so on.
struct ServerOption {
  std::string url = "http://127.0.0.1:7117";
  std::string token;
  net::ClientTlsFiles tls;
  void add_to(CLI::App& command);
  Result<std::unique_ptr<client::ServerApi>> open() const;
};

}  // namespace tidemill::cli
