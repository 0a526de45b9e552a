#pragma once
// What a memory store holds: the records as they are, in maps. One mutex for all; the store and its
// readers take it for each call.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "os/sync.h"
#include "store/internal/index_states.h"
#include "store/internal/lease_book.h"
#include "store/memory/memory_store.h"

namespace tidemill::store {

struct FinishedTask {
  HistoryRecord history;
  Turn turn;
};

struct FinishedIndex {
  IndexOutcome outcome;
  Turn turn;
};

struct StoredArray {
  ArrayRecord record;
  bool finished = false;
  FinishArray end;  // when finished
  IndexStates states;
  Turn rest_cancelled;  // the turn of CancelRest
  std::map<uint64_t, FinishedIndex> outcomes;
  std::map<uint64_t, ItemChunk> items;
  std::map<uint64_t, IndexOverride> overrides;
};

struct MemoryTables {
  PutCounters counters{.next_id = 1, .incarnation = 0};
  Turn last_turn;
  std::map<Turn, WallTime> turns;
  std::map<std::string, QueueConfig> queues;
  std::map<std::string, TokenRecord> tokens;
  std::map<TaskId, TaskRecord> live;
  std::map<TaskId, FinishedTask> history;
  std::map<uint64_t, std::vector<AttemptRecord>> attempts;  // by task or array
  std::map<ArrayId, StoredArray> arrays;
  std::map<BarrierId, BarrierRecord> barriers;
  std::map<ExecutionId, ExecutionRecord> executions;
  std::map<StepRef, StepRecord> steps;
  std::map<std::pair<std::string, std::string>, KeyRecord> keys;
  LeaseBook leases;
  LeaseBook::Row next_hand_out = 1;
  std::map<Sha256, std::string> plans;
  StoreStats stats;
};

class MemoryContents {
 public:
  os::Mutex mutex;
  MemoryTables tables GUARDED_BY(mutex);
};

std::unique_ptr<Reader> make_memory_reader(std::shared_ptr<MemoryContents> contents);

}  // namespace tidemill::store
