#pragma once
// JSON texts of other people: whether one is JSON, and small looks into it. For the SDK, whose
// users may have no JSON library. Pure; a JsonCheck belongs to one thread, the rest to any.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tidemill::wire {

// Whether a text is one JSON value that every server takes. Keeps its buffers from one to the next.
class JsonCheck {
 public:
  JsonCheck();
  ~JsonCheck();
  // Errors: invalid, with the reason.
  Status check(std::string_view json);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string json_quoted(std::string_view text);

// Errors: invalid when the text is no JSON or of another type, not_found when there is no such
// field.
Result<std::string> json_field(std::string_view json, std::string_view name);
Result<std::vector<std::string>> json_items(std::string_view json);
Result<double> json_number(std::string_view json);
Result<int64_t> json_integer(std::string_view json);
Result<bool> json_boolean(std::string_view json);
Result<std::string> json_string(std::string_view json);

}  // namespace tidemill::wire
