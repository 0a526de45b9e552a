#pragma once
// How an execution goes on, cut into the files of this folder: an entry waits (join.cc), starts
// (start_step.cc, loop.cc), its work ends (report.cc), it is routed (transition.cc), which enters
// other steps (entry.cc) until nothing is left (finish.cc). What has ended in a turn is queued and
// routed by settle(): once, however many results came. Engine thread only.
#include <optional>
#include <string>

#include "machine/execution/hooks.h"
#include "machine/internal/state.h"
#include "playbook/routing.h"

namespace tidemill::machine::execution {

// ---- records.cc ----
LiveExecution* find(State& s, ExecutionId id);
const LiveExecution* find(const State& s, ExecutionId id);
// The step this work belongs to, when it is still at work in that epoch; else null: the work is
// late.
LiveStep* find_working(LiveExecution& e, const StepRef& ref);
void touch(State& s, LiveExecution& e);
void touch(State& s, LiveExecution& e, LiveStep& step);
void unsettle(State& s, LiveExecution& e);  // settle() will look at it
PlanIndexPtr index_of(State& s, const playbook::PlanPtr& plan);
// Makes the tables of an execution whose record is new or back from the store.
LiveExecution& adopt(State& s, ExecutionRecord record, PlanIndexPtr index);
void rebuild_sets(LiveExecution& e);
// A finished execution is live again, with its steps as they were.
LiveExecution& revive(State& s, const ExecutionRecord& record, const std::vector<StepRecord>& steps,
                      const playbook::PlanPtr& plan);
// Writes everything of it that changed and takes it out of the tables.
void drop(State& s, LiveExecution& e);
bool is_live(StepRecord::State state);
bool is_working(StepRecord::State state);

// ---- start_execution.cc ----
struct NewExecution {
  std::string name;
  std::string file;
  playbook::PlanPtr plan;
  SharedBytes workload;  // as given; null: none
};
// Why it is refused, or nothing: then `workload` is merged over the plan's defaults.
std::optional<Refused> merge_workload(NewExecution& wanted);
LiveExecution& begin(State& s, const NewExecution& wanted);

// ---- entry.cc ----
enum class Entry : uint8_t { forward, back };
void enter(State& s, LiveExecution& e, uint32_t step, Entry entry);
// The newest record of the step, for the epoch that begins now. Of a back edge: what the step
// dominates is not read any more.
LiveStep& begin_epoch(State& s, LiveExecution& e, uint32_t step);
void set_state(State& s, LiveExecution& e, LiveStep& step, StepRecord::State state);

// ---- join.cc ----
// Starts every entry that nothing holds back; true when there was one. When nothing runs and
// entries hold back each other only, the earliest of the document is started.
bool start_ready(State& s, LiveExecution& e);

// ---- start_step.cc, loop.cc ----
void start_step(State& s, LiveExecution& e, uint32_t step);
void start_work(State& s, LiveExecution& e, LiveStep& step);  // it is admitted; not a loop
void start_loop(State& s, LiveExecution& e, LiveStep& step, std::vector<std::string> items,
                uint32_t max_in_flight);
void start_expansion(State& s, LiveExecution& e, LiveStep& step);
WorkSpec work_of(const LiveExecution& e, const LiveStep& step, std::string_view kind,
                 std::string input);
// The next iteration of a sequential loop sees ctx as it is when it starts.
void refresh_loop_scope(State& s, LiveExecution& e, LiveStep& step);

// ---- scope.cc ----
// What an evaluation in the machine reads; nullopt when some of it is not held here.
std::optional<playbook::RoutingScope> routing_scope(LiveExecution& e, const StepReads& reads,
                                                    uint32_t own_step);
// How a step that has ended reads, from what its record holds; data is undefined where that is not
// all.
playbook::StepOutput output_of(const LiveExecution& e, const LiveStep& step);
// The step's own output for its routing; nullopt when what is read of it is not held here.
std::optional<playbook::StepOutput> own_output(const LiveExecution& e, const LiveStep& step,
                                               const StepReads& reads);
// The scopes of work handed to workers.
std::string tool_scope(const LiveExecution& e, const LiveStep& step);
std::string decision_scope(const LiveExecution& e, const LiveStep& step, const StepReads& reads,
                           std::optional<playbook::Ending> ending);

// ---- transition.cc ----
void end_step(State& s, LiveExecution& e, LiveStep& step, playbook::Ending ending);
void route(State& s, LiveExecution& e, const EndedStep& ended);
void take_transition(State& s, LiveExecution& e, LiveStep& step, playbook::Ending ending,
                     const playbook::Transition& transition);
// The step cannot go on: it has failed, and nothing catches that.
void fail_step(State& s, LiveExecution& e, LiveStep& step, TaskError error);
void write_ctx(State& s, LiveExecution& e, const std::vector<playbook::CtxWrite>& writes);

// ---- finish.cc, cancel_execution.cc ----
// Whether it came to its end; it is gone then.
bool finish_if_over(State& s, LiveExecution& e);
void cancel(State& s, LiveExecution& e, TaskError cause);

}  // namespace tidemill::machine::execution
