// ResumeQueue: a paused queue hands out again.
#include "machine/internal/commands.h"
#include "machine/internal/queues.h"

namespace tidemill::machine {

void decide(State& s, Tag tag, const ResumeQueue& command) {
  set_paused(s, tag, command.queue, PauseState::running);
}

}  // namespace tidemill::machine
