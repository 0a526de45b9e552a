#pragma once
// The tool `sqlite`: statements on a database file (see internal/sqlite_file.h for how they are
// committed). Result: {rows, row_count, columns} of the last statement. Errors by kind: connect,
// sql, constraint, busy, disk_full, io, corrupt, timeout, cancelled, and config for what the call
// itself lacks. Made by the worker; the event thread.
#include <memory>
#include <string>
#include <vector>

#include "os/event_loop.h"
#include "worker/tool.h"

namespace tidemill::worker {

struct SqliteOptions {
  std::vector<std::string> refused_files;  // the engine's store, which no playbook may open
};

std::unique_ptr<ToolRunner> make_sqlite_runner(os::EventLoop& loop, SqliteOptions options = {});

}  // namespace tidemill::worker
