#include "client/server_api.h"

#include <utility>

#include "client/internal/http_answer.h"

namespace tidemill::client {

namespace {

constexpr Duration kRequestTime = seconds(60);

}  // namespace

Result<std::unique_ptr<ServerApi>> ServerApi::open(const std::string& url,
                                                   const std::string& token,
                                                   const net::ClientTlsFiles& files) {
  TIDEMILL_TRY(net::HttpClientOptions options, net::client_options(url, token, files));
  return std::unique_ptr<ServerApi>(new ServerApi(std::move(options)));
}

Result<std::vector<SpawnedTask>> ServerApi::spawn(const std::vector<NewTask>& tasks) {
  TIDEMILL_TRY(const std::string body, post("/v1/tasks", wire::to_json(tasks)));
  return wire::parse_spawned_tasks(body);
}

Result<std::vector<TaskOutcome>> ServerApi::wait(const WaitRequest& request) {
  TIDEMILL_TRY(const std::string body, ask("POST", "/v1/tasks/wait", wire::to_json(request),
                                           request.at_most + kRequestTime));
  return wire::parse_task_outcomes(body);
}

Result<std::string> ServerApi::get(const std::string& target) {
  return ask("GET", target, {}, kRequestTime);
}

Result<std::string> ServerApi::post(const std::string& target, std::string body) {
  return ask("POST", target, std::move(body), kRequestTime);
}

Result<std::string> ServerApi::put(const std::string& target, std::string body) {
  return ask("PUT", target, std::move(body), kRequestTime);
}

Result<std::string> ServerApi::remove(const std::string& target) {
  return ask("DELETE", target, {}, kRequestTime);
}

Result<std::string> ServerApi::ask(std::string method, const std::string& target, std::string body,
                                   Duration at_most) {
  net::HttpRequest request;
  request.method = std::move(method);
  request.target = target;
  request.body = std::move(body);
  TIDEMILL_TRY(net::HttpResponse response, checked(client_.ask(std::move(request), at_most)));
  return std::move(response.body);
}

}  // namespace tidemill::client
