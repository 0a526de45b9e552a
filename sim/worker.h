#pragma once
// Worker: a simulated worker session over a network that loses, delays and duplicates. It numbers
// its exchanges, repeats what got no answer, presents what it holds to a new server, and can die at
// any moment with everything it held. One owner, one thread.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/exchange.h"
#include "sim/checker.h"
#include "sim/options.h"
#include "sim/server.h"
#include "sim/world.h"

namespace tidemill::sim {

// Gives the report of an attempt that has run: done, failed, …
using Handler = std::function<void(const Assignment& work, uint64_t index, Report& report)>;

class Worker {
 public:
  Worker(World& world, const Options& options, Server& server, Checker& checker, Handler handler);
  void start();
  void crash();        // forgets all; a new session begins after a while
  void server_gone();  // in-process workers die with their server

 private:
  struct Held {
    Assignment work;
    std::vector<bool> finished;  // per index of the range
    bool started = false;
  };

  void send();
  void transmit(uint64_t number, const ExchangeRequest& request);
  Duration message_delay();
  void overdue(uint64_t number);
  void receive(uint64_t life, const ExchangeReply& reply, const ExchangeRequest& request);
  void take(const ExchangeReply& reply);
  void run(LeaseEpoch epoch, uint64_t index);
  void finish(LeaseEpoch epoch, uint64_t index);
  void answer_recalls(const ExchangeReply& reply);
  void answer_cancels(const ExchangeReply& reply);
  void drop(LeaseEpoch epoch);
  ExchangeRequest next_request();
  void begin_again();
  bool reports_outstanding() const;
  std::vector<LeasedWork> held_work() const;
  std::vector<LeasedWork> open_attempts() const;
  uint32_t free_places() const;
  uint32_t spare_places() const;

  World& world_;
  const Options& options_;
  Server& server_;
  Checker& checker_;
  Handler handler_;
  uint64_t life_ = 0;
  SessionId session_;
  uint64_t number_ = 0;      // of the last exchange sent
  uint64_t last_reply_ = 0;  // all replies up to this number were received
  uint32_t incarnation_ = 0;
  bool introduce_ = true;    // the next exchange tells everything that is held
  // By number: one with reports, one that may be parked.
  std::map<uint64_t, ExchangeRequest> outstanding_;
  std::vector<Report> reports_;
  std::map<LeaseEpoch, Held> held_;
};

}  // namespace tidemill::sim
