#pragma once
// The bare loop of the pft workload: the same requests, the same saves and the same promises as the
// playbook, written by hand with no engine under it: the limit to stay close to. One event thread
// with libcurl, one writer; a page is committed before the next one is asked for. Blocks its
// caller.
#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "bench/workloads/pft/sink.h"

namespace tidemill::bench::pft {

enum class Variant : uint8_t { sequential, types, facilities };
std::string_view variant_name(Variant variant);

struct BareLoopOptions {
  std::string api;  // http://127.0.0.1:port
  Variant variant = Variant::facilities;
  int in_flight = 256;
  int facilities = kFacilities;
};

struct BareLoopResult {
  Duration event_cpu{};
  Duration writer_cpu{};
  uint64_t requests = 0;
  uint64_t repeated = 0;  // after a 5xx
  uint64_t commits = 0;
  Totals totals;
  int64_t unfinished = 0;  // rows of the work table that are not done
};

// Errors: whatever ended it.
Result<BareLoopResult> run_bare_loop(const BareLoopOptions& options, Sink& sink);

}  // namespace tidemill::bench::pft
