#pragma once
// Two small answers as JSON: the name of a blob, and an error. Pure; any thread.
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/result_ref.h"

namespace tidemill::wire {

// {"sha256": …, "size": …}
Result<ResultRef> parse_blob(std::string_view json);

// {"error": {"code": …, "message": …}}. An unknown code counts as io; nothing when it tells none.
std::optional<Error> parse_error(std::string_view json);

}  // namespace tidemill::wire
