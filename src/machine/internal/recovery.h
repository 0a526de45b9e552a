#pragma once
// Recovery: takes the records of the store in the order of store::Loader, then rebuilds what is
// derived from them. Nothing is decided here: what follows from the restart (lost attempts) is
// decided in the first turn. Engine thread only.
#include "machine/internal/state.h"

namespace tidemill::machine {

void restore(State& s, QueueConfig record);
void restore(State& s, TokenRecord record);  // token/add_token.cc
void restore(State& s, BarrierRecord record);
void restore(State& s, ArrayRecord record);
void restore(State& s, ItemChunk record);
void restore_outcome(State& s, ArrayId array, uint64_t index, Outcome outcome);
void restore(State& s, IndexOverride record);
void restore(State& s, TaskRecord record);
void restore(State& s, HandOut record);
void finish_restoring(State& s, Now now, uint64_t next_id);

}  // namespace tidemill::machine
