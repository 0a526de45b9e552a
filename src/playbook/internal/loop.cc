#include "playbook/internal/loop.h"

#include <limits>
#include <utility>

#include "playbook/internal/templates.h"
#include "playbook/internal/tools.h"

namespace tidemill::playbook {
namespace {

constexpr uint32_t kMostInFlight = 1'000'000;
constexpr uint32_t kDefaultInFlight = 16;  // of a parallel or cursor loop that names none
constexpr uint32_t kMostFrameRows = 100'000;

using Mode = Loop::Mode;

void read_failure(const Check& check, const YamlNode& node, const std::string& where, Loop& loop) {
  if (!node.is_map()) {
    static const std::vector<std::string> words = {"fail", "continue"};
    loop.on_failure =
        static_cast<Loop::OnFailure>(read_choice(check, node, where + ": 'on_failure'", words));
    return;
  }
  Fields fields(check, node, where + ": 'on_failure'");
  if (const YamlNode* most = fields.require("max_failed", "how many iterations may fail"))
    loop.max_failed =
        read_count(check, *most, where + ": 'max_failed'", 0, std::numeric_limits<int64_t>::max());
  loop.on_failure = Loop::OnFailure::proceed;
  fields.finish();
}

void read_frame(const Check& check, const YamlNode& node, const std::string& where, Loop& loop) {
  Fields fields(check, node, where + ": 'frame'");
  if (const YamlNode* rows = fields.take("max_rows"))
    loop.frame_max_rows =
        static_cast<uint32_t>(read_count(check, *rows, where + ": 'max_rows'", 1, kMostFrameRows));
  if (const YamlNode* process = fields.take("process")) {
    static const std::vector<std::string> words = {"row", "frame"};
    loop.frame_process =
        static_cast<Loop::Process>(read_choice(check, *process, where + ": 'process'", words));
  }
  for (std::string_view key : {"lease_seconds", "heartbeat_seconds", "max_seconds"})
    fields.no_effect(key, "a task keeps its lease while its worker lives");
  fields.no_effect("max_bytes", "results are kept in the row or beside it by their size");
  fields.no_effect("row_concurrency", "the rows of a frame run one after another");
  fields.finish();
}

void read_max_in_flight(const Check& check, const YamlNode& node, const std::string& where,
                        Loop& loop) {
  if (node.is_scalar() && node.text.find("{{") != std::string::npos) {
    loop.max_in_flight_from = read_template(check, node);
    return;
  }
  loop.max_in_flight =
      static_cast<uint32_t>(read_count(check, node, where + ": 'max_in_flight'", 1, kMostInFlight));
}

// `mode` of the loop: named, or what its source means.
Mode read_mode(const Check& check, const YamlNode* node, const std::string& where, Mode fallback) {
  if (node == nullptr) return fallback;
  static const std::vector<std::string> words = {"sequential", "parallel", "cursor"};
  return static_cast<Mode>(read_choice(check, *node, where + ": 'mode'", words));
}

void read_spec(const Check& check, const YamlNode& node, const std::string& where, Loop& loop) {
  Fields fields(check, node, where + ": 'spec'");
  loop.mode = read_mode(check, fields.take("mode"), where, loop.mode);
  if (loop.mode != Mode::sequential) loop.max_in_flight = kDefaultInFlight;
  if (const YamlNode* most = fields.take("max_in_flight")) {
    read_max_in_flight(check, *most, where, loop);
    if (loop.mode == Mode::sequential) {
      loop.max_in_flight = 1;
      check.warning(most->at, where + ": 'max_in_flight' has no effect in a sequential loop",
                    "write 'mode: parallel'");
      loop.max_in_flight_from.reset();
    }
  }
  if (const YamlNode* policy = fields.take("policy")) {
    Fields inner(check, *policy, where + ": 'policy'");
    if (const YamlNode* exec = inner.take("exec"))
      read_choice(check, *exec, where + ": 'exec'", {"distributed", "local"});
    inner.finish();
  }
  if (const YamlNode* failure = fields.take("on_failure"))
    read_failure(check, *failure, where, loop);
  if (const YamlNode* frame = fields.take("frame")) read_frame(check, *frame, where, loop);
  fields.finish();
}

// The claim is a SQL tool whose statement is called `claim`.
Tool read_cursor(const Check& check, const YamlNode& node, const std::string& where) {
  Fields fields(check, node, where);
  if (!node.is_map()) return noop_tool("claim", node.at);
  YamlNode tool;
  tool.kind = YamlNode::Kind::map;
  tool.at = node.at;
  const YamlNode* kind = fields.require("kind", "postgres or sqlite");
  const YamlNode* auth = fields.require("auth", "the name of a connection");
  const YamlNode* claim = fields.require("claim", "the SQL that claims rows and returns them");
  fields.unsupported("options", "write what is needed into the claim");
  fields.finish();
  if (kind == nullptr || auth == nullptr || claim == nullptr) return noop_tool("claim", node.at);
  static const std::vector<std::string> words = {"postgres", "sqlite"};
  size_t word = read_choice(check, *kind, where + ": 'kind'", words);
  YamlNode kind_node = *kind;
  kind_node.text = words[word];
  tool.fields.push_back({.key = "kind", .at = kind->at, .value = std::move(kind_node)});
  tool.fields.push_back({.key = "auth", .at = auth->at, .value = *auth});
  tool.fields.push_back({.key = "query", .at = claim->at, .value = *claim});
  return read_tool(check, tool, "claim", where);
}

void check_constant_list(const Check& check, const YamlNode& node, const std::string& where,
                         const Template& in) {
  Scope none;
  Fuel fuel{kRoutingFuel};
  Evaluated<Value> value = in.evaluate(none, fuel);
  if (!value.ok() || value.value().is_list()) return;
  std::string suggestion;
  if (value.value().is_string() && !node.text.empty() && node.text.find('{') == std::string::npos)
    suggestion = "write '{{ " + node.text + " }}'";
  check.error(
      node.at,
      where + ": 'in' is a list or a template that gives one, found " + std::string(describe(node)),
      suggestion);
}

// A list may be written out; its items are then constants.
Template read_in(const Check& check, const YamlNode& node, const std::string& where) {
  if (node.is_list()) {
    std::vector<Reference> references;
    read_tree(check, node).collect_references(references);
    if (!references.empty())
      check.error(node.at, where + ": a list that is written out holds no templates",
                  "write one template: '{{ [a, b] }}'");
    return Template::constant(plain_value(node));
  }
  if (node.is_map()) {
    check.error(node.at, where + ": 'in' is a list or a template that gives one, found a map");
    return Template::constant(Value(List{}));
  }
  Template in = read_template(check, node);
  if (in.references().empty()) check_constant_list(check, node, where, in);
  return in;
}

void check_source(const Check& check, const YamlNode& node, const std::string& where,
                  const Loop& loop) {
  const YamlField* in = node.field("in");
  const YamlField* cursor = node.field("cursor");
  if (in == nullptr && cursor == nullptr)
    check.error(node.at, where + ": 'in' or 'cursor' is missing", "write 'in: \"{{ list }}\"'");
  if (in != nullptr && cursor != nullptr)
    check.error(cursor->at, where + ": 'in' and 'cursor' exclude each other", "keep one of them");
  if (in != nullptr && cursor == nullptr && loop.mode == Mode::cursor)
    check.error(in->at, where + ": 'mode: cursor' takes its rows from 'cursor', not from 'in'",
                "write 'mode: parallel'");
  if (cursor != nullptr && loop.mode != Mode::cursor)
    check.error(cursor->at, where + ": 'cursor' needs 'spec.mode: cursor'");
}

}  // namespace

Loop read_loop(const Check& check, const YamlNode& node, const std::string& step) {
  const std::string where = "loop of step '" + step + "'";
  Loop loop;
  loop.at = node.at;
  loop.iterator = "item";
  Fields fields(check, node, where);
  if (!node.is_map()) return loop;
  if (const YamlNode* in = fields.take("in")) loop.in = read_in(check, *in, where);
  if (fields.has("cursor")) {
    loop.mode = Mode::cursor;
    loop.max_in_flight = kDefaultInFlight;
  }
  if (const YamlNode* cursor = fields.take("cursor"))
    loop.cursor = read_cursor(check, *cursor, where + ": 'cursor'");
  if (const YamlNode* iterator = fields.take("iterator"))
    loop.iterator = read_name(check, *iterator, where + ": 'iterator'");
  if (const YamlNode* spec = fields.take("spec")) read_spec(check, *spec, where, loop);
  for (std::string_view key : {"mode", "max_in_flight", "on_failure", "frame"})
    fields.misplaced(key, "spec");
  for (std::string_view key : {"collection", "element"})
    fields.unsupported(key, "write 'in' and 'iterator'");
  fields.finish();
  check_source(check, node, where, loop);
  return loop;
}

}  // namespace tidemill::playbook
