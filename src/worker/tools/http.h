#pragma once
// The tool `http`: one request. Data: {status_code, headers (names in lower case), data: the body,
// parsed when its type is JSON}. A status outside 2xx is an error of kind "http" with the data
// beside it. Other kinds: connect, dns, tls, timeout, network, redirect, too_large, body (announced
// JSON that is none), cancelled, and config for what the call itself lacks. Made by the worker; the
// event thread.
#include <memory>
#include <string>

#include "os/event_loop.h"
#include "worker/tool.h"

namespace tidemill::worker {

struct HttpOptions {
  std::string ca_file;  // certificates to trust; "" means the system's
};

std::unique_ptr<ToolRunner> make_http_runner(os::EventLoop& loop, HttpOptions options = {});

}  // namespace tidemill::worker
