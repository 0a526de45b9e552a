#pragma once
// The command line: `tidemill COMMAND …`. Data goes to stdout, talk to stderr; every command that
// prints data takes --json. One file per command below cli/; what they need of the system comes in
// as client::LocalServices. Called once, on the main thread.
#include <functional>
#include <string>
#include <vector>

#include "client/local_run.h"

namespace tidemill::cli {

// A command that lives in another room (bench); it gets its arguments unparsed.
struct ExtraCommand {
  std::string name;
  std::string help;
  std::function<int(const std::vector<std::string>& arguments)> run;
};

// Returns the process's exit code (cli/exit_code.h). `arguments` without the program's name.
int run_cli(const std::vector<std::string>& arguments, const client::LocalServices& services,
            const std::vector<ExtraCommand>& extra);

}  // namespace tidemill::cli
