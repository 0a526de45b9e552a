#pragma once
// Hashes. XXH3 (64 bits) for checksums, record hashes and jitter; SHA-256 for identity (blobs,
// plans); MD5 only because other people's data formats name it. Any thread.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidemill {

uint64_t hash64(std::string_view bytes, uint64_t seed = 0);

// Mixes integers to 64 well-spread bits (splitmix64 finaliser, Steele et al. 2014): deterministic
// jitter from (seed, task, attempt) without generator state.
constexpr uint64_t mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

using Sha256 = std::array<uint8_t, 32>;
Sha256 sha256(std::string_view bytes);

// SHA-256 of a stream of pieces.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  void add(std::string_view bytes);
  Sha256 finish();  // once

 private:
  void* context_;
};

std::array<uint8_t, 16> md5(std::string_view bytes);

std::string hex(std::string_view bytes);
template <size_t N>
std::string hex(const std::array<uint8_t, N>& a) {
  return hex(std::string_view(reinterpret_cast<const char*>(a.data()), N));
}

}  // namespace tidemill
