#pragma once
// Checkpointer: copies the log into the file on a thread and connection of its own, so that commits
// do not wait for it and the log's space is used again instead of growing. The log starts over at
// the first commit that finds all of it copied and read by nobody; under steady writing that moment
// never comes by itself, so the last few pages are copied while commits are held up. A writer that
// outruns the copying waits for it at four times the log's pages. Owned by the store.
#include <cstdint>
#include <memory>

#include "os/sync.h"
#include "os/thread.h"
#include "store/sqlite/internal/database.h"

namespace tidemill::store {

class Checkpointer {
 public:
  // `commits` is held by whoever writes.
  Checkpointer(std::unique_ptr<Database> db, os::Mutex& commits, uint64_t log_pages);
  ~Checkpointer();

  // Both on a writer's thread: before it takes `commits`, and after each commit. Waits while the
  // last pages are copied, or while the log is too long.
  void before_commit();
  void committed(uint64_t pages_in_log);

 private:
  void run();
  bool copy_all();
  bool copy_rest();

  std::unique_ptr<Database> db_;
  os::Mutex& commits_;
  const uint64_t log_pages_;
  os::Mutex mutex_;
  os::Condition wake_;
  os::Condition done_;
  uint64_t pages_ GUARDED_BY(mutex_) = 0;    // in the log
  uint64_t begins_at_ GUARDED_BY(mutex_);    // pages at which a copy begins,
  uint64_t waits_at_ GUARDED_BY(mutex_);     // and at which a writer waits for its end
  bool wanted_ GUARDED_BY(mutex_) = false;   // a copy, until it has ended
  bool holding_ GUARDED_BY(mutex_) = false;  // commits, for its last pages
  bool stop_ GUARDED_BY(mutex_) = false;
  os::Thread thread_;
};

}  // namespace tidemill::store
