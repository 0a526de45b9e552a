#include "engine/pager.h"

#include <iterator>
#include <utility>

#include "engine/turn_loop.h"

namespace tidemill::engine {

Pager::~Pager() {
  {
    os::Lock lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  thread_.join();
}

void Pager::want(std::vector<machine::PageWanted> pages) {
  if (pages.empty()) return;
  if (!std::exchange(started_, true)) thread_ = os::Thread("tm-pager", [this] { run(); });
  os::Lock lock(mutex_);
  std::move(pages.begin(), pages.end(), std::back_inserter(wanted_));
  wake_.notify_one();
}

void Pager::run() {
  Result<std::unique_ptr<store::Reader>> reader = store_.reader();
  if (!reader.ok()) return on_page_(std::move(reader).error());
  for (;;) {
    std::vector<machine::PageWanted> pages;
    {
      os::Lock lock(mutex_);
      while (wanted_.empty() && !stopping_) wake_.wait(mutex_);
      if (stopping_) return;
      pages.swap(wanted_);
    }
    for (const machine::PageWanted& page : pages) on_page_(read_page(**reader, page));
  }
}

}  // namespace tidemill::engine
