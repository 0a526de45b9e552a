#pragma once
// Worker: a worker of a scenario. It keeps the rules of the exchange: numbers, the reply last
// received, what it holds in the first exchange of a session, and it opens a new session when its
// own is unknown.
#include <map>
#include <string>
#include <vector>

#include "tests/scenario/world.h"

namespace tidemill::scenario {

// A task, or one index of an array.
using Unit = WorkRef;

class Worker {
 public:
  struct Shape {
    uint32_t slots = 1;
    uint32_t places = 8;
    bool in_process = false;
    std::vector<std::string> kinds{"k"};
    std::string token;
    std::vector<std::string> queues;  // of the token
  };
  explicit Worker(Shape shape) : shape_(std::move(shape)) {}

  // One exchange that does not wait; what came is in got(), told(), answers().
  void exchange(World& world, std::vector<Report> reports, uint32_t slots, uint32_t places);
  // One that may be parked; wakes() later says what came of it.
  void park(World& world);
  bool woken(World& world);
  // Sends the last exchange again, number and all.
  void repeat(World& world);
  // The next reply never reaches it.
  void lose_next_reply() { lose_next_ = true; }
  void close(World& world);
  void drain() { draining_ = true; }

  uint32_t free_slots() const;
  uint32_t free_places() const;
  // A report of what it holds, or held last.
  Report report(Report::Kind kind, const Unit& unit) const;

  const std::vector<Unit>& got() const { return got_; }
  const std::vector<Unit>& told() const { return told_; }
  const std::vector<ReportAnswer>& answers() const { return answers_; }
  bool holds(const Unit& unit) const { return held_.contains(unit); }
  size_t holding() const { return held_.size(); }
  const Assignment* last_assignment(const Unit& unit) const;
  bool session_was_unknown() const { return session_unknown_; }

 private:
  ExchangeRequest request(std::vector<Report> reports, uint32_t slots, uint32_t places);
  void open(World& world, std::vector<Report> reports);
  void take(const ExchangeReply& reply, const std::vector<Report>& reports);

  Shape shape_;
  SessionId session_;
  uint64_t number_ = 0;
  uint64_t seen_ = 0;
  bool draining_ = false;
  bool lose_next_ = false;
  uint64_t gap_ = 0;  // number of a reply that got lost
  bool session_unknown_ = false;
  std::map<Unit, Assignment> held_;  // each unit with the assignment it came in
  std::map<Unit, Assignment> known_;
  ExchangeRequest last_;
  machine::Tag parked_;
  std::vector<Unit> got_;
  std::vector<Unit> told_;
  std::vector<ReportAnswer> answers_;
};

}  // namespace tidemill::scenario
