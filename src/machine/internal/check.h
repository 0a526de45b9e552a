#pragma once
// Walks the state and asserts what must always hold between turns (P3 to P5), and hashes what
// state_hash() does not cover. For tests, the simulator and Machine::replay_hash(). Engine thread
// only.
#include "machine/internal/state.h"

namespace tidemill::machine {

void check_state(const State& s);
// Of sessions, leases, orders and everything else that a restart may lose.
uint64_t volatile_hash(const State& s);

}  // namespace tidemill::machine
