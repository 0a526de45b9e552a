#pragma once
// The environment this process was started with. Main thread, before others change it: nobody does.
#include <optional>
#include <string>

namespace tidemill::os {

std::optional<std::string> environment(const std::string& name);

}  // namespace tidemill::os
