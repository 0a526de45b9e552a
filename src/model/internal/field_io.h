#pragma once
// Three readers of one list of fields (fields.h): Sizer finds how many bytes a record can need at
// most, Writer writes them without a check or an allocation on the way, Reader takes them back and
// turns `failed` on anything that no Writer wrote. Because all three walk the same list, what is
// written and what is read cannot come apart. Values, used inside codec.cc only; any thread.
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "model/records.h"

namespace tidemill::codec {

inline constexpr size_t kVarintMax = 10;

constexpr uint64_t zigzag(int64_t v) {
  return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
}
constexpr int64_t unzigzag(uint64_t v) {
  return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
}
// Differences wrap, so that any two values have one.
constexpr int64_t wrapping_minus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
constexpr int64_t wrapping_plus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

class Sizer {
 public:
  static constexpr bool kReading = false;
  size_t bound() const { return bound_; }

  template <class T>
  void number(const T&) {
    bound_ += kVarintMax;
  }
  template <class T>
  void signed_number(const T&) {
    bound_ += kVarintMax;
  }
  void from(int64_t, int64_t) { bound_ += kVarintMax; }
  template <class E>
  void choice(E, E) {
    bound_ += 1;
  }
  template <class... Bools>
  void flags(const Bools&...) {
    bound_ += 1;
  }
  void hash(const Sha256& v) { bound_ += v.size(); }
  void text(std::string_view v) { bound_ += kVarintMax + v.size(); }
  void shared(const SharedBytes& v) { bound_ += kVarintMax + (v ? v->size() : 0); }
  template <class T, class Each>
  void list(const std::vector<T>& v, Each each) {
    bound_ += kVarintMax;
    for (const T& one : v) each(*this, one);
  }

 private:
  size_t bound_ = 0;
};

class Writer {
 public:
  static constexpr bool kReading = false;
  explicit Writer(char* out) : p_(out) {}
  char* position() const { return p_; }

  template <class T>
  void number(const T& v) {
    static_assert(std::is_unsigned_v<T>);
    varint(v);
  }
  template <class T>
  void signed_number(const T& v) {
    static_assert(std::is_signed_v<T>);
    varint(zigzag(v));
  }
  // As the distance from a value near it: times of one record are close to each other.
  void from(int64_t v, int64_t near) { varint(zigzag(wrapping_minus(v, near))); }
  template <class E>
  void choice(E v, E) {
    *p_++ = static_cast<char>(v);
  }
  template <class... Bools>
  void flags(const Bools&... v) {
    static_assert(sizeof...(v) <= 8);
    unsigned bits = 0, bit = 0;
    ((bits |= static_cast<unsigned>(v) << bit++), ...);
    *p_++ = static_cast<char>(bits);
  }
  void hash(const Sha256& v) { raw(v.data(), v.size()); }
  void text(std::string_view v) {
    varint(v.size());
    raw(v.data(), v.size());
  }
  void shared(const SharedBytes& v) {  // 0: null, else the size plus one
    varint(v ? v->size() + 1 : 0);
    if (v) raw(v->data(), v->size());
  }
  template <class T, class Each>
  void list(const std::vector<T>& v, Each each) {
    varint(v.size());
    for (const T& one : v) each(*this, one);
  }

 private:
  void varint(uint64_t v) {
    while (v >= 0x80) {
      *p_++ = static_cast<char>(v | 0x80);
      v >>= 7;
    }
    *p_++ = static_cast<char>(v);
  }
  void raw(const void* from, size_t n) {
    if (n == 0) return;
    std::memcpy(p_, from, n);
    p_ += n;
  }

  char* p_;
};

class Reader {
 public:
  static constexpr bool kReading = true;
  explicit Reader(std::string_view in) : p_(in.data()), end_(in.data() + in.size()) {}
  bool finished() const { return !failed_ && p_ == end_; }
  bool failed() const { return failed_; }

  template <class T>
  void number(T& v) {
    const uint64_t wide = varint();
    if (wide > std::numeric_limits<T>::max()) failed_ = true;
    v = static_cast<T>(wide);
  }
  template <class T>
  void signed_number(T& v) {
    const int64_t wide = unzigzag(varint());
    if (wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max())
      failed_ = true;
    v = static_cast<T>(wide);
  }
  void from(int64_t& v, int64_t near) { v = wrapping_plus(near, unzigzag(varint())); }
  template <class E>
  void choice(E& v, E last) {
    const uint8_t byte = one();
    if (byte > static_cast<uint8_t>(last)) failed_ = true;
    v = failed_ ? E{} : static_cast<E>(byte);
  }
  template <class... Bools>
  void flags(Bools&... v) {
    const unsigned bits = one();
    unsigned bit = 0;
    ((v = ((bits >> bit++) & 1U) != 0), ...);
    if (bits >> bit != 0) failed_ = true;
  }
  void hash(Sha256& v) {
    const std::string_view bytes = raw(v.size());
    if (!failed_) std::memcpy(v.data(), bytes.data(), v.size());
  }
  void text(std::string& v) { v.assign(raw(varint())); }
  void shared(SharedBytes& v) {
    const uint64_t size = varint();
    if (size == 0) return;
    const std::string_view bytes = raw(size - 1);
    if (!failed_) v = std::make_shared<const std::string>(bytes);
  }
  template <class T, class Each>
  void list(std::vector<T>& v, Each each) {
    const uint64_t count = varint();
    // Every entry takes at least one byte, so a larger count is wrong, whatever follows.
    if (count > static_cast<uint64_t>(end_ - p_)) failed_ = true;
    if (failed_) return;
    v.resize(count);
    for (T& entry : v) {
      each(*this, entry);
      if (failed_) return;
    }
  }

 private:
  uint8_t one() {
    if (failed_ || p_ == end_) {
      failed_ = true;
      return 0;
    }
    return static_cast<uint8_t>(*p_++);
  }
  uint64_t varint() {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t b = one();
      if (shift == 63 && b > 1) break;  // more than 64 bits
      v |= static_cast<uint64_t>(b & 0x7f) << shift;
      if (b < 0x80) return v;
    }
    failed_ = true;
    return 0;
  }
  std::string_view raw(uint64_t n) {
    if (failed_ || n > static_cast<uint64_t>(end_ - p_)) {
      failed_ = true;
      return {};
    }
    const std::string_view v(p_, n);
    p_ += n;
    return v;
  }

  const char* p_;
  const char* end_;
  bool failed_ = false;
};

// A record to fill when reading, one to look at when writing.
template <class Io, class Record>
using Of = std::conditional_t<Io::kReading, Record, const Record>;

}  // namespace tidemill::codec
