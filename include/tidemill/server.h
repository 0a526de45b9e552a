#pragma once
// Server: which one clients and workers talk to, and what it asks for.
// Values; any thread.
#include <string>

namespace tidemill::sdk {

struct Server {
  // "http://HOST:PORT". Empty: what TIDEMILL_SERVER says, or else http://127.0.0.1:7117. With
  // https:// the PEM files that TIDEMILL_TLS_CA, _CERT and _KEY name say whom to trust and what to
  // show.
  std::string url;
  // What the server asks for. Empty: what TIDEMILL_TOKEN says, or else none.
  std::string token;
};

}  // namespace tidemill::sdk
