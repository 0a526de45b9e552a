#pragma once
// StepSet: a set of the steps of one playbook as bits, so that a question like "does anything that
// is alive hold this step back" is a few words of `and`, whatever the run has done before. A value
// inside the machine's tables; engine thread only.
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/assert.h"

namespace tidemill::machine {

class StepSet {
 public:
  explicit StepSet(size_t steps = 0) : words_((steps + 63) / 64) {}

  void add(uint32_t step) { word(step) |= bit(step); }
  void remove(uint32_t step) { word(step) &= ~bit(step); }
  bool has(uint32_t step) const {
    TIDEMILL_ASSERT(step / 64 < words_.size());
    return (words_[step / 64] & bit(step)) != 0;
  }
  bool empty() const {
    for (const uint64_t w : words_) {
      if (w != 0) return false;
    }
    return true;
  }
  size_t size() const {
    size_t n = 0;
    for (const uint64_t w : words_) n += static_cast<size_t>(std::popcount(w));
    return n;
  }
  // Whether some step other than `except` is in both sets.
  bool meets(const StepSet& other, uint32_t except) const {
    TIDEMILL_ASSERT(words_.size() == other.words_.size());
    for (size_t i = 0; i < words_.size(); ++i) {
      uint64_t both = words_[i] & other.words_[i];
      if (except / 64 == i) both &= ~bit(except);
      if (both != 0) return true;
    }
    return false;
  }
  // The first step of the document that is in the set, from `from` on.
  std::optional<uint32_t> next(uint32_t from) const {
    for (size_t i = from / 64; i < words_.size(); ++i) {
      uint64_t w = words_[i];
      if (i == from / 64) w &= ~uint64_t{0} << (from % 64);
      if (w != 0) return static_cast<uint32_t>(i * 64 + static_cast<size_t>(std::countr_zero(w)));
    }
    return std::nullopt;
  }
  bool operator==(const StepSet&) const = default;

 private:
  static uint64_t bit(uint32_t step) { return uint64_t{1} << (step % 64); }
  uint64_t& word(uint32_t step) {
    TIDEMILL_ASSERT(step / 64 < words_.size());
    return words_[step / 64];
  }
  std::vector<uint64_t> words_;
};

}  // namespace tidemill::machine
