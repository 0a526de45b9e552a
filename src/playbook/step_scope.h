#pragma once
// What the machine and a worker tell each other about one step of an execution, as JSON texts: the
// scope a step is entered with (the `input` of its task or array), and what a report brings back
// besides the result. Both sides use these functions and nothing else, so the format is known here
// only. Pure; any thread.
//
//   tidemill.step    runs the tools once, or once for each item of a loop's array
//   tidemill.cursor  one claimer of a cursor loop: claim → tools → claim … until a claim gives no
//   rows tidemill.expand  evaluates admit rules and `loop.in` where that takes more than the
//   machine holds tidemill.route   evaluates `set` and the arcs where that takes more than the
//   machine holds
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/outcome.h"
#include "model/result_ref.h"
#include "playbook/plan.h"

namespace tidemill::playbook {

inline constexpr std::string_view kStepKind = "tidemill.step";
inline constexpr std::string_view kCursorKind = "tidemill.cursor";
inline constexpr std::string_view kExpandKind = "tidemill.expand";
inline constexpr std::string_view kRouteKind = "tidemill.route";

// ---- how a finished step reads ----

struct StepOutput {
  enum class Status : uint8_t { ok, error };
  Status status = Status::ok;
  Value data = Value::null();   // whole, or only the paths that are known
  Value error = Value::null();  // {kind, message, retryable}
  std::optional<int64_t> http_status;
  // A loop's data is {results, items, total, done, failed}, which `output` shows itself as well.
  bool loop = false;
};

Value error_value(const TaskError& error);
// `output`: {status, data, error, http?}.
Value output_view(const StepOutput& output);
// `<step>`: its data when that is a map, and data, status and error, which hide keys of the same
// name.
Value step_view(const StepOutput& output);
// The data of a loop. `results` undefined: not known here.
Value loop_data(Value results, uint64_t total, uint64_t done, uint64_t failed);

// The value at `path`, undefined when there is none. Decimal names are positions in lists.
Value value_at(const Value& root, std::span<const std::string> path);
// Puts a value at `path`, making maps on the way (a map with the key "0" reads like a list's first
// item); an empty path replaces the whole.
void put_at(Value& root, std::span<const std::string> path, Value value);

// ---- the scope of a step ----

// How a step came to its end, as its `set` and its arcs see it.
enum class Ending : uint8_t { done, failed, skipped };

struct StepScope {
  Sha256 plan{};
  std::string step;
  uint32_t epoch = 1;
  Value ctx;  // a map: of tool tasks only the paths that the step reads; of routing tasks the whole

  // A finished step that is read. With a `ref` the data has to be fetched from there (of a loop:
  // its `results`); without one, output.data holds all that this scope may read.
  struct Result {
    std::string step;
    StepOutput output;
    ResultRef ref;
  };
  std::vector<Result> results;

  // tidemill.route only: the output of the step itself is the entry of its name in `results`.
  std::optional<Ending> ending;
};

std::string encode_scope(const StepScope& scope);
Result<StepScope> decode_scope(std::string_view text);  // errors: corrupt

// ---- what a report brings ----

// Report::routing of a step: the values at Step::routing_reads of its data, and the HTTP status.
// nullopt when they are more than limits::kInlineMax together (Report::routing_too_large).
std::optional<std::string> encode_routing(const Step& step, const Value& data,
                                          std::optional<int64_t> http_status);
struct RoutingValues {
  Value data;  // only what was at the paths; undefined when nothing was
  std::optional<int64_t> http_status;
};
Result<RoutingValues> decode_routing(std::string_view text);

// Report::routing of a claimer of a cursor loop: the rows it has seen to.
struct CursorCounts {
  uint64_t total = 0;
  uint64_t done = 0;
  uint64_t failed = 0;
};
std::string encode_cursor_counts(const CursorCounts& counts);
Result<CursorCounts> decode_cursor_counts(std::string_view text);

// Report::routing of a routing task: the arcs taken, by their index in Step::arcs.
std::string encode_arcs(const std::vector<uint32_t>& arcs);
Result<std::vector<uint32_t>> decode_arcs(std::string_view text);

// Report::routing of an expanding task: what admitted() and, of a loop, loop_range() say
// (playbook/routing.h). The items themselves are Report::loop_items.
struct Expansion {
  bool admitted = true;
  uint32_t max_in_flight = 1;
};
std::string encode_expansion(const Expansion& expansion);
Result<Expansion> decode_expansion(std::string_view text);

// Report::ctx_writes.
struct CtxWrite {
  Path path;  // below ctx
  Value value;
};
std::string encode_ctx_writes(const std::vector<CtxWrite>& writes);
Result<std::vector<CtxWrite>> decode_ctx_writes(std::string_view text);
void apply(Value& ctx, const std::vector<CtxWrite>& writes);

// Whether a value at one of these paths, or above it, holds what `read` asks for.
bool covers(const std::vector<Path>& held, std::span<const std::string> read);

}  // namespace tidemill::playbook
