#include "playbook/internal/access.h"

#include <algorithm>

#include "playbook/internal/number_text.h"
#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

namespace {

std::string key_text(const Value& index) {
  std::string text;
  if (index.is_integer()) append_integer(index.as_integer(), text);
  return text;
}

// A position counted from the end when negative; `size` when it is outside.
size_t position_in(int64_t index, size_t size) {
  const auto n = static_cast<int64_t>(size);
  if (index < 0) index += n;
  return index >= 0 && index < n ? static_cast<size_t>(index) : size;
}

const Value* character_at(const std::string& text, int64_t index, Value& storage) {
  const size_t length = is_ascii(text) ? text.size() : count_code_points(text);
  const size_t at = position_in(index, length);
  if (at == length) return nullptr;
  const size_t begin = length == text.size() ? at : offset_of_code_point(text, at);
  const size_t bytes = std::max<size_t>(utf8_sequence(text, begin), 1);
  storage = Value(std::string_view(text).substr(begin, bytes));
  return &storage;
}

std::string list_of_keys(const std::vector<std::string>& keys) {
  constexpr size_t kShown = 8;
  std::string text;
  for (size_t i = 0; i < keys.size() && i < kShown; ++i) text += (i == 0 ? "" : ", ") + keys[i];
  if (keys.size() > kShown) text += ", …";
  return text;
}

int height_above(const TemplateNode* a, const TemplateNode* b = nullptr) {
  return 1 + std::max(a == nullptr ? 0 : a->height, b == nullptr ? 0 : b->height);
}

}  // namespace

std::string missing_key(std::string_view base, const Value& container, std::string_view key) {
  const std::string place = base.empty() ? "the value" : quoted(base);
  if (container.is_list() && !key.empty() && (is_digit(key.front()) || key.front() == '-')) {
    return place + " has " + std::to_string(container.as_list().size()) + " items";
  }
  if (!container.is_map()) {
    return place + " is " +
           (container.is_null() ? "null" : "a " + std::string(kind_name(container.kind())));
  }
  std::vector<std::string> keys;
  for (const auto& entry : container.as_map()) keys.push_back(entry.first);
  std::string text = place + " has no " + quoted(key);
  const std::string near = nearest(key, keys);
  if (!near.empty()) return text + "; did you mean '" + near + "'?";
  if (keys.empty()) return text + "; it is empty";
  return text + "; it has: " + list_of_keys(keys);
}

const Value* item_at(const Value& container, const Value& index, Value& storage) {
  if (container.is_map()) {
    return index.is_string() ? container.as_map().find(index.as_string())
                             : container.as_map().find(key_text(index));
  }
  if (!index.is_integer()) return nullptr;
  if (container.is_list()) {
    const List& list = container.as_list();
    const size_t at = position_in(index.as_integer(), list.size());
    return at == list.size() ? nullptr : &list[at];
  }
  if (container.is_string())
    return character_at(container.as_string(), index.as_integer(), storage);
  return nullptr;
}

const Value* value_at(const Value& container, std::string_view dotted) {
  const Value* at = &container;
  while (at != nullptr) {
    const size_t dot = std::min(dotted.find('.'), dotted.size());
    const std::string_view key = dotted.substr(0, dot);
    int64_t position = 0;
    Value unused;
    if (at->is_list() && parse_integer(key, 10, position) == IntegerText::ok) {
      at = item_at(*at, Value(position), unused);
    } else {
      at = at->find(key);
    }
    if (dot == dotted.size()) break;
    dotted.remove_prefix(dot + 1);
  }
  return at;
}

NameNode::NameNode(Position p, std::string name)
    : TemplateNode(p), name_(std::move(name)), undefined_(Value::undefined(name_)) {
  source = name_;
}

const Value* NameNode::compute(Evaluation& e, Value&) const {
  const Value* found = e.find(name_);
  return found == nullptr ? &undefined_ : found;
}

std::string NameNode::missing(Evaluation& e) const {
  if (e.find(name_) != nullptr) return {};
  const std::string near = nearest(name_, e.scope().names());
  return near.empty() ? "no such name here" : "did you mean '" + near + "'?";
}

void NameNode::collect(References& refs, Check check) const {
  refs.add({name_}, at, check);
}

bool NameNode::static_path(std::vector<std::string>& path) const {
  path.push_back(name_);
  return true;
}

AttributeNode::AttributeNode(Position p, NodePtr base, std::string key, std::string text)
    : TemplateNode(p),
      base_(std::move(base)),
      key_(std::move(key)),
      undefined_(Value::undefined(text)) {
  source = std::move(text);
  height = height_above(base_.get());
}

const Value* AttributeNode::compute(Evaluation& e, Value& storage) const {
  const Value* base = base_->eval(e, storage);
  if (base == nullptr) return nullptr;
  const Value* found = base->find(key_);
  return found == nullptr ? &undefined_ : found;
}

std::string AttributeNode::missing(Evaluation& e) const {
  Value storage;
  const Value* base = base_->eval(e, storage);
  if (base == nullptr) return {};
  return base->is_undefined() ? base_->missing(e) : missing_key(base_->source, *base, key_);
}

void AttributeNode::collect(References& refs, Check check) const {
  std::vector<std::string> path;
  if (static_path(path)) {
    refs.add(std::move(path), at, check);
  } else {
    base_->collect(refs, check);
  }
}

bool AttributeNode::static_path(std::vector<std::string>& path) const {
  if (!base_->static_path(path)) return false;
  path.push_back(key_);
  return true;
}

IndexNode::IndexNode(Position p, NodePtr base, NodePtr index, std::string text)
    : TemplateNode(p),
      base_(std::move(base)),
      index_(std::move(index)),
      undefined_(Value::undefined(text)) {
  source = std::move(text);
  height = height_above(base_.get(), index_.get());
}

const Value* IndexNode::compute(Evaluation& e, Value& storage) const {
  Value index_storage;
  const Value* index = index_->eval_defined(e, index_storage);
  if (index == nullptr) return nullptr;
  const Value* base = base_->eval(e, storage);
  if (base == nullptr) return nullptr;
  if (base->is_string() && !e.spend_text(base->as_string().size(), at)) return nullptr;
  const Value* found = item_at(*base, *index, storage);
  return found == nullptr ? &undefined_ : found;
}

std::string IndexNode::missing(Evaluation& e) const {
  Value storage;
  Value index_storage;
  const Value* base = base_->eval(e, storage);
  const Value* index = index_->eval(e, index_storage);
  if (base == nullptr || index == nullptr) return {};
  if (base->is_undefined()) return base_->missing(e);
  return missing_key(base_->source, *base,
                     index->is_string() ? index->as_string() : key_text(*index));
}

void IndexNode::collect(References& refs, Check check) const {
  std::vector<std::string> path;
  if (static_path(path)) {
    refs.add(std::move(path), at, check);
    return;
  }
  base_->collect(refs, check);
  index_->collect(refs, Check::checked);
}

bool IndexNode::static_path(std::vector<std::string>& path) const {
  const Value* index = index_->constant();
  if (index == nullptr || !index->is_integer() || !base_->static_path(path)) return false;
  path.push_back(key_text(*index));
  return true;
}

SliceNode::SliceNode(Position p, NodePtr base, Bounds bounds, std::string text)
    : TemplateNode(p), base_(std::move(base)), bounds_(std::move(bounds)) {
  source = std::move(text);
  height = std::max(height_above(base_.get(), bounds_.from.get()),
                    height_above(bounds_.to.get(), bounds_.step.get()));
}

bool SliceNode::bound(Evaluation& e, const NodePtr& node, Value& out) const {
  out = Value::null();
  if (node == nullptr) return true;
  Value storage;
  const Value* v = node->eval_defined(e, storage);
  if (v == nullptr) return false;
  if (!v->is_integer() && !v->is_null()) {
    return e.fail(node->at,
                  "a slice is bounded by integers, not by a " + std::string(kind_name(v->kind())));
  }
  out = *v;
  return true;
}

namespace {

// Python's rules: negative bounds count from the end, bounds outside are clipped.
struct Range {
  int64_t from, to, step;

  Range(const Value& f, const Value& t, int64_t by, int64_t size) : step(by) {
    const int64_t low = by > 0 ? 0 : -1;
    const int64_t high = by > 0 ? size : size - 1;
    const auto clip = [&](const Value& v, int64_t absent) {
      if (v.is_null()) return absent;
      const int64_t i = v.as_integer();
      return std::clamp(i < 0 ? (i < -size ? low : i + size) : i, low, high);
    };
    from = clip(f, by > 0 ? low : high);
    to = clip(t, by > 0 ? high : low);
  }
  template <class Each>
  void each(Each visit) const {
    for (int64_t i = from; step > 0 ? i < to : i > to;) {
      visit(static_cast<size_t>(i));
      if (__builtin_add_overflow(i, step, &i)) break;
    }
  }
};

Value slice_string(const std::string& text, const Value& from, const Value& to, int64_t step) {
  std::vector<std::string_view> characters;
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = std::max<size_t>(utf8_sequence(text, i), 1);
    characters.push_back(std::string_view(text).substr(i, bytes));
    i += bytes;
  }
  std::string out;
  Range(from, to, step, static_cast<int64_t>(characters.size())).each([&](size_t i) {
    out += characters[i];
  });
  return Value(std::move(out));
}

Value slice_list(const List& list, const Value& from, const Value& to, int64_t step) {
  List out;
  Range(from, to, step, static_cast<int64_t>(list.size())).each([&](size_t i) {
    out.push_back(list[i]);
  });
  return Value(std::move(out));
}

}  // namespace

const Value* SliceNode::compute(Evaluation& e, Value& storage) const {
  Value base_storage, from, to, step;
  const Value* base = base_->eval_defined(e, base_storage);
  if (base == nullptr || !bound(e, bounds_.from, from) || !bound(e, bounds_.to, to) ||
      !bound(e, bounds_.step, step)) {
    return nullptr;
  }
  const int64_t by = step.is_null() ? 1 : step.as_integer();
  if (by == 0) return e.fail(at, "the step of a slice cannot be 0");
  if (base->is_string()) {
    if (!e.spend_text(base->as_string().size() * 16, at)) return nullptr;
    storage = slice_string(base->as_string(), from, to, by);
  } else if (base->is_list()) {
    if (!e.spend_items(base->as_list().size(), at)) return nullptr;
    storage = slice_list(base->as_list(), from, to, by);
  } else {
    return e.fail(at, "a slice is taken of a list or a string, not of a " +
                          std::string(kind_name(base->kind())));
  }
  return &storage;
}

void SliceNode::collect(References& refs, Check) const {
  base_->collect(refs, Check::checked);
  for (const NodePtr* part : {&bounds_.from, &bounds_.to, &bounds_.step}) {
    if (*part != nullptr) (*part)->collect(refs, Check::checked);
  }
}

}  // namespace tidemill::playbook::expr
