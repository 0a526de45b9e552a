#include "worker/tools/internal/http_thread.h"

#include <utility>

namespace tidemill::worker {

namespace {

constexpr size_t kMany = 32;
constexpr Duration kGather = microseconds(300);
constexpr size_t kHandOver = 8;  // so many go to the other thread before the rest is ready

}  // namespace

HttpThread::HttpThread(os::EventLoop& worker_loop, HttpClientOptions options)
    : worker_loop_(worker_loop), options_(std::move(options)) {}

HttpThread::~HttpThread() {
  if (!running_) return;
  loop_.stop();
  thread_.join();
}

void HttpThread::start(CallId id, HttpRequest request, OnDone on_done) {
  if (!running_) {
    running_ = true;
    client_.emplace(loop_, options_);
    thread_ = os::Thread("tm-http", [this] { loop_.run(); });
  }
  waiting_.emplace(id, std::move(on_done));
  started_.push_back({id, std::move(request)});
  if (started_.size() >= kHandOver) return hand_over();
  if (std::exchange(handing_over_, true)) return;
  worker_loop_.defer([this, alive = std::weak_ptr<const int>(alive_)] {
    if (alive.expired()) return;
    handing_over_ = false;
    hand_over();
  });
}

void HttpThread::cancel(CallId id) {
  if (!waiting_.contains(id)) return;
  hand_over();  // it may be among those
  loop_.post([this, id] { client_->cancel(id); });
}

void HttpThread::hand_over() {
  if (started_.empty()) return;
  loop_.post([this, started = std::exchange(started_, {})]() mutable {
    begin(std::move(started));
  });
}

void HttpThread::begin(std::vector<Started> started) {
  for (Started& s : started) {
    client_->start(s.id, std::move(s.request), [this, id = s.id](HttpResponse response) {
      ended_.push_back({id, std::move(response)});
      give_back_soon();
    });
  }
}

// With many under way their answers gather a little: to wake the other thread for each costs more
// time than that.
void HttpThread::give_back_soon() {
  if (ended_.size() >= kHandOver) return give_back();
  if (std::exchange(giving_back_, true)) return;
  if (client_->open() < kMany) {
    loop_.defer([this] { give_back_late(); });
  } else {
    loop_.after(kGather, [this] { give_back_late(); });
  }
}

void HttpThread::give_back_late() {
  giving_back_ = false;
  if (!ended_.empty()) give_back();
}

void HttpThread::give_back() {
  worker_loop_.post([this, ended = std::exchange(ended_, {}),
                     alive = std::weak_ptr<const int>(alive_)]() mutable {
    if (!alive.expired()) take_back(std::move(ended));
  });
}

void HttpThread::take_back(std::vector<Ended> ended) {
  const std::weak_ptr<const int> alive = alive_;
  for (Ended& e : ended) {
    const auto found = waiting_.find(e.id);
    if (found == waiting_.end()) continue;
    const OnDone on_done = std::move(found->second);
    waiting_.erase(found);
    on_done(std::move(e.response));
    if (alive.expired()) return;  // the callback ended the worker
  }
}

}  // namespace tidemill::worker
