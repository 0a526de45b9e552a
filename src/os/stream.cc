#include "os/stream.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/assert.h"

namespace tidemill::os {

namespace {

constexpr size_t kReadSize = 64 * 1024;
// Reads in one round, so that a child that never stops writing does not keep the loop to itself.
constexpr int kReadsPerRound = 16;

}  // namespace

struct StreamReader::Impl {
  EventLoop& loop;
  int fd;
  OnBytes on_bytes;
  OnEnd on_end;
  bool open = true;

  void close() {
    if (open) loop.unwatch(fd);
    open = false;
  }
};

StreamReader::StreamReader(EventLoop& loop, int fd, OnBytes on_bytes, OnEnd on_end)
    : impl_(std::make_shared<Impl>(Impl{loop, fd, std::move(on_bytes), std::move(on_end)})) {
  loop.watch(fd, EPOLLIN, [this](uint32_t) { drain(); });
}

StreamReader::~StreamReader() { impl_->close(); }

void StreamReader::drain() {
  // A callback may destroy this reader; the state lives until the end of the call.
  const std::shared_ptr<Impl> state = impl_;
  std::array<char, kReadSize> buffer;
  for (int i = 0; i < kReadsPerRound && state->open; ++i) {
    const ssize_t n = read(state->fd, buffer.data(), buffer.size());
    if (n > 0) {
      state->on_bytes({buffer.data(), static_cast<size_t>(n)});
      if (static_cast<size_t>(n) < buffer.size()) return;
      continue;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    state->close();
    state->on_end();
  }
}

StreamWriter::StreamWriter(EventLoop& loop, int socket)
    : loop_(loop), fd_(fcntl(socket, F_DUPFD_CLOEXEC, 3)) {
  TIDEMILL_ASSERT(fd_);
}

StreamWriter::~StreamWriter() {
  if (watched_) loop_.unwatch(fd_.get());
}

void StreamWriter::write(std::string bytes) {
  if (kept_.empty()) {
    kept_ = std::move(bytes);
    flush();
  } else {
    kept_ += bytes;
  }
}

void StreamWriter::end() {
  ending_ = true;
  if (kept_.empty()) flush();
}

void StreamWriter::flush() {
  while (written_ < kept_.size()) {
    const ssize_t n =
        send(fd_.get(), kept_.data() + written_, kept_.size() - written_, MSG_NOSIGNAL);
    if (n > 0) {
      written_ += static_cast<size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      if (!watched_) loop_.watch(fd_.get(), EPOLLOUT, [this](uint32_t) { flush(); });
      watched_ = true;
      return;
    }
    break;  // the peer is gone
  }
  kept_.clear();
  written_ = 0;
  if (ending_) shutdown(fd_.get(), SHUT_WR);
  if (watched_) loop_.unwatch(fd_.get());
  watched_ = false;
}

}  // namespace tidemill::os
