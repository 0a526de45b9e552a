#pragma once
// Replies: what the machine answers. Each names the turn that must be durable before it may leave;
// a refusal needs none. Values; any thread.
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "machine/command.h"
#include "model/exchange.h"

namespace tidemill::machine {

struct Done {};  // did what was asked, and there is nothing to tell

// Why a command was refused; nothing was changed. The text names the place, the reason and the next
// step.
struct Refused {
  enum class Why : uint8_t {
    invalid,
    too_large,
    not_found,
    key_conflict,   // the idempotency key belongs to another kind or input
    wrong_state,    // e.g. retry of a task that is not terminal
    overloaded,
  };
  Why why = Why::invalid;
  std::string text;
};

struct Spawned {
  struct One {
    TaskId id;
    bool existing = false;  // the idempotency key named this earlier task
  };
  std::vector<One> tasks;
};
struct ArraySpawned {
  ArrayId id;
};
struct BarrierOpened {
  BarrierId id;
  TaskId fires;
};
struct Cancelled {
  bool at_once = false;  // false: a worker was asked
};
struct Retried {
  uint32_t round = 0;
  bool barrier_had_fired = false;  // the fan-in does not run again; retry from the execution
};
struct ExecutionStarted {
  ExecutionId id;
};

using ReplyBody = std::variant<Done, Refused, Spawned, ArraySpawned, BarrierOpened, Cancelled, Retried,
                               ExchangeReply, ExecutionStarted>;

struct Reply {
  Tag tag;
  Turn needs;  // leaves when this turn is durable; 0: at once
  ReplyBody body;
};

}  // namespace tidemill::machine
