#include "playbook/internal/statements.h"

#include <algorithm>

#include "playbook/internal/functions.h"
#include "playbook/internal/number_text.h"

namespace tidemill::playbook::expr {

namespace {

Value loop_value(const List& items, size_t i) {
  const auto index = static_cast<int64_t>(i);
  const auto length = static_cast<int64_t>(items.size());
  Map loop;
  loop.reserve(9);
  loop.append_distinct("index", Value(index + 1));
  loop.append_distinct("index0", Value(index));
  loop.append_distinct("first", Value(i == 0));
  loop.append_distinct("last", Value(i + 1 == items.size()));
  loop.append_distinct("length", Value(length));
  loop.append_distinct("revindex", Value(length - index));
  loop.append_distinct("revindex0", Value(length - index - 1));
  if (i > 0) loop.append_distinct("previtem", items[i - 1]);
  if (i + 1 < items.size()) loop.append_distinct("nextitem", items[i + 1]);
  return Value(std::move(loop));
}

}  // namespace

bool render_block(Evaluation& e, const Block& block, std::string& out) {
  return std::all_of(block.begin(), block.end(),
                     [&](const auto& statement) { return statement->render(e, out); });
}

void collect_block(References& refs, const Block& block) {
  for (const auto& statement : block) statement->collect(refs);
}

bool TextStatement::render(Evaluation& e, std::string& out) const {
  const size_t before = out.size();
  out += text_;
  return e.spend_growth(before, out.size(), Position{});
}

bool OutputStatement::render(Evaluation& e, std::string& out) const {
  Value storage;
  const Value* v = node_->eval_defined(e, storage);
  if (v == nullptr) return false;
  if (auto* outputs = e.outputs(); outputs != nullptr) {
    outputs->push_back({out.size(), *v, node_->ends_in_ident()});
    return e.step(node_->at);
  }
  const size_t before = out.size();
  if (v->is_string()) {
    out += v->as_string();
  } else if (v->is_integer()) {
    append_integer(v->as_integer(), out);
  } else {
    out += render_text(*v);
  }
  return e.spend_growth(before, out.size(), node_->at);
}

bool IfStatement::render(Evaluation& e, std::string& out) const {
  for (const Branch& branch : branches_) {
    if (branch.condition != nullptr) {
      Value storage;
      const Value* v = branch.condition->eval(e, storage);
      if (v == nullptr) return false;
      if (!truthy(*v)) continue;
    }
    return render_block(e, branch.body, out);
  }
  return true;
}

void IfStatement::collect(References& refs) const {
  for (const Branch& branch : branches_) {
    if (branch.condition != nullptr) branch.condition->collect(refs, Check::unchecked);
  }
  for (const Branch& branch : branches_) {
    refs.enter();
    collect_block(refs, branch.body);
    refs.leave_maybe();
  }
}

bool ForStatement::bind_targets(Evaluation& e, const Value& item) const {
  if (parts_.targets.size() == 1) {
    e.bind(parts_.targets.front(), item);
    return true;
  }
  if (!item.is_list() || item.as_list().size() != parts_.targets.size()) {
    return e.fail(parts_.at,
                  "for: an item cannot be taken apart into " +
                      std::to_string(parts_.targets.size()) + " names; it is " +
                      (item.is_list() ? "a list of " + std::to_string(item.as_list().size())
                                      : "of kind " + std::string(kind_name(item.kind()))) +
                      (item.is_string() ? " (loop over map.items() for keys and values)" : ""));
  }
  for (size_t i = 0; i < parts_.targets.size(); ++i) e.bind(parts_.targets[i], item.as_list()[i]);
  return true;
}

bool ForStatement::keep(Evaluation& e, List& items) const {
  if (parts_.condition == nullptr) return true;
  List kept;
  for (Value& item : items) {
    if (!bind_targets(e, item)) return false;
    Value storage;
    const Value* v = parts_.condition->eval(e, storage);
    if (v == nullptr) return false;
    if (truthy(*v)) kept.push_back(std::move(item));
  }
  items = std::move(kept);
  return true;
}

bool ForStatement::render(Evaluation& e, std::string& out) const {
  Value storage;
  const Value* list = parts_.list->eval_defined(e, storage);
  if (list == nullptr) return false;
  List items;
  if (!items_of(e, parts_.at, "for", *list, items)) return false;
  Evaluation::Frame frame(e);
  if (!keep(e, items)) return false;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!e.step(parts_.at) || !bind_targets(e, items[i])) return false;
    if (parts_.needs_loop) e.bind("loop", loop_value(items, i));
    // What the body sets ends with the iteration.
    Evaluation::Frame body(e);
    if (!render_block(e, parts_.body, out)) return false;
  }
  return !items.empty() || render_block(e, parts_.otherwise, out);
}

void ForStatement::collect(References& refs) const {
  parts_.list->collect(refs, Check::checked);
  refs.enter();
  for (const std::string& target : parts_.targets) refs.bind(target);
  if (parts_.condition != nullptr) parts_.condition->collect(refs, Check::unchecked);
  refs.bind("loop");
  collect_block(refs, parts_.body);
  refs.leave();
  collect_block(refs, parts_.otherwise);
}

bool SetStatement::render(Evaluation& e, std::string&) const {
  if (node_ == nullptr) {
    std::string text;
    const Evaluation::Outputs none(e, nullptr);
    if (!render_block(e, body_, text)) return false;
    e.bind(name_, Value(std::move(text)));
    return true;
  }
  Value storage;
  const Value* v = node_->eval(e, storage);
  if (v == nullptr) return false;
  e.bind(name_, *v);
  return true;
}

void SetStatement::collect(References& refs) const {
  if (node_ != nullptr) node_->collect(refs, Check::checked);
  collect_block(refs, body_);
  refs.bind(name_);
}

}  // namespace tidemill::playbook::expr
