#pragma once
// LineLog: lines appended to a file by a thread of its own, so that nobody who writes one waits for
// a disk. A file that has grown to its size becomes FILE.1, that one FILE.2 and so on; the oldest
// goes. While the file cannot be written the lines wait in memory, up to a bound; what comes beyond
// it is lost and counted. A kill takes the lines of the last moment (kGather). Made and destroyed
// by main; line() and counts() on any thread.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "os/file.h"
#include "os/sync.h"
#include "os/thread.h"

namespace tidemill::os {

struct LineLogOptions {
  std::string path;
  uint64_t size_max = 64 * 1024 * 1024;     // bytes of one file
  uint32_t files_kept = 4;                  // older ones
  uint64_t waiting_max = 16 * 1024 * 1024;  // bytes in memory
  Duration retry = seconds(1);              // after a failure
  // A sentence for people when it can no longer be written, and when it can again; on its thread.
  std::function<void(const std::string&)> talk;
};

class LineLog {
 public:
  // Errors: denied, io, disk_full, not_found (no such folder).
  static Result<std::unique_ptr<LineLog>> open(LineLogOptions options);
  // Tries once more to write what waits.
  ~LineLog();
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;

  void line(std::string_view text);  // without its newline

  struct Counts {
    uint64_t written = 0;  // lines
    uint64_t lost = 0;
    bool failing = false;  // the last attempt to write failed
  };
  Counts counts() const;

 private:
  LineLog(LineLogOptions options, File file, uint64_t size);
  void run();
  bool take(std::string& batch);
  Status write(std::string& batch);
  Status write_piece(std::string_view piece, uint64_t& written);
  Status rotate();
  void told(const Status& status);

  static constexpr Duration kGather = milliseconds(20);

  const LineLogOptions options_;
  File file_;             // the thread's
  uint64_t size_ = 0;     // of the file
  bool failing_ = false;  // the thread's view of counts_.failing

  mutable Mutex mutex_;
  Condition changed_;
  std::string waiting_ GUARDED_BY(mutex_);
  uint64_t unwritten_ GUARDED_BY(mutex_) = 0;  // bytes taken by the thread and not in the file yet
  bool stopping_ GUARDED_BY(mutex_) = false;
  Counts counts_ GUARDED_BY(mutex_);

  Thread thread_;
};

}  // namespace tidemill::os
