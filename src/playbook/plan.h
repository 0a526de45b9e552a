#pragma once
// Plan: a playbook compiled once. It holds the checked steps, tools, policies and templates, and
// what the graph analysis found: back edges, dominated steps, what blocks a join, and which paths
// of results routing and tool inputs read. Made by compile.h, named by the hash of its text;
// immutable and shared by the engine and the workers' threads.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"
#include "base/time.h"
#include "playbook/template.h"
#include "playbook/value.h"

namespace tidemill::playbook {

// Bumped when a compiled text may mean something else than before; an execution keeps the number it
// was started with.
inline constexpr uint32_t kCompilerVersion = 1;

using StepIndex = Id<struct StepTag, uint32_t>;  // position in Plan::steps
using Path = std::vector<std::string>;

enum class ApiVersion : uint8_t { tidemill_v1, noetl_v2 };
enum class ToolKind : uint8_t { python, http, postgres, sqlite, shell, noop, workbook, playbook };
std::string_view tool_kind_name(ToolKind kind);

// A YAML tree with templates at its leaves. Rendering keeps the tree's shape and key order.
struct InputField;
struct InputTree {
  using Items = std::vector<InputTree>;
  using Fields = std::vector<InputField>;
  std::variant<Template, Items, Fields> node;

  const InputTree* field(std::string_view name) const;  // null when this is no map or has no such key
  Evaluated<Value> render(const Scope& scope, Fuel& fuel) const;
  void collect_references(std::vector<Reference>& out) const;
  bool empty() const;  // no fields at all
};
struct InputField {
  std::string key;
  InputTree tree;
  InputField(std::string k, InputTree t) : key(std::move(k)), tree(std::move(t)) {}
};

// One write of a `set`: `ctx.a.b: …` is {ctx, {"a","b"}}.
struct SetItem {
  enum class Target : uint8_t { ctx, iter };
  Target target = Target::ctx;
  Path path;
  InputTree value;
  Position at;
};

enum class Backoff : uint8_t { none, fixed, linear, exponential };

struct PolicyRule {
  enum class Do : uint8_t { proceed, retry, stop, jump, fail };  // continue, retry, break, jump, fail
  std::optional<Template> when;  // absent: always (the `else` rule)
  bool of_errors = false;        // `when` holds for no success: it need not be evaluated for one
  Do action = Do::proceed;
  uint32_t attempts = 3;
  Duration delay = seconds(1);
  Backoff backoff = Backoff::none;
  std::string jump_to;  // a tool's name, resolved to jump_index
  uint32_t jump_index = 0;
  std::vector<SetItem> set;
  Position at;
};

struct Tool {
  std::string name;  // the step's name for a single tool without one
  ToolKind kind = ToolKind::noop;
  // Every key that belongs to the kind (code, url, method, query, cmd, path, …), unrendered.
  InputTree config;
  InputTree input;  // the tool's own `input`/`args`
  std::optional<Template> auth;
  std::vector<PolicyRule> rules;
  std::optional<Duration> timeout;
  bool fresh_interpreter = false;  // python: spec.isolation: fresh
  Position at;
};

struct Loop {
  enum class Mode : uint8_t { sequential, parallel, cursor };
  enum class OnFailure : uint8_t { fail, proceed };  // `continue`; max_failed narrows it
  enum class Process : uint8_t { row, frame };
  Mode mode = Mode::sequential;
  Template in;           // unused by a cursor loop
  std::string iterator;  // "item" by default
  uint32_t max_in_flight = 1;
  // Given as a template: its value when the step is entered replaces max_in_flight.
  std::optional<Template> max_in_flight_from;
  OnFailure on_failure = OnFailure::fail;
  std::optional<uint64_t> max_failed;
  std::optional<Tool> cursor;  // postgres or sqlite; its `query` is the claim
  uint32_t frame_max_rows = 1;
  Process frame_process = Process::row;
  Position at;
};

struct Arc {
  StepIndex to;
  std::optional<Template> when;  // absent: true
  std::vector<SetItem> set;
  // The target dominates the source, or closes a cycle of several entries: taking it starts an
  // epoch.
  bool back = false;
  Position at;
};

struct AdmitRule {
  std::optional<Template> when;
  bool allow = true;
};

struct Step {
  enum class Mode : uint8_t { exclusive, inclusive };
  enum class NoMatch : uint8_t { complete, quiet };

  std::string name;
  std::string description;
  InputTree input;
  std::vector<Tool> tools;   // at least one; a step without tool has a noop
  bool is_pipeline = false;  // the result holds every tool's result under its name
  std::optional<Loop> loop;
  std::vector<SetItem> set;
  std::vector<AdmitRule> admit;
  std::optional<Duration> timeout;
  Mode mode = Mode::exclusive;
  NoMatch on_no_match = NoMatch::complete;
  std::vector<Arc> arcs;
  bool no_next_is_error = false;
  Position at;

  // ---- found by the analysis ----
  bool reachable = false;
  bool uses_slot = false;       // some tool runs code here (python, shell)
  bool starts_children = false;  // some tool is a playbook
  // Steps that are entered anew, with this one, when a back edge leads here: those it dominates, in
  // index order, itself included. A step that no back edge leads to lists itself only.
  std::vector<StepIndex> dominates;
  // Steps that hold back the start of this one while they live: those with a path to it that ends
  // in an arc that is no back edge and does not pass through it.
  std::vector<bool> blocked_by;  // by StepIndex
  // Paths into this step's data that some routing reads (set, when, loop.in, admit; of any step),
  // relative to the data: {"rows"} for `load.rows` and for `output.data.rows` in its own arcs. An
  // empty path means the whole. The finishing worker sends these values apart.
  std::vector<Path> routing_reads;
  // What the tools' inputs read from outside the task: ctx paths {"ctx","a"}, results
  // {"load","rows"}. Workload, keychain, iterator and pipeline-internal names are not listed.
  // `load.data.rows` is listed as {"load","rows"}; `load.status` as {"load","status"}.
  std::vector<Path> scope_reads;
  // The same of `loop.in` and `loop.spec.max_in_flight` alone: the scope of the task that expands
  // the loop. (They are in routing_reads of the steps they name, too, and not in scope_reads.)
  std::vector<Path> loop_reads;
};

struct Metadata {
  std::string name;
  std::string path;
  std::string description;
  std::string version;
  Value labels;
  Value tags;
};

// A playbook named statically by a `playbook` tool, for loading and checking before the run.
struct ChildReference {
  std::string path;
  Position at;
  std::string return_step;          // "" when none is named, or not by a constant
  std::vector<std::string> inputs;  // the keys it is given
};

struct Plan {
  ApiVersion api = ApiVersion::tidemill_v1;
  uint32_t compiler_version = kCompilerVersion;
  Sha256 hash{};     // of the text
  std::string file;  // for messages only
  std::string text;
  Metadata metadata;
  Value workload;  // defaults
  InputTree keychain;
  std::vector<Tool> workbook;
  std::vector<Step> steps;
  StepIndex start;
  std::optional<StepIndex> final_step;
  std::vector<ChildReference> children;
  std::vector<std::string> connections;  // auth names used as constants
  bool needs_python = false;

  const Step& step(StepIndex i) const { return steps[i.raw]; }
  std::optional<StepIndex> find_step(std::string_view name) const;
};

using PlanPtr = std::shared_ptr<const Plan>;

}  // namespace tidemill::playbook
