#pragma once
// PlanCache: compiled playbooks by the hash of their text, read from the store when they are not in
// memory. Bounded; a plan in use lives on through its PlanPtr. Used on the engine thread only.
#include <list>
#include <map>

#include "base/result.h"
#include "playbook/plan.h"
#include "store/store.h"

namespace tidemill::engine {

class PlanCache {
 public:
  // Null when the store has no such text. Errors: the store's; corrupt when the text does not
  // compile.
  Result<playbook::PlanPtr> get(const Sha256& hash, store::Reader& reader);
  playbook::PlanPtr cached(const Sha256& hash) const;
  // Forgets the oldest beyond the bound. Between turns: a turn finds all that was read for it.
  void trim();

 private:
  static constexpr size_t kPlansMax = 512;
  std::map<Sha256, playbook::PlanPtr> plans_;
  std::list<Sha256> in_order_;  // of arrival, oldest first
};

}  // namespace tidemill::engine
