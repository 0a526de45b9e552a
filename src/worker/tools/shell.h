#pragma once
// The shell tool: `cmd` (text for the shell), `cmds` (a list: run one after another, the first that
// fails ends it) or `command` ([argv…], without a shell), with `cwd`, `env`, `stdin` and `shell`
// (sh). Result: {stdout, stderr, exit_code}, each stream bounded with its tail kept; an exit code
// other than 0 is an error with that same data. A timeout or cancel ends the whole process group.
// Owned by the Worker; its event thread only.
#include <memory>

#include "os/event_loop.h"
#include "worker/tool.h"

namespace tidemill::worker {

struct ShellOptions {
  std::string base_directory;   // of relative `cwd`s; empty: the process's own
  Duration grace = seconds(2);  // between SIGTERM and SIGKILL
};

std::unique_ptr<ToolRunner> make_shell_runner(os::EventLoop& loop, ShellOptions options);

}  // namespace tidemill::worker
