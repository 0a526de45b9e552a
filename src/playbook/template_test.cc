// Unit tests of templates: rendering, blocks, undefined, errors, limits, and the document's
// examples.
#include <fstream>
#include <sstream>

#include "base/hash.h"
#include "model/limits.h"
#include "playbook/internal/template_fixture.h"

namespace tidemill::playbook {
namespace {

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
  EXPECT_TRUE(needs_fuel(
      "{% for i in range(10000) %}{% for j in range(10000) %}{% endfor %}{% endfor %}", 2'000'000));
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

// Sentences of random words: each is compiled or refused, evaluated or refused, and what a template
// says of itself holds.
TEST_F(TemplateTest, RandomSentencesAreAnswered) {
  const std::vector<std::string> words = {"{{",      "}}",       "{%",          "%}",
                                          "if",      "for",      "in",          "endif",
                                          "endfor",  "else",     "set",         "=",
                                          "n",       "list",     "rows",        "m",
                                          "name",    "uni",      "output",      "loop",
                                          "x",       "nothing",  "nowhere",     ".a",
                                          ".data",   "[0]",      "[-1]",        "[1:]",
                                          "[::-1]",  ".0",       ".items()",    ".get('a')",
                                          "1",       "2.5",      "'a,b'",       "-",
                                          "+",       "*",        "**",          "//",
                                          "%",       "~",        "==",          "<",
                                          "and",     "or",       "not",         "is",
                                          "defined", "even",     "(",           ")",
                                          "[",       "]",        "{",           "}",
                                          ",",       ":",        "|int",        "|upper",
                                          "|length", "|sort",    "|first",      "|map('string')",
                                          "|tojson", "|unique",  "|d(1)",       "|join",
                                          "|items",  "range(3)", "|split(',')", "|select"};
  uint64_t state = 1;
  const auto random = [&state](size_t n) { return static_cast<size_t>(mix64(state++) % n); };
  int evaluated = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = i % 2 == 0 ? "{{ n" : "";
    for (size_t n = random(10) + 1; n > 0; --n) text += ' ' + words[random(words.size())];
    if (i % 2 == 0) text += " }}";
    const Evaluated<Template> t = Template::compile(text, kHere);
    if (!t.ok()) {
      EXPECT_FALSE(t.error().text.empty()) << text;
      EXPECT_EQ(t.error().at.line, kHere.line) << text;
      continue;
    }
    Fuel fuel{kRoutingFuel};
    const Evaluated<Value> v = t.value().evaluate(scope_, fuel);
    if (!v.ok()) {
      EXPECT_FALSE(v.error().text.empty()) << text;
      continue;
    }
    ++evaluated;
    EXPECT_FALSE(v.value().is_undefined()) << text;
    EXPECT_TRUE(parse_json(to_json(v.value())).ok()) << text;
    Fuel again{kRoutingFuel};
    EXPECT_TRUE(equal(v.value(), t.value().evaluate(scope_, again).value())) << text;
  }
  EXPECT_GT(evaluated, 500);
}

// The text of each fenced block of the document with this info string.
std::vector<std::string> fenced_blocks(const std::string& document, const std::string& info) {
  std::vector<std::string> blocks;
  const std::string fence = "```" + info + "\n";
  for (size_t at = document.find(fence); at != std::string::npos; at = document.find(fence, at)) {
    at += fence.size();
    const size_t end = document.find("```", at);
    blocks.push_back(document.substr(at, end - at));
  }
  return blocks;
}

TEST_F(TemplateTest, TheExamplesOfTheDocumentAreTrue) {
  std::stringstream document;
  document << std::ifstream("docs/playbook.md").rdbuf();
  const auto scopes = fenced_blocks(document.str(), "json scope");
  ASSERT_EQ(scopes.size(), 1U) << "tests run in the source tree";
  const Value names = json(scopes.front());
  scope_ = Scope(names.as_map());
  int examples = 0;
  const std::string arrow = " → ";
  for (const std::string& block : fenced_blocks(document.str(), "expressions")) {
    std::istringstream lines(block);
    for (std::string line; std::getline(lines, line); ++examples) {
      const size_t at = line.find(arrow);
      ASSERT_NE(at, std::string::npos) << line;
      std::string text = line.substr(0, at);
      text.erase(text.find_last_not_of(' ') + 1);
      EXPECT_EQ(run(text), line.substr(at + arrow.size())) << text;
    }
  }
  EXPECT_GT(examples, 40);
}

}  // namespace
}  // namespace tidemill::playbook
