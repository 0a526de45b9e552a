#pragma once
// Producer: sends random commands and remembers what was acknowledged, so that later ones can name
// it. A request that gets no reply is forgotten: whether it happened is for the checker to find.
// One owner, one thread.
#include <cstdint>
#include <vector>

#include "machine/command.h"
#include "sim/checker.h"
#include "sim/options.h"
#include "sim/server.h"
#include "sim/world.h"

namespace tidemill::sim {

class Producer {
 public:
  // `plans` are known to the store.
  Producer(World& world, const Options& options, Server& server, Checker& checker,
           std::vector<Sha256> plans, uint32_t commands);
  void start();
  bool finished() const { return left_ == 0; }

 private:
  void next();
  machine::CommandBody random_command();
  machine::SpawnTasks random_tasks();
  machine::SpawnArray random_array();
  WorkRef random_work();
  void acknowledged(const machine::CommandBody& command, const machine::ReplyBody& reply);

  World& world_;
  const Options& options_;
  Server& server_;
  Checker& checker_;
  std::vector<Sha256> plans_;
  uint32_t left_;
  std::vector<TaskId> tasks_;
  std::vector<std::pair<ArrayId, uint64_t>> arrays_;
  std::vector<ExecutionId> executions_;
};

}  // namespace tidemill::sim
