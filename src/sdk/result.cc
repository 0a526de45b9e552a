#include <cstdio>
#include <cstdlib>

#include "tidemill/error.h"

namespace tidemill::sdk {

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid:
      return "invalid";
    case ErrorCode::too_large:
      return "too_large";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::disk_full:
      return "disk_full";
    case ErrorCode::denied:
      return "denied";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::io:
      break;
  }
  return "io";
}

void no_value(const Error* error) {
  std::fprintf(stderr, "tidemill: a result was used that %s%s\n",
               error != nullptr ? "is an error: " : "has no error",
               error != nullptr ? error->what.c_str() : "");
  std::abort();
}

}  // namespace tidemill::sdk
