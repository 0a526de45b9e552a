// `tidemill validate FILE…`: every mistake of a playbook and of those it names, without running it.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>

#include "cli/exit_code.h"
#include "cli/internal/context.h"
#include "cli/internal/playbook_files.h"
#include "cli/internal/text.h"

namespace tidemill::cli {

namespace {

using Json = nlohmann::ordered_json;

Json as_json(const LoadedPlaybook& loaded) {
  Json j{{"file", loaded.file},
         {"valid", loaded.plan != nullptr},
         {"errors", loaded.errors},
         {"warnings", loaded.warnings},
         {"messages", loaded.messages}};
  if (loaded.plan) {
    j["name"] = loaded.plan->metadata.name;
    j["steps"] = loaded.plan->steps.size();
    j["hash"] = hex(loaded.plan->hash);
  }
  return j;
}

void print(const LoadedPlaybook& loaded) {
  for (const std::string& message : loaded.messages) fmt::print(stderr, "{}\n", message);
  if (loaded.plan) {
    fmt::print("{}: valid, {}{}\n", loaded.file, counted(loaded.plan->steps.size(), "step"),
               loaded.warnings > 0 ? ", " + counted(loaded.warnings, "warning") : "");
  } else {
    fmt::print("{}: {}\n", loaded.file, counted(loaded.errors, "error"));
  }
}

int validate(const Context& context, const std::vector<std::string>& files) {
  int code = kExitOk;
  Json all = Json::array();
  for (const std::string& file : files) {
    auto loaded = load_playbook(file);
    if (!loaded.ok()) {
      code = report(loaded.error());
      continue;
    }
    if (!loaded->plan) code = kExitUsage;
    if (context.json) {
      all.push_back(as_json(*loaded));
    } else {
      print(*loaded);
    }
  }
  if (context.json) fmt::print("{}\n", all.dump(2));
  return code;
}

}  // namespace

void add_validate(CLI::App& app, Context& context) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand("validate", "Check playbooks without running them");
  command->add_option("files", *files, "Playbooks")->required();
  command->add_flag("--json", context.json, "Print JSON");
  command->callback([&context, files] { context.exit_code = validate(context, *files); });
}

}  // namespace tidemill::cli
