// ConfigureQueue: sets a queue's policies. What is waiting takes its place in the new order; what
// is leased stays leased, also above a limit that was lowered.
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/queues.h"
#include "machine/internal/validate.h"

namespace tidemill::machine {

void decide(State& s, Tag tag, const ConfigureQueue& command) {
  if (const Flaw flaw = flaw_of(command.config)) {
    refuse(s, tag, flaw.why, flaw.text);
    return;
  }
  const QueueNumber number = queue_number(s, command.config.name);
  put_queue(s, number, command.config);
  answer(s, tag, Done{});
}

void put_queue(State& s, QueueNumber number, const QueueConfig& config) {
  Queue& queue = queue_of(s, number);
  TIDEMILL_ASSERT(queue.config.name == config.name);
  // The keys of leased tasks are counted anew under the new limit.
  queue.config = config;
  queue.configured = true;
  rehash(s, queue.share, queue.config);
  emit(s, PutQueue{config});
  rebuild(s, number);
  s.turn.something_ready = true;
}

}  // namespace tidemill::machine
