#pragma once
// CursorAttempt: one claimer of a cursor loop: claim → tools for each row (or frame of rows) →
// claim … until a claim gives no rows. What it has claimed stays claimed under its task_key, so
// another attempt after a crash gets the same rows again. Owned by the Crew; the worker's event
// thread only.
#include <memory>
#include <optional>

#include "worker/internal/attempt.h"

namespace tidemill::worker {

class CursorAttempt final : public Attempt {
 public:
  using Attempt::Attempt;
  void drain() override { draining_ = true; }

 protected:
  void run() override;
  void stop_running(TaskError why) override;

 private:
  const playbook::Loop& loop() const { return *context().step->loop; }
  void later(void (CursorAttempt::*what)());
  void claim();
  void take_claim(const Pipeline::Finished& finished);
  void next_frame();
  playbook::Value frame() const;
  std::unique_ptr<PipelineDriver> frame_driver();
  void take_frame(PipelineDriver::Outcome outcome);
  void count(bool failed);
  std::string save(std::string pipeline) const;
  void resume();
  void give_up(TaskError error);
  Report counted() const;

  std::optional<playbook::Scope> claim_names_;  // the driver of a claim borrows it
  std::unique_ptr<PipelineDriver> driver_;
  playbook::List rows_;  // of the last claim
  size_t at_ = 0;        // the first row of the current frame
  uint64_t claims_ = 0;
  playbook::CursorCounts counts_;
  std::vector<playbook::CtxWrite> ctx_writes_;
  bool draining_ = false;
};

}  // namespace tidemill::worker
