#pragma once
// HttpClient: libcurl's multi interface driven by an EventLoop. One thread, any number of requests
// in flight, connections and handles reused. A request of a warm connection costs one send, one or
// two reads and no epoll_ctl: a socket that libcurl has put aside stays watched until it stirs.
// Owned by the http tool; the event thread.
#include <curl/curl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/outcome.h"
#include "os/event_loop.h"
#include "worker/tools/internal/http_request.h"

namespace tidemill::worker {

struct HttpClientOptions {
  long idle_connections = 2'048;  // kept open
  std::string ca_file;            // "": the system's
};

struct HttpResponse {
  std::string method;
  std::string url;      // that was asked for
  int status = 0;       // 0 when there was no answer
  std::string headers;  // lines of the last answer, as received
  std::string body;
  std::string content_type;
  std::optional<TaskError> error;  // of the transport; a status is none
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
};

class HttpClient {
 public:
  using RequestId = uint64_t;
  using OnDone = std::function<void(HttpResponse)>;

  HttpClient(os::EventLoop& loop, HttpClientOptions options);
  ~HttpClient();  // open requests end without an answer to anybody
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // `on_done` is called once, never from within start(). The ids are the caller's.
  void start(RequestId id, HttpRequest request, OnDone on_done);
  size_t open() const { return open_.size(); }
  void cancel(RequestId id);  // its on_done gets an error of kind "cancelled" at once

 private:
  enum class Shape : uint8_t { unset, get, head, body };

  // An easy handle with its buffers; reused for the next request.
  struct Transfer {
    CURL* easy = nullptr;
    CURLU* url = nullptr;
    RequestId id = 0;
    HttpRequest request;
    OnDone on_done;
    std::string headers;
    std::string body;
    bool too_large = false;
    curl_slist* header_list = nullptr;
    char error[CURL_ERROR_SIZE] = {};
    // What the handle is set to, to set only what changes.
    Shape shape = Shape::unset;
    bool custom_method = false;
    Duration timeout{};
  };
  // What the loop watches a socket for, and what libcurl wants of it.
  struct Socket {
    uint32_t watched = 0;
    uint32_t wanted = 0;
  };

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*);
  static int on_timer(CURLM*, long milliseconds, void* self);
  static int on_close(void* self, curl_socket_t fd);
  static size_t on_header(char* data, size_t size, size_t n, void* transfer);
  static size_t on_body(char* data, size_t size, size_t n, void* transfer);

  Transfer* take_transfer();
  void prepare(Transfer& t);
  void set_url(Transfer& t);
  void set_headers(Transfer& t);
  void set_shape(Transfer& t);
  void finish(Transfer& t, std::optional<TaskError> error);
  void want(curl_socket_t fd, uint32_t events);
  void ready(curl_socket_t fd, uint32_t events);
  void kick();
  void kick_soon();
  void arm();
  void collect();

  os::EventLoop& loop_;
  const HttpClientOptions options_;
  const bool may_need_proxy_;
  CURLM* multi_ = nullptr;
  curl_slist* default_headers_ = nullptr;
  std::vector<std::unique_ptr<Transfer>> transfers_;
  std::vector<Transfer*> free_;
  std::unordered_map<RequestId, Transfer*> open_;
  std::vector<Socket> sockets_;    // by descriptor
  std::optional<SteadyTime> due_;  // when libcurl wants to be called
  SteadyTime armed_at_{};
  os::EventLoop::TimerId armed_ = 0;
  bool kicking_ = false;
  std::shared_ptr<const int> alive_ =
      std::make_shared<const int>(0);  // for functions left in the loop
};

}  // namespace tidemill::worker
