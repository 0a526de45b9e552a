// Unit tests of what a template says about itself: references, kind, pieces; and of Scope and
// nearest.
#include <gtest/gtest.h>

#include "playbook/json.h"
#include "playbook/template.h"

namespace tidemill::playbook {
namespace {

// "a.b c? …": paths with dots, a question mark where undefined may pass.
std::string references(std::string_view text) {
  const Evaluated<Template> t = Template::compile(text, {1, 1});
  if (!t.ok()) return "error: " + t.error().text;
  std::string all;
  for (const Reference& reference : t.value().references()) {
    if (!all.empty()) all += ' ';
    for (size_t i = 0; i < reference.path.size(); ++i) {
      all += (i == 0 ? "" : ".") + reference.path[i];
    }
    if (!reference.checked) all += '?';
  }
  return all;
}

TEST(ReferencesTest, AreStaticPaths) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"plain", ""},
      {"{{ a }}", "a"},
      {"{{ a.b.c }}", "a.b.c"},
      {"{{ a['b'].c[0].d }}", "a.b.c.0.d"},
      {"{{ a.0.b[-1] }}", "a.0.b.-1"},
      {"{{ load.rows[i].x }}", "load.rows i"},
      {"{{ a[b.c].d[0] }}", "a b.c"},
      {"{{ a[1:n] }}", "a n"},
      {"{{ a.b | upper | replace(c, d.e) }}", "a.b c d.e"},
      {"{{ a.items() }}", "a"},
      {"{{ a.get('k') }}", "a.k?"},
      {"{{ a.b | get('k', c) }}", "a.b.k? c"},
      {"{{ a.get(k) }}", "a k"},
      {"{{ {'a': x.y, z: [w]} }}", "x.y z w"},
      {"{{ (a.b).c }}", "a.b.c"},
      {"{{ (a or b).c }}", "a? b"},
      {"{{ a }}{{ a }}{{ a.b }}", "a a.b"},
      {"{{ a + b ~ c.d }}", "a b c.d"},
      {"{{ range(a, b.c) }}", "a b.c"},
      {"{{ a | map(attribute='x') | select('gt', b) }}", "a b"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(references(text), expected) << text;
}

TEST(ReferencesTest, AreUncheckedWhereUndefinedMayPass) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"{{ a.b | default(c.d) }}", "a.b? c.d"},
      {"{{ a | default(b) | default(1) }}", "a? b?"},
      {"{{ a.b is defined }}", "a.b?"},
      {"{{ a is not none }}", "a?"},
      {"{{ a == b }}", "a? b?"},
      {"{{ a != 1 }}", "a?"},
      {"{{ a < b }}", "a b"},
      {"{{ a in b }}", "a? b"},
      {"{{ not a }}", "a?"},
      {"{{ a or b }}", "a? b"},
      {"{{ a and b }}", "a? b"},
      {"{{ a if b else c }}", "b? a c"},
      {"{{ a == 1 and b }}", "a? b"},
      {"{{ (a + 1) == 2 }}", "a"},
      {"{% if a %}{{ b }}{% elif c.d %}{% endif %}", "a? c.d? b"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(references(text), expected) << text;
}

TEST(ReferencesTest, BoundNamesAreNone) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"{% for i in list %}{{ i.x }}{{ loop.index }}{{ y }}{% endfor %}{{ i }}", "list y i"},
      {"{% for k, v in m.items() if v %}{{ k }}{% else %}{{ v }}{% endfor %}", "m v"},
      {"{{ x }}{% set x = x.y %}{{ x.z }}", "x x.y"},
      {"{% set x = 1 %}{{ x }}", ""},
      {"{% if c %}{% set x = 1 %}{% endif %}{{ x.y }}", "c? x.y?"},
      {"{% for i in a %}{% set x = i %}{{ x }}{% endfor %}{{ x }}", "a x"},
      {"{% set s %}{{ a }}{% endset %}{{ s }}", "a"},
      {"{{ loop.index }}", "loop.index"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(references(text), expected) << text;
}

TEST(ReferencesTest, KnowTheirPlace) {
  const Evaluated<Template> t = Template::compile("one\n  {{ a.b }}", {7, 3});
  ASSERT_TRUE(t.ok());
  ASSERT_EQ(t.value().references().size(), 1U);
  EXPECT_EQ(t.value().references()[0].at.line, 8);
  EXPECT_EQ(t.value().references()[0].at.column, 8);
}

TEST(TemplateKindTest, ConstantsExpressionsAndBlocks) {
  const auto compiled = [](std::string_view text) {
    return Template::compile(text, {1, 1}).value();
  };
  EXPECT_TRUE(Template().is_constant());
  EXPECT_TRUE(compiled("text").is_constant());
  EXPECT_TRUE(compiled("text {# comment #}").is_constant());
  EXPECT_FALSE(compiled("{{ 1 }}").is_constant());
  EXPECT_TRUE(compiled("{{ a }}").is_expression());
  EXPECT_FALSE(compiled("a{{ a }}").is_expression());
  EXPECT_TRUE(compiled("{% if a %}{% endif %}").has_blocks());
  EXPECT_FALSE(compiled("{{ a }}").has_blocks());
  EXPECT_EQ(compiled("a{{ b }}").text(), "a{{ b }}");
  const Template constant = Template::constant(parse_json("[1]").value());
  EXPECT_TRUE(constant.is_constant());
  Fuel fuel{0};
  EXPECT_EQ(to_json(constant.evaluate(Scope(), fuel).value()), "[1]");
  EXPECT_EQ(to_json(Template().evaluate(Scope(), fuel).value()), "\"\"");
}

TEST(PiecesTest, AreTextsAndExpressionsInOrder) {
  std::vector<Template::Piece> pieces;
  {
    const Template t =
        Template::compile("select {{ a.b }} from {{ t | ident }}{# c #};", {1, 1}).value();
    pieces = t.pieces();
  }  // The pieces outlive their template.
  ASSERT_EQ(pieces.size(), 5U);
  EXPECT_EQ(pieces[0].literal, "select ");
  EXPECT_FALSE(pieces[1].is_ident);
  EXPECT_TRUE(pieces[3].is_ident);
  EXPECT_EQ(pieces[4].literal, ";");
  const Value names = parse_json(R"({"a":{"b":[1]},"t":"jobs"})").value();
  const Scope scope(names.as_map());
  std::string all;
  for (const Template::Piece& piece : pieces) {
    Fuel fuel{100};
    const Evaluated<Value> v = Template::evaluate_piece(piece, scope, fuel);
    ASSERT_TRUE(v.ok());
    all += render_text(v.value());
  }
  EXPECT_EQ(all, "select [1] from \"jobs\";");
  Fuel fuel{100};
  EXPECT_FALSE(Template::evaluate_piece(pieces[1], Scope(), fuel).ok());
}

TEST(PiecesTest, OfOtherKindsOfTemplates) {
  EXPECT_TRUE(Template::compile("{% if a %}b{% endif %}", {1, 1}).value().pieces().empty());
  EXPECT_EQ(Template::compile("only text", {1, 1}).value().pieces().size(), 1U);
  EXPECT_EQ(Template::compile_expression("a.b", {1, 1}).value().pieces().size(), 1U);
  EXPECT_TRUE(Template().pieces().empty());
}

TEST(ScopeTest, NearestFrameWins) {
  Map workload;
  workload.set("a", Value(1));
  workload.set("b", Value(2));
  const Scope outer(workload);
  Scope middle(&outer);
  middle.set("b", Value(3));
  Scope inner(&middle);
  inner.set("c", Value(4));
  EXPECT_EQ(inner.find("a")->as_integer(), 1);
  EXPECT_EQ(inner.find("b")->as_integer(), 3);
  EXPECT_EQ(inner.find("d"), nullptr);
  EXPECT_EQ(inner.names(), (std::vector<std::string>{"c", "b", "a"}));
}

TEST(RenderTextTest, Table) {
  EXPECT_EQ(render_text(Value::null()), "");
  EXPECT_EQ(render_text(Value(true)), "true");
  EXPECT_EQ(render_text(Value(-3)), "-3");
  EXPECT_EQ(render_text(Value(3.0)), "3.0");
  EXPECT_EQ(render_text(Value("a\"b")), "a\"b");
  EXPECT_EQ(render_text(parse_json("{\"a\":[\"b\"]}").value()), "{\"a\":[\"b\"]}");
}

TEST(NearestTest, OnlyWhatIsNear) {
  const std::vector<std::string> names = {"workflow", "workload", "metadata",
                                          "keychain", "when",     "then"};
  EXPECT_EQ(nearest("worklod", names), "workload");
  EXPECT_EQ(nearest("wokrflow", names), "workflow");
  EXPECT_EQ(nearest("Metadata", names), "metadata");
  EXPECT_EQ(nearest("wehn", names), "when");
  EXPECT_EQ(nearest("tool", names), "");
  EXPECT_EQ(nearest("", names), "");
  EXPECT_EQ(nearest("x", {"y"}), "");
  EXPECT_EQ(nearest(std::string(1000, 'a'), {std::string(1000, 'a')}), "");
}

}  // namespace
}  // namespace tidemill::playbook
