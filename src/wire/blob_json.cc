#include "wire/blob_json.h"

#include "wire/internal/fields.h"

namespace tidemill::wire {

namespace {

ErrorCode code_named(std::string_view name) {
#define X(code, number) \
  if (name == error_code_name(ErrorCode::code)) return ErrorCode::code;
  TIDEMILL_ERROR_CODES(X)
#undef X
  return ErrorCode::io;
}

}  // namespace

Result<ResultRef> parse_blob(std::string_view json) {
  JsonText text(json);
  TIDEMILL_TRY(const JsonValue root, text.root());
  ResultRef out;
  TIDEMILL_CHECK(read_blob(root, out));
  return out;
}

std::optional<Error> parse_error(std::string_view json) {
  JsonText text(json);
  const Result<JsonValue> root = text.root();
  if (!root.ok()) return std::nullopt;
  Error out{ErrorCode::io, ""};
  const auto read_part = [&](std::string_view name, JsonValue v) -> Status {
    if (name == "message") return read(v, out.what);
    if (name != "code") return Ok{};
    std::string code;
    TIDEMILL_CHECK(read(v, code));
    out.code = code_named(code);
    return Ok{};
  };
  const Status told = each_field(*root, [&](std::string_view name, JsonValue v) -> Status {
    if (name != "error") return unknown_field(name, {"error"});
    return each_field(v, read_part);
  });
  if (!told.ok() || out.what.empty()) return std::nullopt;
  return out;
}

}  // namespace tidemill::wire
