// `tidemill version`: what this binary is.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/internal/context.h"
#include "playbook/plan.h"

namespace tidemill::cli {

namespace {

constexpr const char* kVersion = TIDEMILL_VERSION;

void print_version(const Context& context) {
  if (context.json) {
    const nlohmann::ordered_json j{{"version", kVersion},
                                   {"playbook_compiler", playbook::kCompilerVersion},
                                   {"compiler", __VERSION__}};
    fmt::print("{}\n", j.dump(2));
    return;
  }
  fmt::print("tidemill {} (playbook compiler {}, built with g++ {})\n", kVersion,
             playbook::kCompilerVersion, __VERSION__);
}

}  // namespace

void add_version(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("version", "Print the version");
  command->add_flag("--json", context.json, "Print JSON");
  command->callback([&context] { print_version(context); });
}

}  // namespace tidemill::cli
