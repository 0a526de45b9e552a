#pragma once
// LocalExchange: wire::Exchange bound to the engine in this process. Exchanges go to the engine's
// queue; reads and blob writes go to a thread of their own, so that neither the worker's event
// thread nor the engine waits for a disk. Callbacks are posted to the worker's event loop.
#include <deque>
#include <functional>
#include <memory>

#include "blob/blob.h"
#include "engine/engine.h"
#include "os/event_loop.h"
#include "os/sync.h"
#include "os/thread.h"
#include "store/store.h"
#include "wire/exchange.h"

namespace tidemill::main {

class LocalExchange : public wire::Exchange {
 public:
  // Borrows all; `loop` is the worker's. Errors: the store's.
  static Result<std::unique_ptr<LocalExchange>> open(engine::Engine& engine, store::Store& store,
                                                     blob::BlobStore& blobs, os::EventLoop& loop);
  ~LocalExchange() override;

  void exchange(ExchangeRequest request, OnReply on_reply) override;
  void fetch_result(const ResultRef& ref, OnBytes on_bytes) override;
  void fetch_plan(const Sha256& hash, OnBytes on_text) override;
  void fetch_execution(ExecutionId id, OnExecution on_execution) override;
  void put_plan(const Sha256& hash, std::string text, OnDone on_done) override;
  void put_blob(SharedBytes bytes, OnRef on_ref) override;

 private:
  LocalExchange(engine::Engine& engine, store::Store& store, blob::BlobStore& blobs,
                os::EventLoop& loop, std::unique_ptr<store::Reader> reader);
  void run();
  void enqueue(std::function<void()> work);

  engine::Engine& engine_;
  store::Store& store_;
  blob::BlobStore& blobs_;
  os::EventLoop& loop_;
  std::unique_ptr<store::Reader> reader_;  // the thread's

  os::Mutex mutex_;
  os::Condition wake_;
  std::deque<std::function<void()>> work_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  os::Thread thread_;
};

}  // namespace tidemill::main
