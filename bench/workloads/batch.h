#pragma once
// Batch: tasks of a queue that is paused while they are spawned, so that running them is timed and
// spawning them is not. One after another may use the same service. Main thread.
#include <string>
#include <vector>

#include "bench/workloads/service.h"

namespace tidemill::bench {

client::NewTask task_of(const std::string& kind, const std::string& input,
                        const std::string& queue = "default");
double percentile(std::vector<double> values, double share);

// How many rows of the store are done; its server may be running.
Result<uint64_t> done_in(const std::string& store);

class Batch {
 public:
  // `store` is the service's.
  static Result<Batch> open(Service& service, std::string store, std::string queue);
  // The ids, in order. Their queue is set here.
  Result<std::vector<TaskId>> spawn(std::vector<client::NewTask> tasks);
  // From letting them begin until all are done. Errors: invalid when one is not.
  Result<Duration> run();
  uint64_t size() const { return count_; }

 private:
  Batch(Service& service, std::string store, std::string queue)
      : service_(&service), store_(std::move(store)), queue_(std::move(queue)) {}

  Service* service_;
  std::string store_;
  std::string queue_;
  uint64_t count_ = 0;
  uint64_t done_before_ = 0;
  std::vector<TaskId> last_;
};

}  // namespace tidemill::bench
