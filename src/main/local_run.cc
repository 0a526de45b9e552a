#include "main/local_run.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "api/control_service.h"
#include "blob/disk/disk_blob_store.h"
#include "client/line_control.h"
#include "engine/engine.h"
#include "engine/put_playbook.h"
#include "engine/queries.h"
#include "main/flag.h"
#include "main/local_exchange.h"
#include "main/progress_board.h"
#include "main/server_run.h"
#include "main/store_records.h"
#include "main/store_tokens.h"
#include "main/worker_run.h"
#include "net/line_socket.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/sqlite/sqlite_store.h"
#include "worker/worker.h"

namespace tidemill::main {

namespace {

constexpr Duration kControlTime = seconds(10);
constexpr Duration kControlPatience = seconds(2);

std::string blobs_path(const std::string& store) { return store + ".blobs"; }
std::string socket_path(const std::string& store) { return store + ".sock"; }

client::LineControl control_of(api::ControlService& service) {
  return client::LineControl([&service](const std::string& line) -> Result<std::string> {
    return service.handle(line);
  });
}

store::SqliteOptions store_options(client::LocalRunOptions::Open open) {
  const bool make = open != client::LocalRunOptions::Open::existing;
  return {.mode = make ? store::SqliteOptions::Mode::create
                       : store::SqliteOptions::Mode::must_exist};
}

// The parts in the order in which they need each other: each is gone before what it borrows.
class LocalRunParts : public client::LocalRun {
 public:
  Status open(const client::LocalRunOptions& options) {
    using Open = client::LocalRunOptions::Open;
    if (options.open == Open::create && os::exists(options.store)) {
      return Error{ErrorCode::conflict, options.store + " exists already"};
    }
    TIDEMILL_TRY(store_, store::open_sqlite(options.store, store_options(options.open)));
    TIDEMILL_TRY(blobs_, blob::open_disk(blobs_path(options.store)));
    TIDEMILL_TRY(auto reader, store_->reader());
    TIDEMILL_CHECK(board_.fill(*reader));
    records_ = std::make_unique<StoreRecords>(std::move(reader), *blobs_);
    TIDEMILL_TRY(engine_, engine::Engine::open({.seed = os::entropy64(),
                                                .first_id = std::max<uint64_t>(
                                                    1, options.first_id.raw)},
                                               *store_, watchers()));
    service_ = std::make_unique<api::ControlService>(*engine_);
    control_ = std::make_unique<client::LineControl>(control_of(*service_));
    TIDEMILL_TRY(socket_, net::LineServer::listen(
                              socket_path(options.store),
                              [this](const std::string& line) { return service_->handle(line); }));
    options_ = options;
    return Ok{};
  }

  ~LocalRunParts() override { stop_now(); }

  Result<ExecutionId> start(const client::StartRequest& request) override {
    for (const std::string& child : request.child_texts) {
      TIDEMILL_CHECK(engine::put_playbook(*store_, sha256(child), child));
    }
    const Sha256 plan = sha256(request.text);
    TIDEMILL_CHECK(engine::put_playbook(*store_, plan, request.text));
    machine::StartExecution command;
    command.name = request.name;
    command.file = request.file;
    command.plan = plan;
    command.workload = std::make_shared<const std::string>(
        request.workload.empty() ? "{}" : request.workload);
    TIDEMILL_TRY(const machine::ReplyBody reply, engine_->ask(std::move(command)));
    if (const auto* refused = std::get_if<machine::Refused>(&reply)) {
      return Error{ErrorCode::invalid, refused->text};
    }
    TIDEMILL_CHECK(start_worker());
    return std::get<machine::ExecutionStarted>(reply).id;
  }

  Status go_on() override { return start_worker(); }

  client::Progress progress(ExecutionId id) override { return board_.progress(id); }
  Wake wait(ExecutionId id, Duration at_most) override { return board_.wait(id, at_most); }
  std::optional<Error> failure() override { return engine_->failure(); }
  client::Control& control() override { return *control_; }
  client::Records& records() override { return *records_; }
  void drain() override {
    worker_->drain([this] { drained_.set(); });
  }
  bool drained(Duration at_most) override { return drained_.wait(at_most); }

  void stop_now() override {
    socket_.reset();
    if (worker_) worker_->stop();
    if (engine_) engine_->stop();
  }

 private:
  engine::Watchers watchers() {
    return {.on_effect = nullptr,
            .on_committed = [this](const engine::CommitBatch& batch) { board_.committed(batch); },
            .on_failed = [this] { board_.ended(); }};
  }

  // Once: not before the first execution is there, whose id is the first of a new store.
  Status start_worker() {
    if (worker_) return Ok{};
    const client::LocalRunOptions& options = options_;
    worker_ = std::make_unique<worker::Worker>(worker::WorkerOptions{
        .name = "local",
        .slots = options.slots,
        .places = options.places == 0 ? limits::kPlaces : options.places,
        .connections = options.connections,
        .base_folder = options.base_folder,
        .python = options.python,
        .refused_files = {options.store}});
    TIDEMILL_TRY(queries_, engine::Queries::open(*store_, *blobs_));
    exchange_ = std::make_unique<LocalExchange>(*engine_, *queries_, worker_->loop());
    worker_->start(*exchange_);
    return Ok{};
  }

  client::LocalRunOptions options_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<blob::BlobStore> blobs_;
  ProgressBoard board_;
  std::unique_ptr<StoreRecords> records_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<api::ControlService> service_;
  std::unique_ptr<client::LineControl> control_;
  std::unique_ptr<net::LineServer> socket_;
  Flag drained_;
  std::unique_ptr<worker::Worker> worker_;
  std::unique_ptr<LocalExchange> exchange_;
  std::unique_ptr<engine::Queries> queries_;  // its answers go to the exchange: it is gone first
};

// Control of a store that nobody runs: an engine without a worker.
class StoreControl : public client::Control {
 public:
  static Result<std::unique_ptr<client::Control>> open(const std::string& path) {
    auto control = std::make_unique<StoreControl>();
    TIDEMILL_TRY(control->store_,
                 store::open_sqlite(path, store_options(client::LocalRunOptions::Open::existing)));
    TIDEMILL_TRY(control->engine_,
                 engine::Engine::open({.seed = os::entropy64()}, *control->store_, {}));
    control->service_ = std::make_unique<api::ControlService>(*control->engine_);
    control->line_ = std::make_unique<client::LineControl>(control_of(*control->service_));
    return std::unique_ptr<client::Control>(std::move(control));
  }

  Status cancel_execution(ExecutionId id) override { return line_->cancel_execution(id); }
  Status retry_execution(ExecutionId id) override { return line_->retry_execution(id); }
  Result<client::CancelAnswer> cancel_work(const WorkRef& work,
                                           client::CancelUrgency urgency) override {
    return line_->cancel_work(work, urgency);
  }
  Result<client::RetryAnswer> retry_work(const WorkRef& work) override {
    return line_->retry_work(work);
  }

 private:
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<api::ControlService> service_;
  std::unique_ptr<client::LineControl> line_;
};

// Records that own what they read.
class OwnedRecords : public StoreRecords {
 public:
  OwnedRecords(std::unique_ptr<store::Reader> reader, std::unique_ptr<blob::BlobStore> blobs)
      : StoreRecords(std::move(reader), *blobs), blobs_(std::move(blobs)) {}

 private:
  std::unique_ptr<blob::BlobStore> blobs_;
};

}  // namespace

Result<std::unique_ptr<client::LocalRun>> open_local_run(const client::LocalRunOptions& options) {
  auto run = std::make_unique<LocalRunParts>();
  client::LocalRunOptions resolved = options;
  resolved.store = os::resolve_links(options.store);
  TIDEMILL_CHECK(run->open(resolved));
  return std::unique_ptr<client::LocalRun>(std::move(run));
}

Result<std::unique_ptr<client::Records>> open_store_records(const std::string& name) {
  const std::string store = os::resolve_links(name);
  TIDEMILL_TRY(auto reader, store::open_sqlite_reader(store));
  TIDEMILL_TRY(auto blobs, blob::open_disk_reader(blobs_path(store)));
  return std::unique_ptr<client::Records>(
      std::make_unique<OwnedRecords>(std::move(reader), std::move(blobs)));
}

// What a person can do about the process that has the store open and does not answer.
struct SilentOwner {
  std::string who = "the process that runs it";
  std::string pid = "PID";

  explicit SilentOwner(const std::string& store) {
    const auto owner = os::FileLock::owner(store + ".lock");
    if (!owner || owner->pid == 0) return;
    who = os::to_string(*owner) + ", which runs it,";
    pid = std::to_string(owner->pid);
  }
  std::string note() const {
    return who + " does not answer; waiting for " + seconds_text() +
           " (if it was stopped, `kill -CONT " + pid + "` lets it go on)";
  }
  std::string error() const {
    return who + " has not answered for " + seconds_text() +
           " and may still do what was asked when it goes on: `kill -CONT " + pid +
           "` if it was stopped; to end it instead, `kill -9 " + pid + "`, then ask again";
  }
  static std::string seconds_text() {
    return std::to_string(kControlTime.whole_milliseconds() / 1'000) + " s";
  }
};

Result<std::unique_ptr<client::Control>> connect_control(const std::string& name,
                                                         client::LocalServices::Talk talk) {
  const std::string store = os::resolve_links(name);
  return std::unique_ptr<client::Control>(std::make_unique<client::LineControl>(
      [store, talk = std::move(talk)](const std::string& line) -> Result<std::string> {
        auto answer = net::ask_line(
            socket_path(store), line, kControlTime,
            {.after = kControlPatience, .say = [&] { talk(SilentOwner(store).note()); }});
        if (answer.ok() || answer.error().code != ErrorCode::timeout) return answer;
        return Error{ErrorCode::timeout, SilentOwner(store).error()};
      }));
}

Result<std::unique_ptr<client::Control>> open_store_control(const std::string& store) {
  return StoreControl::open(store);
}

client::LocalServices local_services() {
  return {.open_run = open_local_run,
          .open_records = open_store_records,
          .connect = connect_control,
          .open_control = open_store_control,
          .service = {.open_server = open_server,
                      .open_worker = open_worker,
                      .open_tokens = open_store_tokens}};
}

}  // namespace tidemill::main
