#pragma once
// IndexStates: the outcome of each index of one array, built by replaying what was written of it in
// order: outcomes, reopened indexes and a `cancel the rest`. Memory grows with the blocks touched,
// not with the array. A value; one owner.
#include <array>
#include <cstdint>
#include <map>

#include "model/limits.h"
#include "model/outcome.h"

namespace tidemill::store {

class IndexStates {
 public:
  void set(uint64_t first, uint64_t count, Outcome outcome);  // `open`: reopened
  void cancel_rest();                                         // every index that is open now
  Outcome of(uint64_t index) const;
  bool rest_cancelled() const { return rest_cancelled_; }

  // Calls visit(index, outcome) for every index below `count` that is not open, in order.
  template <class Visit>
  void each_closed(uint64_t count, Visit visit) const {
    each_closed_from(0, count, [&](uint64_t index, Outcome outcome) {
      visit(index, outcome);
      return true;
    });
  }
  // The same from `first` on, until visit returns false.
  template <class Visit>
  void each_closed_from(uint64_t first, uint64_t count, Visit visit) const {
    if (rest_cancelled_) {
      for (uint64_t i = first; i < count; ++i) {
        if (const Outcome o = of(i); o != Outcome::open && !visit(i, o)) return;
      }
      return;
    }
    for (auto at = blocks_.lower_bound(first / limits::kArrayBlock); at != blocks_.end(); ++at) {
      const auto& [block, states] = *at;
      for (uint64_t k = 0; k < states.size(); ++k) {
        const uint64_t i = block * states.size() + k;
        const Outcome o = meaning(states[k]);
        if (i >= first && o != Outcome::open && !visit(i, o)) return;
      }
    }
  }

 private:
  // As a byte: an outcome, or reopened after the rest was cancelled.
  static constexpr uint8_t kUntouched = static_cast<uint8_t>(Outcome::open);
  static constexpr uint8_t kReopened = 0xff;
  Outcome meaning(uint8_t state) const;

  std::map<uint64_t, std::array<uint8_t, limits::kArrayBlock>> blocks_;
  bool rest_cancelled_ = false;
};

}  // namespace tidemill::store
