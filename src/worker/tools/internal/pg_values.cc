#include "worker/tools/internal/pg_values.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "playbook/json.h"
#include "playbook/template.h"

namespace tidemill::worker {

namespace {

using playbook::List;
using playbook::Map;
using playbook::Value;

// Types by the numbers of PostgreSQL's pg_type, which never change.
constexpr Oid kBool = 16;
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kOid = 26;
constexpr Oid kJson = 114;
constexpr Oid kFloat4 = 700;
constexpr Oid kFloat8 = 701;
constexpr Oid kNumeric = 1700;
constexpr Oid kJsonb = 3802;

// The item type of an array type, 0 for all others.
Oid item_type(Oid type) {
  switch (type) {
    case 199:
      return kJson;
    case 1000:
      return kBool;
    case 1005:
      return kInt2;
    case 1007:
      return kInt4;
    case 1016:
      return kInt8;
    case 1021:
      return kFloat4;
    case 1022:
      return kFloat8;
    case 1231:
      return kNumeric;
    case 3807:
      return kJsonb;
    case 1002:  // char
    case 1009:  // text
    case 1014:  // bpchar
    case 1015:  // varchar
    case 1115:  // timestamp
    case 1182:  // date
    case 1185:  // timestamptz
    case 2951:
      return 25;  // uuid
    default:
      return 0;
  }
}

Value number(std::string_view text) {
  int64_t integer = 0;
  const char* end = text.data() + text.size();
  if (auto [at, failed] = std::from_chars(text.data(), end, integer);
      failed == std::errc() && at == end) {
    return integer;
  }
  double real = 0;
  if (auto [at, failed] = std::from_chars(text.data(), end, real);
      failed == std::errc() && at == end) {
    return real;
  }
  return text;  // beyond a double's range
}

Value real_number(std::string_view text) {
  double real = 0;
  const char* end = text.data() + text.size();
  if (auto [at, failed] = std::from_chars(text.data(), end, real);
      failed == std::errc() && at == end) {
    return real;
  }
  return text;
}

// Reads {1,2,{3}}, {"a b",NULL}. Anything unexpected gives nothing, and the text stays text.
class ArrayReader {
 public:
  ArrayReader(std::string_view text, Oid item) : text_(text), item_(item) {}

  std::optional<Value> read() {
    // A lower bound other than 1 is written before the items: [0:2]={…}.
    if (peek() == '[')
      at_ = text_.find('=') == std::string_view::npos ? text_.size() : text_.find('=') + 1;
    auto out = list();
    return out && at_ == text_.size() ? out : std::nullopt;
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  std::optional<Value> list() {
    if (peek() != '{') return std::nullopt;
    ++at_;
    List items;
    while (peek() != '}') {
      auto one = peek() == '{' ? list() : item();
      if (!one) return std::nullopt;
      items.push_back(std::move(*one));
      if (peek() == ',') {
        ++at_;
      } else if (peek() != '}') {
        return std::nullopt;
      }
    }
    ++at_;
    return Value(std::move(items));
  }

  std::optional<Value> item() {
    std::string out;
    if (peek() != '"') {
      while (at_ < text_.size() && peek() != ',' && peek() != '}') out += text_[at_++];
      return out == "NULL" ? Value::null() : pg_value(out, item_);
    }
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
      if (at_ < text_.size()) out += text_[at_];
    }
    if (at_ >= text_.size()) return std::nullopt;
    ++at_;
    return pg_value(out, item_);
  }

  std::string_view text_;
  Oid item_;
  size_t at_ = 0;
};

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text ? text : "";
}

// What can be done about an error is in the first two digits of its code.
void set_kind(TaskError& error, const std::string& sqlstate) {
  const std::string group = sqlstate.substr(0, 2);
  if (group == "23") error.kind = "constraint";
  if (group == "40" || group == "53" || sqlstate == "55P03") error = {"busy", error.message, true};
  if (group == "08" || sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P03") {
    error = {"connect", error.message, true};
  }
}

}  // namespace

PgParameter pg_parameter(const Value& value) {
  PgParameter out;
  out.text = playbook::render_text(value);
  switch (value.kind()) {
    case Value::Kind::boolean:
      out.type = kBool;
      break;
    case Value::Kind::integer: {
      const int64_t i = value.as_integer();
      const bool small =
          i >= std::numeric_limits<int32_t>::min() && i <= std::numeric_limits<int32_t>::max();
      out.type = small ? kInt4 : kInt8;
      break;
    }
    case Value::Kind::real:
      out.type = kNumeric;
      if (!std::isfinite(value.as_real())) {
        out.type = kFloat8;
        out.text = std::isnan(value.as_real()) ? "NaN"
                   : value.as_real() > 0       ? "Infinity"
                                               : "-Infinity";
      }
      break;
    default:
      break;
  }
  return out;
}

Value pg_value(std::string_view text, Oid type) {
  switch (type) {
    case kBool:
      return text == "t";
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid:
    case kNumeric:
      return number(text);
    case kFloat4:
    case kFloat8:
      return real_number(text);
    case kJson:
    case kJsonb: {
      auto parsed = playbook::parse_json(text);
      return parsed.ok() ? std::move(parsed).value() : Value(text);
    }
    default:
      break;
  }
  if (const Oid item = item_type(type); item != 0) {
    if (auto list = ArrayReader(text, item).read()) return std::move(*list);
  }
  return text;
}

Value pg_rows(const PGresult* result) {
  const int columns = PQnfields(result);
  const int count = PQntuples(result);
  List names;
  for (int c = 0; c < columns; ++c) names.emplace_back(std::string(PQfname(result, c)));
  List rows;
  rows.reserve(static_cast<size_t>(count));
  for (int r = 0; r < count; ++r) {
    Map row;
    row.reserve(names.size());
    for (int c = 0; c < columns; ++c) {
      const std::string_view text(PQgetvalue(result, r, c),
                                  static_cast<size_t>(PQgetlength(result, r, c)));
      row.set(names[static_cast<size_t>(c)].as_string(),
              PQgetisnull(result, r, c) != 0 ? Value::null() : pg_value(text, PQftype(result, c)));
    }
    rows.emplace_back(std::move(row));
  }
  const char* changed = PQcmdTuples(const_cast<PGresult*>(result));
  const int64_t affected = columns == 0 && changed ? std::strtoll(changed, nullptr, 10) : count;
  Map data;
  data.reserve(3);
  data.append_distinct("rows", Value(std::move(rows)));
  data.append_distinct("row_count", Value(affected));
  data.append_distinct("columns", Value(std::move(names)));
  return Value(std::move(data));
}

std::string pg_sqlstate(const PGresult* result) { return field(result, PG_DIAG_SQLSTATE); }

TaskError pg_error(const PGresult* result, std::string_view statement) {
  constexpr size_t kShown = 60;
  const std::string sqlstate = pg_sqlstate(result);
  TaskError error{"sql", sqlstate + ": " + field(result, PG_DIAG_MESSAGE_PRIMARY), false};
  if (sqlstate.empty()) error.message = PQresultErrorMessage(result);
  if (const std::string detail = field(result, PG_DIAG_MESSAGE_DETAIL); !detail.empty()) {
    error.message += " (" + detail + ")";
  }
  if (const std::string hint = field(result, PG_DIAG_MESSAGE_HINT); !hint.empty()) {
    error.message += " " + hint;
  }
  // Counted in characters; close enough to bytes for what is shown.
  const std::string position = field(result, PG_DIAG_STATEMENT_POSITION);
  const size_t from = position.empty() ? 0 : std::strtoul(position.c_str(), nullptr, 10) - 1;
  if (!statement.empty() && from < statement.size()) {
    error.message += position.empty() ? " in: " : " at character " + position + ": ";
    error.message += statement.substr(from, kShown);
  }
  set_kind(error, sqlstate);
  return error;
}

}  // namespace tidemill::worker
