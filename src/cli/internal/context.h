#pragma once
// Context: what every command of the CLI gets. Made by run_cli(), borrowed by the commands; main
// thread.
#include <string>

#include "base/result.h"
#include "client/local_run.h"

namespace CLI {
class App;
}

namespace tidemill::cli {

struct Context {
  const client::LocalServices& services;
  bool json = false;   // --json
  std::string folder;  // where runs without --store live: ".tidemill"
  int exit_code = 0;   // set by the command that ran
};

// Each adds its command to `app`; the command's callback sets context.exit_code.
void add_run(CLI::App& app, Context& context);
void add_validate(CLI::App& app, Context& context);
void add_list(CLI::App& app, Context& context);
void add_show(CLI::App& app, Context& context);
void add_task(CLI::App& app, Context& context);
void add_cancel(CLI::App& app, Context& context);
void add_logs(CLI::App& app, Context& context);
void add_version(CLI::App& app, Context& context);
void add_server(CLI::App& app, Context& context);
void add_worker(CLI::App& app, Context& context);
void add_spawn(CLI::App& app, Context& context);
void add_queue(CLI::App& app, Context& context);
void add_token(CLI::App& app, Context& context);

// Says an error on stderr ("tidemill: error: …") and gives the exit code for it.
int report(const Error& error);

}  // namespace tidemill::cli
