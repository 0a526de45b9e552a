#pragma once
// Queues and what is ready in them: puts work into the ready index and takes it out, holds what a
// limit holds, and counts leases against limits. Engine thread only.
#include <string>

#include "machine/internal/state.h"

namespace tidemill::machine {

// The number of a queue; one that nobody configured has the defaults.
QueueNumber queue_number(State& s, const std::string& name);
uint32_t kind_number(State& s, const std::string& name);
Queue& queue_of(State& s, QueueNumber number);
const Queue& queue_of(const State& s, QueueNumber number);

// ---- tasks ----
// A ready, unleased task becomes takeable, unless its concurrency key is at its limit.
void offer(State& s, LiveTask& task);
void withdraw(State& s, LiveTask& task);
// Where it stands in the order; for the index and for check().
ReadyIndex::Entry place_of(const State& s, const LiveTask& task);
ReadyIndex::Entry place_of(const State& s, const LiveArray& array);
// Of the gap in front of the work with this priority, ready time and id.
ReadyIndex::Entry gap_at(const State& s, QueueNumber queue, uint32_t kind, int32_t priority,
                         WallTime ready, TaskId id);
bool has_limited_key(const State& s, const LiveTask& task);

// ---- arrays ----
// How many of its indexes could be leased now, as far as its own limits go.
uint64_t takeable(const LiveArray& array);
// Puts the array into the index or takes it out, whichever is right now. Called after every change
// of what takeable() reads.
void reoffer(State& s, LiveArray& array);

// ---- limits ----
// How many more attempts the queue may lease; 0 when it is paused.
uint64_t room_in(const Queue& queue);
void count_lease(State& s, QueueNumber queue, uint64_t count);
void uncount_lease(State& s, QueueNumber queue, uint64_t count);
// The same for the task's concurrency key; the task itself is not in the index meanwhile.
void hold_key(State& s, const LiveTask& task);
void free_key(State& s, const LiveTask& task);

// Gives the queue this configuration, on record.
void put_queue(State& s, QueueNumber number, const QueueConfig& config);
enum class PauseState : uint8_t { running, paused };
void set_paused(State& s, Tag tag, const std::string& name, PauseState wanted);
// Puts everything of the queue in its place again after its configuration changed.
void rebuild(State& s, QueueNumber number);

}  // namespace tidemill::machine
