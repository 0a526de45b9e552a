#include <algorithm>

#include "playbook/internal/check_names.h"

namespace tidemill::playbook {
namespace {

std::vector<std::string> event_names(ApiVersion api) {
  std::vector<std::string> names = {"call.done", "step.exit", "step.failed", "loop.done"};
  if (api == ApiVersion::noetl_v2) names.emplace_back("step.done");
  return names;
}

std::string_view skip_spaces(std::string_view text) {
  size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

// The texts that event.name is compared with: `event.name == 'step.failed'`.
std::vector<std::string> compared_with(std::string_view text) {
  constexpr std::string_view kName = "event.name";
  std::vector<std::string> found;
  for (size_t at = text.find(kName); at != std::string_view::npos; at = text.find(kName)) {
    text = skip_spaces(text.substr(at + kName.size()));
    if (text.substr(0, 2) != "==") continue;
    std::string_view literal = skip_spaces(text.substr(2));
    if (literal.empty() || (literal.front() != '\'' && literal.front() != '"')) continue;
    size_t end = literal.find(literal.front(), 1);
    if (end != std::string_view::npos) found.emplace_back(literal.substr(1, end - 1));
  }
  return found;
}

}  // namespace

void check_event_names(const Check& check, const Plan& plan) {
  const std::vector<std::string> known = event_names(plan.api);
  for (const Step& step : plan.steps) {
    for (const Arc& arc : step.arcs) {
      if (!arc.when) continue;
      for (const std::string& name : compared_with(arc.when->text())) {
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        std::string suggestion = did_you_mean(name, known);
        if (suggestion.empty()) suggestion = "the events are " + one_of(known);
        check.strict(arc.when->at(),
                     "next of step '" + step.name + "': no event is named '" + name + "'",
                     suggestion);
      }
    }
  }
}

}  // namespace tidemill::playbook
