// Unit tests of expressions: tables of expression and value or error.
#include "playbook/internal/template_fixture.h"

namespace tidemill::playbook {
namespace {

using ExpressionTest = TemplateTest;

TEST_F(ExpressionTest, Literals) {
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

TEST_F(ExpressionTest, Access) {
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

TEST_F(ExpressionTest, Slices) {
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

TEST_F(ExpressionTest, Arithmetic) {
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

TEST_F(ExpressionTest, ArithmeticNeverWraps) {
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

TEST_F(ExpressionTest, Comparison) {
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

TEST_F(ExpressionTest, StatusSuccessIsOk) {
  check_expressions({{"output.status == 'success'", "true"},
                     {"'success' == output.status", "true"},
                     {"output.status != 'success'", "false"},
                     {"output.status == 'ok'", "true"},
                     {"output.status == 'error'", "false"},
                     {"output['status'] == \"success\"", "true"},
                     {"'ok' == 'success'", "false"},
                     {"{'status': 'ok'}.status == 'success'", "false"}});
}

TEST_F(ExpressionTest, Logic) {
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

TEST_F(ExpressionTest, Tests) {
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

TEST_F(ExpressionTest, ConversionFilters) {
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

TEST_F(ExpressionTest, TextFilters) {
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

TEST_F(ExpressionTest, ListFilters) {
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

TEST_F(ExpressionTest, FiltersOfEachItem) {
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

TEST_F(ExpressionTest, NumberAndEncodingFilters) {
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

TEST_F(ExpressionTest, Methods) {
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

}  // namespace
}  // namespace tidemill::playbook
