#pragma once
// StreamReader and StreamWriter: bytes in and out of a descriptor that does not block, on an event
// loop. Owned by whoever talks to a child or a socket; the loop's thread only. Neither calls back
// after it was destroyed, and both may be destroyed from within their own callbacks.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "os/event_loop.h"
#include "os/fd.h"

namespace tidemill::os {

class StreamReader {
 public:
  // The bytes are valid during the call.
  using OnBytes = std::function<void(std::string_view)>;
  using OnEnd = std::function<void()>;  // end of file or an error of the descriptor

  StreamReader(EventLoop& loop, int fd, OnBytes on_bytes, OnEnd on_end);
  ~StreamReader();
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;

  // Takes what is there now without waiting for the loop.
  void drain();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// Writes to a socket (a broken one raises no signal).
class StreamWriter {
 public:
  // Works on a duplicate of the descriptor, so that a StreamReader may watch the same socket.
  StreamWriter(EventLoop& loop, int socket);
  ~StreamWriter();
  StreamWriter(const StreamWriter&) = delete;
  StreamWriter& operator=(const StreamWriter&) = delete;

  // What the socket does not take now is kept and written when it does. A peer that is gone is
  // noticed by whoever reads.
  void write(std::string bytes);
  // The peer reads an end of file after what was written.
  void end();

 private:
  void flush();

  EventLoop& loop_;
  Fd fd_;
  std::string kept_;
  size_t written_ = 0;  // of kept_
  bool watched_ = false;
  bool ending_ = false;
};

}  // namespace tidemill::os
