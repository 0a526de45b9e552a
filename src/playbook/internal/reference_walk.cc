#include "playbook/internal/reference_walk.h"

#include <variant>

#include "playbook/internal/link.h"

namespace tidemill::playbook {
namespace {

struct Word {
  std::string_view name;
  Meaning meaning;
};

constexpr Word kWords[] = {
    {"workload", Meaning::workload},
    {"ctx", Meaning::ctx},
    {"iter", Meaning::iter},
    {"step", Meaning::step_scope},
    {"output", Meaning::output},
    {"event", Meaning::event},
    {"execution_id", Meaning::execution_id},
    {"task_key", Meaning::task_key},
    {"_attempt", Meaning::attempt},
    {"keychain", Meaning::keychain},
    {"input_data", Meaning::input_data},
};

constexpr std::string_view kLoopWords[] = {"loop_index", "_index", "loop_total", "_total"};

bool is_loop_word(std::string_view name) {
  for (std::string_view word : kLoopWords) {
    if (word == name) return true;
  }
  return false;
}

class Walk {
 public:
  Walk(const Plan& plan, const Step& step, uint32_t index, const VisitReference& visit)
      : plan_(plan), site_{.step = step, .index = index}, visit_(visit) {}

  void run() {
    const Step& step = site_.step;
    tree(Place::step_input, step.input);
    for (size_t i = 0; i < step.tools.size(); ++i) {
      site_.position = i;
      use_tool(step.tools[i]);
    }
    site_.tool = site_.written = nullptr;
    if (step.loop) use_loop(*step.loop);
    for (const AdmitRule& rule : step.admit) optional(Place::admit, rule.when);
    sets(Place::routing, step.set);
    for (const Arc& arc : step.arcs) {
      optional(Place::routing, arc.when);
      sets(Place::routing, arc.set);
    }
  }

 private:
  void use_tool(const Tool& tool) {
    site_.tool = &tool;
    written(Place::tool_input, tool);
    // What the workbook's tool says is rendered in the scope of the step that uses it.
    if (const Tool* meant = find_workbook_tool(plan_, tool)) written(Place::tool_input, *meant);
  }

  void use_loop(const Loop& loop) {
    text(Place::loop_source, loop.in);
    optional(Place::loop_source, loop.max_in_flight_from);
    if (!loop.cursor) return;
    site_.tool = &*loop.cursor;
    written(Place::claim, *loop.cursor);
    site_.tool = site_.written = nullptr;
  }

  void written(Place place, const Tool& tool) {
    site_.written = &tool;
    tree(place, tool.config);
    site_.own_input = true;
    tree(place, tool.input);
    site_.own_input = false;
    optional(place, tool.auth);
    for (const PolicyRule& rule : tool.rules) {
      optional(Place::rule, rule.when);
      sets(Place::rule, rule.set);
    }
  }

  void sets(Place place, const std::vector<SetItem>& items) {
    for (const SetItem& item : items) tree(place, item.value);
  }

  void tree(Place place, const InputTree& tree_node) {
    if (const auto* leaf = std::get_if<Template>(&tree_node.node)) return text(place, *leaf);
    if (const auto* items = std::get_if<InputTree::Items>(&tree_node.node)) {
      for (const InputTree& item : *items) tree(place, item);
      return;
    }
    for (const auto& [key, value] : std::get<InputTree::Fields>(tree_node.node)) tree(place, value);
  }

  void optional(Place place, const std::optional<Template>& t) {
    if (t) text(place, *t);
  }

  void text(Place place, const Template& t) {
    if (t.is_constant()) return;
    site_.place = place;
    for (const Reference& reference : t.references()) visit_(site_, reference);
  }

  const Plan& plan_;
  Site site_;
  const VisitReference& visit_;
};

// The input of a step with a cursor loop is there for the claim, before there is a row.
bool sees_iteration(const Site& site) {
  bool early = site.step.loop && site.step.loop->mode == Loop::Mode::cursor;
  return site.place == Place::tool_input || site.place == Place::rule ||
         (site.place == Place::step_input && !early);
}

// The rest of the tool sees its input; the input itself and the rules do not.
bool sees_tool_input(const Site& site) {
  return site.tool != nullptr && !site.own_input && site.place == Place::tool_input;
}

bool is_tool_of(const Site& site, std::string_view name) {
  if (!site.step.is_pipeline || site.place == Place::routing) return false;
  for (const Tool& tool : site.step.tools) {
    if (tool.name == name) return true;
  }
  return false;
}

}  // namespace

void walk_references(const Plan& plan, uint32_t step, const VisitReference& visit) {
  Walk(plan, plan.steps[step], step, visit).run();
}

Names::Names(const Plan& p) : plan(p) {
  for (uint32_t i = 0; i < plan.steps.size(); ++i) step_index.emplace(plan.steps[i].name, i);
}

Meaning Names::meaning(const Site& site, std::string_view name) const {
  for (const Word& word : kWords) {
    if (word.name == name) return word.meaning;
  }
  if (sees_tool_input(site)) {
    if (site.tool->input.field(name) != nullptr) return Meaning::tool_input;
    if (site.written->input.field(name) != nullptr) return Meaning::tool_input;
  }
  if (site.step.loop && sees_iteration(site)) {
    if (is_loop_word(name)) return Meaning::loop_word;
    if (name == site.step.loop->iterator) return Meaning::iterator;
  }
  if (site.place == Place::claim && name == "__frame_max_rows") return Meaning::loop_word;
  if (site.place != Place::step_input && site.step.input.field(name) != nullptr)
    return Meaning::step_input;
  if (is_tool_of(site, name)) return Meaning::tool_result;
  if (step_index.find(name) != step_index.end()) return Meaning::step;
  if (plan.workload.is_map() && plan.workload.as_map().find(name) != nullptr)
    return Meaning::workload_key;
  return Meaning::unknown;
}

}  // namespace tidemill::playbook
