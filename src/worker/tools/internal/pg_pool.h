#pragma once
// PgPool: the connections to one database and the calls that wait for one. Opens connections as
// calls need them, up to a bound; when all are busy calls are pipelined behind others. Calls that
// change the session get a connection to themselves. Owned by the postgres tool; the event thread.
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "os/event_loop.h"
#include "os/fd.h"
#include "worker/tools/internal/pg_connection.h"
#include "worker/tools/internal/task_thread.h"

namespace tidemill::worker {

class PgPool : public std::enable_shared_from_this<PgPool> {
 public:
  using OnFinished = std::function<void(PgJobPtr)>;

  PgPool(os::EventLoop& loop, std::string dsn, size_t connections, OnFinished on_finished);
  ~PgPool();

  void submit(PgJobPtr job);
  void stop(const PgJobPtr& job, StopReason reason);

 private:
  void dispatch_soon();
  void dispatch();
  PgConnection* connection_for(const PgJob& job);
  void open_one();
  void opened(Result<PgConnection::Handle> handle);
  void finished(PgJobPtr job);
  bool try_again(const PgJobPtr& job);

  os::EventLoop& loop_;
  const std::string dsn_;
  const size_t connections_max_;
  const OnFinished on_finished_;
  os::FdPair stop_;  // closing our end ends a connection that is being opened
  std::deque<PgJobPtr> waiting_;
  std::vector<std::unique_ptr<PgConnection>> connections_;
  size_t opening_ = 0;
  bool dispatching_ = false;
  TaskThread connector_{"pg-connect"};
  TaskThread canceller_{"pg-cancel"};
};

}  // namespace tidemill::worker
