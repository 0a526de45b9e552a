#include "tidemill/client.h"

#include <algorithm>
#include <utility>

#include "client/server_api.h"
#include "os/clock.h"
#include "os/sync.h"
#include "sdk/internal/json_access.h"
#include "sdk/internal/translate.h"
#include "wire/json_text.h"
#include "wire/queue_json.h"

namespace tidemill::sdk {

namespace {

constexpr Duration kFirstPause = milliseconds(20);
constexpr Duration kLastPause = seconds(1);
constexpr Duration kOneWait = seconds(60);  // a long poll is asked anew after that
constexpr size_t kIdsOfOneWait = 10'000;

std::string task_path(TaskId id) { return "/v1/tasks/" + std::to_string(id.value); }
std::string array_path(ArrayId id) { return "/v1/arrays/" + std::to_string(id.value); }

std::string cancel_path(const std::string& path, Urgency urgency) {
  return path + "/cancel" + (urgency == Urgency::now ? "?now=true" : "");
}

std::string escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

// What users call JSON is looked at before it is put into a request.
Status check_all(const std::vector<const Json*>& texts) {
  wire::JsonCheck check;
  for (const Json* json : texts) {
    if (!JsonAccess::unchecked(*json) && json->str() != "NaN") continue;
    if (auto good = check.check(json->str()); !good.ok()) {
      return outer(std::move(good).error().with("input"));
    }
  }
  return Done{};
}

}  // namespace

struct Client::Impl {
  // The server, found at the first call. Errors: invalid.
  tidemill::Result<client::ServerApi*> server() {
    os::Lock lock(mutex);
    if (!api) {
      const Address address = address_of(options.server);
      TIDEMILL_TRY(api, client::ServerApi::open(address.url, address.token));
    }
    return api.get();
  }

  void pause(Duration time) {
    const SteadyTime until = os::steady_now() + time;
    os::Lock lock(mutex);
    while (os::steady_now() < until) never.wait_for(mutex, until - os::steady_now());
  }

  // Asks, and again while nobody is there.
  template <class T, class Ask>
  tidemill::Result<T> patiently(Ask ask) {
    TIDEMILL_TRY(client::ServerApi * server, this->server());
    const SteadyTime until = os::steady_now() + milliseconds(options.patience.count());
    for (Duration time = kFirstPause;; time = std::min(time * 2, kLastPause)) {
      tidemill::Result<T> answer = ask(*server);
      const bool again = !answer.ok() && answer.error().code == tidemill::ErrorCode::unavailable;
      if (!again || os::steady_now() + time > until) return answer;
      pause(time);
    }
  }

  tidemill::Result<std::string> get(const std::string& target) {
    return patiently<std::string>([&](client::ServerApi& asked) { return asked.get(target); });
  }
  tidemill::Result<std::string> post(const std::string& target) {
    return patiently<std::string>([&](client::ServerApi& asked) { return asked.post(target); });
  }
  tidemill::Result<std::vector<wire::TaskOutcome>> wait(const wire::WaitRequest& request) {
    return patiently<std::vector<wire::TaskOutcome>>(
        [&](client::ServerApi& asked) { return asked.wait(request); });
  }
  Result<bool> cancel(const std::string& path, Urgency urgency);
  Result<Outcome> outcome_of(const wire::TaskOutcome& told);
  Status wait_part(const std::vector<TaskId>& ids, size_t from, size_t to, SteadyTime until,
                   std::vector<Outcome>& out);

  ClientOptions options;
  os::Mutex mutex;
  os::Condition never;
  std::unique_ptr<client::ServerApi> api GUARDED_BY(mutex);
};

Client::Client(ClientOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

// ---- tasks ----

Result<TaskId> Client::spawn(const Task& task) {
  auto spawned = spawn(std::vector<Task>{task});
  if (!spawned) return spawned.error();
  return spawned->at(0).id;
}

Result<std::vector<Spawned>> Client::spawn(const std::vector<Task>& tasks) {
  std::vector<Spawned> out;
  if (tasks.empty()) return out;
  std::vector<const Json*> inputs;
  std::vector<wire::NewTask> all;
  all.reserve(tasks.size());
  bool repeatable = true;
  for (const Task& task : tasks) {
    inputs.push_back(&task.input);
    all.push_back(inner(task));
    repeatable = repeatable && !task.idempotency_key.empty();
  }
  if (Status good = check_all(inputs); !good) return good.error();
  tidemill::Result<std::vector<wire::SpawnedTask>> spawned = [&] {
    const auto ask = [&](client::ServerApi& asked) { return asked.spawn(all); };
    if (repeatable) return impl_->patiently<std::vector<wire::SpawnedTask>>(ask);
    auto server = impl_->server();
    if (!server.ok()) {
      return tidemill::Result<std::vector<wire::SpawnedTask>>(std::move(server).error());
    }
    return ask(**server);
  }();
  if (!spawned.ok()) return outer(std::move(spawned).error());
  out.reserve(spawned->size());
  for (const wire::SpawnedTask& one : *spawned) out.push_back({{one.id.raw}, one.existing});
  if (out.size() != tasks.size()) return Error{ErrorCode::io, "the server named too few tasks"};
  return out;
}

Result<Outcome> Client::Impl::outcome_of(const wire::TaskOutcome& told) {
  Outcome out = outer(told);
  if (told.unknown) {
    return Error{ErrorCode::not_found, "there is no task " + std::to_string(told.id.raw)};
  }
  if (told.result.blob.place == ResultRef::Place::blob) {
    auto text = get(task_path(out.id) + "/result");
    if (!text.ok()) return outer(std::move(text).error());
    out.result = JsonAccess::trusted(std::move(*text));
  }
  return out;
}

// Waits for ids [from, to), and appends their outcomes.
Status Client::Impl::wait_part(const std::vector<TaskId>& ids, size_t from, size_t to,
                               SteadyTime until, std::vector<Outcome>& out) {
  wire::WaitRequest request;
  for (size_t i = from; i < to; ++i) request.ids.push_back({ids[i].value});
  for (;;) {
    const Duration left = until - os::steady_now();
    request.at_most = std::clamp(left, Duration{}, kOneWait);
    auto told = wait(request);
    if (!told.ok()) return outer(std::move(told).error());
    const bool open = std::any_of(told->begin(), told->end(), [](const wire::TaskOutcome& o) {
      return o.outcome == tidemill::Outcome::open && !o.unknown;
    });
    if (open && left > kOneWait) continue;
    for (size_t i = from; i < to; ++i) {
      const auto found = std::find_if(told->begin(), told->end(), [&](const wire::TaskOutcome& o) {
        return o.id.raw == ids[i].value;
      });
      if (found == told->end()) return Error{ErrorCode::io, "the server left out a task"};
      Result<Outcome> outcome = outcome_of(*found);
      if (!outcome) return outcome.error();
      out.push_back(std::move(*outcome));
    }
    return Done{};
  }
}

Result<Outcome> Client::wait(TaskId id, std::chrono::milliseconds at_most) {
  auto all = wait_all({id}, at_most);
  if (!all) return all.error();
  return std::move(all->at(0));
}

Result<std::vector<Outcome>> Client::wait_all(const std::vector<TaskId>& ids,
                                              std::chrono::milliseconds at_most) {
  const SteadyTime until = os::steady_now() + milliseconds(at_most.count());
  std::vector<Outcome> out;
  out.reserve(ids.size());
  for (size_t from = 0; from < ids.size(); from += kIdsOfOneWait) {
    const size_t to = std::min(ids.size(), from + kIdsOfOneWait);
    if (Status done = impl_->wait_part(ids, from, to, until, out); !done) return done.error();
  }
  return out;
}

Result<std::vector<Outcome>> Client::wait_any(const std::vector<TaskId>& ids,
                                              std::chrono::milliseconds at_most) {
  const SteadyTime until = os::steady_now() + milliseconds(at_most.count());
  wire::WaitRequest request;
  request.wait_for = wire::WaitRequest::For::any;
  for (const TaskId id : ids) request.ids.push_back({id.value});
  for (;;) {
    const Duration left = until - os::steady_now();
    request.at_most = std::clamp(left, Duration{}, kOneWait);
    auto told = impl_->wait(request);
    if (!told.ok()) return outer(std::move(told).error());
    std::vector<Outcome> out;
    bool any = false;
    for (const wire::TaskOutcome& one : *told) {
      Result<Outcome> outcome = impl_->outcome_of(one);
      if (!outcome) return outcome.error();
      any = any || outcome->state != State::open;
      out.push_back(std::move(*outcome));
    }
    if (any || left <= kOneWait) return out;
  }
}

Result<Json> Client::get(TaskId id) {
  auto text = impl_->get(task_path(id));
  if (!text.ok()) return outer(std::move(text).error());
  return JsonAccess::trusted(std::move(*text));
}

Result<bool> Client::Impl::cancel(const std::string& path, Urgency urgency) {
  auto text = post(cancel_path(path, urgency));
  if (!text.ok()) return outer(std::move(text).error());
  return JsonAccess::trusted(std::move(*text)).boolean("at_once");
}

Result<bool> Client::cancel(TaskId id, Urgency urgency) {
  return impl_->cancel(task_path(id), urgency);
}

Result<unsigned> Client::retry(TaskId id) {
  auto text = impl_->post(task_path(id) + "/retry");
  if (!text.ok()) return outer(std::move(text).error());
  auto round = JsonAccess::trusted(std::move(*text)).integer("round");
  if (!round) return round.error();
  return static_cast<unsigned>(*round);
}

Status Client::bury(TaskId id, const std::string& reason) {
  auto text = impl_->post(task_path(id) + "/bury?reason=" + escaped(reason));
  if (!text.ok()) return outer(std::move(text).error());
  return Done{};
}

// ---- arrays ----

Result<ArrayId> Client::spawn(const Array& array) {
  std::vector<const Json*> texts{&array.input};
  for (const Json& item : array.items) texts.push_back(&item);
  if (Status good = check_all(texts); !good) return good.error();
  auto server = impl_->server();
  if (!server.ok()) return outer(std::move(server).error());
  auto text = (*server)->post("/v1/arrays", wire::to_json(inner(array)));
  if (!text.ok()) return outer(std::move(text).error());
  auto id = wire::parse_array_id(*text);
  if (!id.ok()) return outer(std::move(id).error());
  return ArrayId{id->raw};
}

Result<ArrayState> Client::get(ArrayId id) { return wait(id, std::chrono::milliseconds(0)); }

Result<ArrayState> Client::wait(ArrayId id, std::chrono::milliseconds at_most) {
  const SteadyTime until = os::steady_now() + milliseconds(at_most.count());
  for (;;) {
    const Duration left = until - os::steady_now();
    const int64_t ms = std::clamp(left, Duration{}, seconds(30)).whole_milliseconds();
    auto text = impl_->get(array_path(id) + "?wait_ms=" + std::to_string(ms));
    if (!text.ok()) return outer(std::move(text).error());
    auto state = wire::parse_array_state(*text);
    if (!state.ok()) return outer(std::move(state).error());
    if (state->finished || left.whole_milliseconds() <= ms) return outer(*state);
  }
}

Result<std::vector<IndexOutcome>> Client::results(ArrayId id, std::uint64_t first, unsigned limit) {
  auto text = impl_->get(array_path(id) + "/results?first=" + std::to_string(first) +
                         "&limit=" + std::to_string(limit));
  if (!text.ok()) return outer(std::move(text).error());
  auto told = wire::parse_index_results(*text);
  if (!told.ok()) return outer(std::move(told).error());
  std::vector<IndexOutcome> out;
  out.reserve(told->size());
  for (const wire::IndexTold& one : *told) {
    out.push_back(outer(one));
    if (one.result.blob.place != ResultRef::Place::blob) continue;
    auto bytes = impl_->get("/v1/blobs/" + hex(one.result.blob.blob));
    if (!bytes.ok()) return outer(std::move(bytes).error());
    out.back().result = JsonAccess::trusted(std::move(*bytes));
  }
  return out;
}

Result<bool> Client::cancel(ArrayId id, Urgency urgency) {
  return impl_->cancel(array_path(id), urgency);
}

// ---- queues ----

Status Client::configure(const std::string& queue, const QueueOptions& options) {
  QueueConfig config = inner(options);
  config.name = queue;
  const std::string body = wire::to_json(config);
  const std::string target = "/v1/queues/" + escaped(queue);
  auto text = impl_->patiently<std::string>(
      [&](client::ServerApi& asked) { return asked.put(target, body); });
  if (!text.ok()) return outer(std::move(text).error());
  return Done{};
}

Status Client::pause(const std::string& queue) {
  auto text = impl_->post("/v1/queues/" + escaped(queue) + "/pause");
  if (!text.ok()) return outer(std::move(text).error());
  return Done{};
}

Status Client::resume(const std::string& queue) {
  auto text = impl_->post("/v1/queues/" + escaped(queue) + "/resume");
  if (!text.ok()) return outer(std::move(text).error());
  return Done{};
}

}  // namespace tidemill::sdk
