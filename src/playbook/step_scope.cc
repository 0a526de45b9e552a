#include "playbook/step_scope.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "model/limits.h"
#include "playbook/json.h"

namespace tidemill::playbook {

namespace {

constexpr std::array<std::string_view, 3> kEndings{"done", "failed", "skipped"};  // by Ending

Error corrupt(std::string_view what) {
  return {ErrorCode::corrupt, std::string("the text of ").append(what).append(" makes no sense")};
}

Value number(uint64_t n) { return Value(static_cast<int64_t>(n)); }

std::optional<uint64_t> as_number(const Value& v) {
  if (!v.is_integer() || v.as_integer() < 0) return std::nullopt;
  return static_cast<uint64_t>(v.as_integer());
}

Value path_value(std::span<const std::string> path) {
  List list;
  list.reserve(path.size());
  for (const std::string& name : path) list.emplace_back(name);
  return list;
}

std::optional<Path> as_path(const Value& v) {
  if (!v.is_list()) return std::nullopt;
  Path path;
  for (const Value& name : v.as_list()) {
    if (!name.is_string()) return std::nullopt;
    path.push_back(name.as_string());
  }
  return path;
}

std::optional<Sha256> sha_from_hex(std::string_view text) {
  Sha256 out{};
  if (text.size() != out.size() * 2) return std::nullopt;
  for (size_t i = 0; i < out.size(); ++i) {
    const char* at = text.data() + i * 2;
    const auto [end, error] = std::from_chars(at, at + 2, out[i], 16);
    if (error != std::errc() || end != at + 2) return std::nullopt;
  }
  return out;
}

std::optional<uint64_t> id_from(const Value& v) {
  if (!v.is_string()) return std::nullopt;
  const std::string& text = v.as_string();
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

Value ref_value(const ResultRef& ref) {
  Map map;
  switch (ref.place) {
    case ResultRef::Place::none:
      break;
    case ResultRef::Place::task:
      map.set("task", Value(std::to_string(ref.task.raw)));
      break;
    case ResultRef::Place::array:
      map.set("array", Value(std::to_string(ref.array.raw)));
      break;
    case ResultRef::Place::blob:
      map.set("blob", Value(hex(ref.blob)));
      break;
  }
  map.set("size", number(ref.size));
  return map;
}

std::optional<ResultRef> as_ref(const Value& v) {
  if (!v.is_map()) return std::nullopt;
  ResultRef ref;
  ref.size = as_number(v.get("size")).value_or(0);
  if (const Value task = v.get("task"); !task.is_undefined()) {
    const auto id = id_from(task);
    if (!id) return std::nullopt;
    ref.place = ResultRef::Place::task;
    ref.task = TaskId{*id};
  } else if (const Value array = v.get("array"); !array.is_undefined()) {
    const auto id = id_from(array);
    if (!id) return std::nullopt;
    ref.place = ResultRef::Place::array;
    ref.array = ArrayId{*id};
  } else if (const Value blob = v.get("blob"); blob.is_string()) {
    const auto sha = sha_from_hex(blob.as_string());
    if (!sha) return std::nullopt;
    ref.place = ResultRef::Place::blob;
    ref.blob = *sha;
  }
  return ref;
}

Value result_value(const StepScope::Result& result) {
  const StepOutput& output = result.output;
  Map map;
  if (!output.data.is_undefined()) map.set("data", output.data);
  if (!output.error.is_null()) map.set("error", output.error);
  if (output.status == StepOutput::Status::error) map.set("failed", Value(true));
  if (output.http_status) map.set("http", Value(*output.http_status));
  if (output.loop) map.set("loop", Value(true));
  if (result.ref.place != ResultRef::Place::none) map.set("ref", ref_value(result.ref));
  return map;
}

std::optional<StepScope::Result> as_result(const std::string& step, const Value& v) {
  if (!v.is_map()) return std::nullopt;
  StepScope::Result result;
  result.step = step;
  result.output.data = v.get("data");
  if (const Value error = v.get("error"); error.is_map()) result.output.error = error;
  if (!v.get("failed").is_undefined()) result.output.status = StepOutput::Status::error;
  if (const Value http = v.get("http"); http.is_integer()) {
    result.output.http_status = http.as_integer();
  }
  result.output.loop = !v.get("loop").is_undefined();
  if (const Value ref = v.get("ref"); !ref.is_undefined()) {
    const auto read = as_ref(ref);
    if (!read) return std::nullopt;
    result.ref = *read;
  }
  return result;
}

}  // namespace

Value error_value(const TaskError& error) {
  Map map;
  map.set("kind", Value(error.kind));
  map.set("message", Value(error.message));
  map.set("retryable", Value(error.retryable));
  return map;
}

namespace {

// A copy with room for a few keys more.
Map copy_with_room(const Value& data) {
  constexpr size_t kMore = 4;
  Map map;
  if (!data.is_map()) {
    map.reserve(kMore);
    return map;
  }
  map.reserve(data.as_map().size() + kMore);
  for (const auto& [key, value] : data.as_map()) map.append_distinct(key, value);
  return map;
}

}  // namespace

Value output_view(const StepOutput& output) {
  Map map = copy_with_room(output.loop ? output.data : Value());
  map.set("status", Value(output.status == StepOutput::Status::ok ? "ok" : "error"));
  map.set("data", output.data);
  map.set("error", output.error);
  if (output.http_status) {
    Map http;
    http.set("status", Value(*output.http_status));
    map.set("http", Value(std::move(http)));
  }
  return map;
}

Value step_view(const StepOutput& output) {
  Map map = copy_with_room(output.data);
  map.set("data", output.data);
  map.set("status", Value(output.status == StepOutput::Status::ok ? "ok" : "error"));
  map.set("error", output.error);
  return map;
}

Value loop_data(Value results, uint64_t total, uint64_t done, uint64_t failed) {
  Map map;
  if (!results.is_undefined()) {
    map.set("results", results);
    map.set("items", std::move(results));
  }
  map.set("total", number(total));
  map.set("done", number(done));
  map.set("failed", number(failed));
  return map;
}

// The item that a decimal text names in a list (from the end when negative); its size when none.
static size_t list_position(const List& list, std::string_view text) {
  int64_t index = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), index);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return list.size();
  if (index < 0) index += static_cast<int64_t>(list.size());
  return index < 0 ? list.size() : std::min(static_cast<size_t>(index), list.size());
}

Value value_at(const Value& root, std::span<const std::string> path) {
  Value at = root;
  for (const std::string& name : path) {
    if (at.is_list()) {
      const size_t position = list_position(at.as_list(), name);
      at = position == at.as_list().size() ? Value() : Value(at.as_list()[position]);
    } else {
      at = at.get(name);
    }
  }
  return at;
}

void put_at(Value& root, std::span<const std::string> path, Value value) {
  if (path.empty()) {
    root = std::move(value);
    return;
  }
  if (root.is_list()) {
    // A part of a list that is there as a whole already.
    const size_t position = list_position(root.as_list(), path.front());
    if (position == root.as_list().size()) return;
    put_at(root.mutable_list()[position], path.subspan(1), std::move(value));
    return;
  }
  if (!root.is_map()) root = Value(Map());
  Map& map = root.mutable_map();
  Value* inner = map.find(path.front());
  if (!inner) {
    map.set(path.front(), Value());
    inner = map.find(path.front());
  }
  put_at(*inner, path.subspan(1), std::move(value));
}

std::string encode_scope(const StepScope& scope) {
  Map map;
  map.set("plan", Value(hex(scope.plan)));
  map.set("step", Value(scope.step));
  map.set("epoch", number(scope.epoch));
  map.set("ctx", scope.ctx.is_map() ? scope.ctx : Value(Map()));
  Map steps;
  for (const StepScope::Result& result : scope.results) {
    steps.set(result.step, result_value(result));
  }
  if (!steps.empty()) map.set("steps", Value(std::move(steps)));
  if (scope.ending) map.set("ending", Value(kEndings[static_cast<size_t>(*scope.ending)]));
  return to_json(map);
}

Result<StepScope> decode_scope(std::string_view text) {
  TIDEMILL_TRY(const Value map, parse_json(text));
  StepScope scope;
  const Value plan = map.get("plan");
  const auto sha = plan.is_string() ? sha_from_hex(plan.as_string()) : std::nullopt;
  const Value step = map.get("step");
  const auto epoch = as_number(map.get("epoch"));
  scope.ctx = map.get("ctx");
  if (!sha || !step.is_string() || !epoch || !scope.ctx.is_map()) return corrupt("a step's scope");
  scope.plan = *sha;
  scope.step = step.as_string();
  scope.epoch = static_cast<uint32_t>(*epoch);
  if (const Value steps = map.get("steps"); steps.is_map()) {
    for (const auto& [name, value] : steps.as_map()) {
      auto result = as_result(name, value);
      if (!result) return corrupt("a step's scope");
      scope.results.push_back(std::move(*result));
    }
  }
  if (const Value ending = map.get("ending"); !ending.is_undefined()) {
    const auto* at = ending.is_string()
                         ? std::find(kEndings.begin(), kEndings.end(), ending.as_string())
                         : kEndings.end();
    if (at == kEndings.end()) return corrupt("a step's scope");
    scope.ending = static_cast<Ending>(at - kEndings.begin());
  }
  return scope;
}

std::optional<std::string> encode_routing(const Step& step, const Value& data,
                                          std::optional<int64_t> http_status) {
  List reads;
  for (const Path& path : step.routing_reads) {
    const auto is_above = [&](const Path& other) {
      return other.size() < path.size() && std::equal(other.begin(), other.end(), path.begin());
    };
    const auto& all = step.routing_reads;
    if (std::any_of(all.begin(), all.end(), is_above)) continue;  // sent with the other
    const Value value = value_at(data, path);
    if (value.is_undefined()) continue;
    reads.push_back(Value(List{path_value(path), value}));
  }
  Map map;
  map.set("reads", Value(std::move(reads)));
  if (http_status) map.set("http", Value(*http_status));
  std::string text = to_json(map);
  if (text.size() > limits::kInlineMax) return std::nullopt;
  return text;
}

Result<RoutingValues> decode_routing(std::string_view text) {
  TIDEMILL_TRY(const Value map, parse_json(text));
  RoutingValues out;
  const Value reads = map.get("reads");
  if (!reads.is_list()) return corrupt("routing values");
  for (const Value& pair : reads.as_list()) {
    if (!pair.is_list() || pair.as_list().size() != 2) return corrupt("routing values");
    const auto path = as_path(pair.as_list()[0]);
    if (!path) return corrupt("routing values");
    put_at(out.data, *path, pair.as_list()[1]);
  }
  if (const Value http = map.get("http"); http.is_integer()) out.http_status = http.as_integer();
  return out;
}

std::string encode_cursor_counts(const CursorCounts& counts) {
  Map map;
  map.set("total", number(counts.total));
  map.set("done", number(counts.done));
  map.set("failed", number(counts.failed));
  return to_json(map);
}

Result<CursorCounts> decode_cursor_counts(std::string_view text) {
  TIDEMILL_TRY(const Value map, parse_json(text));
  const auto total = as_number(map.get("total"));
  const auto done = as_number(map.get("done"));
  const auto failed = as_number(map.get("failed"));
  if (!total || !done || !failed) return corrupt("a claimer's counts");
  return CursorCounts{.total = *total, .done = *done, .failed = *failed};
}

std::string encode_arcs(const std::vector<uint32_t>& arcs) {
  List list;
  for (const uint32_t arc : arcs) list.push_back(number(arc));
  Map map;
  map.set("arcs", Value(std::move(list)));
  return to_json(map);
}

Result<std::vector<uint32_t>> decode_arcs(std::string_view text) {
  TIDEMILL_TRY(const Value map, parse_json(text));
  const Value list = map.get("arcs");
  if (!list.is_list()) return corrupt("a routing answer");
  std::vector<uint32_t> arcs;
  for (const Value& arc : list.as_list()) {
    const auto index = as_number(arc);
    if (!index || *index > UINT32_MAX) return corrupt("a routing answer");
    arcs.push_back(static_cast<uint32_t>(*index));
  }
  return arcs;
}

std::string encode_expansion(const Expansion& expansion) {
  Map map;
  map.set("admitted", Value(expansion.admitted));
  map.set("max_in_flight", number(expansion.max_in_flight));
  return to_json(map);
}

Result<Expansion> decode_expansion(std::string_view text) {
  TIDEMILL_TRY(const Value map, parse_json(text));
  const Value admitted = map.get("admitted");
  const auto n = as_number(map.get("max_in_flight"));
  if (admitted.kind() != Value::Kind::boolean || !n || *n > UINT32_MAX) {
    return corrupt("an expansion");
  }
  return Expansion{.admitted = admitted.as_bool(), .max_in_flight = static_cast<uint32_t>(*n)};
}

std::string encode_ctx_writes(const std::vector<CtxWrite>& writes) {
  List list;
  for (const CtxWrite& write : writes) {
    list.push_back(Value(List{path_value(write.path), write.value}));
  }
  return to_json(list);
}

Result<std::vector<CtxWrite>> decode_ctx_writes(std::string_view text) {
  TIDEMILL_TRY(const Value list, parse_json(text));
  if (!list.is_list()) return corrupt("ctx writes");
  std::vector<CtxWrite> writes;
  for (const Value& pair : list.as_list()) {
    if (!pair.is_list() || pair.as_list().size() != 2) return corrupt("ctx writes");
    auto path = as_path(pair.as_list()[0]);
    if (!path || path->empty()) return corrupt("ctx writes");
    writes.push_back({std::move(*path), pair.as_list()[1]});
  }
  return writes;
}

void apply(Value& ctx, const std::vector<CtxWrite>& writes) {
  if (!ctx.is_map()) ctx = Value(Map());
  for (const CtxWrite& write : writes) put_at(ctx, write.path, write.value);
}

bool covers(const std::vector<Path>& held, std::span<const std::string> read) {
  return std::any_of(held.begin(), held.end(), [&](const Path& path) {
    return path.size() <= read.size() && std::equal(path.begin(), path.end(), read.begin());
  });
}

}  // namespace tidemill::playbook
