#include "os/environment.h"

#include <cstdlib>

namespace tidemill::os {

std::optional<std::string> environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace tidemill::os
