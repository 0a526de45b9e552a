#include "engine/put_playbook.h"

#include <string>
#include <vector>

#include "playbook/compile.h"

namespace tidemill::engine {

Status put_playbook(store::Store& store, const Sha256& hash, std::string_view text) {
  std::vector<std::string> names;
  if (const auto plan = playbook::compile(text, "").plan) {
    for (const playbook::Step& step : plan->steps) names.push_back(step.name);
  }
  return store.put_plan(hash, text, names);
}

}  // namespace tidemill::engine
