#include "worker/internal/child_playbooks.h"

#include <utility>

#include "model/limits.h"
#include "os/file.h"
#include "playbook/child_places.h"

namespace tidemill::worker {

void ChildPlaybooks::find(const std::string& path, const std::string& parent_file,
                          OnFound on_found) {
  const std::string key = os::folder_of(parent_file) + "\n" + path;
  if (const auto found = known_.find(key); found != known_.end()) return on_found(found->second);
  const std::vector<std::string> places = playbook::child_places(path, parent_file, base_folder_);
  for (const std::string& place : places) {
    if (!os::exists(place)) continue;
    auto text = os::read_regular_file(place, limits::kPlaybookMax);
    if (!text.ok()) continue;
    const Found it{place, sha256(*text)};
    exchange_.put_plan(it.hash, std::move(*text),
                       [this, key, it, on_found = std::move(on_found)](Status put) {
                         if (!put.ok()) return on_found(std::move(put).error());
                         known_.emplace(key, it);
                         on_found(it);
                       });
    return;
  }
  std::string looked;
  for (const std::string& place : places) looked += (looked.empty() ? "" : ", ") + place;
  on_found(Error{ErrorCode::not_found, "no playbook '" + path + "'; looked for " + looked});
}

}  // namespace tidemill::worker
