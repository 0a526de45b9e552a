// Unit tests of values that stay JSON text until somebody looks inside: nobody can tell, save by
// the time it takes.
#include "playbook/internal/json_copy.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "playbook/json.h"

namespace tidemill::playbook {
namespace {

const std::string kRecords =
    R"([{"id":"a-1","n":1,"real":0.5,"text":"a \"quoted\" word\n"},{"id":"a-2","n":-2,"more":)"
    R"({"deep":[1,2,3,[]],"none":null,"yes":true}},{"id":"ä","n":9007199254740993,"no":false}])";

std::string page(const std::string& records) {
  return R"({"data":)" + records + R"(,"paging":{"hasMore":true,"page":1}})";
}

TEST(JsonCopyTest, ALongListInsideStaysText) {
  const Value v = parse_json_lazily(page(kRecords)).value();
  const Value data = v.get("data");
  ASSERT_TRUE(data.is_list());
  EXPECT_EQ(data.known_json(), kRecords);
  EXPECT_EQ(data.depth(), 5U);
  EXPECT_EQ(v.depth(), 6U);
  EXPECT_EQ(v.known_json(), page(kRecords));
  EXPECT_TRUE(v.get("paging").get("hasMore").as_bool());
  EXPECT_TRUE(v.get("paging").known_json().empty());
  EXPECT_EQ(data.as_list().size(), 3U);
  EXPECT_EQ(data.as_list()[1].get("more").get("deep").as_list().size(), 4U);
  EXPECT_EQ(data.as_list()[2].get("n").as_integer(), 9007199254740993);
  EXPECT_TRUE(equal(data, parse_json(kRecords).value()));
}

TEST(JsonCopyTest, WhatIsChangedIsWrittenAnew) {
  Value v = parse_json_lazily(page(kRecords)).value();
  Value data = v.get("data");
  data.mutable_list().resize(1);
  EXPECT_EQ(to_json(data), R"([{"id":"a-1","n":1,"real":0.5,"text":"a \"quoted\" word\n"}])");
  EXPECT_EQ(to_json(v), page(kRecords));
  v.mutable_map().set("data", Value("none"));
  EXPECT_EQ(to_json(v), R"({"data":"none","paging":{"hasMore":true,"page":1}})");
  Value alone = parse_json_lazily(page(kRecords)).value();
  alone.mutable_map().erase("data");
  EXPECT_EQ(to_json(alone), R"({"paging":{"hasMore":true,"page":1}})");
}

TEST(JsonCopyTest, TheTextIsThatOfTheWriter) {
  const std::string filler = R"(,"filler)" + std::string(150, 'x') + R"(":1)";
  const std::vector<std::string> others = {
      R"({"a": 1})",      R"({ "a":1.50 })",  R"({"a":1e3})",
      R"({"a":-0})",      R"({"a":"\/"})",    R"({"a":"\u0041"})", R"({"a":[1 ,2]})",
      R"({"a":12345678901234567890})", R"({"a":[ ],"b":{ }})"};
  for (const std::string& one : others) {
    const std::string text = R"({"outer":{"inner":)" + one + filler + "}}";
    ASSERT_TRUE(parse_json_lazily(text).ok()) << text;
    const Value v = parse_json_lazily(text).value();
    EXPECT_FALSE(v.get("outer").known_json().empty()) << text;
    EXPECT_EQ(v.known_json(), to_json(parse_json(text).value()));
    EXPECT_TRUE(equal(v, parse_json(text).value()));
  }
}

TEST(JsonCopyTest, OfEqualKeysTheLastCounts) {
  const std::string filler = R"(,"filler)" + std::string(150, 'x') + R"(":1)";
  for (const std::string inner : {R"({"a":1,"a":2)", R"({"a":1,"\u0061":2)"}) {
    for (const std::string& text : {R"({"outer":)" + inner + filler + "}}", inner + filler + "}"}) {
      const Value v = parse_json_lazily(text).value();
      EXPECT_TRUE(v.known_json().empty()) << text;
      EXPECT_EQ(to_json(v), to_json(parse_json(text).value()));
    }
  }
}

TEST(JsonCopyTest, ErrorsAreThoseOfTheReader) {
  for (const std::string text : {"", "{", "{\"a\":}", "[1,2", "{\"a\":1}x", "\"", "{\"a\":01}"}) {
    ASSERT_FALSE(parse_json_lazily(text).ok()) << text;
    EXPECT_EQ(parse_json_lazily(text).error().what, parse_json(text).error().what);
  }
  for (size_t cut = 0; cut < page(kRecords).size(); ++cut) {
    EXPECT_FALSE(parse_json_lazily(page(kRecords).substr(0, cut)).ok()) << cut;
  }
}

// A value of the kinds that JSON has, of a random shape.
Value random_value(std::mt19937& random, int levels) {
  const auto pick = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  switch (pick(levels > 0 ? 12 : 6)) {
    case 0:
      return Value::null();
    case 1:
      return Value(pick(2) == 1);
    case 2:
      return Value(static_cast<int64_t>(random()) - 2'000'000'000);
    case 3:
      return Value(static_cast<double>(random()) / 977.0);
    case 4:
    case 5: {
      static constexpr std::array<std::string_view, 8> kPieces = {"abc", "\"", "\\",  "\n",
                                                                  "/",   "é",  "\x01", " "};
      std::string text;
      for (uint32_t n = pick(12); n > 0; --n) text += kPieces[pick(std::size(kPieces))];
      return Value(std::move(text));
    }
    case 6:
    case 7:
    case 8: {
      List list;
      for (uint32_t n = pick(6); n > 0; --n) list.push_back(random_value(random, levels - 1));
      return Value(std::move(list));
    }
    default: {
      Map map;
      for (uint32_t n = pick(6); n > 0; --n)
        map.set("k" + std::to_string(pick(9)), random_value(random, levels - 1));
      return Value(std::move(map));
    }
  }
}

TEST(JsonCopyTest, NobodyCanTell) {
  std::mt19937 random(7);
  int stayed_text = 0;
  for (int i = 0; i < 3'000; ++i) {
    Value made(Map{});
    for (const std::string key : {"a", "b", "c"})
      made.mutable_map().set(key, random_value(random, 5));
    for (const std::string& text : {to_json(made), to_json_pretty(made)}) {
      const Value lazy = parse_json_lazily(text).value();
      const Value whole = parse_json(text).value();
      for (const auto& [key, value] : lazy.as_map()) stayed_text += !value.known_json().empty();
      EXPECT_EQ(to_json(lazy), to_json(whole));
      EXPECT_EQ(lazy.depth(), whole.depth());
      EXPECT_EQ(to_json_pretty(lazy), to_json_pretty(whole));  // looks everywhere
      EXPECT_TRUE(equal(lazy, whole));
      EXPECT_EQ(to_json(lazy), to_json(whole));
    }
  }
  EXPECT_GT(stayed_text, 500);
}

}  // namespace
}  // namespace tidemill::playbook
