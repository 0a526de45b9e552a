// What of the recorded hand-outs is still out, after pieces of them ended one way or another.
#include "store/internal/lease_book.h"

#include <gtest/gtest.h>

namespace tidemill::store {
namespace {

using Rows = std::vector<LeaseBook::Row>;

LeasedWork task(uint64_t id, uint64_t epoch) {
  return {WorkRef::of(TaskId{id}), {.incarnation = 1, .counter = epoch}};
}

LeasedWork range(uint64_t first, uint64_t count, uint64_t epoch) {
  return {WorkRef::of(ArrayId{9}, first, count), {.incarnation = 1, .counter = epoch}};
}

HandOut hand_out(std::vector<LeasedWork> items) {
  return {.session = SessionId{5}, .items = std::move(items)};
}

TEST(LeaseBookTest, ARowIsEmptyWhenItsLastPieceEnded) {
  LeaseBook book;
  book.put(1, hand_out({task(1, 1), task(2, 2)}));
  EXPECT_TRUE(book.end_task(TaskId{1}));
  EXPECT_FALSE(book.end_task(TaskId{1}));
  EXPECT_EQ(book.take_emptied(), Rows{});
  ASSERT_EQ(book.out().size(), 1U);
  EXPECT_EQ(book.out()[0].session, SessionId{5});
  EXPECT_EQ(book.out()[0].items, std::vector{task(2, 2)});
  EXPECT_TRUE(book.end_task(TaskId{2}));
  EXPECT_EQ(book.take_emptied(), Rows{1});
  EXPECT_TRUE(book.empty());
}

TEST(LeaseBookTest, ARangeIsCutAtBothEndsAndInTheMiddle) {
  LeaseBook book;
  book.put(1, hand_out({range(10, 10, 1)}));
  EXPECT_TRUE(book.end_indexes(ArrayId{9}, 0, 11));
  EXPECT_TRUE(book.end_indexes(ArrayId{9}, 19, 5));
  EXPECT_TRUE(book.end_indexes(ArrayId{9}, 14, 2));
  EXPECT_FALSE(book.end_indexes(ArrayId{9}, 14, 2));
  EXPECT_EQ(book.out()[0].items, (std::vector{range(11, 3, 1), range(16, 3, 1)}));
  EXPECT_TRUE(book.end_indexes(ArrayId{9}, 0, 100));
  EXPECT_EQ(book.take_emptied(), Rows{1});
}

TEST(LeaseBookTest, OneEndMayMeetSeveralRows) {
  LeaseBook book;
  book.put(1, hand_out({range(0, 5, 1)}));
  book.put(2, hand_out({range(5, 5, 2)}));
  book.put(3, hand_out({range(10, 5, 3)}));
  EXPECT_TRUE(book.end_indexes(ArrayId{9}, 4, 7));
  EXPECT_EQ(book.take_emptied(), Rows{2});
  EXPECT_EQ(book.oldest(), 1U);
  EXPECT_TRUE(book.end_array(ArrayId{9}));
  EXPECT_EQ(book.take_emptied(), (Rows{1, 3}));
}

TEST(LeaseBookTest, ANewerHandOutOfTheSameWorkTakesItsPlace) {
  LeaseBook book;
  book.put(1, hand_out({task(1, 1), range(0, 4, 2)}));
  book.put(2, hand_out({task(1, 3), range(2, 4, 4)}));
  const auto out = book.out();
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].items, std::vector{range(0, 2, 2)});
  EXPECT_EQ(out[1].items, (std::vector{range(2, 4, 4), task(1, 3)}));
}

TEST(LeaseBookTest, AnEndedLeaseOfAnOlderEpochEndsNothing) {
  LeaseBook book;
  book.put(1, hand_out({task(1, 7), range(0, 4, 8)}));
  EXPECT_FALSE(book.end(task(1, 6)));
  EXPECT_FALSE(book.end(range(0, 4, 6)));
  EXPECT_TRUE(book.end(range(1, 1, 8)));
  EXPECT_TRUE(book.end(task(1, 7)));
  EXPECT_EQ(book.out()[0].items, (std::vector{range(0, 1, 8), range(2, 2, 8)}));
}

TEST(LeaseBookTest, AnEndUpToAnEpochEndsOlderOnesToo) {
  LeaseBook book;
  book.put(1, hand_out({range(0, 4, 1), task(1, 2)}));
  book.put(2, hand_out({range(2, 1, 5)}));
  EXPECT_TRUE(book.end_up_to(range(0, 4, 3)));
  EXPECT_TRUE(book.end_up_to(task(1, 2)));
  ASSERT_EQ(book.out().size(), 1U);
  EXPECT_EQ(book.out()[0].items, std::vector{range(2, 1, 5)});
}

TEST(LeaseBookTest, AHandOutOfNothingIsEmptyAtOnce) {
  LeaseBook book;
  book.put(4, hand_out({}));
  EXPECT_EQ(book.take_emptied(), Rows{4});
}

}  // namespace
}  // namespace tidemill::store
