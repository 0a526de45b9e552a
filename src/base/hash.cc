#include "base/hash.h"

#include <openssl/evp.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/assert.h"

namespace tidemill {

uint64_t hash64(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

namespace {

EVP_MD_CTX* context_of(void* context) { return static_cast<EVP_MD_CTX*>(context); }

template <size_t N>
std::array<uint8_t, N> digest(const EVP_MD* algorithm, std::string_view bytes) {
  std::array<uint8_t, N> out{};
  unsigned int size = 0;
  const int ok = EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, algorithm, nullptr);
  TIDEMILL_ASSERT(ok == 1 && size == N);
  return out;
}

}  // namespace

Sha256 sha256(std::string_view bytes) { return digest<32>(EVP_sha256(), bytes); }

std::array<uint8_t, 16> md5(std::string_view bytes) { return digest<16>(EVP_md5(), bytes); }

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) {
  TIDEMILL_ASSERT(context_ != nullptr);
  TIDEMILL_ASSERT(EVP_DigestInit_ex(context_of(context_), EVP_sha256(), nullptr) == 1);
}

Sha256Stream::~Sha256Stream() { EVP_MD_CTX_free(context_of(context_)); }

void Sha256Stream::add(std::string_view bytes) {
  TIDEMILL_ASSERT(EVP_DigestUpdate(context_of(context_), bytes.data(), bytes.size()) == 1);
}

Sha256 Sha256Stream::finish() {
  Sha256 out{};
  unsigned int size = 0;
  TIDEMILL_ASSERT(EVP_DigestFinal_ex(context_of(context_), out.data(), &size) == 1 && size == 32);
  return out;
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out.push_back(kDigits[(static_cast<uint8_t>(c) >> 4) & 15]);
    out.push_back(kDigits[static_cast<uint8_t>(c) & 15]);
  }
  return out;
}

}  // namespace tidemill
