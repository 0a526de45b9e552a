#pragma once
// LocalExchange: wire::Exchange bound to the engine in this process. Exchanges go to the engine's
// queue; reads and blob writes to the thread of the queries. Callbacks are posted to the worker's
// event loop, which must outlive this.
#include <functional>
#include <memory>

#include "engine/engine.h"
#include "engine/queries.h"
#include "os/event_loop.h"
#include "wire/exchange.h"

namespace tidemill::main {

class LocalExchange : public wire::Exchange {
 public:
  // Borrows all; `loop` is the worker's.
  LocalExchange(engine::Engine& engine, engine::Queries& queries, os::EventLoop& loop)
      : engine_(engine), queries_(queries), loop_(loop) {}

  void exchange(ExchangeRequest request, OnReply on_reply) override;
  void fetch_result(const ResultRef& ref, OnBytes on_bytes) override;
  void fetch_plan(const Sha256& hash, OnBytes on_text) override;
  void fetch_execution(ExecutionId id, OnExecution on_execution) override;
  void put_plan(const Sha256& hash, std::string text, OnDone on_done) override;
  void put_blob(SharedBytes bytes, OnRef on_ref) override;

 private:
  // The answer of a query, on the worker's thread.
  template <class T>
  engine::Queries::On<T> posted(std::function<void(Result<T>)> f) {
    return [this, f = std::move(f)](Result<T> answer) {
      loop_.post([f, answer = std::move(answer)] { f(answer); });
    };
  }

  engine::Engine& engine_;
  engine::Queries& queries_;
  os::EventLoop& loop_;
};

}  // namespace tidemill::main
