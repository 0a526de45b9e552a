#pragma once
// Where runs live: one file .tidemill/ID.db per run, or the file that --store names. An id may be
// shortened to its last digits, or be "latest". Main thread.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/internal/context.h"

namespace tidemill::cli {

// The file of a run of its own.
std::string store_path(const std::string& folder, ExecutionId id);
std::vector<std::string> store_files(const std::string& folder);  // newest run first
// A process has the store open now.
bool is_owned(const std::string& store);

bool unfinished(const ExecutionRecord& execution);
enum class Ownership : uint8_t { owned, idle };
// The state's name, or "interrupted": unfinished, and no process has its store open.
std::string state_for_people(const ExecutionRecord& execution, Ownership store);

// Says of a file of the folder why it is not looked through: it does not hold up the others.
void say_left_out(const Error& error);

// An execution and the store that holds it.
struct Found {
  std::string store;
  std::unique_ptr<client::Records> records;
  ExecutionRecord execution;
};
// `name`: an id, its last digits, or "latest". `store`: "" looks through the folder. Errors:
// not_found, invalid (several match), and those of opening the one store named.
Result<Found> find_execution(const Context& context, const std::string& store,
                             const std::string& name);

// A task or an index of an array, and the store that holds it.
struct FoundWork {
  std::string store;
  std::unique_ptr<client::Records> records;
  WorkRef work;
};
Result<FoundWork> find_work(const Context& context, const std::string& store, uint64_t id,
                            std::optional<uint64_t> index);

// Control over a store: of the process that owns it, else by opening it here.
Result<std::unique_ptr<client::Control>> control_of(const Context& context,
                                                    const std::string& store);

// An id for a new run: microseconds since 2026. So ids sort by time, and a run is done before a
// later one could have made the same ids.
ExecutionId new_run_id();

}  // namespace tidemill::cli
