// PauseQueue: nothing more is handed out from the queue; what is leased goes on.
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/queues.h"

namespace tidemill::machine {

void set_paused(State& s, Tag tag, const std::string& name, PauseState wanted) {
  const auto found = s.queues.by_name.find(name);
  if (found == s.queues.by_name.end()) {
    refuse(s, tag, Refused::Why::not_found,
           "queue: there is no queue \"" + name + "\"; a queue exists from its first task on");
    return;
  }
  QueueConfig config = queue_of(s, found->second).config;
  config.paused = wanted == PauseState::paused;
  put_queue(s, found->second, config);
  answer(s, tag, Done{});
}

void decide(State& s, Tag tag, const PauseQueue& command) {
  set_paused(s, tag, command.queue, PauseState::paused);
}

}  // namespace tidemill::machine
