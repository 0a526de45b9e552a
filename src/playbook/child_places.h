#pragma once
// Where a playbook that another one names may lie: the one rule for the worker that starts it and
// for whoever checks before the run. Pure; any thread.
#include <string>
#include <vector>

namespace tidemill::playbook {

// The files to try, in this order; the first that can be read is meant. Beside the file of the
// playbook that names it, then below `base_folder` (the folder of the playbook that was started);
// in each place the path as it is written, then with ".yaml", then with ".yml".
std::vector<std::string> child_places(const std::string& path, const std::string& naming_file,
                                      const std::string& base_folder);

}  // namespace tidemill::playbook
