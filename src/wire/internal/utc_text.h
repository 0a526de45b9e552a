#pragma once
// Wall times as people write them: 2026-01-31T23:59:59.125Z, UTC only. Pure; any thread.
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace tidemill::wire {

std::string utc_text(WallTime time);  // to the millisecond
// Nothing when it is no such text; 1970 to 2261.
std::optional<WallTime> parse_utc(std::string_view text);

}  // namespace tidemill::wire
