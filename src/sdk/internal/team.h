#pragma once
// Team: the slots of a worker, each a thread that runs handlers. Work comes from the session into
// one queue; reports gather in an outbox, from which the event thread takes them: at once when a
// slot has nothing more to do, else some milliseconds later, as a commit for each short task would
// take the time that the next ones need.
//
//   event thread: session, queue filled, outbox emptied, deadlines   │ one mutex
//   slots:        take from the queue, run, put into the outbox      │
//
// Owned by the Worker. Methods are the event thread's, but for what says otherwise.
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "client/session.h"
#include "client/work_queue.h"
#include "os/event_loop.h"
#include "os/sync.h"
#include "os/thread.h"
#include "sdk/internal/attempt.h"
#include "sdk/internal/call.h"
#include "wire/exchange.h"

namespace tidemill::sdk {

class Team final : public client::Session::Host {
 public:
  // Starts the slots. Any thread; all of the arguments outlive it.
  Team(os::EventLoop& loop, wire::Exchange& exchange, const Handlers& handlers, uint32_t slots);
  ~Team() override;  // after cut(), and when the event thread has ended

  void start();
  void drain(std::function<void()> on_drained);
  // Tells all handlers to end and waits for them; nothing more is reported. Any thread but the
  // slots' and the loop's.
  void cut();

 private:
  struct Slot {
    Attempt attempt;
    bool busy = false;
    bool abandoned = false;  // its time is over and reported, or its lease is lost
    SteadyTime deadline = SteadyTime::never();
    os::Thread thread;
  };

  // ---- what the session asks and tells ----
  Capacity capacity() override;
  std::vector<LeasedWork> held() override;
  // What could wait has waited in the outbox.
  bool work_waits() const override { return false; }
  void take_assignments(std::vector<Assignment> assignments) override;
  void recall(const LeasedWork& work) override;
  void cancel(const LeasedWork& work) override;
  void answered() override { schedule_round(); }
  void lease_lost(const LeasedWork& work) override;

  // ---- on a slot's thread ----
  void work(Slot& slot);
  bool next(Slot& slot);
  void finish(Slot& slot, std::vector<Report> reports);

  // ---- the event thread's ----
  void schedule_round();
  void round();
  void gather();
  void collect();
  void upload(client::PendingReport report);
  void send_blob(uint64_t number, const SharedBytes& bytes);
  // With an error when it could not be stored.
  void uploaded(uint64_t number, const ResultRef& ref, const tidemill::Error* error);
  void watch_deadlines();
  void check_drained();
  void answer(const LeasedWork& work, Report::Kind kind);

  os::EventLoop& loop_;
  wire::Exchange& exchange_;
  const Handlers& handlers_;

  os::Mutex mutex_;
  os::Condition work_came_;
  client::WorkQueue queue_ GUARDED_BY(mutex_);
  std::deque<Slot> slots_;  // what is in them but the threads and attempts: GUARDED_BY(mutex_)
  std::vector<client::PendingReport> outbox_ GUARDED_BY(mutex_);
  bool gathering_ GUARDED_BY(mutex_) = false;   // the outbox will be looked at soon
  bool collecting_ GUARDED_BY(mutex_) = false;  // and at once
  SteadyTime watched_ GUARDED_BY(mutex_) = SteadyTime::never();  // the next deadline looked at
  bool draining_ GUARDED_BY(mutex_) = false;
  bool cut_ GUARDED_BY(mutex_) = false;

  // The event thread's.
  std::unique_ptr<client::Session> session_;
  std::map<uint64_t, client::PendingReport> uploads_;  // results on their way to become blobs
  uint64_t last_upload_ = 0;
  os::EventLoop::TimerId gather_timer_ = 0;
  os::EventLoop::TimerId deadline_timer_ = 0;
  bool round_scheduled_ = false;
  std::function<void()> on_drained_;
};

}  // namespace tidemill::sdk
