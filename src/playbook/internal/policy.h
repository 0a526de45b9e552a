#pragma once
// Task policies: `spec.policy.rules` and the short form `retry`. Used by compile(); one thread.
#include <string>
#include <vector>

#include "playbook/internal/check.h"

namespace tidemill::playbook {

// `policy` is the map that holds `rules`.
std::vector<PolicyRule> read_policy(const Check& check, const YamlNode& policy,
                                    const std::string& where);

// `retry: {max_attempts, retry_on, backoff, delay}`, or a number of attempts, as a rule.
PolicyRule read_retry(const Check& check, const YamlNode& node, const std::string& where);

// Turns `to:` into the index of a tool of the pipeline.
void resolve_jumps(const Check& check, std::vector<Tool>& tools, const std::string& where);

}  // namespace tidemill::playbook
