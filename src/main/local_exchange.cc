#include "main/local_exchange.h"

#include <utility>
#include <variant>

#include "engine/put_playbook.h"
#include "engine/result_text.h"
#include "machine/command.h"
#include "machine/reply.h"

namespace tidemill::main {

namespace {

Result<ExchangeReply> exchange_reply(Result<machine::ReplyBody> reply) {
  if (!reply.ok()) return std::move(reply).error();
  if (auto* answer = std::get_if<ExchangeReply>(&reply.value())) return std::move(*answer);
  if (auto* refused = std::get_if<machine::Refused>(&reply.value())) {
    return Error{ErrorCode::invalid, refused->text};
  }
  return Error{ErrorCode::invalid, "the engine answered an exchange with something else"};
}

bool is_of_disk(const Error& error) {
  return error.code == ErrorCode::disk_full || error.code == ErrorCode::denied ||
         error.code == ErrorCode::io;
}

}  // namespace

Result<std::unique_ptr<LocalExchange>> LocalExchange::open(engine::Engine& engine,
                                                           store::Store& store,
                                                           blob::BlobStore& blobs,
                                                           os::EventLoop& loop) {
  TIDEMILL_TRY(auto reader, store.reader());
  return std::unique_ptr<LocalExchange>(
      new LocalExchange(engine, store, blobs, loop, std::move(reader)));
}

LocalExchange::LocalExchange(engine::Engine& engine, store::Store& store, blob::BlobStore& blobs,
                             os::EventLoop& loop, std::unique_ptr<store::Reader> reader)
    : engine_(engine),
      store_(store),
      blobs_(blobs),
      loop_(loop),
      reader_(std::move(reader)),
      thread_("tm-fetch", [this] { run(); }) {}

LocalExchange::~LocalExchange() {
  {
    os::Lock lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  thread_.join();
}

void LocalExchange::exchange(ExchangeRequest request, OnReply on_reply) {
  engine_.submit(
      machine::Exchange{.request = std::move(request), .in_process = true},
      [this, on_reply = std::move(on_reply)](Result<machine::ReplyBody> reply) {
        loop_.post([on_reply, answer = exchange_reply(std::move(reply))]() mutable {
          on_reply(std::move(answer));
        });
      });
}

void LocalExchange::fetch_result(const ResultRef& ref, OnBytes on_bytes) {
  enqueue([this, ref, on_bytes = std::move(on_bytes)] {
    Result<std::string> text = engine::result_text(ref, *reader_, blobs_);
    Result<SharedBytes> bytes =
        text.ok() ? Result<SharedBytes>(std::make_shared<const std::string>(std::move(*text)))
                  : Result<SharedBytes>(std::move(text).error());
    loop_.post([on_bytes, bytes = std::move(bytes)] { on_bytes(bytes); });
  });
}

void LocalExchange::fetch_plan(const Sha256& hash, OnBytes on_text) {
  enqueue([this, hash, on_text = std::move(on_text)] {
    Result<std::optional<std::string>> text = reader_->plan_text(hash);
    Result<SharedBytes> bytes = SharedBytes{};
    if (!text.ok()) {
      bytes = std::move(text).error();
    } else if (!text.value()) {
      bytes = Error{ErrorCode::not_found, "the store has no playbook " + hex(hash)};
    } else {
      bytes = std::make_shared<const std::string>(std::move(**text));
    }
    loop_.post([on_text, bytes = std::move(bytes)] { on_text(bytes); });
  });
}

void LocalExchange::fetch_execution(ExecutionId id, OnExecution on_execution) {
  enqueue([this, id, on_execution = std::move(on_execution)] {
    Result<std::optional<ExecutionRecord>> record = reader_->execution(id);
    Result<wire::ExecutionInfo> info = wire::ExecutionInfo{};
    if (!record.ok()) {
      info = std::move(record).error();
    } else if (!record.value()) {
      info = Error{ErrorCode::not_found, "there is no execution " + std::to_string(id.raw)};
    } else {
      const ExecutionRecord& r = **record;
      info = wire::ExecutionInfo{id, r.plan, r.workload, r.file};
    }
    loop_.post([on_execution, info = std::move(info)] { on_execution(info); });
  });
}

void LocalExchange::put_plan(const Sha256& hash, std::string text, OnDone on_done) {
  enqueue([this, hash, text = std::move(text), on_done = std::move(on_done)] {
    Status stored = engine::put_playbook(store_, hash, text);
    loop_.post([on_done, stored = std::move(stored)] { on_done(stored); });
  });
}

void LocalExchange::put_blob(SharedBytes bytes, OnRef on_ref) {
  enqueue([this, bytes = std::move(bytes), on_ref = std::move(on_ref)] {
    Result<Sha256> name = blobs_.put(*bytes);
    Result<ResultRef> ref = ResultRef{};
    if (name.ok()) {
      ref = ResultRef{.place = ResultRef::Place::blob, .blob = *name, .size = bytes->size()};
    } else {
      // A disk that takes no blob is nobody's fault but must not cost an attempt, nor fail what
      // could be done after room is made: the run stops as it does when a commit fails.
      if (is_of_disk(name.error())) engine_.fail(name.error());
      ref = std::move(name).error();
    }
    loop_.post([on_ref, ref = std::move(ref)] { on_ref(ref); });
  });
}

void LocalExchange::enqueue(std::function<void()> work) {
  os::Lock lock(mutex_);
  work_.push_back(std::move(work));
  if (work_.size() == 1) wake_.notify_one();
}

void LocalExchange::run() {
  for (;;) {
    std::deque<std::function<void()>> work;
    {
      os::Lock lock(mutex_);
      while (work_.empty() && !stopping_) wake_.wait(mutex_);
      if (work_.empty()) return;
      work.swap(work_);
    }
    for (auto& w : work) w();
  }
}

}  // namespace tidemill::main
