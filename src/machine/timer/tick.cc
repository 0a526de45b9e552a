// Tick: does what is due on both clocks, in the order of the times.
#include "machine/execution/hooks.h"
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/lifecycle.h"
#include "machine/internal/leases.h"
#include "machine/internal/sessions.h"
#include "machine/internal/work.h"

namespace tidemill::machine {

namespace {

// A task's total time is up, whatever it was doing.
void deadline_due(State& s, TaskId id) {
  LiveTask* task = find_task(s, id);
  TIDEMILL_ASSERT(task != nullptr);
  if (task->leased()) {
    tell_cancel(s, task->holder, {WorkRef::of(id), task->epoch});
    drop_task(s, *task);
  }
  Ending ending;
  ending.error = {.kind = "deadline", .message = "its deadline passed", .retryable = false};
  ending.trace.reported = s.turn.now.wall;
  finish_task(s, *task, Outcome::failed, std::move(ending));
}

void run_timer(State& s, const Timer& timer) {
  switch (timer.kind) {
    case Timer::Kind::task_ready:
      make_ready(s, *find_task(s, TaskId{timer.a}));
      break;
    case Timer::Kind::index_ready: {
      // The timer has left its set: the index leaves its wait.
      wake_index(s, *find_array(s, ArrayId{timer.a}), timer.b);
      break;
    }
    case Timer::Kind::task_deadline:
      deadline_due(s, TaskId{timer.a});
      break;
    case Timer::Kind::execution:
      execution::timer_due(s, ExecutionId{timer.a}, timer.b);
      break;
    case Timer::Kind::session:
      session_due(s, SessionId{timer.a});
      break;
    case Timer::Kind::parked:
      if (Session* session = find_session(s, SessionId{timer.a}); session && session->parked) {
        release_parked(s, *session);
      }
      break;
    case Timer::Kind::attempt:
      attempt_due(s, SessionId{timer.a}, {static_cast<uint32_t>(timer.b), timer.c});
      break;
    case Timer::Kind::reservations:
      end_reservations(s);
      break;
  }
}

}  // namespace

void decide(State& s, Tag tag, const Tick&) {
  while (const auto timer = s.timers.steady.pop_due(s.turn.now.steady)) {
    run_timer(s, *timer);
    settle(s);
  }
  while (const auto timer = s.timers.wall.pop_due(s.turn.now.wall)) {
    run_timer(s, *timer);
    settle(s);
  }
  answer(s, tag, Done{}, Turn{});
}

}  // namespace tidemill::machine
