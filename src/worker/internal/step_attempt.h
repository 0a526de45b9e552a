#pragma once
// StepAttempt: runs a step's tools once, for a task or for one item of a loop's array. Owned by the
// Crew; the worker's event thread only.
#include <memory>

#include "worker/internal/attempt.h"

namespace tidemill::worker {

class StepAttempt final : public Attempt {
 public:
  using Attempt::Attempt;

 protected:
  void run() override;
  void stop_running(TaskError why) override;

 private:
  std::optional<Iteration> iteration(std::optional<TaskError>& error) const;
  void take(PipelineDriver::Outcome outcome);
  void take_finished(const Pipeline::Finished& finished);
  void resume();

  std::unique_ptr<PipelineDriver> driver_;
};

}  // namespace tidemill::worker
