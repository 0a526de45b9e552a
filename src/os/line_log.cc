#include "os/line_log.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace tidemill::os {

namespace {

std::string older(const std::string& path, uint32_t n) { return path + "." + std::to_string(n); }

uint64_t size_of(const File& file) {
  struct stat info {};
  return fstat(file.descriptor(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

// What it says is nobody's business but the owner's.
Result<File> open_log(const std::string& path) {
  TIDEMILL_TRY(File file, File::open(path, File::Mode::append));
  struct stat info {};
  const bool regular = fstat(file.descriptor(), &info) == 0 && S_ISREG(info.st_mode);
  if (regular && fchmod(file.descriptor(), S_IRUSR | S_IWUSR) != 0) {
    return os::system_error(errno, "chmod", path);
  }
  return file;
}

uint64_t lines_in(std::string_view text) {
  return static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

Result<std::unique_ptr<LineLog>> LineLog::open(LineLogOptions options) {
  TIDEMILL_TRY(File file, open_log(options.path));
  const uint64_t size = size_of(file);
  return std::unique_ptr<LineLog>(new LineLog(std::move(options), std::move(file), size));
}

LineLog::LineLog(LineLogOptions options, File file, uint64_t size)
    : options_(std::move(options)), file_(std::move(file)), size_(size) {
  thread_ = Thread("tm-lines", [this] { run(); });
}

LineLog::~LineLog() {
  {
    Lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void LineLog::line(std::string_view text) {
  Lock lock(mutex_);
  if (waiting_.size() + unwritten_ + text.size() + 1 > options_.waiting_max) {
    ++counts_.lost;
    return;
  }
  if (waiting_.empty()) changed_.notify_all();
  waiting_.append(text).push_back('\n');
}

LineLog::Counts LineLog::counts() const {
  Lock lock(mutex_);
  return counts_;
}

void LineLog::run() {
  std::string batch;
  for (;;) {
    const bool last = take(batch);
    const uint64_t lines = lines_in(batch);
    const Status done = write(batch);
    told(done);
    Lock lock(mutex_);
    counts_.written += lines - lines_in(batch);
    counts_.failing = !done.ok();
    unwritten_ = batch.size();
    if (last) {
      counts_.lost += lines_in(batch);
      return;
    }
    if (!done.ok() && !stopping_) changed_.wait_for(mutex_, options_.retry);
  }
}

// Adds what waits to what could not be written, when there is either. True: nothing comes any more.
bool LineLog::take(std::string& batch) {
  Lock lock(mutex_);
  while (batch.empty() && waiting_.empty() && !stopping_) changed_.wait(mutex_);
  // Others come along: one write for all of a moment.
  if (batch.empty() && !stopping_) changed_.wait_for(mutex_, kGather);
  batch += waiting_;
  waiting_.clear();
  unwritten_ = batch.size();
  return stopping_;
}

// Takes off the batch what it has written: whole lines, and of the last one what the disk took.
Status LineLog::write(std::string& batch) {
  std::string_view left = batch;
  Status done = Ok{};
  while (!left.empty() && done.ok()) {
    const uint64_t room = options_.size_max - std::min(options_.size_max, size_);
    size_t piece = left.size();
    if (piece > room) {
      const size_t end = room == 0 ? std::string_view::npos : left.rfind('\n', room - 1);
      if (end == std::string_view::npos && size_ > 0) {
        done = rotate();
        continue;
      }
      // A line that is longer than a file may be gets one of its own.
      piece = (end == std::string_view::npos ? left.find('\n') : end) + 1;
    }
    uint64_t written = 0;
    done = write_piece(left.substr(0, piece), written);
    left.remove_prefix(written);
  }
  batch.erase(0, batch.size() - left.size());
  return done;
}

Status LineLog::write_piece(std::string_view piece, uint64_t& written) {
  const Status done = file_.write(piece);
  const uint64_t now = done.ok() ? size_ + piece.size() : size_of(file_);
  written = std::min<uint64_t>(now - std::min(now, size_), piece.size());
  size_ = now;
  return done;
}

Status LineLog::rotate() {
  for (uint32_t n = options_.files_kept; n > 1; --n) {
    if (!exists(older(options_.path, n - 1))) continue;
    TIDEMILL_CHECK(rename_file(older(options_.path, n - 1), older(options_.path, n)));
  }
  if (exists(options_.path)) {
    TIDEMILL_CHECK(options_.files_kept > 0 ? rename_file(options_.path, older(options_.path, 1))
                                           : remove_file(options_.path));
  }
  TIDEMILL_TRY(file_, open_log(options_.path));
  size_ = 0;
  return Ok{};
}

void LineLog::told(const Status& status) {
  if (failing_ == !status.ok()) return;
  failing_ = !status.ok();
  if (!options_.talk) return;
  if (failing_) {
    options_.talk(status.error().what +
                  ": lines wait in memory, and are lost when there are too "
                  "many; make it writable again");
  } else {
    options_.talk(options_.path + " is written again");
  }
}

}  // namespace tidemill::os
