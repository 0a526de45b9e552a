#include "worker/tools/internal/http_client.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "model/limits.h"
#include "os/clock.h"
#include "os/fd.h"

namespace tidemill::worker {

namespace {

constexpr long kRedirectsMax = 10;
constexpr const char* kUserAgent = "User-Agent: tidemill";

template <class T>
void set(CURL* easy, CURLoption option, T value) {
  TIDEMILL_ASSERT(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

// The header that offers everything libcurl can undo.
std::string accepted_encodings() {
  const curl_version_info_data* built = curl_version_info(CURLVERSION_NOW);
  std::string header = "Accept-Encoding: deflate, gzip";
  if ((built->features & CURL_VERSION_BROTLI) != 0) header += ", br";
  if ((built->features & CURL_VERSION_ZSTD) != 0) header += ", zstd";
  return header;
}

// Whether there is one of the variables in which libcurl looks for a proxy.
bool environment_names_a_proxy() {
  constexpr const char* kNames[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                    "ALL_PROXY"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [](const char* name) { return std::getenv(name) != nullptr; });
}

bool is_web_address(std::string_view url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

uint32_t events_of(int what) {
  switch (what) {
    case CURL_POLL_IN:
      return os::kReadable;
    case CURL_POLL_OUT:
      return os::kWritable;
    case CURL_POLL_INOUT:
      return os::kReadable | os::kWritable;
    default:
      return 0;
  }
}

int action_of(uint32_t events) {
  int action = 0;
  if ((events & (os::kReadable | os::kHungUp)) != 0) action |= CURL_CSELECT_IN;
  if ((events & os::kWritable) != 0) action |= CURL_CSELECT_OUT;
  if ((events & os::kFailed) != 0) action |= CURL_CSELECT_ERR;
  return action;
}

TaskError error_of(CURLcode code, const char* detail, std::string_view url) {
  const std::string message =
      shown_url(url) + ": " + (detail[0] != '\0' ? detail : curl_easy_strerror(code));
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {"dns", message, true};
    case CURLE_COULDNT_CONNECT:
      return {"connect", message, true};
    case CURLE_OPERATION_TIMEDOUT:
      return {"timeout", message, true};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_USE_SSL_FAILED:
      return {"tls", message, false};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {"config", message, false};
    case CURLE_TOO_MANY_REDIRECTS:
      return {"redirect", message, false};
    case CURLE_FILESIZE_EXCEEDED:
      return {"too_large", message, false};
    default:
      return {"network", message, true};
  }
}

}  // namespace

HttpClient::HttpClient(os::EventLoop& loop, HttpClientOptions options)
    : loop_(loop), options_(std::move(options)), may_need_proxy_(environment_names_a_proxy()) {
  TIDEMILL_ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
  multi_ = curl_multi_init();
  TIDEMILL_ASSERT(multi_ != nullptr);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &HttpClient::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &HttpClient::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, options_.idle_connections);
  // As ready lines, since libcurl would make them anew, letter by letter, for every request.
  default_headers_ = curl_slist_append(nullptr, kUserAgent);
  default_headers_ = curl_slist_append(default_headers_, accepted_encodings().c_str());
}

HttpClient::~HttpClient() {
  alive_.reset();
  loop_.cancel(armed_);
  for (const auto& t : transfers_) {
    curl_multi_remove_handle(multi_, t->easy);
    curl_slist_free_all(t->header_list);
    curl_easy_cleanup(t->easy);
    curl_url_cleanup(t->url);
  }
  curl_multi_cleanup(multi_);
  curl_slist_free_all(default_headers_);
  curl_global_cleanup();
}

void HttpClient::start(RequestId id, HttpRequest request, OnDone on_done) {
  Transfer* t = take_transfer();
  t->id = id;
  t->request = std::move(request);
  t->on_done = std::move(on_done);
  prepare(*t);
  open_.emplace(id, t);
  TIDEMILL_ASSERT(curl_multi_add_handle(multi_, t->easy) == CURLM_OK);
  kick_soon();
}

void HttpClient::cancel(RequestId id) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  finish(*found->second, TaskError{"cancelled", "the request was cancelled", false});
}

// ---- one transfer ----

HttpClient::Transfer* HttpClient::take_transfer() {
  if (!free_.empty()) {
    Transfer* t = free_.back();
    free_.pop_back();
    return t;
  }
  transfers_.push_back(std::make_unique<Transfer>());
  Transfer* t = transfers_.back().get();
  t->easy = curl_easy_init();
  t->url = curl_url();
  TIDEMILL_ASSERT(t->easy != nullptr && t->url != nullptr);
  CURL* e = t->easy;
  set(e, CURLOPT_PRIVATE, t);
  set(e, CURLOPT_NOSIGNAL, 1L);
  set(e, CURLOPT_PROTOCOLS_STR, "http,https");
  set(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(e, CURLOPT_FOLLOWLOCATION, 1L);
  set(e, CURLOPT_MAXREDIRS, kRedirectsMax);
  set(e, CURLOPT_ACCEPT_ENCODING, "");  // undo what default_headers_ offers
  set(e, CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(limits::kConnectTimeout.whole_milliseconds()));
  set(e, CURLOPT_ERRORBUFFER, t->error);
  set(e, CURLOPT_HEADERFUNCTION, &HttpClient::on_header);
  set(e, CURLOPT_HEADERDATA, t);
  set(e, CURLOPT_WRITEFUNCTION, &HttpClient::on_body);
  set(e, CURLOPT_WRITEDATA, t);
  set(e, CURLOPT_CLOSESOCKETFUNCTION, &HttpClient::on_close);
  set(e, CURLOPT_CLOSESOCKETDATA, this);
  // Otherwise libcurl looks through the environment for every request.
  if (!may_need_proxy_) set(e, CURLOPT_PROXY, "");
  if (!options_.ca_file.empty()) set(e, CURLOPT_CAINFO, options_.ca_file.c_str());
  return t;
}

void HttpClient::prepare(Transfer& t) {
  t.headers.clear();
  t.body.clear();
  t.too_large = false;
  t.error[0] = '\0';
  set_url(t);
  if (t.timeout != t.request.timeout) {
    t.timeout = t.request.timeout;
    set(t.easy, CURLOPT_TIMEOUT_MS,
        static_cast<long>(std::max<int64_t>(1, t.timeout.whole_milliseconds())));
  }
  set_shape(t);
  set_headers(t);
}

// libcurl reads a text and writes it out again, to have it in its normal form; a URL that was read
// already is taken as it is. Where it cannot be read, libcurl says why when the transfer starts.
void HttpClient::set_url(Transfer& t) {
  const std::string& url = t.request.url;
  set(t.easy, CURLOPT_URL, url.c_str());
  const bool read = is_web_address(url) &&
                    curl_url_set(t.url, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
  set(t.easy, CURLOPT_CURLU, read ? t.url : static_cast<CURLU*>(nullptr));
}

void HttpClient::set_headers(Transfer& t) {
  curl_slist_free_all(std::exchange(t.header_list, nullptr));
  for (const std::string& h : t.request.headers)
    t.header_list = curl_slist_append(t.header_list, h.c_str());
  // libcurl would wait a second for the answer to "Expect: 100-continue", which few servers give.
  if (t.request.body) t.header_list = curl_slist_append(t.header_list, "Expect:");
  if (t.header_list) {
    for (const curl_slist* h = default_headers_; h != nullptr; h = h->next) {
      const std::string_view line(h->data);
      if (!has_header(t.request, line.substr(0, line.find(':'))))
        t.header_list = curl_slist_append(t.header_list, h->data);
    }
  }
  set(t.easy, CURLOPT_HTTPHEADER, t.header_list ? t.header_list : default_headers_);
}

void HttpClient::set_shape(Transfer& t) {
  const std::string& method = t.request.method;
  const Shape shape = t.request.body ? Shape::body : method == "HEAD" ? Shape::head : Shape::get;
  const char* natural = shape == Shape::body ? "POST" : shape == Shape::head ? "HEAD" : "GET";
  if (shape != t.shape) {
    if (shape == Shape::head) {
      set(t.easy, CURLOPT_NOBODY, 1L);
    } else if (shape == Shape::body) {
      set(t.easy, CURLOPT_NOBODY, 0L);
      set(t.easy, CURLOPT_POST, 1L);
    } else {
      set(t.easy, CURLOPT_NOBODY, 0L);
      set(t.easy, CURLOPT_HTTPGET, 1L);
    }
    t.shape = shape;
  }
  if (shape == Shape::body) {
    set(t.easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(t.request.body->size()));
    set(t.easy, CURLOPT_POSTFIELDS, t.request.body->data());
  }
  const bool custom = method != natural;
  if (custom || t.custom_method) {
    set(t.easy, CURLOPT_CUSTOMREQUEST, custom ? method.c_str() : static_cast<const char*>(nullptr));
    t.custom_method = custom;
  }
}

void HttpClient::finish(Transfer& t, std::optional<TaskError> error) {
  curl_multi_remove_handle(multi_, t.easy);
  open_.erase(t.id);
  HttpResponse response;
  response.method = std::move(t.request.method);
  response.url = std::move(t.request.url);
  response.error = std::move(error);
  long status = 0;
  long head_in = 0;
  long sent = 0;
  curl_off_t body_in = 0;
  const char* type = nullptr;
  curl_easy_getinfo(t.easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(t.easy, CURLINFO_HEADER_SIZE, &head_in);
  curl_easy_getinfo(t.easy, CURLINFO_REQUEST_SIZE, &sent);
  curl_easy_getinfo(t.easy, CURLINFO_SIZE_DOWNLOAD_T, &body_in);
  curl_easy_getinfo(t.easy, CURLINFO_CONTENT_TYPE, &type);
  response.status = response.error ? 0 : static_cast<int>(status);
  response.content_type = type ? type : "";
  response.headers = t.headers;
  // The buffer has grown with many answers, and is kept for the next.
  constexpr size_t kBufferKept = 256 * 1024;
  response.body = t.body.size() <= kBufferKept ? t.body : std::exchange(t.body, {});
  response.bytes_in = static_cast<uint64_t>(head_in) + static_cast<uint64_t>(body_in);
  response.bytes_out = static_cast<uint64_t>(sent) + (t.request.body ? t.request.body->size() : 0);
  // The callback may start the next request, which may take this transfer only after it has
  // returned.
  const OnDone on_done = std::exchange(t.on_done, nullptr);
  on_done(std::move(response));
  free_.push_back(&t);
}

size_t HttpClient::on_header(char* data, size_t size, size_t n, void* transfer) {
  auto& t = *static_cast<Transfer*>(transfer);
  const std::string_view line(data, size * n);
  // After a redirect or an interim answer the lines begin anew.
  if (line.starts_with("HTTP/")) t.headers.clear();
  if (t.headers.size() > limits::kInlineMax) return 0;
  t.headers.append(line);
  return line.size();
}

size_t HttpClient::on_body(char* data, size_t size, size_t n, void* transfer) {
  auto& t = *static_cast<Transfer*>(transfer);
  if (t.body.size() + size * n > limits::kHttpBodyMax) {
    t.too_large = true;
    return 0;
  }
  t.body.append(data, size * n);
  return size * n;
}

// ---- libcurl and the loop ----

int HttpClient::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  static_cast<HttpClient*>(self)->want(fd, events_of(what));
  return 0;
}

// A socket put aside stays watched for input: the next request over it will want just that.
void HttpClient::want(curl_socket_t fd, uint32_t events) {
  const auto slot = static_cast<size_t>(fd);
  if (slot >= sockets_.size()) sockets_.resize(slot + 1);
  Socket& socket = sockets_[slot];
  socket.wanted = events;
  if (events == 0 && socket.watched == os::kReadable) return;
  if (events == socket.watched) return;
  socket.watched = events;
  if (events == 0) {
    loop_.unwatch(fd);
  } else {
    loop_.watch(fd, events, [this, fd](uint32_t ready_for) { ready(fd, ready_for); });
  }
}

void HttpClient::ready(curl_socket_t fd, uint32_t events) {
  Socket& socket = sockets_[static_cast<size_t>(fd)];
  if (socket.wanted == 0) {
    // The server closed an idle connection. libcurl finds out when it wants to use it again.
    socket.watched = 0;
    loop_.unwatch(fd);
    return;
  }
  int running = 0;
  curl_multi_socket_action(multi_, fd, action_of(events), &running);
  collect();
}

int HttpClient::on_close(void* self, curl_socket_t fd) {
  auto& client = *static_cast<HttpClient*>(self);
  if (static_cast<size_t>(fd) < client.sockets_.size()) {
    Socket& socket = client.sockets_[static_cast<size_t>(fd)];
    if (socket.watched != 0) client.loop_.unwatch(fd);
    socket = {};
  }
  const os::Fd closing(fd);
  return 0;
}

int HttpClient::on_timer(CURLM*, long milliseconds_from_now, void* self) {
  auto& client = *static_cast<HttpClient*>(self);
  if (milliseconds_from_now < 0) {
    client.due_.reset();
  } else if (milliseconds_from_now == 0) {
    client.due_.reset();
    client.kick_soon();
  } else {
    client.due_ = os::steady_now() + milliseconds(milliseconds_from_now);
    client.arm();
  }
  return 0;
}

// The timer is moved only when it would fire too late: the deadlines of requests mostly move away.
void HttpClient::arm() {
  if (!due_ || (armed_ != 0 && armed_at_ <= *due_)) return;
  if (armed_ != 0) loop_.cancel(armed_);
  armed_at_ = *due_;
  armed_ = loop_.after(*due_ - os::steady_now(), [this] {
    armed_ = 0;
    if (due_ && *due_ <= os::steady_now()) {
      due_.reset();
      kick();
    }
    arm();
  });
}

// All requests that were started in one round of the loop are sent at its end.
void HttpClient::kick_soon() {
  if (kicking_) return;
  kicking_ = true;
  loop_.defer([this, alive = std::weak_ptr<const int>(alive_)] {
    if (alive.expired()) return;
    kicking_ = false;
    kick();
  });
}

void HttpClient::kick() {
  int running = 0;
  curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  collect();
}

void HttpClient::collect() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Transfer* t = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
    const CURLcode code = message->data.result;
    std::optional<TaskError> error;
    if (t->too_large) {
      error = TaskError{"too_large",
                        shown_url(t->request.url) + ": the answer is larger than 64 MiB", false};
    } else if (code != CURLE_OK) {
      error = error_of(code, t->error, t->request.url);
    }
    finish(*t, std::move(error));
  }
}

}  // namespace tidemill::worker
