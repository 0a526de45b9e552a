#include "cli/usage.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "playbook/template.h"

namespace tidemill::cli {

namespace {

// The command as it was typed so far: the program, and each subcommand that was understood.
struct Place {
  const CLI::App* app;
  std::string name;  // "tidemill task"
};

std::vector<Place> understood(const CLI::App& app) {
  std::vector<Place> places{{&app, app.get_name()}};
  for (auto parsed = app.get_subcommands(); !parsed.empty();
       parsed = places.back().app->get_subcommands()) {
    places.push_back({parsed.back(), places.back().name + " " + parsed.back()->get_name()});
  }
  return places;
}

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string unknown_word(const Place& place, const std::string& word) {
  const std::vector<std::string> commands = commands_of(*place.app);
  const bool option = word.starts_with('-');
  const std::string meant =
      playbook::nearest(option ? word.substr(0, word.find('=')) : word,
                        option ? options_of(*place.app) : commands);
  const std::string where = meant.empty()
                                ? fmt::format("`{} --help` says what there is", place.name)
                                : fmt::format("did you mean '{}'?", meant);
  if (option) return fmt::format("`{}` has no option '{}'; {}\n", place.name, word, where);
  if (commands.empty()) {
    return fmt::format("`{}` takes no argument '{}' here; {}\n", place.name, word, where);
  }
  return fmt::format("`{}` has no command '{}'; {}\n", place.name, word, where);
}

// One line, with its newline.
std::string usage_text(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<Place> places = understood(app);
  const int code = error.get_exit_code();
  // CLI11 asks for what is missing before it names what it did not understand; the bad word is
  // mostly the reason that something is missing.
  if (code == static_cast<int>(CLI::ExitCodes::ExtrasError) ||
      code == static_cast<int>(CLI::ExitCodes::RequiredError)) {
    for (const Place& place : places) {
      const std::vector<std::string> left = place.app->remaining();
      if (!left.empty()) return unknown_word(place, left.front());
    }
  }
  return fmt::format("{}; `{} --help` says more\n", error.what(), places.back().name);
}

}  // namespace

int end_of_parsing(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error, std::cout, std::cerr);  // --help
  fmt::print(stderr, "tidemill: error: {}", usage_text(app, error));
  return kExitUsage;
}

}  // namespace tidemill::cli
