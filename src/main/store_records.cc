#include "main/store_records.h"

#include "engine/result_text.h"

namespace tidemill::main {

Result<std::string> StoreRecords::result_text(const ResultRef& ref) {
  return engine::result_text(ref, *reader_, blobs_);
}

Result<std::string> StoreRecords::result_text(const ResultValue& value) {
  return engine::result_text(value, blobs_);
}

Result<std::string> StoreRecords::plan_text(const Sha256& hash) {
  TIDEMILL_TRY(std::optional<std::string> text, reader_->plan_text(hash));
  if (!text) return Error{ErrorCode::not_found, "the store has no playbook " + hex(hash)};
  return std::move(*text);
}

}  // namespace tidemill::main
