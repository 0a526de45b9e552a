#pragma once
// Pager: reads parts of backlogs from the store on a thread of its own, so that no turn waits for
// it. The thread begins with the first page. Owned by the engine and used on its thread.
#include <functional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "machine/command.h"
#include "machine/effect.h"
#include "os/sync.h"
#include "os/thread.h"
#include "store/store.h"

namespace tidemill::engine {

class Pager {
 public:
  // Called on the pager's thread, once for each page that was wanted.
  using OnPage = std::function<void(Result<machine::PageIn>)>;

  Pager(store::Store& store, OnPage on_page) : store_(store), on_page_(std::move(on_page)) {}
  ~Pager();  // forgets what is still wanted
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;

  // At most one page of each backlog is wanted at a time, so this does not grow.
  void want(std::vector<machine::PageWanted> pages);

 private:
  void run();

  store::Store& store_;
  OnPage on_page_;
  bool started_ = false;
  os::Mutex mutex_;
  os::Condition wake_;
  std::vector<machine::PageWanted> wanted_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  os::Thread thread_;
};

}  // namespace tidemill::engine
