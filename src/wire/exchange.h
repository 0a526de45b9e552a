#pragma once
// The exchange as an interface: what a worker needs of a server, whether the engine is in this
// process or behind HTTP. main/ binds it; the worker never knows which. Called from the worker's
// event thread; callbacks come on that thread too (the implementation posts them there).
#include <functional>
#include <string>

#include "base/result.h"
#include "model/exchange.h"

namespace tidemill::wire {

// An execution's fixed parts, cached by workers.
struct ExecutionInfo {
  ExecutionId id;
  Sha256 plan{};
  SharedBytes workload;  // merged, JSON
  std::string file;
};

class Exchange {
 public:
  virtual ~Exchange() = default;

  using OnReply = std::function<void(Result<ExchangeReply>)>;
  virtual void exchange(ExchangeRequest request, OnReply on_reply) = 0;

  // The JSON text of a result (an array's as a list in index order, failed indexes as null).
  // Errors: not_found when it is gone, corrupt when a blob's bytes are not what its name says.
  using OnBytes = std::function<void(Result<SharedBytes>)>;
  virtual void fetch_result(const ResultRef& ref, OnBytes on_bytes) = 0;

  // The text of a plan by its hash. Errors: not_found.
  virtual void fetch_plan(const Sha256& hash, OnBytes on_text) = 0;

  using OnExecution = std::function<void(Result<ExecutionInfo>)>;
  virtual void fetch_execution(ExecutionId id, OnExecution on_execution) = 0;

  // Makes the text of a playbook known, durably, before a report names its hash. Errors: io,
  // disk_full.
  using OnDone = std::function<void(Status)>;
  virtual void put_plan(const Sha256& hash, std::string text, OnDone on_done) = 0;

  // Stores bytes as a blob, durable when the callback comes; `size` > limits::kInlineMax as a rule.
  using OnRef = std::function<void(Result<ResultRef>)>;
  virtual void put_blob(SharedBytes bytes, OnRef on_ref) = 0;
};

}  // namespace tidemill::wire
