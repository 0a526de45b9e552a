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

namespace tidemill::client {

struct ServerOptions {
  std::string store = "tidemill.db";  // made when it is not there; blobs lie beside it
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: any free one
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
  std::string server;  // "http://HOST:PORT"
  std::string token;
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
  virtual void stop_now() = 0;
};

struct Services {
  std::function<Result<std::unique_ptr<Server>>(const ServerOptions&)> open_server;
  std::function<Result<std::unique_ptr<WorkerProcess>>(const WorkerOptions&)> open_worker;
};

}  // namespace tidemill::client
