// Unit tests of templates and expressions: tables of text, scope and value or error.
#include "playbook/template.h"

#include <gtest/gtest.h>

#include "model/limits.h"
#include "playbook/json.h"

namespace tidemill::playbook {
namespace {

constexpr Position kHere{10, 5};

Value json(std::string_view text) {
  Result<Value> v = parse_json(text);
  EXPECT_TRUE(v.ok()) << text;
  return v.ok() ? std::move(v).value() : Value();
}

// The names that all tables use.
const char* const kScope = R"({
  "n": 7, "x": 2.5, "yes": true, "nothing": null, "name": "Ada", "empty": "",
  "list": [3, 1, 2], "words": ["b", "A", "c"], "big": 9223372036854775807,
  "rows": [{"id": 1, "tag": "x", "v": {"w": 10}}, {"id": 2, "tag": "y", "v": {"w": 20}}],
  "m": {"a": 1, "b": {"c": [10, 20]}, "items": "own", "0": "zero"},
  "output": {"status": "ok", "data": {"data": {"paging": {"hasMore": true, "page": 3}}}},
  "ctx": {"total": 5}, "iter": {"page": 2}, "workload": {"facility": "f1"}, "uni": "äöü€🌊"
})";

class TemplateTest : public testing::Test {
 protected:
  TemplateTest() : names_(json(kScope)), scope_(names_.as_map()) {}

  // The value as JSON ("undefined" for undefined), or "error: text".
  std::string run(std::string_view text) { return run_with(text, kWorkerFuel); }
  std::string run_with(std::string_view text, int64_t steps) {
    const Evaluated<Template> t = Template::compile(text, kHere);
    if (!t.ok()) return "compile " + place(t.error().at) + ": " + t.error().text;
    Fuel fuel{steps};
    return show(t.value().evaluate(scope_, fuel));
  }
  std::string expression(std::string_view text) {
    const Evaluated<Template> t = Template::compile_expression(text, kHere);
    if (!t.ok()) return "compile " + place(t.error().at) + ": " + t.error().text;
    Fuel fuel{kWorkerFuel};
    return show(t.value().evaluate_condition(scope_, fuel));
  }
  static std::string place(Position p) {
    return std::to_string(p.line) + ":" + std::to_string(p.column);
  }
  static std::string show(const Evaluated<Value>& v) {
    if (!v.ok()) return (v.error().needs_fuel ? "fuel: " : "error: ") + v.error().text;
    if (v.value().is_undefined()) return "undefined " + v.value().undefined_reference();
    return to_json(v.value());
  }
  struct Row {
    const char* text;
    const char* expected;
  };
  void check_expressions(const std::vector<Row>& rows) {
    for (const Row& row : rows) EXPECT_EQ(expression(row.text), row.expected) << row.text;
  }
  void check_templates(const std::vector<Row>& rows) {
    for (const Row& row : rows) EXPECT_EQ(run(row.text), row.expected) << row.text;
  }

  Value names_;
  Scope scope_;
};

TEST_F(TemplateTest, Literals) {
  check_expressions(
      {{"1", "1"},
       {"1_000", "1000"},
       {"1.5", "1.5"},
       {"2e3", "2000.0"},
       {"'a\\n\\'b\\u00e4\\x41\\d'", "\"a\\n'bäA\\\\d\""},
       {"\"say \\\"hi\\\"\"", "\"say \\\"hi\\\"\""},
       {"[1, 'a', [], ]", "[1,\"a\",[]]"},
       {"(1, 2)", "[1,2]"},
       {"(1,)", "[1]"},
       {"()", "[]"},
       {"(1)", "1"},
       {"{'a': 1, 'b': {'c': [1]}, }", "{\"a\":1,\"b\":{\"c\":[1]}}"},
       {"{1: 2}", "{\"1\":2}"},
       {"{}", "{}"},
       {"[True, true, False, false, None, none, null]", "[true,true,false,false,null,null,null]"},
       {"-1", "-1"},
       {"- 2.5", "-2.5"}});
}

TEST_F(TemplateTest, Access) {
  check_expressions({{"m.a", "1"},
                     {"m['a']", "1"},
                     {"m.b.c[0]", "10"},
                     {"m.b.c[-1]", "20"},
                     {"m.b.c.1", "20"},
                     {"rows.0.v.w", "10"},
                     {"rows[n - 6].id", "2"},
                     {"m[0]", "\"zero\""},
                     {"m.items", "\"own\""},
                     {"m.b['c'][1]", "20"},
                     {"name[0]", "\"A\""},
                     {"name[-1]", "\"a\""},
                     {"uni[3]", "\"€\""},
                     {"uni[-1]", "\"🌊\""},
                     {"[[1,2],[3]][0][1]", "2"},
                     {"{'k': {'l': 5}}.k.l", "5"},
                     {"('{\"a\":[{\"b\":7}]}' | fromjson).a[0].b", "7"},
                     {"m.x", "undefined m.x"},
                     {"m.x.y[0].z", "undefined m.x.y[0].z"},
                     {"list[3]", "undefined list[3]"},
                     {"list[-4]", "undefined list[-4]"},
                     {"list['a']", "undefined list['a']"},
                     {"nothing.a", "undefined nothing.a"},
                     {"nowhere", "undefined nowhere"}});
}

TEST_F(TemplateTest, Slices) {
  check_expressions({{"list[1:]", "[1,2]"},
                     {"list[:1]", "[3]"},
                     {"list[:]", "[3,1,2]"},
                     {"list[::-1]", "[2,1,3]"},
                     {"list[-2:]", "[1,2]"},
                     {"list[5:9]", "[]"},
                     {"list[2:0:-1]", "[2,1]"},
                     {"list[-9:9:2]", "[3,2]"},
                     {"range(10)[1:8:3]", "[1,4,7]"},
                     {"name[:2]", "\"Ad\""},
                     {"uni[1:4]", "\"öü€\""},
                     {"name[::-1]", "\"adA\""},
                     {"list[9223372036854775807:]", "[]"},
                     {"list[::9223372036854775807]", "[3]"},
                     {"list[::0]", "error: the step of a slice cannot be 0"},
                     {"list['a':]", "error: a slice is bounded by integers, not by a string"},
                     {"m[1:]", "error: a slice is taken of a list or a string, not of a map"}});
}

TEST_F(TemplateTest, Arithmetic) {
  check_expressions({{"1 + 2 * 3", "7"},
                     {"(1 + 2) * 3", "9"},
                     {"7 / 2", "3.5"},
                     {"6 / 2", "3.0"},
                     {"7 // 2", "3"},
                     {"-7 // 2", "-4"},
                     {"-7 % 3", "2"},
                     {"7 % -3", "-2"},
                     {"7.5 // 2", "3.0"},
                     {"-7.5 % 2", "0.5"},
                     {"2 ** 10", "1024"},
                     {"2 ** 62", "4611686018427387904"},
                     {"2 ** 3 ** 2", "512"},
                     {"2 ** -2", "0.25"},
                     {"1.5 ** 2", "2.25"},
                     {"(-2) ** 63", "-9223372036854775808"},
                     {"1 - -1", "2"},
                     {"+yes", "1"},
                     {"yes + 1", "2"},
                     {"0.1 + 0.2", "0.30000000000000004"},
                     {"'a' + 'b'", "\"ab\""},
                     {"[1] + [2]", "[1,2]"},
                     {"'ab' * 3", "\"ababab\""},
                     {"[0] * 3", "[0,0,0]"},
                     {"3 * 'a'", "\"aaa\""},
                     {"'a' * -1", "\"\""},
                     {"1 ~ 'a' ~ 2.0 ~ none ~ true ~ [1]", "\"1a2.0true[1]\""},
                     {"1 + 2 ~ 3 * 4",
                      "error: cannot compute integer + string; join texts with ~, "
                      "or convert with | int"}});
}

TEST_F(TemplateTest, ArithmeticNeverWraps) {
  const std::string overflow =
      "error: the result does not fit into 64 bits; convert with | float where that is meant";
  for (const char* text :
       {"big + 1", "-big - 2", "big * 2", "(-big - 1) // -1", "-(-big - 1)", "2 ** 63", "3 ** 100",
        "(-2) ** 65", "(-big - 1) | abs", "[big, 1] | sum"}) {
    EXPECT_EQ(expression(text), overflow) << text;
  }
  check_expressions(
      {{"big", "9223372036854775807"},
       {"-big - 1", "-9223372036854775808"},
       {"(-big - 1) % -1", "0"},
       {"big | float + 1", "9223372036854775808.0"},
       {"1 / 0", "error: division by zero"},
       {"1 // 0.0", "error: division by zero"},
       {"1 % 0", "error: division by zero"},
       {"0 ** -1", "error: division by zero"},
       {"2 ** 0.5", "error: the exponent of ** must be a whole number"},
       {"'a' - 1", "error: cannot compute string - integer; convert with | int or | float"},
       {"'%d' % 1", "error: cannot compute string % integer; texts are joined with ~"},
       {"none + 1", "error: cannot compute null + integer"},
       {"-name", "error: cannot negate a string"}});
}

TEST_F(TemplateTest, Comparison) {
  check_expressions(
      {{"1 == 1.0", "true"},
       {"1 != '1'", "true"},
       {"yes == 1", "true"},
       {"1 < 2.5", "true"},
       {"'a' < 'b'", "true"},
       {"[1, 2] < [1, 3]", "true"},
       {"[1, 'a'] == [1, 'a']", "true"},
       {"{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", "true"},
       {"n >= 7 and n <= 7", "true"},
       {"none == none", "true"},
       {"'1' < 2", "error: cannot order string and integer; convert with | int or | float"},
       {"none < 2", "error: cannot order null and integer"},
       {"1 in list", "true"},
       {"9 not in list", "true"},
       {"'da' in name", "true"},
       {"'a' in m", "true"},
       {"'z' in m", "false"},
       {"0 in m", "true"},
       {"1 in 5", "error: 'in' looks into a list, a map or a string, not into a integer"},
       {"1 in name",
        "error: only a string can be in a string, not a integer; convert with "
        "| string"},
       {"output.data.data.paging.hasMore == true", "true"}});
}

TEST_F(TemplateTest, StatusSuccessIsOk) {
  check_expressions({{"output.status == 'success'", "true"},
                     {"'success' == output.status", "true"},
                     {"output.status != 'success'", "false"},
                     {"output.status == 'ok'", "true"},
                     {"output.status == 'error'", "false"},
                     {"output['status'] == \"success\"", "true"},
                     {"'ok' == 'success'", "false"},
                     {"{'status': 'ok'}.status == 'success'", "false"}});
}

TEST_F(TemplateTest, Logic) {
  check_expressions({{"0 or 'x'", "\"x\""},
                     {"1 and 'x'", "\"x\""},
                     {"0 and nowhere", "0"},
                     {"1 or nowhere", "1"},
                     {"[] or {} or none", "null"},
                     {"not ''", "true"},
                     {"not not 5", "true"},
                     {"not n is defined", "false"},
                     {"not 1 == 2", "true"},
                     {"true and not false or false", "true"},
                     {"1 if n > 5 else 2", "1"},
                     {"1 if n > 9 else 2", "2"},
                     {"1 if false else 2 if false else 3", "3"},
                     {"1 if false", "undefined "},
                     {"(1 if false) | default(9)", "9"}});
}

TEST_F(TemplateTest, Tests) {
  check_expressions(
      {{"n is defined", "true"},
       {"nowhere is defined", "false"},
       {"m.q.r is undefined", "true"},
       {"n is not defined", "false"},
       {"nothing is none", "true"},
       {"nowhere is none", "false"},
       {"name is string", "true"},
       {"x is number and n is number", "true"},
       {"yes is number", "false"},
       {"m is mapping", "true"},
       {"list is mapping", "false"},
       {"list is sequence", "true"},
       {"n is iterable", "false"},
       {"yes is boolean", "true"},
       {"n is integer", "true"},
       {"x is float", "true"},
       {"yes is true", "true"},
       {"1 is true", "false"},
       {"false is false", "true"},
       {"4 is even", "true"},
       {"-3 is odd", "true"},
       {"9 is divisibleby 3", "true"},
       {"9 is divisibleby(2)", "false"},
       {"2 is in [1, 2]", "true"},
       {"3 is not in([1, 2])", "true"},
       {"n is eq 7", "true"},
       {"'x' is even", "error: test 'even': expected a number, not a value of kind string"},
       {"1 + n is number", "2"}});
}

TEST_F(TemplateTest, ConversionFilters) {
  check_expressions(
      {{"'42' | int", "42"},
       {"' 42 ' | int", "42"},
       {"'4.9' | int", "4"},
       {"-4.9 | int", "-4"},
       {"'abc' | int", "0"},
       {"'abc' | int(-1)", "-1"},
       {"'ff' | int(base=16)", "255"},
       {"none | int", "0"},
       {"true | int", "1"},
       {"'99999999999999999999' | int",
        "error: filter 'int': '99999999999999999999' does not fit into 64 bits"},
       {"1e300 | int", "error: filter 'int': the number does not fit into 64 bits"},
       {"'1.5' | float", "1.5"},
       {"'x' | float(2.0)", "2.0"},
       {"3 | float", "3.0"},
       {"3 | string", "\"3\""},
       {"true | string", "\"true\""},
       {"[1, {'a': none}] | string", "\"[1,{\\\"a\\\":null}]\""},
       {"'no' | bool", "false"},
       {"'yes' | bool", "true"},
       {"0 | bool", "false"},
       {"nowhere | default('d')", "\"d\""},
       {"nowhere.a.b | d(1)", "1"},
       {"nowhere | default", "\"\""},
       {"nothing | default('d')", "null"},
       {"nothing | default('d', true)", "\"d\""},
       {"empty | default('d', boolean=true)", "\"d\""},
       {"nowhere | default(m.q)", "undefined m.q"},
       {"nowhere | default(m.q) | default(3)", "3"},
       {"{'a': [1, 2.0]} | tojson", "\"{\\\"a\\\":[1,2.0]}\""},
       {"'[1, {\"a\": null}]' | fromjson", "[1,{\"a\":null}]"},
       {"'[1,' | fromjson",
        "error: filter 'fromjson': JSON: expected a JSON value at the end, offset 3"}});
}

TEST_F(TemplateTest, TextFilters) {
  check_expressions(
      {{"'aBÄ' | lower", "\"abä\""},
       {"'aßä' | upper", "\"ASSÄ\""},
       {"'привет Σίσυφος' | upper", "\"ПРИВЕТ ΣΊΣΥΦΟΣ\""},
       {"5 | upper", "\"5\""},
       {"'hello wOrld' | title", "\"Hello World\""},
       {"'hELLO' | capitalize", "\"Hello\""},
       {"'  a b ' | trim", "\"a b\""},
       {"'xxaxx' | trim('x')", "\"a\""},
       {"'a-b-c' | replace('-', '+')", "\"a+b+c\""},
       {"'aaa' | replace('a', 'b', 2)", "\"bba\""},
       {"'ab' | replace('', '-')", "\"-a-b-\""},
       {"\"it's\" | replace(\"'\", \"''\")", "\"it''s\""},
       {"'a,b,,c' | split(',')", "[\"a\",\"b\",\"\",\"c\"]"},
       {"' a  b ' | split", "[\"a\",\"b\"]"},
       {"'a b c' | split(maxsplit=1)", "[\"a\",\"b c\"]"},
       {"'a,b,c' | split(',', 1)", "[\"a\",\"b,c\"]"},
       {"'' | split(',')", "[\"\"]"},
       {"[1, 'a', none] | join('-')", "\"1-a-\""},
       {"rows | join(',', attribute='v.w')", "\"10,20\""},
       {"'€🌊' | length", "2"},
       {"m | length", "4"},
       {"list | count", "3"},
       {"'aä' | reverse", "\"äa\""},
       {"3 | length",
        "error: filter 'length': expected a list, a map or a string, not a "
        "value of kind integer"},
       {"list | upper", "error: filter 'upper': expected a string, not a value of kind list"}});
}

TEST_F(TemplateTest, ListFilters) {
  check_expressions(
      {{"list | first", "3"},
       {"list | last", "2"},
       {"[] | first", "undefined "},
       {"name | first", "\"A\""},
       {"m.b | keys", "[\"c\"]"},
       {"m.b | values", "[[10,20]]"},
       {"{'a': 1} | items", "[[\"a\",1]]"},
       {"m | get('a')", "1"},
       {"m | get('q')", "null"},
       {"m | get('q', 5)", "5"},
       {"list | sort", "[1,2,3]"},
       {"list | sort(reverse=true)", "[3,2,1]"},
       {"words | sort", "[\"A\",\"b\",\"c\"]"},
       {"words | sort(case_sensitive=true)", "[\"A\",\"b\",\"c\"]"},
       {"['b', 'B', 'a'] | sort", "[\"a\",\"b\",\"B\"]"},
       {"['b', 'a', 'B'] | sort(case_sensitive=true)", "[\"B\",\"a\",\"b\"]"},
       {"[2, 'a', none, 1.5, true, [1]] | sort", "[null,true,1.5,2,\"a\",[1]]"},
       {"rows | sort(attribute='id', reverse=true) | map(attribute='tag')", "[\"y\",\"x\"]"},
       {"rows | sort(attribute='v.w') | map(attribute='id')", "[1,2]"},
       {"[1, 1.0, 2, 'a', 'A', true] | unique", "[1,2,\"a\"]"},
       {"['a', 'A'] | unique(case_sensitive=true)", "[\"a\",\"A\"]"},
       {"list | min", "1"},
       {"list | max", "3"},
       {"rows | max(attribute='id')", "{\"id\":2,\"tag\":\"y\",\"v\":{\"w\":20}}"},
       {"[] | max", "undefined "},
       {"list | sum", "6"},
       {"rows | sum(attribute='v.w')", "30"},
       {"[1, 2.5] | sum(start=1)", "4.5"},
       {"['a'] | sum", "error: filter 'sum': an item is no number; convert with map('int')"},
       {"'abc' | list", "[\"a\",\"b\",\"c\"]"},
       {"m.b | list", "[\"c\"]"},
       {"range(5) | batch(2)", "[[0,1],[2,3],[4]]"},
       {"range(3) | batch(2, 0)", "[[0,1],[2,0]]"},
       {"list | reverse", "[2,1,3]"}});
}

TEST_F(TemplateTest, FiltersOfEachItem) {
  check_expressions(
      {{"['1', '2'] | map('int')", "[1,2]"},
       {"['a-b'] | map('replace', '-', '+')", "[\"a+b\"]"},
       {"rows | map(attribute='v.w') | list", "[10,20]"},
       {"rows | map(attribute='q', default=0)", "[0,0]"},
       {"rows | map(attribute='q')",
        "error: filter 'map': in an item, the value has no 'q'; it has: id, tag, v; give default="},
       {"[0, 1, '', 'a'] | select", "[1,\"a\"]"},
       {"[0, 1, '', 'a'] | reject", "[0,\"\"]"},
       {"range(6) | select('even')", "[0,2,4]"},
       {"range(6) | reject('divisibleby', 3)", "[1,2,4,5]"},
       {"[1, 5, 9] | select('gt', 4)", "[5,9]"},
       {"['a', 'b'] | select('in', ['b'])", "[\"b\"]"},
       {"rows | selectattr('id', 'equalto', 2) | map(attribute='tag')", "[\"y\"]"},
       {"rows | selectattr('v.w', '>', 10) | list | length", "1"},
       {"rows | selectattr('q', 'defined') | list", "[]"},
       {"rows | rejectattr('q') | list | length", "2"},
       {"rows | map('get', 'id')", "[1,2]"},
       {"rows | map(n)", "compile 10:12: expected the name of a filter as a string in quotes"},
       {"rows | map('uper')", "compile 10:12: there is no filter 'uper'; did you mean 'upper'?"}});
}

TEST_F(TemplateTest, NumberAndEncodingFilters) {
  check_expressions(
      {{"-5 | abs", "5"},
       {"-2.5 | abs", "2.5"},
       {"2.675 | round(2)", "2.67"},
       {"2.5 | round", "2.0"},
       {"3.5 | round", "4.0"},
       {"2.1 | round(method='ceil')", "3.0"},
       {"-2.1 | round(0, 'floor')", "-3.0"},
       {"1234 | round(-2)", "1200"},
       {"7 | round", "7"},
       {"3.7 | round | int", "4"},
       {"'äb' | b64encode", "\"w6Ri\""},
       {"'' | b64encode", "\"\""},
       {"'a' | b64encode", "\"YQ==\""},
       {"'w6Ri' | b64decode", "\"äb\""},
       {"'YQ' | b64decode", "\"a\""},
       {"'%%' | b64decode", "error: filter 'b64decode': this is no base64: '%%'"},
       {"'/w==' | b64decode", "error: filter 'b64decode': the decoded bytes are not text (UTF-8)"},
       {"'a b/c&ä' | urlencode", "\"a%20b/c%26%C3%A4\""},
       {"{'a': 'b c', 'd': 1} | urlencode", "\"a=b%20c&d=1\""},
       {"'a' | hash", "\"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\""},
       {"'a' | hash('md5')", "\"0cc175b9c0f1b6a831c399e269772661\""},
       {"'public.Jobs' | ident", "\"\\\"public\\\".\\\"Jobs\\\"\""},
       {"'a\"b' | ident", "\"\\\"a\\\"\\\"b\\\"\""},
       {"'a..b' | ident", "error: filter 'ident': 'a..b' is no SQL identifier"}});
}

TEST_F(TemplateTest, Methods) {
  check_expressions(
      {{"m.get('a')", "1"},
       {"m.get('q')", "null"},
       {"m.get('q', 4)", "4"},
       {"m.b.items()", "[[\"c\",[10,20]]]"},
       {"m.b.keys()", "[\"c\"]"},
       {"m.b.values() | first | last", "20"},
       {"name.lower()", "\"ada\""},
       {"name.upper().lower()", "\"ada\""},
       {"'a,b'.split(',')[1]", "\"b\""},
       {"' a '.strip()", "\"a\""},
       {"'xax'.lstrip('x')", "\"ax\""},
       {"'a-b'.replace('-', '')", "\"ab\""},
       {"name.startswith('A') and name.endswith('a')", "true"},
       {"', '.join(words)", "\"b, A, c\""},
       {"'äxa'.find('x')", "1"},
       {"'banana'.count('an')", "2"},
       {"[1, 1.0, 2].count(1)", "2"},
       {"'12'.isdigit()", "true"},
       {"'7'.zfill(3)", "\"007\""},
       {"'a\\nb\\r\\n'.splitlines()", "[\"a\",\"b\"]"},
       {"list.upper()", "error: a value of kind list has no method 'upper'"},
       {"list.append(1)",
        "compile 10:10: a value cannot be changed by 'append'; build a new "
        "one: list + [item]"},
       {"name.lowr()", "compile 10:10: there is no method 'lowr'; did you mean 'lower'?"},
       {"range(3)", "[0,1,2]"},
       {"range(1, 8, 3)", "[1,4,7]"},
       {"range(3, 0, -1)", "[3,2,1]"},
       {"range(-big - 1, big, big)", "[-9223372036854775808,-1,9223372036854775806]"},
       {"range(0)", "[]"},
       {"range(1, 2, 0)", "error: the step of range cannot be 0"},
       {"range('a')", "error: range is called with integers"}});
}

TEST_F(TemplateTest, Rendering) {
  check_templates({{"", "\"\""},
                   {"plain { text } %}", "\"plain { text } %}\""},
                   {"{{ n }}", "7"},
                   {"{{ list }}", "[3,1,2]"},
                   {"{{ n }}\n", "7"},
                   {"\n  {{ n }}\n", "7"},
                   {"{# why #}{{ n }}", "7"},
                   {" {{ n }}", "\" 7\""},
                   {"{{ n }}{{ n }}", "\"77\""},
                   {"a {{ x }} {{ yes }} {{ nothing }} {{ m.b }} {{ 3.0 }}",
                    "\"a 2.5 true  {\\\"c\\\":[10,20]} 3.0\""},
                   {"{{ '}}' }}", "\"}}\""},
                   {"{{ {'a': {'b': 1}} }}", "{\"a\":{\"b\":1}}"},
                   {"{{ '{{ n }}' }}", "\"{{ n }}\""},
                   {"http://x/{{ m.a }}?p={{ iter.page }}", "\"http://x/1?p=2\""},
                   {"a{#- c -#} b", "\"ab\""},
                   {"a {{- n -}} b", "\"a7b\""},
                   {"{% raw %}{{ n }}{% endraw %}", "\"{{ n }}\""},
                   {"a {%- raw -%} {{ n }} {%- endraw %} b", "\"a{{ n }} b\""}});
}

TEST_F(TemplateTest, Blocks) {
  check_templates(
      {{"{% if n == 7 %}seven{% elif n == 8 %}eight{% else %}other{% endif %}", "\"seven\""},
       {"{% if n == 8 %}a{% elif n == 7 %}b{% else %}c{% endif %}", "\"b\""},
       {"{% if nowhere %}a{% else %}c{% endif %}", "\"c\""},
       {"{% if false %}a{% endif %}", "\"\""},
       {"{% for i in list %}{{ i }},{% endfor %}", "\"3,1,2,\""},
       {"{% for i in list if i > 1 %}{{ loop.index }}:{{ i }} {% endfor %}", "\"1:3 2:2 \""},
       {"{% for i in [] %}x{% else %}none{% endfor %}", "\"none\""},
       {"{% for k, v in m.b.items() %}{{ k }}={{ v }}{% endfor %}", "\"c=[10,20]\""},
       {"{% for (k, v) in [[1, 2]] %}{{ k + v }}{% endfor %}", "\"3\""},
       {"{% for k in m.b %}{{ k }}{% endfor %}", "\"c\""},
       {"{% for i in list %}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}"
        "{{ loop.revindex }}{% if not loop.last %},{% endif %}{% endfor %}",
        "\"0truefalse33,1falsefalse32,2falsetrue31\""},
       {"{% for i in [1,2] %}{% for j in [1,2] %}{{ loop.index }}{{ i }}{{ j }} {% endfor %}{% "
        "endfor %}",
        "\"111 212 121 222 \""},
       {"{% for i in list %}{{ loop.previtem | default('-') }}{{ loop.nextitem | default('-') }} "
        "{% endfor %}",
        "\"-1 32 1- \""},
       {"{% set a = 2 %}{% set a = a * 3 %}{{ a }}", "\"6\""},
       {"{% set s %}<{{ n }}>{% endset %}{{ s ~ s }}", "\"<7><7>\""},
       {"{% set a = 1 %}{% for i in list %}{% set a = a + i %}{{ a }} {% endfor %}{{ a }}",
        "\"4 2 3 1\""},
       {"{% if true %}{% set a = 5 %}{% endif %}{{ a }}", "\"5\""},
       {"a\n  {%- if true -%}\n  b\n  {%- endif -%}\n c", "\"abc\""},
       {"{%+ if true %}a{% endif +%} b", "\"a b\""},
       {"{% for k, v in [[1]] %}{% endfor %}",
        "error: for: an item cannot be taken apart into 2 names; it is a list of 1"},
       {"{% for k, v in m %}{% endfor %}",
        "error: for: an item cannot be taken apart into 2 names; it is of kind string (loop over "
        "map.items() for keys and values)"},
       {"{% for i in n %}{% endfor %}", "error: for: expected a list, not a value of kind integer"},
       {"{% for i in nothing %}{% endfor %}", "error: for: expected a list, not null"}});
}

TEST_F(TemplateTest, UndefinedPassesOrIsNamed) {
  check_expressions({{"nowhere == nowhere2", "true"},
                     {"nowhere == none", "false"},
                     {"nowhere != 1", "true"},
                     {"nowhere < 1", "false"},
                     {"nowhere >= 1", "false"},
                     {"nowhere in [1]", "false"},
                     {"nowhere not in list", "true"},
                     {"not nowhere", "true"},
                     {"nowhere.a.b is defined", "false"},
                     {"m.q or 3", "3"},
                     {"5 if nowhere else 6", "6"}});
  check_templates(
      {{"{{ nowhere }}", "error: 'nowhere' is undefined: no such name here"},
       {"{{ worklod.facility }}",
        "error: 'worklod.facility' is undefined: did you mean 'workload'?"},
       {"{{ output.dta.rows }}",
        "error: 'output.dta.rows' is undefined: 'output' has no 'dta'; did you mean 'data'?"},
       {"{{ m.zzzzzz }}",
        "error: 'm.zzzzzz' is undefined: 'm' has no 'zzzzzz'; it has: a, b, items, 0"},
       {"{{ list[7] }}", "error: 'list[7]' is undefined: 'list' has 3 items"},
       {"{{ nothing.x }}", "error: 'nothing.x' is undefined: 'nothing' is null"},
       {"{{ name.x }}", "error: 'name.x' is undefined: 'name' is a string"},
       {"{{ rows[1].idd }}",
        "error: 'rows[1].idd' is undefined: 'rows[1]' has no 'idd'; did you mean 'id'?"},
       {"{{ rows[n - 6].idd }}",
        "error: 'rows[n - 6].idd' is undefined: 'rows[n - 6]' has no 'idd'; did you mean 'id'?"},
       {"{{ [] | first }}", "error: '[] | first' is undefined: it is empty"},
       {"a {{ nowhere }}", "error: 'nowhere' is undefined: no such name here"},
       {"{{ nowhere + 1 }}", "error: 'nowhere' is undefined: no such name here"},
       {"{{ 1 ~ nowhere }}", "error: 'nowhere' is undefined: no such name here"},
       {"{{ [nowhere] }}", "error: 'nowhere' is undefined: no such name here"},
       {"{{ {'a': nowhere} }}", "error: 'nowhere' is undefined: no such name here"},
       {"{{ nowhere | upper }}", "error: 'nowhere' is undefined: no such name here"},
       {"{{ m[nowhere] }}", "error: 'nowhere' is undefined: no such name here"},
       {"{{ 1 in nowhere }}", "error: 'nowhere' is undefined: no such name here"},
       {"{{ nowhere.get('a') }}", "error: 'nowhere' is undefined: no such name here"},
       {"{{ -nowhere }}", "error: 'nowhere' is undefined: no such name here"},
       {"{% for i in nowhere %}{% endfor %}", "error: 'nowhere' is undefined: no such name here"},
       {"{% set a = nowhere %}{{ a is defined }}{{ a }}", "error: 'nowhere' is undefined"},
       {"{{ m.q or m.r }}", "error: 'm.r' is undefined: 'm' has no 'r'; it has: a, b, items, 0"},
       {"{{ 1 if false }}",
        "error: the value is undefined: the condition is false and there is no else"}});
}

TEST_F(TemplateTest, CompileErrorsHavePlaceAndReason) {
  check_templates(
      {{"{{ 1 + }}", "compile 10:12: expected a value before '}}'"},
       {"{{ n", "compile 10:9: expected '}}' before the end of the text"},
       {"{{ }}", "compile 10:8: expected a value before '}}'"},
       {"{{ n n }}", "compile 10:10: expected an operator or '}}' before 'n'"},
       {"a\nbc {{ n | uper }}", "compile 11:15: there is no filter 'uper'; did you mean 'upper'?"},
       {"äöü {{ (1 }}", "compile 10:15: expected ')' before '}'"},
       {"{{ [1 2] }}", "compile 10:11: expected ',' or ']' before '2'"},
       {"{{ {'a' 1} }}", "compile 10:13: expected ':' before '1'"},
       {"{{ 'abc }}", "compile 10:8: the string that begins here has no closing quote"},
       {"{{ a && b }}", "compile 10:10: unexpected '&'; write and"},
       {"{{ 99999999999999999999 }}",
        "compile 10:8: the number '99999999999999999999' does not fit into 64 bits"},
       {"{{ 1 < 2 < 3 }}",
        "compile 10:14: expected 'and': comparisons are not chained (a < b and b < c), before '<'"},
       {"{{ now() }}", "compile 10:8: there is no function 'now'; only range can be called"},
       {"{{ int('5') }}", "compile 10:8: there is no function 'int'; it is a filter: value | int"},
       {"{{ n is defind }}", "compile 10:13: there is no test 'defind'; did you mean 'defined'?"},
       {"{{ n | replace('a') }}", "compile 10:12: filter 'replace' needs the argument 'new'"},
       {"{{ n | lower(1) }}", "compile 10:12: filter 'lower' takes no arguments"},
       {"{{ n | sort(revers=true) }}",
        "compile 10:17: filter 'sort' has no argument 'revers'; did you mean 'reverse'?"},
       {"{{ n | int(1, default=2) }}", "compile 10:19: the argument 'default' is given twice"},
       {"{{ n. }}", "compile 10:11: expected the name of an attribute after '.'"},
       {"{% if n %}a",
        "compile 10:16: the text ends, but the '{% if %}' of line 10 needs its '{% endif %}'"},
       {"{% endif %}", "compile 10:5: '{% endif %}' is here, but no block is open"},
       {"{% for i in n %}{% endif %}",
        "compile 10:21: '{% endif %}' is here, but the '{% for %}' of line 10 needs its '{% endfor "
        "%}'"},
       {"{% fro i in n %}", "compile 10:5: there is no block 'fro'; did you mean 'for'?"},
       {"{% for i of n %}", "compile 10:14: expected 'in' before 'of'"},
       {"{% if %}a{% endif %}", "compile 10:11: expected a value before '%}'"},
       {"{# open", "compile 10:5: this comment has no '#}'"},
       {"{% raw %}", "compile 10:5: this '{% raw %}' has no '{% endraw %}'"},
       {"{% set ctx.a = 1 %}",
        "compile 10:5: set gives a name of this template a value; use the step's "
        "own 'set' to write 'ctx'"}});
}

TEST_F(TemplateTest, Expressions) {
  check_expressions({{"{{ n > 5 }}", "true"},
                     {" {{ n }} ", "7"},
                     {"{{ n }}\n", "7"},
                     {"n > 5", "true"},
                     {"{'a': 1}", "{\"a\":1}"},
                     {"{% if n > 5 %}true{% else %}false{% endif %}", "\"true\""},
                     {"{{ n }} and {{ x }}",
                      "compile 10:5: expected one expression: write all of it inside one {{ }}"},
                     {"n == {{ x }}",
                      "compile 10:10: an expression reads names without braces: write all "
                      "of it inside one {{ }}"},
                     {"", "compile 10:5: an expression is missing here"},
                     {"n >", "compile 10:8: expected a value at the end of the expression"},
                     {"n 5", "compile 10:7: expected an operator before '5'"}});
}

TEST_F(TemplateTest, PositionsOfRuntimeErrors) {
  const auto where = [&](std::string_view text) {
    const Evaluated<Template> t = Template::compile(text, kHere);
    Fuel fuel{kWorkerFuel};
    const Evaluated<Value> v = t.value().evaluate(scope_, fuel);
    return v.ok() ? std::string("ok") : place(v.error().at);
  };
  EXPECT_EQ(where("{{ nowhere }}"), "10:8");
  EXPECT_EQ(where("one\ntwo {{ n + nowhere }}"), "11:16");
  EXPECT_EQ(where("{% for i in list %}\n{{ i / 0 }}{% endfor %}"), "11:8");
}

TEST_F(TemplateTest, FuelIsBounded) {
  const auto needs_fuel = [&](std::string_view text, int64_t steps) {
    return run_with(text, steps).starts_with("fuel: ");
  };
  EXPECT_FALSE(needs_fuel("{{ 1 + 2 }}", 3));
  EXPECT_TRUE(needs_fuel("{{ 1 + 2 }}", 2));
  EXPECT_TRUE(needs_fuel("{{ range(30000) | length }}", kRoutingFuel));
  EXPECT_TRUE(needs_fuel("{{ 'x' * 2000000 }}", kRoutingFuel));
  EXPECT_FALSE(needs_fuel("{{ 'x' * 1000000 }}", kRoutingFuel));
  EXPECT_TRUE(needs_fuel("{% for i in range(9000) %}{{ i }}{% endfor %}", kRoutingFuel));
  EXPECT_TRUE(
      needs_fuel("{% for i in range(10000) %}{% for j in range(10000) %}{% endfor %}{% endfor %}",
                 kWorkerFuel));
  EXPECT_TRUE(needs_fuel("{{ (range(4000) | list) == range(4000) }}{{ range(9000) | sort }}",
                         kRoutingFuel));
  EXPECT_TRUE(needs_fuel("{{ ('ab' * 600000) | replace('a', 'xyz') | length }}", kRoutingFuel));
}

TEST_F(TemplateTest, SizesAreBoundedHoweverMuchFuelThereIs) {
  check_expressions(
      {{"'x' * 100000000", "error: the text would be longer than 64 MiB"},
       {"('x' * 60000000) ~ ('y' * 60000000)", "error: the text would be longer than 64 MiB"},
       {"('x' * 1000000) | replace('x', 'y' * 1000)",
        "error: the text would be longer than 64 MiB"},
       {"range(20000000)", "error: the list would have more than 10000000 items"},
       {"[0] * 9223372036854775807", "error: the list would have more than 10000000 items"},
       {"'x' * 9223372036854775807", "error: the text would be longer than 64 MiB"},
       {"'1'.zfill(9223372036854775807)", "error: the text would be longer than 64 MiB"}});
  EXPECT_EQ(run("{% set a = 'x' * 40000000 %}{{ a }}{{ a }}"),
            "error: the text would be longer than 64 MiB");
}

TEST_F(TemplateTest, HostileNestingIsRefused) {
  const auto repeated = [](std::string_view part, size_t n) {
    std::string text;
    for (size_t i = 0; i < n; ++i) text += part;
    return text;
  };
  const size_t many = 100'000;
  for (const std::string& text :
       {repeated("(", many), repeated("[", many), repeated("{'a':", many),
        repeated("not ", many) + "1", repeated("-", many) + "n",
        repeated("1 if 1 else ", many) + "1", repeated("2 ** ", many) + "2",
        "n" + repeated(" + n", many), "n" + repeated(".a", many), "n" + repeated("[0]", many),
        "n" + repeated(" | int", many), "n" + repeated(" and n", many),
        "n" + repeated(".get('a')", many), "x" + repeated("[x", many)}) {
    const std::string result = expression(text);
    EXPECT_TRUE(result.starts_with("compile ")) << text.substr(0, 20) << result.substr(0, 80);
  }
  EXPECT_TRUE(run(repeated("{% if 1 %}", many)).starts_with("compile "));
  EXPECT_TRUE(run(repeated("{% for a in [1] %}", many)).starts_with("compile "));
  // Wide is not deep.
  EXPECT_EQ(expression("[" + repeated("1,", many) + "] | length"), std::to_string(many));
  EXPECT_EQ(expression("('a'" + repeated(" ~ 'b'", many) + ") | length"), std::to_string(many + 1));
  // At the bound and one past.
  const auto nested = [&](size_t n) { return repeated("(", n) + "1" + repeated(")", n); };
  EXPECT_EQ(expression(nested(limits::kTemplateDepth - 1)), "1");
  EXPECT_TRUE(expression(nested(limits::kTemplateDepth)).starts_with("compile "));
}

TEST_F(TemplateTest, ValuesNeverGetTooDeep) {
  std::string deep(limits::kJsonMaxDepth, '[');
  deep += std::string(limits::kJsonMaxDepth, ']');
  Scope scope(&scope_);
  scope.set("deep", json(deep));
  const Evaluated<Template> t = Template::compile_expression("[deep]", kHere);
  Fuel fuel{kWorkerFuel};
  const Evaluated<Value> v = t.value().evaluate(scope, fuel);
  ASSERT_FALSE(v.ok());
  EXPECT_EQ(v.error().text, "the value would have more than 512 levels of lists and maps");
}

TEST_F(TemplateTest, EveryCutAndEveryByteIsAnswered) {
  const std::string text =
      "a{% for k, v in m.items() if k %}{{ k | replace('a', \"b\") ~ v[1:2] }}{# c #}{% else %}"
      "{% set q = {'x': [1, 2.5e1]} %}{{- q.x[0] if q is defined else -1 -}}{% endfor %}";
  for (size_t n = 0; n <= text.size(); ++n) {
    run(text.substr(0, n));
    expression(text.substr(n));
    std::string changed = text;
    for (const char c : {'{', '}', '%', '\'', '(', '\\', '\0', '\xFF'}) {
      if (n == text.size()) break;
      changed[n] = c;
      run_with(changed, kRoutingFuel);
    }
  }
}

}  // namespace
}  // namespace tidemill::playbook
