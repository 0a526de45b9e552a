#pragma once
// What routing and tool inputs read, as paths: Step::routing_reads, scope_reads and loop_reads.
// Used by compile(); one thread.
#include "playbook/plan.h"

namespace tidemill::playbook {

void find_reads(Plan& plan);

// Sorted, and without paths that lie below another of the list.
std::vector<Path> without_nested(std::vector<Path> paths);

}  // namespace tidemill::playbook
