#pragma once
// State: everything the machine knows, and the turn it is deciding. Commands are functions on it,
// one file each below task/, array/, queue/, session/, timer/, execution/ (internal/commands.h
// lists them). Owned by Machine; engine thread only.
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "machine/internal/execution_state.h"
#include "machine/internal/tables.h"
#include "machine/internal/timers.h"
#include "machine/internal/tokens.h"
#include "machine/machine.h"

namespace tidemill::machine {

// What is known and collected while one turn is decided; emptied at its end.
struct TurnState {
  Turn number;
  Now now;
  const Rows* rows = nullptr;
  TurnOutput* out = nullptr;

  std::vector<TaskId> dirty_tasks;
  std::vector<ArrayId> dirty_arrays;
  std::vector<BarrierId> dirty_barriers;
  std::map<ArrayId, std::vector<IndexOutcome>> outcomes;             // one PutOutcomes each
  std::map<std::pair<std::string, std::string>, KeyRecord> new_keys;  // not in `rows` yet

  struct EndedDependency {
    TaskId task;
    Outcome outcome = Outcome::done;
  };
  std::deque<EndedDependency> ended;   // whose dependants are still to be looked at
  std::deque<BarrierId> full_barriers;  // that are to fire
  std::deque<ArrayId> full_arrays;      // that may have nothing left to run
  std::set<TaskId> ended_now;           // of those that `rows` had from the store
  std::vector<BacklogNumber> drawn;     // backlogs that may want their next page
  std::vector<SessionId> noticed;       // sessions that are to be told something
  bool something_ready = false;         // parked exchanges are to be served
};

struct State {
  explicit State(const MachineOptions& options);

  MachineOptions options;
  uint64_t next_id = 1;
  uint64_t reserved_ids = 0;  // ids below are on record as taken
  uint64_t hash_sum = 0;      // sum of all shares that are not stale
  std::vector<TaskId> stale_tasks;

  TurnState turn;
  QueueTable queues;
  TokenTable tokens;
  TaskTable tasks;
  ArrayTable arrays;
  BarrierTable barriers;
  SessionTable sessions;
  Timers timers;
  ExecutionTables executions;
};

}  // namespace tidemill::machine
