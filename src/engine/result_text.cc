#include "engine/result_text.h"

#include <vector>

namespace tidemill::engine {

Result<std::string> result_text(const ResultValue& value, blob::BlobStore& blobs) {
  if (value.blob.place != ResultRef::Place::blob) {
    return value.inline_json.empty() ? std::string("null") : value.inline_json;
  }
  TIDEMILL_TRY(const SharedBytes bytes, blobs.get(value.blob.blob));
  return *bytes;
}

Result<std::string> result_text(const ResultRef& ref, store::Reader& reader,
                                blob::BlobStore& blobs) {
  if (ref.place == ResultRef::Place::none) return std::string("null");
  if (ref.place == ResultRef::Place::blob) {
    TIDEMILL_TRY(const SharedBytes bytes, blobs.get(ref.blob));
    return *bytes;
  }
  TIDEMILL_TRY(const std::vector<ResultValue> values, reader.results(ref));
  if (ref.place == ResultRef::Place::task) {
    if (values.empty()) {
      return Error{ErrorCode::not_found,
                   "task " + std::to_string(ref.task.raw) + " has no recorded result"};
    }
    return result_text(values.front(), blobs);
  }
  std::string list = "[";
  for (const ResultValue& value : values) {
    if (list.size() > 1) list += ',';
    TIDEMILL_TRY(const std::string text, result_text(value, blobs));
    list += text;
  }
  list += ']';
  return list;
}

}  // namespace tidemill::engine
