#include "worker/internal/child_playbooks.h"

#include <algorithm>
#include <utility>

#include "os/file.h"

namespace tidemill::worker {

namespace {

std::string joined(const std::string& folder, const std::string& path) {
  return folder.empty() || folder == "." ? path : folder + "/" + path;
}

}  // namespace

void ChildPlaybooks::find(const std::string& path, const std::string& parent_file,
                          OnFound on_found) {
  const std::string key = os::folder_of(parent_file) + "\n" + path;
  if (const auto found = known_.find(key); found != known_.end()) return on_found(found->second);
  const std::vector<std::string> places = candidates(path, parent_file);
  for (const std::string& place : places) {
    if (!os::exists(place)) continue;
    auto text = os::read_file(place);
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

std::vector<std::string> ChildPlaybooks::candidates(const std::string& path,
                                                    const std::string& parent_file) const {
  std::vector<std::string> bases{path};
  if (!path.starts_with('/')) {
    const std::string beside = joined(os::folder_of(parent_file), path);
    bases = {beside, joined(base_folder_, beside), joined(base_folder_, path)};
  }
  std::vector<std::string> all;
  for (const std::string& base : bases) {
    for (const char* const ending : {"", ".yaml", ".yml"}) {
      std::string place = base + ending;
      if (std::find(all.begin(), all.end(), place) == all.end()) all.push_back(std::move(place));
    }
  }
  return all;
}

}  // namespace tidemill::worker
