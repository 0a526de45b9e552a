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
  EXPECT_EQ(tail.take(), "[the first 1 bytes were dropped]\n2345678901");
}

TEST(TailText, CountsWhatWasDroppedInPieces) {
  TailText tail(10);
  for (int i = 0; i < 1000; ++i) tail.add("abcdefg");
  EXPECT_EQ(tail.take(), "[the first 6990 bytes were dropped]\nefgabcdefg");
}

TEST(TailText, CutsAtALineOrACharacter) {
  EXPECT_EQ(keep_tail("first line\nsecond line is longer\n", 25),
            "[the first 11 bytes were dropped]\nsecond line is longer\n");
  EXPECT_EQ(keep_tail("äöü", 5), "[the first 2 bytes were dropped]\nöü");
}

}  // namespace
}  // namespace tidemill::worker
