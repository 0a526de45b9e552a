#include "store/internal/index_states.h"

namespace tidemill::store {

void IndexStates::set(uint64_t first, uint64_t count, Outcome outcome) {
  const uint8_t state = outcome == Outcome::open ? kReopened : static_cast<uint8_t>(outcome);
  for (uint64_t i = first; i < first + count; ++i) {
    blocks_[i / limits::kArrayBlock][i % limits::kArrayBlock] = state;
  }
}

void IndexStates::cancel_rest() {
  rest_cancelled_ = true;
  for (auto& [block, states] : blocks_) {
    for (uint8_t& state : states) {
      if (state == kReopened) state = kUntouched;
    }
  }
}

Outcome IndexStates::of(uint64_t index) const {
  const auto found = blocks_.find(index / limits::kArrayBlock);
  return meaning(found == blocks_.end() ? kUntouched : found->second[index % limits::kArrayBlock]);
}

Outcome IndexStates::meaning(uint8_t state) const {
  if (state == kReopened) return Outcome::open;
  if (state == kUntouched) return rest_cancelled_ ? Outcome::cancelled : Outcome::open;
  return static_cast<Outcome>(state);
}

}  // namespace tidemill::store
