#pragma once
// Value: what templates and expressions of a playbook compute with, and what JSON becomes. Undefined
// is a value of its own (it remembers which reference it came from); numbers are int64 or IEEE double;
// maps keep insertion order. Lists and maps are shared and immutable once shared: a copy is cheap and
// may cross threads; `mutable_list`/`mutable_map` copy first when the content is shared.
// A value; any thread.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tidemill::playbook {

class Value;
using List = std::vector<Value>;

// Insertion-ordered map from string to Value. Linear search while small, an index of hashes above that.
class Map {
 public:
  using Entry = std::pair<std::string, Value>;

  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  void set(std::string_view key, Value value);  // replaces in place or appends
  bool erase(std::string_view key);
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  void reserve(size_t n) { entries_.reserve(n); }
  // Appends without looking for the key: for readers that know their keys are distinct.
  void append_distinct(std::string key, Value value);

 private:
  void index_if_large();
  size_t position_of(std::string_view key) const;  // entries_.size() when absent

  std::vector<Entry> entries_;
  std::vector<uint32_t> index_;  // open addressing over entries_, empty while small
};

class Value {
 public:
  enum class Kind : uint8_t { undefined, null, boolean, integer, real, string, list, map };

  Value() : v_(Undefined{}) {}  // undefined, of no particular reference
  static Value undefined(std::string reference);
  static Value null() { return Value(Null{}); }
  Value(bool b) : v_(b) {}
  Value(int i) : v_(static_cast<int64_t>(i)) {}
  Value(int64_t i) : v_(i) {}
  Value(double d) : v_(d) {}
  Value(std::string s) : v_(std::make_shared<const std::string>(std::move(s))) {}
  Value(std::string_view s) : Value(std::string(s)) {}
  Value(const char* s) : Value(std::string(s)) {}
  Value(List list);
  Value(Map map);

  Kind kind() const { return static_cast<Kind>(v_.index()); }
  bool is_undefined() const { return kind() == Kind::undefined; }
  bool is_null() const { return kind() == Kind::null; }
  bool is_string() const { return kind() == Kind::string; }
  bool is_integer() const { return kind() == Kind::integer; }
  bool is_number() const { return kind() == Kind::integer || kind() == Kind::real; }
  bool is_list() const { return kind() == Kind::list; }
  bool is_map() const { return kind() == Kind::map; }

  // Each asserts the kind.
  bool as_bool() const;
  int64_t as_integer() const;
  double as_real() const;  // also of an integer
  const std::string& as_string() const;
  const List& as_list() const;
  const Map& as_map() const;
  List& mutable_list();
  Map& mutable_map();
  const std::string& undefined_reference() const;  // "" when unknown

  // Attribute access of a map; undefined when this is no map or has no such key.
  Value get(std::string_view key) const;

 private:
  struct Null {};
  struct Undefined {
    std::shared_ptr<const std::string> reference;
  };
  explicit Value(Null n) : v_(n) {}

  // The order is that of Kind.
  std::variant<Undefined, Null, bool, int64_t, double, std::shared_ptr<const std::string>,
               std::shared_ptr<List>, std::shared_ptr<Map>>
      v_;
};

// Name of a kind for messages: "list", "string", …
std::string_view kind_name(Value::Kind kind);

// Equality of the expression language: 1 == 1.0, undefined only equals undefined, "success" is not
// special here; lists and maps compare by content, maps regardless of order.
bool equal(const Value& a, const Value& b);

// Truth in `if`, `and`, `or`, `not` and filters (Jinja's): empty, zero, null, undefined are false.
bool truthy(const Value& v);
// Truth of an arc's `when`: also "", "false", "0", "no", "none", "null", "off" (any case) are false.
bool arc_true(const Value& v);

}  // namespace tidemill::playbook
