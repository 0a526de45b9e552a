#pragma once
// What the process's exit code says. Documented in docs/cli.md; scripts rely on it.

namespace tidemill::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,       // the execution failed or was cancelled; a check found errors at run time
  kExitUsage = 2,  // the command line or the playbook is wrong, or does not fit; nothing changed
  kExitStore = 3,        // the store cannot be used: owned by another process, foreign, full, damaged
  kExitNotFound = 4,     // there is no execution, step or task of that name
  kExitInterrupted = 130,  // stopped by Ctrl-C or SIGTERM; `--resume` goes on
};

}  // namespace tidemill::cli
