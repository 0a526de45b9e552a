#include "base/result.h"

namespace tidemill {

std::string_view error_code_name(ErrorCode code) {
  switch (code) {
#define X(name, number) \
  case ErrorCode::name: \
    return #name;
    TIDEMILL_ERROR_CODES(X)
#undef X
  }
  return "unknown";
}

}  // namespace tidemill
