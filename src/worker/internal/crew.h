#pragma once
// Crew: all that a worker does on its event thread. It takes assignments from the session, starts
// them in the order given as places allow, and hands their reports back. Owned by the Worker; its
// event thread only.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/session.h"
#include "client/work_queue.h"
#include "os/event_loop.h"
#include "wire/exchange.h"
#include "worker/internal/attempt.h"
#include "worker/internal/child_playbooks.h"
#include "worker/internal/contexts.h"
#include "worker/internal/slots.h"
#include "worker/internal/tool_set.h"

namespace tidemill::worker {

struct CrewOptions {
  uint32_t slots = 1;
  uint32_t places = 1;
  uint32_t spare = 0;  // work held beyond them, to begin when one comes free
  std::string base_folder;
  // A plan has been loaded: its tools will be needed soon.
  std::function<void(const playbook::Plan&)> on_plan;
};

class Crew final : public client::Session::Host {
 public:
  Crew(os::EventLoop& loop, wire::Exchange& exchange, CrewOptions options, ToolSet tools);
  ~Crew() override;

  void start();
  // Returns what has not begun, lets the rest finish, and tells when all of it is recorded.
  void drain(std::function<void()> on_drained);

 private:
  using AttemptId = uint64_t;

  Capacity capacity() override;
  std::vector<LeasedWork> held() override;
  bool work_waits() const override;
  void take_assignments(std::vector<Assignment> assignments) override;
  void recall(const LeasedWork& work) override;
  void cancel(const LeasedWork& work) override;
  void answered() override;
  void lease_lost(const LeasedWork& work) override;

  void schedule_round();
  void round();
  void start_more();
  void start_one(WorkItem item);
  void take_report(AttemptId id, Report report);
  void give_back(AttemptId id);
  void answer(const LeasedWork& work, Report::Kind kind);
  std::vector<AttemptId> running(const LeasedWork& work) const;
  void check_drained();

  os::EventLoop& loop_;
  wire::Exchange& exchange_;
  CrewOptions options_;
  ToolSet tools_;
  Slots slots_;
  Contexts contexts_;
  ChildPlaybooks children_;
  client::WorkQueue queue_;
  CallId last_call_ = 0;
  AttemptId last_attempt_ = 0;
  std::unordered_map<AttemptId, std::unique_ptr<Attempt>> attempts_;
  std::unique_ptr<client::Session> session_;
  bool round_scheduled_ = false;
  bool draining_ = false;
  std::function<void()> on_drained_;
};

}  // namespace tidemill::worker
