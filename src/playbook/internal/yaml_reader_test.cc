#include "playbook/internal/yaml_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "model/limits.h"
#include "playbook/json.h"

namespace tidemill::playbook {
namespace {

struct Read {
  std::optional<YamlNode> root;
  std::vector<Diagnostic> found;
};

Read read(const std::string& text) {
  Diagnostics diagnostics;
  Read out;
  out.root = read_yaml(text, diagnostics);
  out.found = diagnostics.take();
  return out;
}

std::string as_json(const std::string& text) {
  Read r = read(text);
  EXPECT_TRUE(r.root && r.found.empty()) << text << (r.found.empty() ? "" : r.found[0].text);
  return r.root ? to_json(plain_value(*r.root)) : "";
}

// The first thing said, as line:column text.
std::string first(const std::string& text) {
  Read r = read(text);
  if (r.found.empty()) return "";
  const Diagnostic& d = r.found.front();
  return std::to_string(d.at.line) + ":" + std::to_string(d.at.column) + " " + d.text;
}

TEST(YamlReader, types_plain_scalars_by_the_core_schema) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a", "\"a\""},
      {"no", "\"no\""},
      {"on", "\"on\""},
      {"yes", "\"yes\""},
      {"010", "\"010\""},
      {"0", "0"},
      {"-0", "0"},
      {"12", "12"},
      {"+12", "12"},
      {"-12", "-12"},
      {"0x1F", "31"},
      {"0o17", "15"},
      {"0x", "\"0x\""},
      {"1e3", "1000.0"},
      {"1.5", "1.5"},
      {".5", "0.5"},
      {"1.", "1.0"},
      {"1.2.3", "\"1.2.3\""},
      {"2026-01-01", "\"2026-01-01\""},
      {"true", "true"},
      {"False", "false"},
      {"TRUE", "true"},
      {"tRue", "\"tRue\""},
      {"null", "null"},
      {"~", "null"},
      {"'12'", "\"12\""},
      {"\"true\"", "\"true\""},
      {"1_000", "\"1_000\""},
      {"12:30", "\"12:30\""},
      {"-", "\"-\""},
      {".", "\".\""},
      {"9223372036854775807", "9223372036854775807"},
      {"1e", "\"1e\""},
      {"+", "\"+\""},
      {"00", "\"00\""},
      {"'.nan'", "\".nan\""},
      {".info", "\".info\""},
      {"1e308", "1e+308.0"},
      {"0.5e-2", "0.005"}};
  for (const auto& [text, expected] : cases) {
    if (text == "-") continue;  // a list item
    std::string json = as_json("v: " + text + "\n");
    // Whether a whole double is written with a fraction is the JSON writer's business.
    if (expected.size() > 2 && expected.substr(expected.size() - 2) == ".0") {
      Value v = plain_value(*read("v: " + text + "\n").root).get("v");
      EXPECT_EQ(v.kind(), Value::Kind::real) << text;
      continue;
    }
    EXPECT_EQ(json, "{\"v\":" + expected + "}") << text;
  }
}

TEST(YamlReader, a_whole_number_too_large_for_an_integer_is_a_double) {
  Value v = plain_value(*read("v: 9223372036854775808\n").root).get("v");
  ASSERT_EQ(v.kind(), Value::Kind::real);
  EXPECT_EQ(v.as_real(), 9223372036854775808.0);
}

TEST(YamlReader, reads_lists_maps_and_blocks) {
  EXPECT_EQ(as_json("a: [1, {b: c}]\nd:\n- e\n- - f\n"), R"({"a":[1,{"b":"c"}],"d":["e",["f"]]})");
  EXPECT_EQ(as_json("a: |\n  x\n   y\nb: >-\n  p\n  q\n"), R"({"a":"x\n y\n","b":"p q"})");
  EXPECT_EQ(as_json("---\na: 1\n...\n"), R"({"a":1})");
  EXPECT_EQ(as_json("a:\nb: ~\n"), R"({"a":null,"b":null})");
  EXPECT_EQ(as_json("\xef\xbb\xbf"
                    "a: 1\r\nb: 2\r\n"),
            R"({"a":1,"b":2})");
}

TEST(YamlReader, knows_where_everything_stands) {
  Read r = read(
      "name: x\nsteps:\n  - step: 'a'\n    code: |\n      one\n      two\n    empty:\n    next: "
      "b\n");
  ASSERT_TRUE(r.root);
  const YamlNode& step = r.root->field("steps")->value.items[0];
  auto at = [](Position p) { return std::to_string(p.line) + ":" + std::to_string(p.column); };
  EXPECT_EQ(at(step.at), "3:5");
  EXPECT_EQ(at(step.field("step")->at), "3:5");
  EXPECT_EQ(at(step.field("step")->value.at), "3:11");
  EXPECT_EQ(at(step.field("step")->value.text_at), "3:12");
  EXPECT_EQ(at(step.field("code")->value.at), "4:11");
  EXPECT_EQ(at(step.field("code")->value.text_at), "5:7");
  EXPECT_EQ(at(step.field("empty")->value.at), "7:5");  // of its key, for it has no place
  EXPECT_EQ(at(step.field("next")->value.at), "8:11");
}

TEST(YamlReader, counts_columns_in_characters) {
  Read r = read("names: {é: 1, b: [ü, x]}\n");
  ASSERT_TRUE(r.root);
  const YamlNode& list = r.root->field("names")->value.field("b")->value;
  EXPECT_EQ(list.items[1].at.column, 22);
}

TEST(YamlReader, refuses_numbers_that_json_cannot_hold) {
  for (const std::string number : {".inf", "-.Inf", "+.INF", ".nan", ".NaN", "1e999", "-1e999",
                                   "1e-999", "12.5E+400"}) {
    EXPECT_EQ(first("a: [1, " + number + "]\n"),
              "1:8 JSON, in which values are kept, cannot hold the number " + number);
  }
  EXPECT_EQ(first("1e999: x\n"), "");  // a key is text
  EXPECT_EQ(first("a: '1e999'\n"), "");
}

TEST(YamlReader, refuses_what_a_playbook_may_not_use) {
  EXPECT_EQ(first("a: &x 1\n"), "1:4 anchors ('&name') are not allowed in a playbook");
  EXPECT_EQ(first("a: *x\n"), "1:4 aliases ('*name') are not allowed in a playbook");
  EXPECT_EQ(first("a: !!str 1\n"), "1:4 tags ('!name') are not allowed in a playbook");
  EXPECT_EQ(first("a: !own {b: 1}\n"), "1:4 tags ('!name') are not allowed in a playbook");
  EXPECT_EQ(first("a: 1\nb: 2\na: 3\n"), "3:1 duplicate key 'a'");
  EXPECT_EQ(first("<<: {a: 1}\n"), "1:1 merge keys ('<<') are not allowed in a playbook");
  EXPECT_EQ(first("a: 1\n---\nb: 2\n"),
            "2:1 a second document begins here; a playbook is one document");
  EXPECT_EQ(first("a: {{ b }}\n"), "1:5 a key must be a plain word");
  EXPECT_EQ(first("? [a]\n: 1\n"), "1:3 a key must be a plain word");
  EXPECT_EQ(first("a: \"b\n"), "1:4 this quote is not closed");
  EXPECT_EQ(first("a: 'b''\n"), "1:4 this quote is not closed");
  EXPECT_EQ(first("a: \"b\\\"\n"), "1:4 this quote is not closed");
  EXPECT_EQ(first("a:\n\t- b\n"), "2:1 a tab is not allowed as indentation");
  EXPECT_EQ(first(""), "1:1 the file is empty; expected a playbook");
  EXPECT_EQ(first("# only a comment\n"), "1:1 the file is empty; expected a playbook");
  EXPECT_EQ(first("a: \xff\n"), "1:4 this is not UTF-8 text");
  EXPECT_EQ(first("a: \xed\xa0\x80\n"), "1:4 this is not UTF-8 text");
  EXPECT_EQ(first(std::string("a: b\0c\n", 7)), "1:5 a control character");
}

TEST(YamlReader, says_what_the_library_finds_in_words_of_its_own) {
  EXPECT_EQ(first("a: b: c\n"), "1:5 a ':' is not allowed here");
  EXPECT_EQ(first("a: 1\nb\nc: 2\n"),
            "2:1 expected a key of the map above, or a line with less indentation");
  EXPECT_EQ(first("a: [1, 2\nb: 3\n").substr(0, 2), "2:");
  EXPECT_EQ(first("a: @b\n"), "1:4 unexpected character");
  EXPECT_EQ(first("a: \"\\q\"\n").substr(4), "an unknown escape after '\\'");
  EXPECT_EQ(first("%nonsense\n---\na: 1\n"), "1:1 a '%' line is not allowed here");
  EXPECT_EQ(first("a: !x!y 1\n"), "1:4 tags ('!name') are not allowed in a playbook");
  EXPECT_EQ(first("a: {b}}\n").find("YAML:"), std::string::npos);
  EXPECT_EQ(first(std::string(1100, 'k') + ": 1\n"), "1:1 a key has 1024 characters at most");
  EXPECT_EQ(first("~: 1\n"), "1:1 a key is missing before ':'");
}

TEST(YamlReader, finds_places_behind_characters_of_several_bytes) {
  std::string many;
  for (int i = 0; i < 300; ++i) many += "é";
  EXPECT_EQ(first("a: '" + many + "'\r\nb: [ü, &x 1]\r\n"),
            "2:8 anchors ('&name') are not allowed in a playbook");
  // Such a separator ends no line of an editor.
  EXPECT_EQ(first("a: 'x\xe2\x80\xa8y'\nb: &x 1\n"),
            "2:4 anchors ('&name') are not allowed in a playbook");
}

TEST(YamlReader, goes_on_after_a_duplicate_key_and_keeps_the_first) {
  Read r = read("a: 1\na: 2\nb: 3\n");
  ASSERT_TRUE(r.root);
  EXPECT_EQ(to_json(plain_value(*r.root)), R"({"a":1,"b":3})");
  std::string many;
  for (int i = 0; i < 100; ++i) many += "k" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(first(many + "k50: 2\n"), "101:1 duplicate key 'k50'");
}

TEST(YamlReader, bounds_depth_and_size) {
  auto nested = [](int n) {
    return std::string(static_cast<size_t>(n), '[') + std::string(static_cast<size_t>(n), ']');
  };
  EXPECT_EQ(first(nested(limits::kYamlMaxDepth)), "");
  EXPECT_EQ(first(nested(limits::kYamlMaxDepth + 1)), "1:101 nested deeper than 100 levels");
  // What has the right size is read; here its first byte is refused, for speed.
  std::string fits = "\xff" + std::string(limits::kPlaybookMax - 1, ' ');
  EXPECT_EQ(first(fits), "1:1 this is not UTF-8 text");
  EXPECT_EQ(first(fits + " "), "1:1 the playbook has " + std::to_string(limits::kPlaybookMax + 1) +
                                   " bytes; the most is " + std::to_string(limits::kPlaybookMax));
}

TEST(YamlReader, survives_hostile_texts) {
  auto repeated = [](const std::string& part, int n) {
    std::string text;
    for (int i = 0; i < n; ++i) text += part;
    return text;
  };
  for (const char* part :
       {"[",   "{a: ",  "- ",   "? ", "[{", "{[",  "&a ",  "!a ", "\"", "'",   "|\n",
        "a: ", "---\n", "\n  ", ": ", ", ", "*a ", "%a\n", "\\",  "#",  "<<: "}) {
    EXPECT_LE(read(repeated(part, 5000)).found.size(), Diagnostics::kMost) << part;
  }
  const std::string text = "a: [1, {b: 'c'}]\nd: |\n  e\n  f\ng: \"h\\u00e9\"\n";
  for (size_t n = 0; n <= text.size(); ++n) read(text.substr(0, n));
  for (size_t n = 0; n < text.size(); ++n) {
    for (char c : {'\0', '\xff', '[', '{', '"', '\'', '&', '*', '!', ':', '\n', '\t'}) {
      std::string changed = text;
      changed[n] = c;
      Read r = read(changed);
      EXPECT_TRUE(r.root || !r.found.empty());
    }
  }
}

}  // namespace
}  // namespace tidemill::playbook
