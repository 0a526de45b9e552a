#pragma once
// The tool `postgres`: statements on a PostgreSQL database over pooled, pipelined connections. Each
// call is a transaction of its own unless it says BEGIN. Result: {rows, row_count, columns} of the
// last statement. Errors by kind: connect, network (lost before the answer), sql, constraint, busy,
// timeout, cancelled, and config for what the call itself lacks; the text begins with the SQLSTATE.
// Made by the worker; the event thread.
#include <cstddef>
#include <memory>

#include "os/event_loop.h"
#include "worker/tool.h"

namespace tidemill::worker {

struct PostgresOptions {
  size_t connections = 8;  // to one database, at most
};

std::unique_ptr<ToolRunner> make_postgres_runner(os::EventLoop& loop, PostgresOptions options = {});

}  // namespace tidemill::worker
