#pragma once
// Histogram of durations: 16 linear sub-buckets to each power of two (relative error under 6.25 %),
// as in Tene's HdrHistogram. Fixed memory, cheap to add to and to merge. One owner at a time.
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace tidemill {

class Histogram {
 public:
  void add(Duration value, uint64_t times = 1);
  void merge(const Histogram& other);
  uint64_t count() const { return count_; }
  Duration total() const { return total_; }
  Duration max() const { return max_; }
  // The value below which the share q (0..1) of the values lies; zero when empty.
  Duration quantile(double q) const;

 private:
  static constexpr int kSubBits = 4;
  static constexpr size_t kBuckets = 64 << kSubBits;
  static size_t bucket_of(uint64_t v);
  static uint64_t upper_of(size_t bucket);

  std::array<uint64_t, kBuckets> buckets_{};
  uint64_t count_ = 0;
  Duration total_{};
  Duration max_{};
};

}  // namespace tidemill
