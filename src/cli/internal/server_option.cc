#include "cli/internal/server_option.h"

namespace tidemill::cli {

void ServerOption::add_to(CLI::App& command) {
  command.add_option("--server", url, "The server's address")
      ->envname("TIDEMILL_SERVER")
      ->capture_default_str();
  command.add_option("--token", token, "What the server asks for")->envname("TIDEMILL_TOKEN");
  command
      .add_option("--tls-ca", tls.ca, "Whom to trust for https (PEM); default: as the system does")
      ->envname("TIDEMILL_TLS_CA");
  command.add_option("--tls-cert", tls.certificate, "Certificate to show (PEM)")
      ->envname("TIDEMILL_TLS_CERT");
  command.add_option("--tls-key", tls.key, "Its key (PEM)")->envname("TIDEMILL_TLS_KEY");
}

Result<std::unique_ptr<client::ServerApi>> ServerOption::open() const {
  return client::ServerApi::open(url, token, tls);
}

}  // namespace tidemill::cli
