#pragma once
// Text that a report carries: moved once into shared ownership, then passed on without a copy.
// Any thread may call it.
#include <memory>
#include <string>
#include <utility>

#include "model/records.h"

namespace tidemill::worker {

inline SharedBytes shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

}  // namespace tidemill::worker
