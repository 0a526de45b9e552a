// Exchanges that arrive in another order than they were sent.
#include "api/internal/exchange_order.h"

#include <gtest/gtest.h>

namespace tidemill::api {
namespace {

class ExchangeOrderTest : public testing::Test {
 protected:
  // The numbers that may be decided after this one has arrived.
  std::vector<uint64_t> arrive(uint64_t number, uint64_t session = 7) {
    ExchangeRequest request;
    request.session = SessionId{session};
    request.number = number;
    std::vector<uint64_t> ready;
    for (const auto& r : order_.arrive({std::move(request), net::Respond([](auto) {})})) {
      ready.push_back(r.request.number);
    }
    return ready;
  }
  using Numbers = std::vector<uint64_t>;
  ExchangeOrder order_;
};

TEST_F(ExchangeOrderTest, OneThatIsEarlyWaitsForTheOneBefore) {
  order_.opened(SessionId{7});
  EXPECT_EQ(arrive(3), Numbers{});
  EXPECT_EQ(arrive(2), (Numbers{2, 3}));
  EXPECT_EQ(arrive(4), Numbers{4});
  EXPECT_EQ(arrive(6), Numbers{});
  EXPECT_EQ(arrive(6), Numbers{});  // over another connection
  EXPECT_EQ(arrive(5), (Numbers{5, 6}));
}

TEST_F(ExchangeOrderTest, RepeatsGoThrough) {
  order_.opened(SessionId{7});
  EXPECT_EQ(arrive(2), Numbers{2});
  EXPECT_EQ(arrive(2), Numbers{2});
  EXPECT_EQ(arrive(3), Numbers{3});
}

TEST_F(ExchangeOrderTest, SessionsOfAnotherLifeGoThrough) {
  EXPECT_EQ(arrive(9), Numbers{9});
  EXPECT_EQ(arrive(8), Numbers{8});
  order_.opened(SessionId{7});
  EXPECT_EQ(arrive(3), Numbers{});
  order_.forget(SessionId{7});
  EXPECT_EQ(arrive(3), Numbers{3});
}

TEST_F(ExchangeOrderTest, WhoNeverSendsTheMissingOneIsHeard) {
  order_.opened(SessionId{7});
  for (uint64_t n = 3; n <= 6; ++n) EXPECT_EQ(arrive(n), Numbers{});
  EXPECT_EQ(arrive(7), (Numbers{3, 4, 5, 6, 7}));
}

}  // namespace
}  // namespace tidemill::api
