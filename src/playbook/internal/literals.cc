#include "playbook/internal/literals.h"

#include <algorithm>

namespace tidemill::playbook::expr {

ListNode::ListNode(Position p, std::vector<NodePtr> items)
    : TemplateNode(p), items_(std::move(items)) {
  for (const NodePtr& item : items_) height = std::max(height, item->height + 1);
}

const Value* ListNode::compute(Evaluation& e, Value& storage) const {
  List list;
  list.reserve(items_.size());
  for (const NodePtr& item : items_) {
    Value item_storage;
    const Value* v = item->eval_defined(e, item_storage);
    if (v == nullptr) return nullptr;
    list.push_back(*v);
  }
  storage = Value(std::move(list));
  return e.check_depth(storage, at) ? &storage : nullptr;
}

void ListNode::collect(References& refs, Check) const {
  for (const NodePtr& item : items_) item->collect(refs, Check::checked);
}

MapNode::MapNode(Position p, Fields fields) : TemplateNode(p), fields_(std::move(fields)) {
  for (const auto& [key, value] : fields_) {
    height = std::max({height, key->height + 1, value->height + 1});
  }
}

const Value* MapNode::compute(Evaluation& e, Value& storage) const {
  Map map;
  map.reserve(fields_.size());
  for (const auto& [key_node, value_node] : fields_) {
    Value key_storage, value_storage;
    const Value* key = key_node->eval_defined(e, key_storage);
    if (key == nullptr) return nullptr;
    if (!key->is_string() && !key->is_integer()) {
      return e.fail(key_node->at, "the key of a map is a string or an integer, not a " +
                                      std::string(kind_name(key->kind())));
    }
    const Value* value = value_node->eval_defined(e, value_storage);
    if (value == nullptr) return nullptr;
    map.set(render_text(*key), *value);
  }
  storage = Value(std::move(map));
  return e.check_depth(storage, at) ? &storage : nullptr;
}

void MapNode::collect(References& refs, Check) const {
  for (const auto& [key, value] : fields_) {
    key->collect(refs, Check::checked);
    value->collect(refs, Check::checked);
  }
}

}  // namespace tidemill::playbook::expr
