#pragma once
// Value: what templates and expressions of a playbook compute with, and what JSON becomes.
// Undefined is a value of its own (it remembers which reference it came from); numbers are int64 or
// IEEE double; maps keep insertion order. Strings, lists and maps are shared and immutable once
// shared: a copy is a counter's increment and may cross threads; `mutable_list`/`mutable_map` copy
// first when shared. A list or map that came as JSON may be that text until somebody looks inside.
// 16 bytes. A value; any thread.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace tidemill::playbook {

class Map;
class Value;
using List = std::vector<Value>;

// A part of a text that all its holders keep.
struct SharedText {
  std::shared_ptr<const std::string> keep;
  std::string_view text;
};

class Value {
 public:
  enum class Kind : uint8_t { undefined, null, boolean, integer, real, string, list, map };

  Value() noexcept {}  // undefined, of no particular reference
  static Value undefined(std::string reference);
  static Value null() noexcept;
  Value(bool b) noexcept : kind_(Kind::boolean) { u_.boolean = b; }
  Value(int i) noexcept : kind_(Kind::integer) { u_.integer = i; }
  Value(int64_t i) noexcept : kind_(Kind::integer) { u_.integer = i; }
  Value(double d) noexcept : kind_(Kind::real) { u_.real = d; }
  Value(std::string s);
  Value(std::string_view s);
  Value(const char* s);
  Value(List list);
  Value(Map map);
  // A list or map whose JSON is known, exactly as write_json would write it. It is read when
  // somebody looks inside, or was already. `depth` as in depth(). (json.h makes them.)
  static Value list_of(SharedText json, uint32_t depth);
  static Value map_of(SharedText json, uint32_t depth);
  static Value map_of(SharedText json, Map map);
  template <class T>
  Value(T*) = delete;  // A pointer would silently become a boolean.

  Value(const Value& other) noexcept;
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other) noexcept;
  Value& operator=(Value&& other) noexcept;
  ~Value();

  Kind kind() const { return kind_; }
  bool is_undefined() const { return kind_ == Kind::undefined; }
  bool is_null() const { return kind_ == Kind::null; }
  bool is_bool() const { return kind_ == Kind::boolean; }
  bool is_string() const { return kind_ == Kind::string; }
  bool is_integer() const { return kind_ == Kind::integer; }
  bool is_real() const { return kind_ == Kind::real; }
  bool is_number() const { return kind_ == Kind::integer || kind_ == Kind::real; }
  bool is_list() const { return kind_ == Kind::list; }
  bool is_map() const { return kind_ == Kind::map; }

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
  // The same without a copy; null when this is no map or has no such key.
  const Value* find(std::string_view key) const;

  // Levels of lists and maps: 0 for a scalar, 1 for a list of scalars. Constant time unless the
  // value was changed in place (mutable_list, mutable_map), then its size.
  uint32_t depth() const;

  // The JSON of a list or map that is known without writing it; "" when it is not.
  std::string_view known_json() const;

 private:
  struct Box {  // what is shared
    std::atomic<uint32_t> refs{1};
    uint32_t depth = 0;  // of a list or map; 0 = not known
  };
  struct StringBox;
  template <class Content>
  struct Known;
  template <class Content>
  struct ContentBox;
  using ListBox = ContentBox<List>;
  using MapBox = ContentBox<Map>;
  union Payload {
    Box* box = nullptr;
    bool boolean;
    int64_t integer;
    double real;
  };

  bool has_box() const {
    return kind_ >= Kind::string || (kind_ == Kind::undefined && u_.box != nullptr);
  }
  void retain() const {
    if (has_box()) u_.box->refs.fetch_add(1, std::memory_order_relaxed);
  }
  void release() {
    if (has_box()) release_box();
  }
  void release_box();
  void destroy_box();
  template <class Content>
  Content& own_content();
  bool is_shared() const { return u_.box->refs.load(std::memory_order_acquire) != 1; }

  Payload u_;
  Kind kind_ = Kind::undefined;
};

// Insertion-ordered map from string to Value. Linear search while small, an index of hashes above
// that.
class Map {
 public:
  using Entry = std::pair<std::string, Value>;

  const Value* find(std::string_view key) const {
    const size_t at = position_of(key);
    return at == entries_.size() ? nullptr : &entries_[at].second;
  }
  Value* find(std::string_view key) {
    const size_t at = position_of(key);
    return at == entries_.size() ? nullptr : &entries_[at].second;
  }
  void set(std::string_view key, Value value);  // replaces in place or appends
  void set(std::string&& key, Value value);
  void set(const char* key, Value value) { set(std::string_view(key), std::move(value)); }
  bool erase(std::string_view key);
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  void reserve(size_t n) { entries_.reserve(n); }
  // Appends without looking for the key: for readers that know their keys are distinct.
  void append_distinct(std::string key, Value value);

 private:
  static constexpr size_t kLinear = 16;  // up to this size a search over the keys is fastest

  void index_if_large();
  void index_last();
  size_t position_of(std::string_view key) const;  // entries_.size() when absent
  size_t indexed_position_of(std::string_view key) const;

  std::vector<Entry> entries_;
  std::vector<uint32_t> index_;  // open addressing over entries_ (position + 1), empty while small
};

// Name of a kind for messages: "list", "string", …
std::string_view kind_name(Value::Kind kind);

// Equality of the expression language: 1 == 1.0 == true, undefined only equals undefined, "success"
// is not special here; lists and maps compare by content, maps regardless of order.
bool equal(const Value& a, const Value& b);

// Truth in `if`, `and`, `or`, `not` and filters (Jinja's): empty, zero, null, undefined are false.
bool truthy(const Value& v);
// Truth of an arc's `when`: also "", "false", "0", "no", "none", "null", "off" (any case) are
// false.
bool arc_true(const Value& v);

// ---- The parts of Value that are short and hot. ----

struct Value::StringBox : Value::Box {
  explicit StringBox(std::string s) : text(std::move(s)) {}
  const std::string text;
};
// A list or map as its JSON. Whoever looks first reads it; of two at once, one keeps what it read.
template <class Content>
struct Value::Known {
  explicit Known(SharedText text) : json(std::move(text)) {}
  ~Known() { delete read.load(std::memory_order_acquire); }
  Content& look() {
    Content* found = read.load(std::memory_order_acquire);
    return found != nullptr ? *found : read_now();
  }
  Content& read_now();

  const SharedText json;
  std::atomic<Content*> read{nullptr};
};
template <class Content>
struct Value::ContentBox : Value::Box {
  explicit ContentBox(Content c) : content(std::move(c)) {}
  explicit ContentBox(std::unique_ptr<Known<Content>> k) : known(std::move(k)) {}
  const Content& look() const { return known == nullptr ? content : known->look(); }

  Content content;  // when not `known`
  std::unique_ptr<Known<Content>> known;
};

inline Value Value::null() noexcept {
  Value v;
  v.kind_ = Kind::null;
  return v;
}
inline Value::Value(const Value& other) noexcept : u_(other.u_), kind_(other.kind_) {
  retain();
}
inline Value::Value(Value&& other) noexcept : u_(other.u_), kind_(other.kind_) {
  other.u_.box = nullptr;
  other.kind_ = Kind::undefined;
}
inline Value& Value::operator=(const Value& other) noexcept {
  other.retain();
  release();
  u_ = other.u_;
  kind_ = other.kind_;
  return *this;
}
inline Value& Value::operator=(Value&& other) noexcept {
  const Payload u = other.u_;
  const Kind kind = other.kind_;
  other.u_.box = nullptr;
  other.kind_ = Kind::undefined;
  release();
  u_ = u;
  kind_ = kind;
  return *this;
}
inline Value::~Value() {
  release();
}

inline bool Value::as_bool() const {
  TIDEMILL_ASSERT(kind_ == Kind::boolean);
  return u_.boolean;
}
inline int64_t Value::as_integer() const {
  TIDEMILL_ASSERT(kind_ == Kind::integer);
  return u_.integer;
}
inline double Value::as_real() const {
  if (kind_ == Kind::integer) return static_cast<double>(u_.integer);
  TIDEMILL_ASSERT(kind_ == Kind::real);
  return u_.real;
}
inline const std::string& Value::as_string() const {
  TIDEMILL_ASSERT(kind_ == Kind::string);
  return static_cast<const StringBox*>(u_.box)->text;
}
inline const List& Value::as_list() const {
  TIDEMILL_ASSERT(kind_ == Kind::list);
  return static_cast<const ListBox*>(u_.box)->look();
}
inline const Map& Value::as_map() const {
  TIDEMILL_ASSERT(kind_ == Kind::map);
  return static_cast<const MapBox*>(u_.box)->look();
}
inline const Value* Value::find(std::string_view key) const {
  return kind_ == Kind::map ? as_map().find(key) : nullptr;
}

}  // namespace tidemill::playbook
