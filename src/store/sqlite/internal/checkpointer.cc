#include "store/sqlite/internal/checkpointer.h"

namespace tidemill::store {

Checkpointer::Checkpointer(std::unique_ptr<Database> db, os::Mutex& commits, uint64_t log_pages)
    : db_(std::move(db)),
      commits_(commits),
      log_pages_(log_pages),
      thread_("store-checkpt", [this] { run(); }) {}

Checkpointer::~Checkpointer() {
  {
    const os::Lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Checkpointer::committed(uint64_t pages_in_log) {
  if (pages_in_log < log_pages_) return;
  {
    const os::Lock lock(mutex_);
    if (wanted_) return;
    wanted_ = true;
  }
  wake_.notify_one();
}

void Checkpointer::run() {
  for (;;) {
    {
      const os::Lock lock(mutex_);
      while (!wanted_ && !stop_) wake_.wait(mutex_);
      if (stop_) return;
    }
    copy_all();
    const os::Lock lock(mutex_);
    wanted_ = false;
  }
}

// A failed checkpoint loses nothing: the log still holds every commit. A disk that cannot be
// written will fail a commit soon, and that one is reported.
void Checkpointer::copy_all() {
  constexpr int kRounds = 3;
  for (int round = 0; round < kRounds; ++round) {
    const auto copied = db_->checkpoint();
    if (!copied.ok()) return;
    const uint64_t left = copied->log_pages - copied->done_pages;
    if (left < log_pages_ / 8) break;
  }
  const os::Lock lock(commits_);
  static_cast<void>(db_->checkpoint());  // As above.
}

}  // namespace tidemill::store
