#include "worker/internal/tail_text.h"

#include <gtest/gtest.h>

namespace tidemill::worker {
namespace {

TEST(TailText, KeepsEverythingUpToTheBound) {
  TailText tail(10);
  EXPECT_TRUE(tail.empty());
  tail.add("12345");
  tail.add("67890");
  EXPECT_EQ(tail.take(), "1234567890");
  EXPECT_TRUE(tail.empty());
}

TEST(TailText, OneByteMoreDropsTheFirst) {
  TailText tail(10);
  tail.add("12345678901");
  EXPECT_EQ(tail.take(), "[the first 1 byte was dropped]\n2345678901");
}

TEST(TailText, CountsWhatWasDroppedInPieces) {
  TailText tail(10);
  for (int i = 0; i < 1000; ++i) tail.add("abcdefg");
  EXPECT_EQ(tail.take(), "[the first 6990 bytes were dropped]\nefgabcdefg");
}

TEST(TailText, TheTailItselfHoldsOnlyWhatWasAdded) {
  TailText tail(10);
  tail.add("12345678901");
  const KeptTail kept = tail.take_tail();
  EXPECT_EQ(kept.text, "2345678901");
  EXPECT_EQ(kept.dropped, 1U);
  EXPECT_TRUE(tail.empty());
}

TEST(TailText, WhatOthersDroppedCountsAndEndsWhatWasBefore) {
  TailText tail(10);
  tail.add("123");
  tail.skip(0);
  tail.skip(5);
  tail.add("abc");
  EXPECT_EQ(tail.take(), "[the first 8 bytes were dropped]\nabc");
}

TEST(TailText, CutsAtALineOrACharacter) {
  EXPECT_EQ(keep_tail("first line\nsecond line is longer\n", 25),
            "[the first 11 bytes were dropped]\nsecond line is longer\n");
  EXPECT_EQ(keep_tail("äöü", 5), "[the first 2 bytes were dropped]\nöü");
}

TEST(TailText, OfAnErrorTheFirstLineStays) {
  const std::string place = "a.yaml:3:5: ValueError";
  const std::string kept = keep_ends(place + "\n" + std::string(10'000, 'x') + "\nwhy", 1'000);
  EXPECT_LE(kept.size(), 1'000U);
  EXPECT_TRUE(kept.starts_with(place + "\n[the first ")) << kept;
  EXPECT_TRUE(kept.ends_with("xx\nwhy")) << kept;
  EXPECT_EQ(keep_ends(place, 1'000), place);
  const std::string long_line = keep_ends(place + std::string(10'000, 'x'), 1'000);
  EXPECT_LE(long_line.size(), 1'000U);
  EXPECT_TRUE(long_line.starts_with(place)) << long_line;
}

}  // namespace
}  // namespace tidemill::worker
