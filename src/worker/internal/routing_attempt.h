#pragma once
// RoutingAttempt: what lies between steps, evaluated here when it takes more than the machine
// holds: a loop's expansion, or the `set` and arcs after a step. Owned by the Crew; the worker's
// event thread only.
#include "worker/internal/attempt.h"

namespace tidemill::worker {

class RoutingAttempt final : public Attempt {
 public:
  using Attempt::Attempt;

 protected:
  void run() override;
  void stop_running(TaskError why) override;

 private:
  void expand();
  void route();
};

}  // namespace tidemill::worker
