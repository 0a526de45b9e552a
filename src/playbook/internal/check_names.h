#pragma once
// Checks every name that a template reads: whether it exists, whether it may be read there, and
// whether one name hides another. Used by compile(); one thread.
#include "playbook/internal/check.h"
#include "playbook/internal/document.h"

namespace tidemill::playbook {

void check_names(const Check& check, const Plan& plan);

// Warnings where a name hides another that means something else. `drafts` tell where names are
// given.
void check_hiding(const Check& check, const Plan& plan, const std::vector<StepDraft>& drafts);

// Reports a comparison of event.name with a name that no event has: the arc would never be taken.
void check_event_names(const Check& check, const Plan& plan);

// Warns of a loop over a workload key whose default is no list: a run may still bring one.
void check_loop_defaults(const Check& check, const Plan& plan);

}  // namespace tidemill::playbook
