#pragma once
// What a simulated worker does with work: a made-up result for plain tasks, and for the steps of
// the simulated playbooks a result that routing can read. Pure but for the world's chance.
#include "playbook/plan.h"
#include "sim/options.h"
#include "sim/random.h"
#include "sim/worker.h"

namespace tidemill::sim {

// The playbooks of the simulation: loops, joins, back edges, failures that are caught.
std::vector<std::string> playbook_texts();

Handler make_handler(const Options& options, Random& random,
                     std::vector<playbook::PlanPtr> plans);

}  // namespace tidemill::sim
