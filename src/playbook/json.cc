#include "playbook/json.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "model/limits.h"
#include "playbook/internal/json_scanner.h"
#include "playbook/internal/json_copy.h"
#include "playbook/internal/number_text.h"
#include "playbook/internal/text.h"

namespace tidemill::playbook {

namespace {

using expr::JsonScanner;

class Parser {
 public:
  explicit Parser(std::string_view text) : scan_(text) {}

  Result<Value> run() {
    Value value;
    if (!parse(0, value) || !scan_.finish()) return scan_.error();
    return value;
  }

 private:
  bool parse(int depth, Value& out) {
    const char c = scan_.peek();
    switch (c) {
      case '"':
        return parse_string(out);
      case '[':
        return parse_list(depth + 1, out);
      case '{':
        return parse_map(depth + 1, out);
      case 't':
        out = Value(true);
        return scan_.scan_word("true");
      case 'f':
        out = Value(false);
        return scan_.scan_word("false");
      case 'n':
        out = Value::null();
        return scan_.scan_word("null");
      default:
        if (c == '-' || expr::is_digit(c)) return parse_number(out);
        return scan_.fail("a JSON value");
    }
  }

  bool parse_string(Value& out) {
    JsonScanner::Text text;
    if (!scan_.scan_string(text)) return false;
    out = text.escapes ? Value(expr::unescape_json(text.raw)) : Value(std::string(text.raw));
    return true;
  }

  bool parse_number(Value& out) {
    JsonScanner::Number number;
    if (!scan_.scan_number(number)) return false;
    return expr::number_from_json(number.text, number.form, out) ||
           scan_.fail("a number that a double can hold");
  }

  // Items gather on a stack that all lists share, so that each list is allocated once, in its size.
  bool parse_list(int depth, Value& out) {
    if (depth > limits::kJsonMaxDepth) return scan_.fail_depth();
    const auto begin = static_cast<std::ptrdiff_t>(stack_.size());
    scan_.take('[');
    if (!scan_.take(']')) {
      do {
        Value item;
        if (!parse(depth, item)) return false;
        stack_.push_back(std::move(item));
      } while (scan_.take(','));
      if (!scan_.take(']')) return scan_.fail("',' or ']'");
    }
    List list(std::make_move_iterator(stack_.begin() + begin),
              std::make_move_iterator(stack_.end()));
    stack_.erase(stack_.begin() + begin, stack_.end());
    out = Value(std::move(list));
    return true;
  }

  bool parse_map(int depth, Value& out) {
    if (depth > limits::kJsonMaxDepth) return scan_.fail_depth();
    scan_.take('{');
    Map map;
    if (!scan_.take('}')) {
      // Records of one list mostly have equally many fields.
      map.reserve(usual_fields_);
      do {
        if (!parse_field(depth, map)) return false;
      } while (scan_.take(','));
      if (!scan_.take('}')) return scan_.fail("',' or '}'");
      usual_fields_ = std::clamp<size_t>(map.size(), 1, 32);
    }
    out = Value(std::move(map));
    return true;
  }

  bool parse_field(int depth, Map& map) {
    if (scan_.peek() != '"') return scan_.fail("a key in quotes");
    JsonScanner::Text key;
    if (!scan_.scan_string(key)) return false;
    if (!scan_.take(':')) return scan_.fail("':' after a key");
    Value value;
    if (!parse(depth, value)) return false;
    map.set(key.escapes ? expr::unescape_json(key.raw) : std::string(key.raw), std::move(value));
    return true;
  }

  JsonScanner scan_;
  List stack_;
  size_t usual_fields_ = 4;
};

// The outer level of a map; what is long in it stays text.
class OuterLevel {
 public:
  explicit OuterLevel(std::string_view text) : copy_(text) {}

  // False when it is no map or JsonCopy gives up: the text is then read as a whole.
  bool read(Value& out) {
    if (!copy_.take('{')) return false;
    do {
      if (!take_field()) return false;
    } while (copy_.take(','));
    if (!copy_.take('}') || !copy_.at_end()) return false;
    keep_ = std::make_shared<const std::string>(copy_.finish());
    Map map;
    map.reserve(fields_.size());
    for (const Field& field : fields_) {
      if (map.find(field.key) != nullptr) return false;
      map.append_distinct(std::string(field.key), value_of(field));
    }
    out = Value::map_of({keep_, *keep_}, std::move(map));
    return true;
  }

 private:
  static constexpr size_t kLong = 128;      // below that, reading costs as much as remembering
  static constexpr size_t kFieldsMax = 64;  // their keys are compared one by one

  struct Field {
    std::string_view key;
    size_t begin = 0;  // of the value, in the copy
    size_t end = 0;
    uint32_t deepest = 0;  // level, the outer one is 1
  };

  bool take_field() {
    Field field;
    if (fields_.size() == kFieldsMax) return false;
    if (!copy_.take_key(field.key) || !copy_.take(':')) return false;
    field.begin = copy_.size();
    if (!copy_.take_value(1)) return false;
    field.end = copy_.size();
    field.deepest = copy_.deepest();
    fields_.push_back(field);
    return true;
  }

  std::string_view part(size_t begin, size_t end) const {
    return std::string_view(*keep_).substr(begin, end - begin);
  }

  Value value_of(const Field& field) const {
    const std::string_view text = part(field.begin, field.end);
    const bool is_long = text.size() >= kLong;
    if (is_long && text.front() == '[') return Value::list_of({keep_, text}, field.deepest - 1);
    if (is_long && text.front() == '{') return Value::map_of({keep_, text}, field.deepest - 1);
    Value value;
    expr::read_known_json(text, value);
    return value;
  }

  expr::JsonCopy copy_;
  std::vector<Field> fields_;
  std::shared_ptr<const std::string> keep_;
};

class Writer {
 public:
  enum class Style : uint8_t { compact, pretty };
  Writer(std::string& out, Style style) : out_(out), style_(style) {}

  void write(const Value& v) {
    if (const auto known = v.known_json(); !known.empty() && style_ == Style::compact) {
      out_ += known;
      return;
    }
    switch (v.kind()) {
      case Value::Kind::undefined:
      case Value::Kind::null:
        out_ += "null";
        return;
      case Value::Kind::boolean:
        out_ += v.as_bool() ? "true" : "false";
        return;
      case Value::Kind::integer:
        expr::append_integer(v.as_integer(), out_);
        return;
      case Value::Kind::real:
        write_real(v.as_real());
        return;
      case Value::Kind::string:
        write_json_string(v.as_string(), out_);
        return;
      case Value::Kind::list:
        write_list(v.as_list());
        return;
      case Value::Kind::map:
        write_map(v.as_map());
        return;
    }
  }

 private:
  void write_real(double d) {
    if (std::isfinite(d)) {
      expr::append_real(d, out_);
    } else {
      out_ += "null";
    }
  }

  void write_list(const List& list) {
    open('[');
    for (size_t i = 0; i < list.size(); ++i) {
      separate(i);
      write(list[i]);
    }
    close(']', list.size());
  }

  void write_map(const Map& map) {
    open('{');
    size_t i = 0;
    for (const auto& [key, value] : map) {
      separate(i++);
      write_json_string(key, out_);
      out_ += style_ == Style::pretty ? ": " : ":";
      write(value);
    }
    close('}', map.size());
  }

  void open(char bracket) {
    out_ += bracket;
    ++level_;
  }
  void separate(size_t index) {
    if (index > 0) out_ += ',';
    new_line();
  }
  void close(char bracket, size_t items) {
    --level_;
    if (items > 0) new_line();
    out_ += bracket;
  }
  void new_line() {
    if (style_ != Style::pretty) return;
    out_ += '\n';
    out_.append(level_ * 2, ' ');
  }

  std::string& out_;
  Style style_;
  size_t level_ = 0;
};

void write_escape(unsigned char c, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  static constexpr std::string_view kFrom = "\"\\\b\f\n\r\t";
  static constexpr std::string_view kTo = "\"\\bfnrt";
  out += '\\';
  const size_t short_form = kFrom.find(static_cast<char>(c));
  if (short_form != std::string_view::npos) {
    out += kTo[short_form];
    return;
  }
  out += "u00";
  out += kHex[c >> 4];
  out += kHex[c & 15];
}

}  // namespace

Result<Value> parse_json(std::string_view text) {
  return Parser(text).run();
}

Result<Value> parse_json_lazily(std::string_view text) {
  Value value;
  if (OuterLevel(text).read(value)) return value;
  return parse_json(text);
}

void write_json(const Value& value, std::string& out) {
  Writer(out, Writer::Style::compact).write(value);
}

std::string to_json(const Value& value) {
  constexpr size_t kUsual = 240;
  std::string out;
  if (value.is_map() || value.is_list()) out.reserve(kUsual);
  write_json(value, out);
  return out;
}

std::string to_json_pretty(const Value& value) {
  std::string out;
  Writer(out, Writer::Style::pretty).write(value);
  return out;
}

void write_json_string(std::string_view text, std::string& out) {
  out += '"';
  for (size_t at = 0; at < text.size();) {
    const size_t end = expr::plain_run(text, at);
    out += text.substr(at, end - at);
    if (end == text.size()) break;
    const auto c = static_cast<unsigned char>(text[end]);
    const size_t length = c < 0x80 ? 1 : expr::utf8_sequence(text, end);
    if (c < 0x80) {
      write_escape(c, out);
    } else if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else {
      out += text.substr(end, length);
    }
    at = end + std::max<size_t>(length, 1);
  }
  out += '"';
}

Result<std::vector<std::string_view>> split_json_array(std::string_view text) {
  JsonScanner scan(text);
  std::vector<std::string_view> items;
  if (!scan.take('[')) {
    scan.fail("a JSON array");
    return scan.error();
  }
  if (!scan.take(']')) {
    do {
      scan.peek();
      const size_t begin = scan.offset();
      if (!scan.skip_value(1)) return scan.error();
      items.push_back(scan.slice(begin, scan.offset()));
    } while (scan.take(','));
    if (!scan.take(']')) {
      scan.fail("',' or ']'");
      return scan.error();
    }
  }
  if (!scan.finish()) return scan.error();
  return items;
}

}  // namespace tidemill::playbook
