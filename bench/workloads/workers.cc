// bench workers: a thousand workers that have nothing to do, and what short waits gain from more
// workers: tasks of 2 ms on 8 slots each, three worker processes against one.
#include <fmt/format.h>

#include <atomic>
#include <deque>
#include <future>

#include "bench/workloads/batch.h"
#include "bench/workloads/bench.h"
#include "net/http_client.h"
#include "os/clock.h"
#include "os/event_loop.h"
#include "wire/exchange_json.h"

namespace tidemill::bench {

namespace {

// A worker that is only its session: an exchange that waits at the server, and the next. Each has a
// connection of its own, as a server takes one that is closed for a worker that is gone.
class LightWorker {
 public:
  LightWorker(const net::HttpClientOptions& server, std::atomic<uint64_t>& opened,
              std::atomic<uint64_t>& wrong)
      : opened_(opened), wrong_(wrong), client_(server) {
    request_.number = 1;
    request_.kinds = {"nothing"};
    request_.free_slots = 1;
    request_.free_places = 1;
  }
  void send() {
    client_.send({.method = "POST",
                  .target = "/v1/exchange",
                  .headers = {},
                  .body = wire::to_json(request_)},
                 minutes(1), [this](Result<net::HttpResponse> response) { take(response); });
  }

 private:
  void take(Result<net::HttpResponse>& response) {
    if (stopped(response)) return;
    auto reply = wire::parse_exchange_reply(response->body);
    if (!reply.ok() || reply->session_unknown) {
      ++wrong_;
      return;
    }
    if (request_.number == 1) ++opened_;
    request_.session = reply->session;
    request_.kinds.clear();
    request_.last_reply = request_.number++;
    send();
  }
  // The client ends, or the server.
  bool stopped(const Result<net::HttpResponse>& response) {
    if (response.ok() && response->status == 200) return false;
    if (response.ok() || request_.number == 1) ++wrong_;
    return true;
  }

  std::atomic<uint64_t>& opened_;
  std::atomic<uint64_t>& wrong_;
  ExchangeRequest request_;
  net::HttpClient client_;  // whose thread uses the rest
};

// Lets the time pass; what is measured is what others do meanwhile.
void let_pass(Duration time) {
  os::EventLoop loop;
  loop.after(time, [&] { loop.stop(); });
  loop.run();
}

Status idle(const Context& context, const Request& request, Figures& figures) {
  const uint64_t count = request.quick ? 50 : 1'000;
  const Duration time = request.quick ? seconds(1) : seconds(30);
  TIDEMILL_TRY(auto service, Service::start(context.self, request.folder + "/idle.db"));
  TIDEMILL_TRY(const net::ServerAddress address, net::parse_server_address(service->url()));
  std::atomic<uint64_t> opened = 0;
  std::atomic<uint64_t> wrong = 0;
  const uint64_t memory = service->server().resident_bytes();
  {
    net::HttpClientOptions options;
    options.server = address;
    std::deque<LightWorker> workers;
    for (uint64_t i = 0; i < count; ++i) workers.emplace_back(options, opened, wrong).send();
    const SteadyTime began = os::steady_now();
    while (opened + wrong < count && os::steady_now() - began < minutes(1)) {
      let_pass(milliseconds(20));
    }
    let_pass(milliseconds(500));
    const Duration before = service->server().cpu();
    const SteadyTime from = os::steady_now();
    let_pass(time);
    const Duration used = service->server().cpu() - before;
    figures.add("idle workers", static_cast<double>(count), "",
                "sessions, each with its connection");
    figures.add("server cpu with them", used.seconds() / (os::steady_now() - from).seconds() * 100,
                "% core", fmt::format("over {:g} s, default lease; bound: 2", time.seconds()));
    const uint64_t now = service->server().resident_bytes();
    figures.add(
        "memory of the server for each",
        static_cast<double>(now > memory ? now - memory : 0) / 1e3 / static_cast<double>(count),
        "kB");
  }
  if (opened != count || wrong > 0) {
    return Error{ErrorCode::invalid, fmt::format("{} of {} sessions opened, {} went wrong",
                                                 opened.load(), count, wrong.load())};
  }
  return service->stop();
}

Result<double> rate_with(const Context& context, const Request& request, int workers,
                         uint64_t count) {
  const std::string store =
      fmt::format("{}/slots-{}-{}.db", request.folder, workers, os::entropy64());
  TIDEMILL_TRY(auto service, Service::start(context.self, store));
  TIDEMILL_CHECK(service->start_handlers(workers, 8));
  // All of them are there when it begins.
  TIDEMILL_TRY(Batch first, Batch::open(*service, store, "first"));
  TIDEMILL_CHECK(first.spawn(std::vector<client::NewTask>(200, task_of("wait", "2000"))));
  TIDEMILL_CHECK(first.run());
  TIDEMILL_TRY(Batch batch, Batch::open(*service, store, "timed"));
  TIDEMILL_CHECK(batch.spawn(std::vector<client::NewTask>(count, task_of("wait", "2000"))));
  TIDEMILL_TRY(const Duration wall, batch.run());
  TIDEMILL_CHECK(service->stop());
  return static_cast<double>(count) / wall.seconds();
}

}  // namespace

Status workers(const Context& context, const Request& request, Figures& figures) {
  TIDEMILL_CHECK(idle(context, request, figures));
  const uint64_t count = request.quick ? 400 : 8'000;
  std::vector<double> ones, threes, ratios;
  for (uint32_t round = 0; round < request.rounds; ++round) {
    TIDEMILL_TRY(const double one, rate_with(context, request, 1, count));
    TIDEMILL_TRY(const double three, rate_with(context, request, 3, 3 * count));
    ones.push_back(one);
    threes.push_back(three);
    ratios.push_back(three / one);
  }
  figures.add("2 ms tasks, one worker of 8 slots", median(ones), "/s", "4 000 at most");
  figures.add("three workers", median(threes), "/s", "12 000 at most");
  figures.add("three / one", median(ratios), "", "pair by pair, median; bound: 2.9");
  return Ok{};
}

}  // namespace tidemill::bench
