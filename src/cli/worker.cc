// `tidemill worker`: runs attempts for a server, until it is told to stop.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>

#include "cli/exit_code.h"
#include "cli/internal/context.h"
#include "cli/internal/run_input.h"
#include "cli/internal/server_option.h"
#include "os/signals.h"
#include "os/warden.h"

namespace tidemill::cli {

namespace {

struct Options {
  ServerOption server;
  client::WorkerOptions worker;
  std::vector<std::string> connect;
};

int work(const Context& context, const Options& o) {
  client::WorkerOptions options = o.worker;
  options.server = o.server.url;
  options.token = o.server.token;
  options.tls = o.server.tls;
  auto given = connections(o.connect);
  if (!given.ok()) return report(given.error());
  options.connections = std::move(*given);
  os::Interrupts interrupts;
  os::Warden warden;
  os::ignore_signals_of_writes();
  auto worker = context.services.service.open_worker(options);
  if (!worker.ok()) return report(worker.error());
  fmt::print(stderr, "working for {}; Ctrl-C lets what runs finish and stops\n", options.server);
  while (!interrupts.wait(seconds(1))) {
    if (const auto refused = (*worker)->refused()) {
      (*worker)->stop_now();
      return report(*refused);
    }
  }
  fmt::print(stderr, "stopping: what runs is let finish (Ctrl-C again to stop at once)\n");
  (*worker)->drain();
  constexpr Duration kLook = milliseconds(100);
  while (!(*worker)->drained(kLook)) {
    if (interrupts.count() > 1) break;
  }
  (*worker)->stop_now();
  return kExitOk;
}

}  // namespace

void add_worker(CLI::App& app, Context& context) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("worker", "Run tasks and steps for a server");
  o->server.add_to(*command);
  command->add_option("--slots", o->worker.slots, "Code run at once; default: cores");
  command->add_option("--places", o->worker.places, "Attempts held at once; default: 1024");
  command->add_option(
      "--connect", o->connect,
      "A connection for `auth`, NAME=DSN, NAME=env:VARIABLE or NAME=@FILE; may be repeated");
  command->add_option("--folder", o->worker.base_folder,
                      "Where relative paths begin; default: here");
  command->add_option("--python", o->worker.python, "Interpreter of python tools")
      ->capture_default_str();
  command->callback([&context, o] { context.exit_code = work(context, *o); });
}

}  // namespace tidemill::cli
