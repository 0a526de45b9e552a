#pragma once
// The checksum of a row that recovery reads: XXH3 of its data, seeded with the key it stands under,
// so that a row under a wrong key is found too. Pure; any thread.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"

namespace tidemill::store {

template <class... Keys>
uint64_t row_sum(std::string_view data, Keys... keys) {
  uint64_t seed = sizeof...(keys);
  ((seed = mix64(seed ^ static_cast<uint64_t>(keys))), ...);
  return hash64(data, seed);
}

inline Error bad_row(std::string_view table, std::string_view key, std::string_view why) {
  std::string text("table ");
  text.append(table).append(", row ").append(key).append(": ").append(why);
  return {ErrorCode::corrupt, std::move(text)};
}

}  // namespace tidemill::store
