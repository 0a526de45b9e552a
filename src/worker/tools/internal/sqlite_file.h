#pragma once
// SqliteFile: all calls on one database file. One writer thread runs the calls of all pipelines and
// commits them in groups: while one group is on its way to disk the next gathers. A second thread
// answers calls that only read, on a connection of its own; it begins each read after the call
// came, so a caller always sees what it has been told is written. Owned by the sqlite tool;
// submit() is for the event thread, and finished calls come back there in one batch per group.
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "os/event_loop.h"
#include "os/sync.h"
#include "os/thread.h"
#include "worker/tool.h"
#include "worker/tools/internal/sqlite_connection.h"

namespace tidemill::worker {

struct SqliteJob {
  CallId id = 0;
  std::vector<BoundSql> statements;
  std::atomic<StopReason> stop{StopReason::none};
  ToolResult result;
  ToolRunner::OnDone on_done;  // event thread only
  os::EventLoop::TimerId timer = 0;
  std::string log;

  bool own_transaction() const;
  bool may_only_read() const;
};
using SqliteJobPtr = std::shared_ptr<SqliteJob>;

class SqliteFile : public std::enable_shared_from_this<SqliteFile> {
 public:
  using OnFinished = std::function<void(std::vector<SqliteJobPtr>)>;  // called on the event thread

  SqliteFile(os::EventLoop& loop, std::string path, RefusedFiles refused, OnFinished on_finished);
  ~SqliteFile();  // lets the running group end; calls that wait are dropped

  void submit(SqliteJobPtr job);  // its thread is told at the end of the loop's round

 private:
  class Queue {
   public:
    void push(std::vector<SqliteJobPtr>& jobs);
    std::vector<SqliteJobPtr> take();  // waits; empty when closed
    void close();

   private:
    os::Mutex mutex_;
    os::Condition changed_;
    std::vector<SqliteJobPtr> jobs_ GUARDED_BY(mutex_);
    bool closed_ GUARDED_BY(mutex_) = false;
  };
  using Jobs = std::vector<SqliteJobPtr>;

  void hand_over();
  void finish(Jobs jobs);
  void write_all();
  void write(const Jobs& jobs);
  void write_group(const Jobs& jobs);
  enum class Guard : uint8_t { none, savepoints };
  enum class Tried : uint8_t { written, undone, half_a_call };
  Tried try_group(Jobs& group, Guard guard);
  Tried run_in_group(SqliteJob& job, Guard guard);
  void write_alone(SqliteJob& job);
  void write_one_by_one(const Jobs& jobs);
  void read_all();
  void read(const Jobs& jobs);

  os::EventLoop& loop_;
  const std::string path_;
  const RefusedFiles refused_;
  const OnFinished on_finished_;
  Jobs new_writes_;  // of this round
  Jobs new_reads_;
  Queue writes_;
  Queue reads_;
  std::unique_ptr<SqliteConnection> writer_;  // the writer thread's
  std::unique_ptr<SqliteConnection> reader_;  // the reader thread's
  os::Thread write_thread_;
  bool reading_ = false;  // the reader thread was started, by the first read
  os::Thread read_thread_;
};

}  // namespace tidemill::worker
