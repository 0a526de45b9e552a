#pragma once
// The environment that this process was started with, as something to ask for by name. Nobody
// changes it, so nobody owns it.
//
// Any thread.
#include <optional>
#include <string>

namespace tidemill::os {

std::optional<std::string> environment(const std::string& name);

}  // namespace tidemill::os
