#pragma once
// One function for each command; each is defined in the file of its name. They decide, emit and
// answer. Engine thread only.
#include "machine/internal/state.h"

namespace tidemill::machine {

// queue/
void decide(State& s, Tag tag, const ConfigureQueue& command);
void decide(State& s, Tag tag, const PauseQueue& command);
void decide(State& s, Tag tag, const ResumeQueue& command);
void decide(State& s, Tag tag, const PageIn& command);
// token/
void decide(State& s, Tag tag, const AddToken& command);
void decide(State& s, Tag tag, const RevokeToken& command);
// task/
void decide(State& s, Tag tag, const SpawnTasks& command);
void decide(State& s, Tag tag, const CancelWork& command);
void decide(State& s, Tag tag, const RetryWork& command);
void decide(State& s, Tag tag, const BuryTask& command);
// array/
void decide(State& s, Tag tag, const SpawnArray& command);
void decide(State& s, Tag tag, const OpenBarrier& command);
// session/
void decide(State& s, Tag tag, const Exchange& command);
void decide(State& s, Tag tag, const CloseSession& command);
// timer/
void decide(State& s, Tag tag, const Tick& command);
// execution/
void decide(State& s, Tag tag, const StartExecution& command);
void decide(State& s, Tag tag, const CancelExecution& command);
void decide(State& s, Tag tag, const RetryExecution& command);

}  // namespace tidemill::machine
