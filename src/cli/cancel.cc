// `tidemill cancel ID`: an execution, with everything it started.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/exit_code.h"
#include "cli/internal/context.h"
#include "cli/internal/hints.h"
#include "cli/internal/stores.h"

namespace tidemill::cli {

namespace {

int cancel(const Context& context, const std::string& store, const std::string& name) {
  auto found = find_execution(context, store, name);
  if (!found.ok()) return report(found.error());
  auto control = control_of(context, found->store);
  if (!control.ok()) return report(control.error());
  if (Status s = (*control)->cancel_execution(found->execution.id); !s.ok()) return report(s.error());
  const std::string id = std::to_string(found->execution.id.raw);
  if (context.json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"cancelled", id}}.dump());
  } else {
    fmt::print("execution {} is being cancelled; see how it ends: {}\n", id,
               command_hint("show " + id, store));
  }
  return kExitOk;
}

}  // namespace

void add_cancel(CLI::App& app, Context& context) {
  struct Options {
    std::string store, id;
  };
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("cancel", "Cancel an execution");
  command->add_option("id", o->id, "Execution: its id, its last digits, or latest")->required();
  command->add_option("--store", o->store, "Store file; default: the run's own in .tidemill");
  command->add_flag("--json", context.json, "Print JSON");
  command->callback([&context, o] { context.exit_code = cancel(context, o->store, o->id); });
}

}  // namespace tidemill::cli
