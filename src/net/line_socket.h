#pragma once
// A Unix socket on which one line is asked and one line is answered. The server has a thread of its
// own and calls its handler there, one request at a time; lines and waiting are bounded. The
// socket's file is readable and writable by its owner only, and is removed when the server goes.
// Its path may be as long as any file's: what the kernel takes as an address is only 107 bytes.
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "os/thread.h"

namespace tidemill::net {

inline constexpr size_t kLineMax = 64 * 1024;

class LineServer {
 public:
  using Handler = std::function<std::string(const std::string& line)>;

  // A socket file left by a dead process is replaced. Errors: io, denied.
  static Result<std::unique_ptr<LineServer>> listen(const std::string& path, Handler handler);
  ~LineServer();

 private:
  LineServer(std::string path, int listener, int stop_event, Handler handler);
  void serve();
  void answer(int connection);

  std::string path_;
  int listener_;
  int stop_event_;
  Handler handler_;
  os::Thread thread_;
};

// When an answer is long in coming, `say` is called once; nothing for an empty one.
struct Patience {
  Duration after;
  std::function<void()> say;
};

// Asks one line. Errors: unavailable (nobody listens), timeout (the line may have arrived all the
// same, and be acted on later), io.
Result<std::string> ask_line(const std::string& path, const std::string& line, Duration at_most,
                             const Patience& patience = {});

}  // namespace tidemill::net
