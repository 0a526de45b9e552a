#pragma once
// The python tool: code runs in warm interpreter processes, as many as calls run at once (the
// worker's slots), each started when first needed, recycled after many calls or above a memory
// mark. The inputs are globals; the result is the global `result`, what main(**input) returns, or a
// top-level `return`. Owned by the Worker; its event thread only.
#include <memory>
#include <string>

#include "os/event_loop.h"
#include "worker/tool.h"

namespace tidemill::worker {

struct PythonOptions {
  std::string program = "python3";  // looked up in PATH
  std::string folder;               // the interpreters' working folder; empty: ours
  uint64_t recycle_calls = 10'000;
  uint64_t recycle_bytes = 512 * 1024 * 1024;  // of resident memory after a call
  Duration grace = seconds(2);                 // between SIGTERM and SIGKILL
};

class PythonRunner : public ToolRunner {
 public:
  // Starts an interpreter now when there is none, so that the first call finds it ready.
  virtual void warm_up() = 0;
};

std::unique_ptr<PythonRunner> make_python_runner(os::EventLoop& loop, PythonOptions options);

}  // namespace tidemill::worker
