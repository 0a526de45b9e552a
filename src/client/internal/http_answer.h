#pragma once
// What the server's answer means to a client: good, or the error that its body tells. Any thread.
#include "base/result.h"
#include "net/http_message.h"

namespace tidemill::client {

// The answer when its status is 2xx. Errors: the server's own, by its code; io when the body tells
// none.
Result<net::HttpResponse> checked(Result<net::HttpResponse> response);

}  // namespace tidemill::client
