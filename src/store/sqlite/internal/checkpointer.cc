#include "store/sqlite/internal/checkpointer.h"

#include <algorithm>

namespace tidemill::store {

namespace {

constexpr uint64_t kWaitsAtLogs = 4;

}  // namespace

Checkpointer::Checkpointer(std::unique_ptr<Database> db, os::Mutex& commits, uint64_t log_pages)
    : db_(std::move(db)),
      commits_(commits),
      log_pages_(log_pages),
      begins_at_(log_pages),
      waits_at_(kWaitsAtLogs * log_pages),
      thread_("store-checkpt", [this] { run(); }) {}

Checkpointer::~Checkpointer() {
  {
    const os::Lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

// A mutex alone would not do: a writer that never pauses takes it again before the one that waits
// for it has woken.
void Checkpointer::before_commit() {
  const os::Lock lock(mutex_);
  while (holding_ || (wanted_ && pages_ >= waits_at_)) done_.wait(mutex_);
}

void Checkpointer::committed(uint64_t pages_in_log) {
  {
    const os::Lock lock(mutex_);
    if (pages_in_log < pages_) {  // It has started over.
      begins_at_ = log_pages_;
      waits_at_ = kWaitsAtLogs * log_pages_;
    }
    pages_ = pages_in_log;
    if (pages_ < begins_at_ || wanted_) return;
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
    const bool all = copy_all();
    {
      const os::Lock lock(mutex_);
      wanted_ = false;
      // Somebody reads an old state, or the disk fails: to try again at every commit would only
      // slow them down. The log grows by another piece first.
      if (!all) {
        begins_at_ = pages_ + log_pages_ / 4;
        waits_at_ = std::max(waits_at_, pages_ + log_pages_);
      }
    }
    done_.notify_all();
  }
}

// Whether the log may start over. A failed checkpoint loses nothing: the log still holds every
// commit. A disk that cannot be written will fail a commit soon, and that one is reported.
bool Checkpointer::copy_all() {
  constexpr int kRounds = 3;
  for (int round = 0; round < kRounds; ++round) {
    const auto copied = db_->checkpoint();
    if (!copied.ok()) return false;
    const uint64_t left = copied->log_pages - copied->done_pages;
    if (left < log_pages_ / 8) break;
  }
  {
    const os::Lock lock(mutex_);
    holding_ = true;
  }
  const bool all = copy_rest();
  const os::Lock lock(mutex_);
  holding_ = false;
  return all;
}

bool Checkpointer::copy_rest() {
  const os::Lock lock(commits_);
  const auto copied = db_->checkpoint();
  return copied.ok() && copied->log_pages == copied->done_pages;
}

}  // namespace tidemill::store
