#pragma once
// Writer: the bare loop's one writer thread. It runs what has gathered as one transaction and tells
// the event thread by an eventfd. submit() and take_done() are for the event thread.
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "bench/workloads/pft/sink.h"
#include "os/sync.h"
#include "os/thread.h"

namespace tidemill::bench::pft {

class Writer {
 public:
  explicit Writer(Sink& sink);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Handed over by the next flush().
  void submit(Job* job) { fresh_.push_back(job); }
  void flush();
  std::vector<Job*> take_done();
  int done_fd() const { return done_fd_; }

  // After take_done() gave nothing although the descriptor was readable: what went wrong.
  std::string error();
  uint64_t commits();
  Duration cpu();

 private:
  void run();

  Sink& sink_;
  int done_fd_;
  std::vector<Job*> fresh_;
  os::Mutex mutex_;
  os::Condition changed_;
  std::vector<Job*> waiting_ GUARDED_BY(mutex_);
  std::vector<Job*> done_ GUARDED_BY(mutex_);
  std::string error_ GUARDED_BY(mutex_);
  uint64_t commits_ GUARDED_BY(mutex_) = 0;
  Duration cpu_ GUARDED_BY(mutex_){};
  bool closed_ GUARDED_BY(mutex_) = false;
  os::Thread thread_;
};

}  // namespace tidemill::bench::pft
