#pragma once
// Interpreter: one warm Python process and the socket to it. It runs one call at a time, is told
// code once and then by its hash. Owned by the python runner; the loop's thread only.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/result.h"
#include "model/limits.h"
#include "os/event_loop.h"
#include "os/process.h"
#include "os/stream.h"
#include "worker/internal/tail_text.h"
#include "worker/tool.h"

namespace tidemill::worker {

struct PythonRequest {
  std::string name;  // of the code, in tracebacks
  std::string code;
  std::string input;  // JSON object
};

class Interpreter {
 public:
  // Errors: not_found (no such program), io.
  static Result<std::unique_ptr<Interpreter>> start(os::EventLoop& loop, const std::string& program,
                                                    const std::string& folder);
  ~Interpreter();

  // `on_done` is called once, never from within. When `usable()` is false afterwards the process
  // has ended and this is to be thrown away.
  void run(PythonRequest request, ToolRunner::OnDone on_done);
  // Ends the process group; the running call ends with this error.
  void stop(TaskError why, Duration grace);

  bool usable() const { return process_ != nullptr; }
  uint64_t calls() const { return calls_; }
  uint64_t memory_bytes() const { return memory_bytes_; }

 private:
  explicit Interpreter(os::EventLoop& loop) : loop_(loop) {}
  Status launch(const std::string& program, const std::string& folder);
  void send(const PythonRequest& request, std::string_view hash, std::string_view code);
  void take_bytes(std::string_view bytes);
  void take_frame(std::string_view frame);
  void finish(ToolResult result);
  void ended(const os::ProcessExit& exit);

  os::EventLoop& loop_;
  std::unique_ptr<os::Process> process_;
  os::FdPair socket_;
  os::FdPair output_;
  std::unique_ptr<os::StreamReader> frames_;
  std::unique_ptr<os::StreamReader> output_reader_;
  std::unique_ptr<os::StreamWriter> writer_;

  std::unordered_set<std::string> known_code_;  // hashes it has been told
  PythonRequest request_;                       // of the running call
  ToolRunner::OnDone on_done_;                  // empty: nothing runs
  std::string buffer_;                          // of an answer that has not come whole
  TailText log_{limits::kLogMax};
  std::optional<TaskError> stopped_;
  uint64_t calls_ = 0;
  uint64_t memory_bytes_ = 0;
  uint64_t sent_bytes_ = 0;
};

}  // namespace tidemill::worker
