// Unit tests of Value and Map: sharing, kinds, equality, truth.
#include "playbook/value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "playbook/internal/order.h"
#include "playbook/internal/parsed.h"
#include "playbook/json.h"

namespace tidemill::playbook {
namespace {

TEST(ValueTest, IsSmallAndKnowsItsKind) {
  EXPECT_EQ(sizeof(Value), 16U);
  EXPECT_TRUE(Value().is_undefined());
  EXPECT_EQ(Value().undefined_reference(), "");
  EXPECT_EQ(Value::undefined("a.b").undefined_reference(), "a.b");
  EXPECT_TRUE(Value::null().is_null());
  EXPECT_EQ(Value(true).kind(), Value::Kind::boolean);
  EXPECT_EQ(Value(7).as_integer(), 7);
  EXPECT_EQ(Value(7).as_real(), 7.0);
  EXPECT_EQ(Value("text").as_string(), "text");
  EXPECT_EQ(kind_name(Value(1.5).kind()), "float");
}

TEST(ValueTest, CopiesShareUntilOneIsChanged) {
  Value a = json(R"({"x":[1,2]})");
  const Value b = a;
  EXPECT_EQ(&a.as_map(), &b.as_map());
  a.mutable_map().set("x", Value(3));
  EXPECT_EQ(to_json(a), R"({"x":3})");
  EXPECT_EQ(to_json(b), R"({"x":[1,2]})");
  const Map* before = &a.as_map();
  a.mutable_map().set("y", Value(4));
  EXPECT_EQ(&a.as_map(), before) << "an unshared map is changed in place";
}

TEST(ValueTest, AssignmentFromAPartOfItselfIsSafe) {
  Value a = json(R"({"x":{"y":[1]}})");
  a = a.get("x").get("y");
  EXPECT_EQ(to_json(a), "[1]");
  Value c = json("[[[5]]]");
  c = Value(c.as_list()[0]);
  EXPECT_EQ(to_json(c), "[[5]]");
  const Value& self = c;
  c = self;
  EXPECT_EQ(to_json(c), "[[5]]");
}

TEST(ValueTest, DepthIsKeptAndRecomputedAfterAChange) {
  Value v = json("[1,[2,{\"a\":3}]]");
  EXPECT_EQ(v.depth(), 3U);
  EXPECT_EQ(Value(1).depth(), 0U);
  EXPECT_EQ(json("[]").depth(), 1U);
  v.mutable_list().push_back(json("[[[[1]]]]"));
  EXPECT_EQ(v.depth(), 5U);
  EXPECT_EQ(Value(List{v}).depth(), 6U);
}

TEST(MapTest, KeepsOrderAndFindsWhenLarge) {
  Map map;
  for (int i = 0; i < 1000; ++i) map.set("key" + std::to_string(i), Value(i));
  for (int i = 0; i < 1000; ++i) map.set("key" + std::to_string(i), Value(-i));
  ASSERT_EQ(map.size(), 1000U);
  int expected = 0;
  for (const auto& [key, value] : map) {
    EXPECT_EQ(key, "key" + std::to_string(expected));
    EXPECT_EQ(value.as_integer(), -expected++);
  }
  EXPECT_EQ(map.find("key1000"), nullptr);
  for (int i = 0; i < 1000; i += 2) EXPECT_TRUE(map.erase("key" + std::to_string(i)));
  EXPECT_FALSE(map.erase("key0"));
  EXPECT_EQ(map.size(), 500U);
  EXPECT_EQ(map.find("key0"), nullptr);
  ASSERT_NE(map.find("key999"), nullptr);
  EXPECT_EQ(map.find("key999")->as_integer(), -999);
}

TEST(MapTest, CrossesTheIndexBoundBothWays) {
  Map map;
  for (int i = 0; i < 17; ++i) map.set(std::to_string(i), Value(i));
  EXPECT_TRUE(map.erase("0"));
  EXPECT_EQ(map.find("16")->as_integer(), 16);
  map.set("17", Value(17));
  map.set("18", Value(18));
  EXPECT_EQ(map.find("18")->as_integer(), 18);
  EXPECT_EQ(map.find("0"), nullptr);
}

TEST(EqualTest, NumbersCompareExactly) {
  EXPECT_TRUE(equal(Value(1), Value(1.0)));
  EXPECT_TRUE(equal(Value(true), Value(1)));
  EXPECT_FALSE(equal(Value(1), Value("1")));
  EXPECT_FALSE(equal(Value(int64_t{9007199254740993}), Value(9007199254740992.0)));
  EXPECT_FALSE(equal(Value(std::numeric_limits<int64_t>::max()), Value(9223372036854775808.0)));
  EXPECT_TRUE(equal(Value(std::numeric_limits<int64_t>::min()), Value(-9223372036854775808.0)));
  EXPECT_FALSE(equal(Value(std::nan("")), Value(std::nan(""))));
}

TEST(EqualTest, UndefinedEqualsOnlyUndefined) {
  EXPECT_TRUE(equal(Value(), Value::undefined("a")));
  EXPECT_FALSE(equal(Value(), Value::null()));
  EXPECT_FALSE(equal(Value(), Value(false)));
  EXPECT_FALSE(equal(Value(), Value("")));
}

TEST(EqualTest, MapsCompareRegardlessOfOrder) {
  EXPECT_TRUE(equal(json(R"({"a":1,"b":[1,2]})"), json(R"({"b":[1.0,2],"a":1})")));
  EXPECT_FALSE(equal(json(R"({"a":1})"), json(R"({"b":1})")));
  EXPECT_FALSE(equal(json("[1,2]"), json("[2,1]")));
}

TEST(OrderTest, IsTotalOverKinds) {
  const Value ordered = json(R"([null, false, 0.5, true, 2, "B", "a", [1], [1,0], {}, {"a":1}])");
  const List& items = ordered.as_list();
  int64_t steps = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    for (size_t j = 0; j < items.size(); ++j) {
      const auto order = expr::total_order(items[i], items[j], expr::Case::sensitive, steps);
      EXPECT_EQ(order < 0, i < j) << to_json(items[i]) << " and " << to_json(items[j]);
      EXPECT_EQ(order == 0, i == j);
    }
  }
  EXPECT_TRUE(expr::total_order(Value("B"), Value("a"), expr::Case::ignored, steps) > 0);
  EXPECT_TRUE(expr::total_order(Value(1e300), Value(std::nan("")), expr::Case::ignored, steps) < 0);
  EXPECT_GT(steps, 0);
}

struct TruthCase {
  Value value;
  bool jinja;
  bool arc;
};

TEST(TruthTest, Table) {
  const std::vector<TruthCase> cases = {
      {Value(), false, false},          {Value::null(), false, false},
      {Value(false), false, false},     {Value(true), true, true},
      {Value(0), false, false},         {Value(-1), true, true},
      {Value(0.0), false, false},       {Value(0.1), true, true},
      {Value(""), false, false},        {Value("0"), true, false},
      {Value("false"), true, false},    {Value("False"), true, false},
      {Value("NO"), true, false},       {Value("none"), true, false},
      {Value("Null"), true, false},     {Value("off"), true, false},
      {Value("off\n"), true, false},    {Value("  "), true, false},
      {Value("yes"), true, true},       {Value("00"), true, true},
      {Value("nothing"), true, true},   {Value(List{}), false, false},
      {Value(Map{}), false, false},     {Value(List{Value(0)}), true, true},
      {Value("undefined"), true, true},
  };
  for (const TruthCase& c : cases) {
    EXPECT_EQ(truthy(c.value), c.jinja) << to_json(c.value);
    EXPECT_EQ(arc_true(c.value), c.arc) << to_json(c.value);
  }
}

}  // namespace
}  // namespace tidemill::playbook
