// PageIn: the next part of a backlog comes into memory. What is there already, or has ended
// meanwhile, is passed over. Where something was left to the store since the page was asked for,
// the page ends: it may not hold all that follows.
#include "machine/internal/backlog.h"
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/queues.h"

namespace tidemill::machine {

void decide(State& s, Tag tag, const PageIn& command) {
  const BacklogFilter& wanted = command.wanted;
  Backlog& backlog = backlog_of(s, backlog_number(s, queue_number(s, wanted.queue),
                                                  kind_number(s, wanted.kind), wanted.priority));
  const bool last = command.rows->size() < wanted.limit;
  TIDEMILL_ASSERT(backlog.asked);
  const std::optional<BacklogPlace> end = backlog.left_since;
  BacklogPlace next = backlog.from;
  bool all = true;
  for (BacklogRow& row : *command.rows) {
    const BacklogPlace place = place_in_backlog(row.task);
    TIDEMILL_ASSERT(place >= backlog.asked_from);
    all = !end || place < *end;
    if (!all) break;
    const TaskId id = row.task.id;
    next = {place.ready, TaskId{id.raw + 1}};
    const bool known = find_task(s, id) != nullptr || backlog.ended_since.contains(id);
    if (place < backlog.from || known || !may_be_stored(row.task)) continue;
    bring_in(s, backlog, std::move(row.task), row.hash);
  }
  backlog.asked = false;
  backlog.left_since.reset();
  backlog.ended_since.clear();
  if (backlog.stored > 0) {
    TIDEMILL_ASSERT(end || !last);
    backlog.from = !all || last ? *end : next;
    draw(s, backlog);
  }
  settle_gap(s, backlog);
  s.turn.something_ready = true;
  answer(s, tag, Done{}, Turn{});
}

}  // namespace tidemill::machine
