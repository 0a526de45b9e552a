#pragma once
// Backlogs: the ready tasks of a queue, kind and priority in their order (ready time, id), of which
// memory holds a window and the store the rest.
//
//   in memory, offered ────────────────┐ gap  ┌──── in the store only ─────────▶ new ones
//   ▲ handed out in order              │      │ page by page, when the window has room
//   └──────────────────────────────────┘◀─────┘ PageWanted (effect) … PageIn (command)
//
// The gap stands in the ready index, so that nothing behind it is handed out before what lies in
// the store (P5). Single tasks from there can be in memory all the same: somebody named them, or
// they are of those that never leave it: of an execution or a barrier, with a deadline, blocked,
// delayed, tried before. Engine thread only.
#include "machine/internal/state.h"

namespace tidemill::machine {

BacklogPlace place_in_backlog(const TaskRecord& record);
BacklogNumber backlog_number(State& s, QueueNumber queue, uint32_t kind, int32_t priority);
Backlog& backlog_of(State& s, BacklogNumber number);

// ---- into the store and back ----
// True when the window of its backlog is full: the new task is counted and left to the store. Its
// change is the caller's to emit.
bool leave_in_store(State& s, const TaskRecord& record);
// A task that is named: of memory, or brought there from the store. Null when it is not live.
LiveTask* fetch_task(State& s, TaskId id);
// Live, wherever it is.
bool is_live(const State& s, TaskId id);

// Whether memory may do without it.
bool may_be_stored(const TaskRecord& record);
// One of the stored ones is in memory from now on; it keeps its share of the hash.
LiveTask& bring_in(State& s, Backlog& backlog, TaskRecord record, uint64_t hash);

// ---- what the window counts ----
void entered_window(State& s, LiveTask& task);
void left_window(State& s, LiveTask& task);
// It has ended: a page that is on its way may still hold it.
void ended_in_backlog(State& s, const LiveTask& task);

// ---- the gap ----
// Puts it where the stored ones begin, in the lanes that have some, and nowhere else.
void settle_gap(State& s, Backlog& backlog);
// Its window has room, or more is in the store: it is looked at when the turn ends.
void draw(State& s, Backlog& backlog);
// A claim has come upon it.
void met_gap(State& s, QueueNumber queue, const ReadyIndex::Entry& entry);
// After the queue's index was cleared.
void rebuild_gaps(State& s, QueueNumber queue);
// Asks for the next page of each backlog that has room for it. At the end of a turn.
void ask_for_pages(State& s);

void check_backlogs(const State& s);

}  // namespace tidemill::machine
