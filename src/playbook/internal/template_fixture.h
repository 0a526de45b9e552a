#pragma once
// TemplateTest: the names all tables of template tests use, and how they show a result. For tests
// of this room only; one thread.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "playbook/internal/parsed.h"
#include "playbook/json.h"
#include "playbook/template.h"

namespace tidemill::playbook {

inline constexpr Position kHere{10, 5};

// The names that all tables use.
inline constexpr const char* kScope = R"({
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

}  // namespace tidemill::playbook
