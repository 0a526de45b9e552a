#pragma once
// Attempt: one try at one piece of work, from its place to its report. One class per kind of work
// makes the report; what all share is here. Owned by the Crew; the worker's event thread only.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "client/work_queue.h"
#include "model/exchange.h"
#include "os/event_loop.h"
#include "playbook/value.h"
#include "wire/exchange.h"
#include "worker/internal/child_playbooks.h"
#include "worker/internal/contexts.h"
#include "worker/internal/pipeline_driver.h"

namespace tidemill::worker {

using client::WorkItem;

struct AttemptServices {
  DriverServices driver;
  Contexts& contexts;
  ChildPlaybooks& children;
  wire::Exchange& exchange;
};

class Attempt {
 public:
  // Called once, never from within the constructor; the attempt may be destroyed in it.
  using OnReport = std::function<void(Report)>;

  Attempt(AttemptServices services, WorkItem item, OnReport on_report);
  virtual ~Attempt();
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  void begin();
  // Stops what runs; the report is `failed` with this error, unless it was on its way already.
  void stop(TaskError why);
  // True from the first tool call on: it can no longer be returned as not started.
  bool begun() const { return usage_.begun; }
  // No more work is wanted: an attempt that can be cut between two pieces of its work ends there.
  virtual void drain() {}
  const WorkItem& item() const { return item_; }

 protected:
  // Gets what run() needs, then enter(). Work of a playbook needs its step's context.
  virtual void prepare();
  void enter();
  virtual void run() = 0;                        // all is there
  virtual void stop_running(TaskError why) = 0;  // ends in finish_failed(why)

  const StepContext& context() const { return *context_; }
  // What a driver needs of this attempt.
  std::unique_ptr<PipelineDriver> make_driver(PipelineInput input,
                                              PipelineDriver::OnOutcome on_outcome);
  std::string task_key() const;
  const Assignment& assignment() const { return *item_.assignment; }

  // Each makes the report and ends the attempt.
  void finish_done(std::string result_json, Report report = {});
  void finish_failed(TaskError error, Report report = {});
  void finish(Report report);

  // Puts the child's playbook in place and ends as suspended with `state`, or tells why it cannot.
  void suspend(PipelineDriver::Suspend child, std::string state,
               std::function<void(TaskError)> on_failure);
  // What a suspended call gave, when this attempt goes on after it.
  void fetch_child(std::function<void(ToolResult)> on_result);
  bool resumes() const { return assignment().child && assignment().resumed_with; }

  // Callbacks that may come after the end are guarded by it.
  std::weak_ptr<int> alive() const { return alive_; }
  // The work has really begun: noted once.
  void note_begun();

  AttemptServices services_;
  Usage usage_;

 private:
  void take_context(Result<StepContextPtr> context);
  void hide_secrets(std::string& text) const;
  Trace trace() const;

  WorkItem item_;
  OnReport on_report_;
  StepContextPtr context_;
  bool entered_ = false;
  std::optional<TaskError> stopped_;
  os::EventLoop::TimerId timer_ = 0;
  Duration inputs_ready_{};
  Duration started_{};
  Duration finished_{};
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

// The attempt for this kind of work; null when the kind is unknown.
std::unique_ptr<Attempt> make_attempt(AttemptServices services, WorkItem item,
                                      Attempt::OnReport on_report);

}  // namespace tidemill::worker
