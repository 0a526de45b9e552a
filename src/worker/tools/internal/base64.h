#pragma once
// Base64 with padding: for Basic authorisation in HTTP and for bytes in JSON, which has none.
// Pure; any thread.
#include <string>
#include <string_view>

namespace tidemill::worker {

std::string base64(std::string_view bytes);

}  // namespace tidemill::worker
