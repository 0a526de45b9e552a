#pragma once
// Queries: what people and workers read of committed turns, and what they store beside the machine
// (texts of playbooks, blobs), on a thread of its own, so that neither a network nor an engine
// thread waits for a disk. Any thread may ask; the answers come on the queries' thread, in the
// order in which they were asked for, and must not block it for long.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "blob/blob.h"
#include "os/event_loop.h"
#include "os/thread.h"
#include "store/store.h"

namespace tidemill::engine {

class Queries {
 public:
  template <class T>
  using On = std::function<void(Result<T>)>;

  // Borrows both. Errors: the store's.
  static Result<std::unique_ptr<Queries>> open(store::Store& store, blob::BlobStore& blobs);
  // What was asked for before is answered.
  ~Queries();
  Queries(const Queries&) = delete;
  Queries& operator=(const Queries&) = delete;

  void task(TaskId id, On<std::optional<TaskRow>> on_row);
  void tasks(TaskFilter filter, On<std::vector<TaskRow>> on_rows);
  void array(ArrayId id, On<std::optional<ArrayRow>> on_row);
  // Finished indexes in index order from `first`.
  void outcomes(ArrayId id, uint64_t first, uint32_t limit, On<std::vector<IndexRow>> on_rows);
  void execution(ExecutionId id, On<std::optional<ExecutionRecord>> on_record);
  void executions(ExecutionId after, uint32_t limit, On<std::vector<ExecutionRecord>> on_records);
  void steps(ExecutionId id, On<std::vector<StepRecord>> on_records);
  // The JSON text. Errors: not_found, corrupt.
  void result(const ResultRef& ref, On<SharedBytes> on_text);
  // The text of a playbook. Errors: not_found.
  void plan(const Sha256& hash, On<SharedBytes> on_text);

  // Both are durable when the answer comes. Errors: disk_full, denied, io.
  void put_plan(const Sha256& hash, std::string text, On<Ok> on_done);
  void put_blob(SharedBytes bytes, On<ResultRef> on_ref);

  // Runs `f` on the queries' thread, at once or when the time has passed.
  void post(std::function<void()> f) { loop_.post(std::move(f)); }
  void after(Duration delay, std::function<void()> f);

 private:
  Queries(store::Store& store, blob::BlobStore& blobs, std::unique_ptr<store::Reader> reader);

  store::Store& store_;
  blob::BlobStore& blobs_;
  std::unique_ptr<store::Reader> reader_;  // the thread's
  os::EventLoop loop_;
  os::Thread thread_;
};

}  // namespace tidemill::engine
