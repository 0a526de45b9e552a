#pragma once
// Timings of an execution's steps, read from the traces of all their attempts, for `show --timing`.
// Main thread.
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "client/records.h"
#include "ledger/step_timing.h"
#include "playbook/plan.h"

namespace tidemill::cli {

using StepTimings = std::map<uint32_t, ledger::StepTiming>;  // by step, all epochs together

Result<StepTimings> step_timings(client::Records& records, const std::vector<StepRecord>& steps);
std::string timings_table(const StepTimings& timings, const playbook::Plan& plan);
nlohmann::ordered_json timings_json(const StepTimings& timings, const playbook::Plan& plan);

}  // namespace tidemill::cli
