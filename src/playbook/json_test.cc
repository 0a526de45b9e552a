// Unit tests of the JSON reader and writer: exact numbers, Unicode, limits, error places.
#include "playbook/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/hash.h"
#include "model/limits.h"

namespace tidemill::playbook {
namespace {

TEST(JsonTest, WritesWhatItRead) {
  const std::vector<std::string> same = {"null",
                                         "true",
                                         "false",
                                         "0",
                                         "-1",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "1.0",
                                         "-0.0",
                                         "0.1",
                                         "1e+300",
                                         "5e-324",
                                         "1.7976931348623157e+308",
                                         "\"\"",
                                         "\"a\\\"b\\\\c\\n\\u0001\"",
                                         "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x8C\x8A\"",
                                         "[]",
                                         "{}",
                                         "[1,[2,[3]],{\"a\":{\"b\":null}}]",
                                         "{\"z\":1,\"a\":2,\"m\":{\"k\":[true,false]}}"};
  for (const std::string& text : same) {
    const Result<Value> v = parse_json(text);
    ASSERT_TRUE(v.ok()) << text;
    EXPECT_EQ(to_json(v.value()), text);
  }
}

TEST(JsonTest, NormalisesOnReading) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {" [ 1 ,\t2 ]\r\n", "[1,2]"},
      {"1e2", "100.0"},
      {"1E400e", "error"},
      {"9223372036854775808", "9.223372036854775808e+18"},
      {"-0", "0"},
      {"1e-400", "0.0"},
      {"-1e-400", "-0.0"},
      {"\"\\u00e4\\ud83c\\udf0a\\/\"", "\"\xC3\xA4\xF0\x9F\x8C\x8A/\""},
      {"\"\\b\\f\\t\\u0000\"", "\"\\b\\f\\t\\u0000\""},
      {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
      {"{\"\\u0061\":1}", "{\"a\":1}"},
  };
  for (const auto& [text, expected] : cases) {
    const Result<Value> v = parse_json(text);
    if (expected == "error") {
      EXPECT_FALSE(v.ok()) << text;
      continue;
    }
    ASSERT_TRUE(v.ok()) << text << v.error().what;
    // The shortest text of a double is checked by reading it again, not by its spelling.
    const Result<Value> again = parse_json(to_json(v.value()));
    EXPECT_TRUE(equal(again.value(), v.value()));
    EXPECT_TRUE(equal(v.value(), parse_json(expected).value())) << text;
    EXPECT_EQ(v.value().kind(), parse_json(expected).value().kind()) << text;
  }
}

TEST(JsonTest, DoublesRoundTripBitForBit) {
  for (uint64_t i = 0; i < 20'000; ++i) {
    const double d = std::bit_cast<double>(mix64(i));
    if (!std::isfinite(d)) continue;
    const Result<Value> v = parse_json(to_json(Value(d)));
    ASSERT_TRUE(v.ok());
    ASSERT_EQ(v.value().kind(), Value::Kind::real);
    ASSERT_EQ(std::bit_cast<uint64_t>(v.value().as_real()), std::bit_cast<uint64_t>(d));
  }
}

TEST(JsonTest, WritesWhatJsonCannotHold) {
  EXPECT_EQ(to_json(Value(std::nan(""))), "null");
  EXPECT_EQ(to_json(Value(-std::numeric_limits<double>::infinity())), "null");
  EXPECT_EQ(to_json(Value()), "null");
  EXPECT_EQ(to_json(Value("a\xFF"
                          "b\xE2\x82"
                          "c")),
            "\"a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\xEF\xBF\xBD"
            "c\"");
}

TEST(JsonTest, Pretty) {
  EXPECT_EQ(to_json_pretty(parse_json(R"({"a":[1,{}],"b":[]})").value()),
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
}

TEST(JsonTest, ErrorsNameThePlace) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "JSON: expected a JSON value at the end, offset 0"},
      {"[1,]", "JSON: expected a JSON value at offset 3"},
      {"[1 2]", "JSON: expected ',' or ']' at offset 3"},
      {"{\"a\" 1}", "JSON: expected ':' after a key at offset 5"},
      {"{a:1}", "JSON: expected a key in quotes at offset 1"},
      {"{\"a\":1,}", "JSON: expected a key in quotes at offset 7"},
      {"\"abc", "JSON: expected the closing quote of a string at the end, offset 4"},
      {"\"\\x\"", "JSON: expected one of \" \\ / b f n r t u after a backslash at offset 1"},
      {"\"\\u12g4\"", "JSON: expected four hexadecimal digits after \\u at offset 1"},
      {"\"\\ud800x\"", "JSON: expected a low surrogate after a high one at offset 7"},
      {"\"\\udc00\"", "JSON: expected a high surrogate before a low one at offset 1"},
      {"\"a\nb\"",
       "JSON: expected an escape instead of a control character in a string at offset 2"},
      {"01", "JSON: expected a number without leading zeros at the end, offset 2"},
      {"1.", "JSON: expected a digit after the decimal point at the end, offset 2"},
      {"1e+", "JSON: expected a digit of the exponent at the end, offset 3"},
      {"-", "JSON: expected a digit at the end, offset 1"},
      {"+1", "JSON: expected a JSON value at offset 0"},
      {".5", "JSON: expected a JSON value at offset 0"},
      {"NaN", "JSON: expected a JSON value at offset 0"},
      {"nul", "JSON: expected a JSON value at offset 0"},
      {"1 1", "JSON: expected the end of the text at offset 2"},
      {"1e999", "JSON: expected a number that a double can hold at the end, offset 5"},
      {std::string("[1,\0]", 5), "JSON: expected a JSON value at offset 3"},
  };
  for (const auto& [text, expected] : cases) {
    const Result<Value> v = parse_json(text);
    ASSERT_FALSE(v.ok()) << text;
    EXPECT_EQ(v.error().code, ErrorCode::invalid);
    EXPECT_EQ(v.error().what, expected) << text;
  }
}

TEST(JsonTest, RefusesInvalidUtf8) {
  const std::vector<std::string> bad = {"\x80",
                                        "\xC0\x80",
                                        "\xC1\xBF",
                                        "\xE0\x80\x80",
                                        "\xED\xA0\x80",
                                        "\xF0\x80\x80\x80",
                                        "\xF4\x90\x80\x80",
                                        "\xF5\x80\x80\x80",
                                        "\xE2\x82",
                                        "\xFF",
                                        "abcdefghij\xC3"};
  for (const std::string& bytes : bad) {
    EXPECT_FALSE(parse_json("\"" + bytes + "\"").ok());
    EXPECT_FALSE(parse_json("{\"" + bytes + "\":1}").ok());
  }
}

TEST(JsonTest, EveryCutOfAValidTextIsAnError) {
  const std::string text = R"({"a":[1,-2.5e3,"x\u00e4\n"],"b":{"c":null,"d":[true,false]}})";
  ASSERT_TRUE(parse_json(text).ok());
  for (size_t n = 0; n < text.size(); ++n) EXPECT_FALSE(parse_json(text.substr(0, n)).ok()) << n;
}

TEST(JsonTest, DepthIsBounded) {
  const auto nested = [](size_t n, char open, char close) {
    return std::string(n, open) + std::string(n, close);
  };
  EXPECT_TRUE(parse_json(nested(size_t{limits::kJsonMaxDepth}, '[', ']')).ok());
  EXPECT_EQ(parse_json(nested(size_t{limits::kJsonMaxDepth} + 1, '[', ']')).error().code,
            ErrorCode::too_large);
  EXPECT_EQ(parse_json(std::string(10'000'000, '[')).error().code, ErrorCode::too_large);
  std::string maps;
  for (int i = 0; i < 1'000'000; ++i) maps += "{\"a\":";
  EXPECT_EQ(parse_json(maps).error().code, ErrorCode::too_large);
  EXPECT_EQ(split_json_array(std::string(1'000'000, '[')).error().code, ErrorCode::too_large);
}

TEST(JsonTest, LargeListsAndMapsKeepEveryItem) {
  std::string text = "{";
  for (int i = 0; i < 3000; ++i) {
    if (i > 0) text += ',';
    text +=
        "\"k" + std::to_string(i) + "\":[" + std::to_string(i) + ",\"long enough for the heap\"]";
  }
  text += "}";
  const Result<Value> v = parse_json(text);
  ASSERT_TRUE(v.ok());
  EXPECT_EQ(to_json(v.value()), text);
  EXPECT_EQ(v.value().get("k2999").as_list()[0].as_integer(), 2999);
}

TEST(SplitJsonArrayTest, GivesTheTextsOfTheItems) {
  const std::string text = R"( [ 1 , "a,]" , {"x":[1,2]} ,[], null ] )";
  const auto items = split_json_array(text);
  ASSERT_TRUE(items.ok());
  const std::vector<std::string_view> expected = {"1", "\"a,]\"", "{\"x\":[1,2]}", "[]", "null"};
  EXPECT_EQ(items.value(), expected);
  EXPECT_TRUE(split_json_array("[]").value().empty());
}

TEST(SplitJsonArrayTest, RefusesWhatIsNoArray) {
  for (const char* text : {"", "{}", "1", "[1", "[1,]", "[1]x", "[tru]", "[{\"a\"}]", "[01]"}) {
    EXPECT_FALSE(split_json_array(text).ok()) << text;
  }
}

}  // namespace
}  // namespace tidemill::playbook
