#include "cli/internal/server_option.h"

namespace tidemill::cli {

void ServerOption::add_to(CLI::App& command) {
  command.add_option("--server", url, "The server's address")
      ->envname("TIDEMILL_SERVER")
      ->capture_default_str();
  command.add_option("--token", token, "What the server asks for")->envname("TIDEMILL_TOKEN");
}

Result<std::unique_ptr<client::ServerApi>> ServerOption::open() const {
  return client::ServerApi::open(url, token);
}

}  // namespace tidemill::cli
