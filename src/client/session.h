#pragma once
// Session: the exchange loop of a worker (docs/architecture.md). Exchanges are numbered; one is
// kept open even when nothing is free, and brings work; reports that are ready leave at once in one
// beside it, those of one round of the loop together, and while that is on its way the next ones
// gather; so they do for some milliseconds while there is other work at hand. Replies are
// taken in the order of their numbers, so "the last reply received" always means: and all before
// it. Owned by its host; the worker's event thread only.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/exchange.h"
#include "os/event_loop.h"
#include "wire/exchange.h"

namespace tidemill::client {

// A report and when its work was received: the trace counts from there.
struct PendingReport {
  Report report;
  SteadyTime received;
};

class Session {
 public:
  // What the session asks of the Crew and tells it.
  class Host {
   public:
    virtual ~Host() = default;
    struct Capacity {
      uint32_t slots = 0;
      uint32_t places = 0;
      uint32_t spare = 0;  // what may wait here for a place
    };
    virtual Capacity capacity() = 0;
    virtual std::vector<LeasedWork> held() = 0;  // all but what is in reports
    virtual bool work_waits() const = 0;  // there is work here that only lacks a slot or a place
    virtual void take_assignments(std::vector<Assignment> assignments) = 0;
    virtual void recall(const LeasedWork& work) = 0;
    virtual void cancel(const LeasedWork& work) = 0;
    virtual void answered() = 0;                          // some reports have been
    virtual void lease_lost(const LeasedWork& work) = 0;  // stop it; nobody wants its result
  };

  Session(os::EventLoop& loop, wire::Exchange& exchange, Host& host,
          std::vector<std::string> kinds);
  ~Session();

  void report(PendingReport report);
  // Sends what there is to send. Called at the end of a round in which something changed.
  void pump();
  void drain();  // the next exchange says that no more work is wanted
  // Nothing that was reported waits for its answer.
  bool settled() const;

 private:
  struct Open {
    ExchangeRequest request;  // kept for sending it again
    std::optional<Result<ExchangeReply>> reply;
    Duration retry_delay{};
    os::EventLoop::TimerId retry = 0;
  };

  bool wants_idle() const;
  bool may_gather();
  std::vector<PendingReport> next_reports();
  void send(std::vector<PendingReport> reports);
  void transmit(uint64_t number);
  void take_reply(uint64_t number, Result<ExchangeReply> reply);
  void apply(Open open);
  void retry_later(uint64_t number);
  bool amend(uint64_t number, const Error& error);
  void begin_again();

  os::EventLoop& loop_;
  wire::Exchange& exchange_;
  Host& host_;
  std::vector<std::string> kinds_;
  SessionId id_;
  uint64_t last_number_ = 0;
  uint64_t last_reply_ = 0;
  uint64_t life_ = 0;  // counts the sessions: replies to an earlier one are dropped
  std::map<uint64_t, Open> open_;
  std::vector<PendingReport> pending_;
  SteadyTime pending_since_{};
  os::EventLoop::TimerId gathering_ = 0;
  Host::Capacity advertised_;
  uint32_t with_reports_ = 0;  // open exchanges that carry reports
  bool draining_ = false;
  bool drain_told_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace tidemill::client
