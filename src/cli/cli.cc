#include "cli/cli.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <system_error>

#include "cli/exit_code.h"
#include "cli/internal/context.h"
#include "cli/usage.h"
#include "os/terminal.h"

namespace tidemill::cli {

namespace {

constexpr const char* kFooter =
    "\nExamples:\n"
    "  tidemill run examples/hello.yaml --set name=Ada\n"
    "  tidemill validate examples/*.yaml\n"
    "  tidemill list\n"
    "  tidemill show latest --timing\n"
    "  tidemill run examples/pft/pft.yaml --resume\n"
    "  tidemill server --store tasks.db\n"
    "  tidemill worker\n"
    "  tidemill spawn shell '{\"cmd\": \"date\"}' --wait\n";

int exit_code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::not_found:
      return kExitNotFound;
    case ErrorCode::invalid:
    case ErrorCode::too_large:
      return kExitUsage;
    case ErrorCode::conflict:
    case ErrorCode::unavailable:
    case ErrorCode::timeout:
    case ErrorCode::disk_full:
    case ErrorCode::denied:
    case ErrorCode::corrupt:
    case ErrorCode::io:
      return kExitStore;
  }
  return kExitStore;
}

// Who closed the pipe wants no more; anything else is worth a word.
int output_failed(int exit_code) {
  if (os::stdout_is_abandoned()) return exit_code;
  fmt::print(stderr,
             "tidemill: error: the output could not be written: is the disk full? Nothing recorded "
             "is lost; `tidemill show latest` prints it again\n");
  return exit_code == kExitOk ? kExitFailed : exit_code;
}

}  // namespace

int report(const Error& error) {
  fmt::print(stderr, "tidemill: error: {}\n", error.what);
  return exit_code_of(error);
}

int run_cli(const std::vector<std::string>& arguments, const client::LocalServices& services,
            const std::vector<ExtraCommand>& extra) {
  os::forgive_stderr();
  if (!arguments.empty()) {
    for (const ExtraCommand& command : extra) {
      if (arguments[0] == command.name) return command.run({arguments.begin() + 1, arguments.end()});
    }
  }
  Context context{.services = services, .folder = ".tidemill"};
  CLI::App app{"Tidemill: a durable work engine", "tidemill"};
  app.footer(kFooter);
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of every command");
  add_run(app, context);
  add_validate(app, context);
  add_list(app, context);
  add_show(app, context);
  add_logs(app, context);
  add_task(app, context);
  add_cancel(app, context);
  add_server(app, context);
  add_worker(app, context);
  add_spawn(app, context);
  add_queue(app, context);
  add_token(app, context);
  add_version(app, context);
  for (const ExtraCommand& command : extra) app.add_subcommand(command.name, command.help);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);  // CLI11 takes them last first.
  } catch (const CLI::ParseError& e) {
    return end_of_parsing(app, e);
  } catch (const std::system_error&) {  // fmt's: stdout cannot be written
    return output_failed(context.exit_code);
  }
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  return written ? context.exit_code : output_failed(context.exit_code);
}

}  // namespace tidemill::cli
