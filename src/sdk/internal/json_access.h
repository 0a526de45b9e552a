#pragma once
// JsonAccess: what the library may do with a Json and its users need not.
// Any thread.
#include <string>
#include <utility>

#include "tidemill/json.h"

namespace tidemill::sdk {

class JsonAccess {
 public:
  // A text that is known to be JSON.
  static Json trusted(std::string text) {
    Json json;
    json.text_ = std::move(text);
    return json;
  }
  static bool unchecked(const Json& json) { return json.unchecked_; }
  static std::string take(Json&& json) { return std::move(json.text_); }
};

}  // namespace tidemill::sdk
