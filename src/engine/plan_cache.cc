#include "engine/plan_cache.h"

#include <utility>

#include "playbook/compile.h"

namespace tidemill::engine {

Result<playbook::PlanPtr> PlanCache::get(const Sha256& hash, store::Reader& reader) {
  if (playbook::PlanPtr plan = cached(hash)) return plan;
  TIDEMILL_TRY(const std::optional<std::string> text, reader.plan_text(hash));
  if (!text) return playbook::PlanPtr{};
  playbook::Compiled compiled = playbook::compile(*text, "");
  if (!compiled.plan) {
    return Error{ErrorCode::corrupt,
                 "the stored playbook " + hex(hash).substr(0, 12) + " does not compile any more"};
  }
  plans_.emplace(hash, compiled.plan);
  in_order_.push_back(hash);
  return std::move(compiled.plan);
}

void PlanCache::trim() {
  while (in_order_.size() > kPlansMax) {
    plans_.erase(in_order_.front());
    in_order_.pop_front();
  }
}

playbook::PlanPtr PlanCache::cached(const Sha256& hash) const {
  const auto found = plans_.find(hash);
  return found == plans_.end() ? nullptr : found->second;
}

}  // namespace tidemill::engine
