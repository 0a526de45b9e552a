#pragma once
// What the SDK's users say and are told, as the types of the other rooms and back. Pure; any
// thread.
#include "base/result.h"
#include "net/http_client.h"
#include "tidemill/client.h"
#include "tidemill/server.h"
#include "wire/array_json.h"
#include "wire/task_json.h"

namespace tidemill::sdk {

Error outer(tidemill::Error error);

// With what the environment says where nothing is named. Errors: invalid.
struct Address {
  std::string url;
  std::string token;
};
Address address_of(const Server& server);
tidemill::Result<net::HttpClientOptions> client_options(const Server& server);

wire::NewTask inner(const Task& task);
wire::NewArray inner(const Array& array);
QueueConfig inner(const QueueOptions& options);

// Its result is null when it is a blob, which is fetched apart.
Outcome outer(const wire::TaskOutcome& told);
IndexOutcome outer(const wire::IndexTold& told);
ArrayState outer(const wire::ArrayState& told);

}  // namespace tidemill::sdk
