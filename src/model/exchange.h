#pragma once
// The one verb between a worker session and the server (docs/architecture.md): results and free
// capacity go in, work, recalls and cancels come out. Exchanges of a session are numbered from 1;
// the same number again gets the same reply again. Values; any thread.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/records.h"

namespace tidemill {

// What a worker says about a piece of work it holds.
struct Report {
  enum class Kind : uint8_t {
    done,
    failed,
    suspended,  // waits for the child execution it names; slot and place are given back
    returned,   // not started (answer to a recall, or drain): goes back uncharged
    started,    // answer to a recall: it runs
  };

  Kind kind = Kind::done;
  WorkRef work;  // one task, or one index or range of an array
  LeaseEpoch epoch;
  ResultValue result;         // done
  std::vector<std::string> results;  // done, of a range: the JSON text of each index, in order
  SharedBytes routing;        // done, failed: what the Plan's routing reads (playbook/step_scope.h)
  bool routing_too_large = false;
  std::vector<std::string> loop_items;  // done, of an expanding task: the JSON text of each item
  SharedBytes ctx_writes;     // JSON list of [path list, value], applied in recording order; null: none
  TaskError error;            // failed
  SharedBytes resume_with;    // suspended: what the next attempt gets back
  struct Child {              // suspended
    std::string path;         // of the file, as the worker found it
    Sha256 plan{};
    std::string key;          // (task_key, policy attempt)
    SharedBytes input;        // JSON, merged over the child's workload
    std::string return_step;
    Duration timeout{};       // 0: none
  } child;
  std::string log;  // bounded by limits::kLogMax, the tail kept
  Trace trace;      // the worker's part of it
};

// A piece of work handed to a worker.
struct Assignment {
  WorkRef work;
  LeaseEpoch epoch;
  std::string queue;
  std::string kind;
  uint32_t attempt = 1;       // number of this try in this round, from 1
  SharedBytes input;          // of a task, or what all indexes of an array share
  std::vector<std::string> items;  // one JSON text per index of the range; empty: no items
  uint64_t array_count = 0;   // indexes of the whole array
  StepRef step;
  SharedBytes resumed_with;   // what the suspended attempt left
  std::shared_ptr<const ChildResult> child;  // set when resumed by a child's end
  Duration attempt_timeout{};  // 0: none
  bool needs_slot = true;
};

struct ExchangeRequest {
  SessionId session;  // 0: open a new session
  uint64_t number = 1;
  // All replies up to this one have arrived. An idle exchange may be overtaken by one exchange with
  // reports: it is answered then with what there is to hand out, at once, and the other when the
  // reports are durable. A reply that has not arrived when the second exchange after it is sent was
  // passed over: what it handed out goes back, and it must be ignored. Who lost a reply sends the
  // same number again.
  uint64_t last_reply = 0;
  std::vector<Report> reports;
  uint32_t free_slots = 0;
  uint32_t free_places = 0;
  // How much more work it will hold that begins when a place comes free.
  uint32_t spare_places = 0;
  std::vector<std::string> kinds;  // sent when they change; empty: as before
  bool wait = true;      // may be parked when there is nothing to report and nothing to hand out
  bool draining = false;  // wants no more work
  // What the worker still holds, sent in full only in the first exchange of a session or
  // incarnation.
  std::vector<LeasedWork> held;
};

enum class ReportAnswer : uint8_t {
  recorded,    // by this report, or before by the same epoch
  lease_lost,  // another lease, a cancel or an outcome came first: stop that work
};

struct ExchangeReply {
  SessionId session;
  uint64_t number = 1;
  uint32_t incarnation = 0;
  bool session_unknown = false;         // open a new one
  std::vector<ReportAnswer> answers;    // one per report, in order
  std::vector<Assignment> assignments;  // start them in this order
  std::vector<LeasedWork> recalls;   // answer returned or started
  std::vector<LeasedWork> cancels;   // stop and report failed with kind "cancelled"
  Duration lease;
};

}  // namespace tidemill
