#pragma once
// Commands: everything that can be asked of the machine, one small struct each. What a command does
// is in the file of its name below task/, array/, queue/, session/, timer/, execution/. The engine
// gives every command a tag; its reply carries the tag again. Values; any thread.
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "model/exchange.h"
#include "model/query.h"
#include "model/records.h"
#include "model/token.h"

namespace tidemill::machine {

// ---- queue/ ----
struct ConfigureQueue {
  QueueConfig config;
};
struct PauseQueue {
  std::string queue;
};
struct ResumeQueue {
  std::string queue;
};

// The answer of the shells to PageWanted: the next part of a backlog, in its order.
struct PageIn {
  BacklogFilter wanted;
  // Fewer than wanted: there is nothing behind them. The machine takes the records out of it.
  std::shared_ptr<std::vector<BacklogRow>> rows;
};

// ---- token/ ----
struct AddToken {  // the machine says when it was made
  TokenRecord token;
};
struct RevokeToken {  // sessions that were opened with it end
  std::string name;
};

// ---- task/ ----
struct TaskSpec {
  WorkSpec work;
  WallTime run_at;  // zero: now
  WallTime deadline = WallTime::never();
  std::string concurrency_key;
  std::string idempotency_key;
  std::vector<TaskId> after;
  bool after_any_outcome = false;
};
struct SpawnTasks {
  std::vector<TaskSpec> tasks;  // all or none are accepted
};
struct CancelWork {
  enum class Urgency : uint8_t { ask, now };  // now: the lease ends at once
  WorkRef work;
  Urgency urgency = Urgency::ask;
};
struct RetryWork {  // a person's retry: opens the next round
  WorkRef work;
};
struct BuryTask {
  TaskId task;
  std::string reason;
};

// ---- array/ ----
struct ArraySpec {
  WorkSpec work;
  uint64_t count = 0;
  std::vector<std::string> items;  // one JSON text per index, or none at all
  uint32_t max_in_flight = 0;
  uint64_t max_failed = UINT64_MAX;
};
struct SpawnArray {
  ArraySpec array;
};
struct OpenBarrier {  // a fan-in for tasks spawned with its id; fires a task when all are terminal
  TaskSpec fires;
  uint64_t expected = 0;
};

// ---- session/ ----
struct Exchange {
  ExchangeRequest request;
  // The session lives in this process: it died with the server and has no grace.
  bool in_process = false;
  // Of the first exchange of a session: the token it came with ("": none is asked for), and the
  // queues of which it may have work (none: of all).
  std::string token;
  std::vector<std::string> queues;
};
struct CloseSession {  // its connection is gone: after the grace its leases end
  SessionId session;
};

// ---- timer/ ----
struct Tick {};  // what is due is done; sent when Machine::next_due() has come

// ---- execution/ ----
struct StartExecution {
  std::string name;
  std::string file;
  Sha256 plan{};  // prefetched by the engine
  SharedBytes workload;  // merged over the defaults, JSON
};
struct CancelExecution {
  ExecutionId execution;
};
struct RetryExecution {  // a failed one goes on: its failed steps are entered anew
  ExecutionId execution;
};

using CommandBody =
    std::variant<ConfigureQueue, PauseQueue, ResumeQueue, PageIn, SpawnTasks, CancelWork, RetryWork,
                 BuryTask, SpawnArray, OpenBarrier, Exchange, CloseSession, Tick, StartExecution,
                 CancelExecution, RetryExecution, AddToken, RevokeToken>;

using Tag = Id<struct TagTag>;

struct Command {
  Tag tag;
  CommandBody body;
};

}  // namespace tidemill::machine
