#pragma once
// What `tidemill server` and `tidemill worker` run, as interfaces: main/ makes them, the CLI sees
// these only. One thread at a time, but for what says otherwise.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "client/tokens.h"
#include "net/tls.h"

namespace tidemill::client {

struct ServerOptions {
  std::string store = "tidemill.db";  // made when it is not there; blobs lie beside it
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: any free one
  bool insecure = false;  // others may reach it without token or encryption
  net::ServerTlsFiles tls;  // none: not encrypted
  std::string audit;        // file of the audit log; "": beside the store, "none": no log
  std::function<void(const std::string&)> talk;  // to people; any thread
};

class Server {
 public:
  virtual ~Server() = default;  // stop()
  virtual std::string url() const = 0;
  // Why it stopped taking writes, when it did.
  virtual std::optional<Error> failure() = 0;
  // No new connections; what is being answered is answered, what was accepted is durable.
  virtual void stop() = 0;
};

struct WorkerOptions {
  std::string server;  // "http://HOST:PORT", or https
  std::string token;
  net::ClientTlsFiles tls;
  uint32_t slots = 0;   // 0: cores
  uint32_t places = 0;  // 0: limits::kPlaces
  std::map<std::string, std::string> connections;
  std::string base_folder;
  std::string python = "python3";
};

class WorkerProcess {
 public:
  virtual ~WorkerProcess() = default;
  // No new work starts; what runs is let finish and recorded, the rest goes back.
  virtual void drain() = 0;
  virtual bool drained(Duration at_most) = 0;
  // The server does not let it in (any more): token or certificate; trying again is no use.
  virtual std::optional<Error> refused() = 0;
  virtual void stop_now() = 0;
};

struct Services {
  std::function<Result<std::unique_ptr<Server>>(const ServerOptions&)> open_server;
  std::function<Result<std::unique_ptr<WorkerProcess>>(const WorkerOptions&)> open_worker;
  // Of a store: through the process that has it open, or by itself when there is none; then the
  // store is made when it is not there.
  std::function<Result<std::unique_ptr<Tokens>>(const std::string& store)> open_tokens;
};

}  // namespace tidemill::client
