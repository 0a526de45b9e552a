#pragma once
// result_text(): the JSON text of a result, wherever it lies: inline in a row, spread over the
// outcomes of an array, or in blobs. A query of committed turns; any thread that owns the reader.
#include <string>

#include "base/result.h"
#include "blob/blob.h"
#include "store/store.h"

namespace tidemill::engine {

// An array's results are a list in index order, null where an index has none. Errors: not_found,
// corrupt, and the store's.
Result<std::string> result_text(const ResultRef& ref, store::Reader& reader, blob::BlobStore& blobs);
Result<std::string> result_text(const ResultValue& value, blob::BlobStore& blobs);

}  // namespace tidemill::engine
