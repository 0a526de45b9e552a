// Unit tests of base/: bytes, hashes, histogram, results.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/histogram.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace tidemill {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error{ErrorCode::invalid, "odd"};
  return n / 2;
}

Result<int> quarter(int n) {
  TIDEMILL_TRY(const int h, half(n));
  TIDEMILL_TRY(const int q, half(h));
  return q;
}

TEST(ResultTest, TryPassesTheValueOrReturnsTheError) {
  EXPECT_EQ(quarter(8).value(), 2);
  const Result<int> bad = quarter(6);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().what, "odd");
}

TEST(ResultTest, ContextIsPutInFront) {
  const Error e = Error{ErrorCode::io, "no such file"}.with("open a.db");
  EXPECT_EQ(e.what, "open a.db: no such file");
  EXPECT_EQ(error_code_name(e.code), "io");
}

TEST(BytesTest, EverythingComesBack) {
  ByteWriter w;
  w.u8(7);
  w.u64(UINT64_MAX);
  w.f64(-0.5);
  w.varint(300);
  w.svarint(-3);
  w.svarint(INT64_MIN);
  w.bytes("abc");
  ByteReader r(w.str());
  EXPECT_EQ(r.u8(), 7);
  EXPECT_EQ(r.u64(), UINT64_MAX);
  EXPECT_EQ(r.f64(), -0.5);
  EXPECT_EQ(r.varint(), 300U);
  EXPECT_EQ(r.svarint(), -3);
  EXPECT_EQ(r.svarint(), INT64_MIN);
  EXPECT_EQ(r.bytes(), "abc");
  EXPECT_TRUE(r.finished());
}

TEST(BytesTest, ATruncatedReadFailsAndStaysFailed) {
  ByteWriter w;
  w.bytes("abcdef");
  ByteReader r(std::string_view(w.str()).substr(0, 4));
  EXPECT_EQ(r.bytes(), "");
  EXPECT_TRUE(r.failed());
  EXPECT_EQ(r.u64(), 0U);
  EXPECT_FALSE(r.finished());
}

TEST(BytesTest, AnEndlessVarintIsRefused) {
  const std::string endless(20, '\xff');
  ByteReader r(endless);
  EXPECT_EQ(r.varint(), 0U);
  EXPECT_TRUE(r.failed());
}

TEST(HashTest, KnownAnswers) {
  EXPECT_EQ(hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_NE(hash64("a"), hash64("b"));
  EXPECT_NE(hash64("a", 1), hash64("a", 2));
}

TEST(HashTest, StreamedEqualsWhole) {
  Sha256Stream s;
  s.add("a");
  s.add("bc");
  EXPECT_EQ(s.finish(), sha256("abc"));
}

TEST(HistogramTest, QuantilesAreWithinOneSixteenth) {
  Histogram h;
  for (int i = 1; i <= 1000; ++i) h.add(microseconds(i));
  EXPECT_EQ(h.count(), 1000U);
  EXPECT_EQ(h.max(), microseconds(1000));
  for (const double q : {0.01, 0.5, 0.95, 0.99}) {
    const double exact = q * 1e6;
    EXPECT_NEAR(static_cast<double>(h.quantile(q).ns), exact, exact / 16) << q;
  }
  EXPECT_EQ(h.quantile(1.0), microseconds(1000));
}

TEST(HistogramTest, MergedEqualsAddedTogether) {
  Histogram a, b, both;
  a.add(milliseconds(1));
  b.add(milliseconds(9), 3);
  both.add(milliseconds(1));
  both.add(milliseconds(9), 3);
  a.merge(b);
  EXPECT_EQ(a.count(), both.count());
  EXPECT_EQ(a.total(), both.total());
  EXPECT_EQ(a.quantile(0.5), both.quantile(0.5));
}

TEST(HistogramTest, EmptyAndExtremeValues) {
  Histogram h;
  EXPECT_EQ(h.quantile(0.5), Duration{});
  h.add(Duration{-5});
  h.add(Duration{INT64_MAX});
  EXPECT_EQ(h.quantile(1.0).ns, INT64_MAX);
}

}  // namespace
}  // namespace tidemill
