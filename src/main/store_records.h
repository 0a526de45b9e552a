#pragma once
// StoreRecords: client::Records over a store's reader and the blobs beside it. One thread at a
// time.
#include <memory>
#include <utility>

#include "blob/blob.h"
#include "client/records.h"
#include "store/store.h"

namespace tidemill::main {

class StoreRecords : public client::Records {
 public:
  // Borrows both.
  StoreRecords(std::unique_ptr<store::Reader> reader, blob::BlobStore& blobs)
      : reader_(std::move(reader)), blobs_(blobs) {}

  Result<std::vector<ExecutionRecord>> executions(ExecutionId after, uint32_t limit) override {
    return reader_->executions(after, limit);
  }
  Result<WallTime> last_recorded() override { return reader_->last_recorded(); }
  Result<std::optional<ExecutionRecord>> execution(ExecutionId id) override {
    return reader_->execution(id);
  }
  Result<std::vector<StepRecord>> steps(ExecutionId id) override { return reader_->steps(id); }
  Result<std::optional<TaskRow>> task(TaskId id) override { return reader_->task(id); }
  Result<std::vector<TaskRow>> tasks(const TaskFilter& filter) override {
    return reader_->tasks(filter);
  }
  Result<std::optional<ArrayRow>> array(ArrayId id) override { return reader_->array(id); }
  Result<std::vector<IndexRow>> outcomes(ArrayId id, uint64_t first, uint32_t limit) override {
    return reader_->outcomes(id, first, limit);
  }
  Result<std::vector<AttemptRecord>> attempts(const WorkRef& work) override {
    return reader_->attempts(work);
  }
  Result<std::string> result_text(const ResultRef& ref) override;
  Result<std::string> result_text(const ResultValue& value) override;
  Result<std::string> plan_text(const Sha256& hash) override;

 private:
  std::unique_ptr<store::Reader> reader_;
  blob::BlobStore& blobs_;
};

}  // namespace tidemill::main
