// Small looks into JSON, and the check of what a user says is JSON.
#include "wire/json_text.h"

#include <gtest/gtest.h>

#include "wire/exchange_json.h"

namespace tidemill::wire {
namespace {

TEST(JsonTextTest, LooksIntoAnObject) {
  const std::string json =
      R"({"n": 7, "x": 2.5, "ok": true, "name": "\u00e9\"", "l": [1, {"a": []}]})";
  EXPECT_EQ(*json_field(json, "l"), R"([1,{"a":[]}])");
  EXPECT_EQ(json_field(json, "no").error().code, ErrorCode::not_found);
  EXPECT_EQ(json_field("[1]", "no").error().what, "expected an object");
  EXPECT_EQ(*json_integer(*json_field(json, "n")), 7);
  EXPECT_EQ(*json_number(*json_field(json, "n")), 7.0);
  EXPECT_EQ(*json_number(*json_field(json, "x")), 2.5);
  EXPECT_EQ(*json_boolean(*json_field(json, "ok")), true);
  EXPECT_EQ(*json_string(*json_field(json, "name")), "\xc3\xa9\"");
  EXPECT_EQ(json_items(*json_field(json, "l"))->at(1), R"({"a":[]})");
  EXPECT_EQ(json_integer("2.5").error().what, "expected a whole number");
  EXPECT_FALSE(json_number("{").ok());
  EXPECT_EQ(json_quoted("a\"\n"), R"("a\"\n")");
}

TEST(JsonTextTest, WhatIsCheckedIsTakenByAServer) {
  JsonCheck check;
  const auto taken = [](const std::string& result) {
    return parse_exchange_request(
               R"({"reports":[{"kind":"done","array":"1","epoch":"1.2","results":[)" + result +
               "]}]}")
        .ok();
  };
  for (const std::string good : {"null", " 1 ", "\"x\"", R"({"a":[1,2]})"}) {
    EXPECT_TRUE(check.check(good).ok()) << good;
    EXPECT_TRUE(taken(good)) << good;
  }
  for (const std::string bad :
       {"", "NaN", "hello", "1,2", "1 2", "{", "\"\xff\"", "123456789012345678901234567890"}) {
    EXPECT_FALSE(check.check(bad).ok()) << bad;
  }
  const auto deep = [](int n) {
    return std::string(static_cast<size_t>(n), '[') + std::string(static_cast<size_t>(n), ']');
  };
  int most = 0;
  for (int depth = 1; depth < 600; ++depth) most = check.check(deep(depth)).ok() ? depth : most;
  EXPECT_GT(most, 400);
  EXPECT_TRUE(taken(deep(most)));
}

}  // namespace
}  // namespace tidemill::wire
