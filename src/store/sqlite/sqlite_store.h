#pragma once
// The store of one file: SQLite in WAL mode, synchronous=FULL. One process owns it, through a flock
// on FILE.lock; others may read it meanwhile. The format and its crash rules are in
// docs/storage.md. Threads as store.h says.
#include <functional>
#include <memory>
#include <string>

#include "base/time.h"
#include "store/store.h"

namespace tidemill::store {

struct SqliteOptions {
  enum class Mode : uint8_t {
    create,  // open it, or make it when there is none
    must_exist,
    read_only,  // takes no ownership; commits and plans are refused
  };
  Mode mode = Mode::create;
  // Another connection (a person's shell) holds the file's write lock and a commit waits for it:
  // called after a second and then each time the wait has doubled, on the thread that waits.
  std::function<void(Duration waited)> on_wait;
  uint64_t log_pages = 4'096;  // of WAL, written before a checkpoint begins; 256 … 1 000 000
  std::string vfs;             // of SQLite, for tests with faults; "": the system's
};

// Errors: conflict (owned by another process, or written by a newer version), not_found, denied,
// disk_full, corrupt (no SQLite file, another program's, or cut off), io. What is refused is left
// as it was.
Result<std::unique_ptr<Store>> open_sqlite(const std::string& path, SqliteOptions options = {});

// Reads a file that another process may own, or nobody.
Result<std::unique_ptr<Reader>> open_sqlite_reader(const std::string& path);

}  // namespace tidemill::store
