#pragma once
// ByteWriter and ByteReader: the one way records become bytes (store columns, packed wire values,
// record hashes). Little-endian fixed numbers, LEB128 varints, length-prefixed strings. A reader
// never reads past its end: it turns `failed` instead, and every later read gives zeros, so a
// decoder checks once at its end. Values; any thread.
#include <bit>
#include <cstdint>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace tidemill {

class ByteWriter {
 public:
  void u8(uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void u32(uint32_t v) { fixed(v); }
  void u64(uint64_t v) { fixed(v); }
  void i64(int64_t v) { fixed(static_cast<uint64_t>(v)); }
  void f64(double v) { fixed(std::bit_cast<uint64_t>(v)); }
  void varint(uint64_t v) {
    while (v >= 0x80) {
      u8(static_cast<uint8_t>(v | 0x80));
      v >>= 7;
    }
    u8(static_cast<uint8_t>(v));
  }
  // Zigzag, so that small negative numbers stay short.
  void svarint(int64_t v) {
    varint((static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63));
  }
  void bytes(std::string_view v) {
    varint(v.size());
    out_.append(v);
  }
  void raw(std::string_view v) { out_.append(v); }

  const std::string& str() const { return out_; }
  std::string take() { return std::move(out_); }
  size_t size() const { return out_.size(); }

 private:
  template <class T>
  void fixed(T v) {
    char buffer[sizeof v];
    std::memcpy(buffer, &v, sizeof v);  // All supported machines are little-endian.
    out_.append(buffer, sizeof v);
  }
  static_assert(std::endian::native == std::endian::little);

  std::string out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : in_(in) {}

  uint8_t u8() { return fixed<uint8_t>(); }
  uint32_t u32() { return fixed<uint32_t>(); }
  uint64_t u64() { return fixed<uint64_t>(); }
  int64_t i64() { return static_cast<int64_t>(fixed<uint64_t>()); }
  double f64() { return std::bit_cast<double>(fixed<uint64_t>()); }
  uint64_t varint() {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t b = u8();
      v |= static_cast<uint64_t>(b & 0x7f) << shift;
      if (b < 0x80) return v;
    }
    failed_ = true;
    return 0;
  }
  int64_t svarint() {
    const uint64_t v = varint();
    return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
  }
  std::string_view bytes() { return raw(varint()); }
  std::string_view raw(uint64_t n) {
    if (failed_ || n > in_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view v = in_.substr(0, n);
    in_.remove_prefix(n);
    return v;
  }

  bool failed() const { return failed_; }
  bool at_end() const { return in_.empty(); }
  // True when everything was read and nothing was missing: the check at the end of a decoder.
  bool finished() const { return !failed_ && in_.empty(); }
  size_t left() const { return in_.size(); }

 private:
  template <class T>
  T fixed() {
    T v{};
    const std::string_view b = raw(sizeof v);
    if (!b.empty()) std::memcpy(&v, b.data(), sizeof v);
    return v;
  }

  std::string_view in_;
  bool failed_ = false;
};

}  // namespace tidemill
