#pragma once
// HttpThread: an HttpClient on an event loop and a thread of its own, so that thousands of requests
// and the pipelines that wait for them have a core each. What one round of the worker's loop starts
// is handed over together, and so is what one round of this one's ends. What an answer means is not
// found out here: this is the busier of the two threads, and values are cheaper to free where they
// were made. Started by the first request. Owned by the http tool; its methods belong to the
// worker's event thread.
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "os/event_loop.h"
#include "os/thread.h"
#include "worker/tool.h"
#include "worker/tools/internal/http_client.h"

namespace tidemill::worker {

class HttpThread {
 public:
  using OnDone = HttpClient::OnDone;  // on the worker's event thread

  HttpThread(os::EventLoop& worker_loop, HttpClientOptions options);
  ~HttpThread();  // open requests end without an answer to anybody
  HttpThread(const HttpThread&) = delete;
  HttpThread& operator=(const HttpThread&) = delete;

  // The ids are the caller's.
  void start(CallId id, HttpRequest request, OnDone on_done);
  void cancel(CallId id);  // its on_done comes with an error of kind "cancelled"

 private:
  struct Started {
    CallId id = 0;
    HttpRequest request;
  };
  struct Ended {
    CallId id = 0;
    HttpResponse response;
  };

  void hand_over();
  void begin(std::vector<Started> started);
  void give_back_soon();
  void give_back_late();
  void give_back();
  void take_back(std::vector<Ended> ended);

  os::EventLoop& worker_loop_;
  const HttpClientOptions options_;

  // The worker's thread.
  std::vector<Started> started_;
  std::unordered_map<CallId, OnDone> waiting_;
  bool handing_over_ = false;
  std::shared_ptr<const int> alive_ = std::make_shared<const int>(0);

  // The HTTP thread, once it runs.
  os::EventLoop loop_;
  std::optional<HttpClient> client_;
  std::vector<Ended> ended_;
  bool giving_back_ = false;

  bool running_ = false;
  os::Thread thread_;
};

}  // namespace tidemill::worker
