#include "playbook/plan.h"

namespace tidemill::playbook {
namespace {

Evaluated<Value> render_items(const InputTree::Items& items, const Scope& scope, Fuel& fuel) {
  List list;
  list.reserve(items.size());
  for (const InputTree& item : items) {
    Evaluated<Value> value = item.render(scope, fuel);
    if (!value.ok()) return value;
    list.push_back(std::move(value.value()));
  }
  return Value(std::move(list));
}

Evaluated<Value> render_fields(const InputTree::Fields& fields, const Scope& scope, Fuel& fuel) {
  Map map;
  map.reserve(fields.size());
  for (const auto& [key, tree] : fields) {
    Evaluated<Value> value = tree.render(scope, fuel);
    if (!value.ok()) return value;
    map.append_distinct(key, std::move(value.value()));
  }
  return Value(std::move(map));
}

}  // namespace

const InputTree* InputTree::field(std::string_view name) const {
  const auto* fields = std::get_if<Fields>(&node);
  if (fields == nullptr) return nullptr;
  for (const auto& [key, tree] : *fields) {
    if (key == name) return &tree;
  }
  return nullptr;
}

Evaluated<Value> InputTree::render(const Scope& scope, Fuel& fuel) const {
  if (const auto* leaf = std::get_if<Template>(&node)) return leaf->evaluate(scope, fuel);
  if (const auto* items = std::get_if<Items>(&node)) return render_items(*items, scope, fuel);
  return render_fields(std::get<Fields>(node), scope, fuel);
}

void InputTree::collect_references(std::vector<Reference>& out) const {
  if (const auto* leaf = std::get_if<Template>(&node)) {
    out.insert(out.end(), leaf->references().begin(), leaf->references().end());
  } else if (const auto* items = std::get_if<Items>(&node)) {
    for (const InputTree& item : *items) item.collect_references(out);
  } else {
    for (const auto& [key, tree] : std::get<Fields>(node)) tree.collect_references(out);
  }
}

bool InputTree::empty() const {
  const auto* fields = std::get_if<Fields>(&node);
  return fields == nullptr || fields->empty();
}

std::optional<StepIndex> Plan::find_step(std::string_view name) const {
  for (uint32_t i = 0; i < steps.size(); ++i) {
    if (steps[i].name == name) return StepIndex{i};
  }
  return std::nullopt;
}

}  // namespace tidemill::playbook
