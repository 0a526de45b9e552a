#include "base/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/assert.h"

namespace tidemill {

void Histogram::add(Duration value, uint64_t times) {
  const uint64_t v = value.ns < 0 ? 0 : static_cast<uint64_t>(value.ns);
  buckets_[bucket_of(v)] += times;
  count_ += times;
  total_.ns += static_cast<int64_t>(v * times);
  max_ = std::max(max_, Duration{static_cast<int64_t>(v)});
}

void Histogram::merge(const Histogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  total_.ns += other.total_.ns;
  max_ = std::max(max_, other.max_);
}

Duration Histogram::quantile(double q) const {
  if (count_ == 0) return {};
  const auto rank = static_cast<uint64_t>(std::ceil(q * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= std::max<uint64_t>(rank, 1)) {
      return std::min(max_, Duration{static_cast<int64_t>(upper_of(i))});
    }
  }
  return max_;
}

size_t Histogram::bucket_of(uint64_t v) {
  constexpr uint64_t kLinear = 1ULL << kSubBits;
  if (v < kLinear) return v;
  const int exponent = static_cast<int>(std::bit_width(v)) - 1;
  const uint64_t sub = (v >> (exponent - kSubBits)) & (kLinear - 1);
  return ((static_cast<size_t>(exponent) - kSubBits + 1) << kSubBits) + sub;
}

uint64_t Histogram::upper_of(size_t bucket) {
  constexpr uint64_t kLinear = 1ULL << kSubBits;
  if (bucket < kLinear) return bucket;
  const size_t exponent = (bucket >> kSubBits) + kSubBits - 1;
  const uint64_t sub = bucket & (kLinear - 1);
  TIDEMILL_ASSERT(exponent < 64);
  const uint64_t width = 1ULL << (exponent - kSubBits);
  return (kLinear + sub) * width + (width - 1);
}

}  // namespace tidemill
