#pragma once
// PgConnection: one connection to PostgreSQL in pipeline mode. Calls are sent without waiting for
// the answers of those before; each ends with a sync, so each is a transaction of its own: all or
// nothing. Owned by a PgPool; the event thread. How it is opened, which may block, is open(), for
// another thread.
#include <libpq-fe.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "os/event_loop.h"
#include "worker/tool.h"
#include "worker/tools/internal/sql_template.h"
#include "worker/tools/internal/stop_reason.h"

namespace tidemill::worker {

struct PgJob {
  CallId id = 0;
  SqlCall sql;
  std::vector<BoundSql> statements;
  bool exclusive = false;   // its statements change the session or have transactions of their own
  bool separate = false;    // each statement is its own transaction
  bool unprepared = false;  // do not use prepared statements for it
  bool written = false;     // its values are written out
  uint32_t repeats = 0;
  StopReason stop = StopReason::none;
  bool sent = false;
  bool cancel_sent = false;
  std::string sqlstate;  // of its error
  ToolResult result;
  ToolRunner::OnDone on_done;
  os::EventLoop::TimerId timer = 0;
};
using PgJobPtr = std::shared_ptr<PgJob>;

class PgConnection {
 public:
  // None of these destroys the connection at once.
  struct Owner {
    std::function<void(PgJobPtr)> on_finished;
    std::function<void()> on_lost;          // its jobs have been finished with errors
    std::function<void(PGcancel*)> cancel;  // takes the request over; sends it from another thread
  };
  struct Closer {
    void operator()(PGconn* c) const { PQfinish(c); }
  };
  using Handle = std::unique_ptr<PGconn, Closer>;

  // Connects; blocks until it is done or the other end of `stop` is closed. Errors: unavailable.
  static Result<Handle> open(const std::string& dsn, int stop);

  PgConnection(os::EventLoop& loop, Handle handle, Owner owner);
  ~PgConnection();
  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;

  void send(PgJobPtr job);      // reaches the server at the end of the loop's round
  void stop(const PgJob& job);  // a sent one; its answer still comes
  size_t in_flight() const { return jobs_.size(); }
  bool is_exclusive() const { return exclusive_ || lost_; }
  bool is_lost() const { return lost_; }

 private:
  // One expected answer of the server.
  struct Expected {
    enum class Kind : uint8_t { prepare, statement, sync, cleanup };
    Kind kind = Kind::sync;
    PgJobPtr job;
    std::shared_ptr<const std::string> text;
    bool last = false;  // of its job
  };

  bool send_statement(const PgJobPtr& job, const BoundSql& sql);
  bool send_sync(const PgJobPtr& job, Expected::Kind kind);
  void flush_soon();
  void flush();
  void read();
  void take(const PGresult* result);
  void finish_front();
  enum class Session : uint8_t { idle, in_transaction };
  void clean_up(Session session);
  void cancel_front();
  void lose(const std::string& why);

  os::EventLoop& loop_;
  Handle handle_;
  const Owner owner_;
  const int socket_;
  std::deque<PgJobPtr> jobs_;  // sent, oldest first
  std::deque<Expected> expected_;
  std::unordered_map<std::string, uint32_t> uses_;  // of statement texts, with parameter types
  std::unordered_map<std::string, std::string> prepared_;  // names by the same
  uint64_t last_name_ = 0;
  bool exclusive_ = false;
  bool flushing_ = false;
  bool lost_ = false;
  bool watching_output_ = false;
  std::shared_ptr<const int> alive_ = std::make_shared<const int>(0);
};

}  // namespace tidemill::worker
