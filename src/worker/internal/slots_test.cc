#include "worker/internal/slots.h"

#include <gtest/gtest.h>

#include <string>

namespace tidemill::worker {
namespace {

TEST(Slots, GoToWhoCameFirst) {
  Slots slots(1);
  std::string order;
  slots.acquire([&] { order += 'a'; });
  slots.acquire([&] { order += 'b'; });
  const auto c = slots.acquire([&] { order += 'c'; });
  slots.acquire([&] { order += 'd'; });
  EXPECT_EQ(order, "a");
  EXPECT_TRUE(slots.withdraw(c));
  EXPECT_FALSE(slots.withdraw(c));
  slots.release();
  slots.release();
  EXPECT_EQ(order, "abd");
  EXPECT_EQ(slots.free(), 0u);
  slots.release();
  EXPECT_EQ(slots.free(), 1u);
}

TEST(Slots, GivingOneBackWhileBeingGrantedDoesNotNest) {
  Slots slots(1);
  slots.acquire([] {});
  int depth = 0;
  int deepest = 0;
  for (int i = 0; i < 1000; ++i) {
    slots.acquire([&] {
      deepest = std::max(deepest, ++depth);
      slots.release();
      --depth;
    });
  }
  slots.release();
  EXPECT_EQ(deepest, 1);
  EXPECT_EQ(slots.waiting(), 0u);
  EXPECT_EQ(slots.free(), 1u);
}

}  // namespace
}  // namespace tidemill::worker
