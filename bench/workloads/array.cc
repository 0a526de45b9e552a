// bench array: spawning an array of ten million indexes is one record: time to durable, rows,
// memory.
#include <memory>

#include "bench/workloads/bench.h"
#include "engine/engine.h"
#include "os/clock.h"
#include "store/sqlite/sqlite_store.h"

namespace tidemill::bench {

Status array(const Context&, const Request& request, Figures& figures) {
  const uint64_t count = request.quick ? 100'000 : 10'000'000;
  TIDEMILL_TRY(const auto store, store::open_sqlite(request.folder + "/array.db"));
  std::vector<double> times, rows;
  const uint64_t memory = os::resident_bytes();
  {
    TIDEMILL_TRY(const auto engine, engine::Engine::open({}, *store, {}));
    for (uint32_t round = 0; round < request.rounds; ++round) {
      machine::SpawnArray spawn;
      spawn.array.count = count;
      spawn.array.work.kind = "nobody";
      spawn.array.work.input = std::make_shared<const std::string>("{}");
      const uint64_t before = engine->stats().changes;
      const SteadyTime began = os::steady_now();
      TIDEMILL_TRY(const machine::ReplyBody reply, engine->ask(std::move(spawn)));
      times.push_back((os::steady_now() - began).milliseconds());
      if (!std::holds_alternative<machine::ArraySpawned>(reply)) {
        return Error{ErrorCode::invalid, "the array was refused"};
      }
      rows.push_back(static_cast<double>(engine->stats().changes - before));
    }
    const uint64_t grown = os::resident_bytes() - memory;
    figures.add("indexes", static_cast<double>(count), "", "in each of several arrays");
    figures.add("spawn, durable", median(times), "ms", "bound: 100");
    figures.add("rows written", median(rows), "", "changes committed by one spawn");
    figures.add("memory", static_cast<double>(grown) / 1e6 / request.rounds, "MB",
                "growth of the resident size per array; bound: 64");
  }
  return Ok{};
}

}  // namespace tidemill::bench
