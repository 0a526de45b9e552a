#pragma once
// ServerApi: the verbs of producers and operators against a server, over HTTP. Each call waits for
// its answer; any thread, several at once.
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/http_client.h"
#include "wire/task_json.h"

namespace tidemill::client {

using NewTask = wire::NewTask;
using SpawnedTask = wire::SpawnedTask;
using TaskOutcome = wire::TaskOutcome;
using WaitRequest = wire::WaitRequest;

class ServerApi {
 public:
  // `url`: "http://HOST:PORT", or https with the files it takes. Nothing is sent yet. Errors:
  // invalid.
  static Result<std::unique_ptr<ServerApi>> open(const std::string& url,
                                                 const std::string& token = {},
                                                 const net::ClientTlsFiles& files = {});

  // All or none. Durable when it returns. Errors: the server's; unavailable: it may have been done,
  // and is done once when the tasks have idempotency keys.
  Result<std::vector<SpawnedTask>> spawn(const std::vector<NewTask>& tasks);
  Result<std::vector<TaskOutcome>> wait(const WaitRequest& request);

  // Any request; the body of a good answer. Errors: the server's.
  Result<std::string> get(const std::string& target);
  Result<std::string> post(const std::string& target, std::string body = {});
  Result<std::string> put(const std::string& target, std::string body);
  Result<std::string> remove(const std::string& target);

 private:
  explicit ServerApi(net::HttpClientOptions options) : client_(std::move(options)) {}
  Result<std::string> ask(std::string method, const std::string& target, std::string body,
                          Duration at_most);

  net::HttpClient client_;
};

}  // namespace tidemill::client
