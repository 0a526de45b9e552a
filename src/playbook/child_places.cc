#include "playbook/child_places.h"

#include <algorithm>
#include <utility>

namespace tidemill::playbook {

namespace {

std::string folder_of(const std::string& file) {
  const size_t slash = file.find_last_of('/');
  if (slash == std::string::npos) return {};
  return slash == 0 ? "/" : file.substr(0, slash);
}

std::string joined(const std::string& folder, const std::string& path) {
  if (folder.empty() || folder == ".") return path;
  return folder.ends_with('/') ? folder + path : folder + "/" + path;
}

}  // namespace

std::vector<std::string> child_places(const std::string& path, const std::string& naming_file,
                                      const std::string& base_folder) {
  std::vector<std::string> bases{path};
  if (!path.starts_with('/')) {
    const std::string beside = joined(folder_of(naming_file), path);
    bases = {beside, joined(base_folder, path)};
    if (!beside.starts_with('/')) bases.insert(bases.begin() + 1, joined(base_folder, beside));
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

}  // namespace tidemill::playbook
