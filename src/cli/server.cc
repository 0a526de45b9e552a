// `tidemill server`: the engine behind one port, for any number of workers and producers.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>

#include "cli/exit_code.h"
#include "cli/internal/context.h"
#include "cli/internal/server_option.h"
#include "os/signals.h"

namespace tidemill::cli {

namespace {

struct Options {
  client::ServerOptions server;
};

void say(const std::string& text) { fmt::print(stderr, "tidemill: {}\n", text); }

int serve(const Context& context, const Options& o) {
  os::Interrupts interrupts;
  os::ignore_signals_of_writes();
  auto server = context.services.service.open_server(o.server);
  if (!server.ok()) return report(server.error());
  fmt::print("{}\n", (*server)->url());
  std::fflush(stdout);
  fmt::print(stderr, "serving {} on {}; Ctrl-C stops it, and nothing accepted is lost\n",
             o.server.store, (*server)->url());
  constexpr Duration kLook = seconds(1);
  while (!interrupts.wait(kLook)) {
    if (const auto failure = (*server)->failure()) {
      const int code = report(*failure);
      fmt::print(stderr, "nothing acknowledged is lost; when that is mended, start it again\n");
      return code;
    }
  }
  (*server)->stop();
  return kExitOk;
}

}  // namespace

void add_server(CLI::App& app, Context& context) {
  auto o = std::make_shared<Options>();
  o->server.port = kDefaultPort;
  o->server.talk = say;
  CLI::App* command = app.add_subcommand("server", "Serve a store to workers and producers");
  command->add_option("--store", o->server.store, "Store file; made when it is not there")
      ->envname("TIDEMILL_STORE")
      ->capture_default_str();
  command->add_option("--listen", o->server.address, "Address to listen on")->capture_default_str();
  command->add_option("--port", o->server.port, "Port; 0: any free one")->capture_default_str();
  command->add_flag("--insecure", o->server.insecure,
                    "Let others reach it without token or encryption");
  command->add_option("--tls-cert", o->server.tls.certificate, "Certificate to encrypt with (PEM)")
      ->envname("TIDEMILL_TLS_CERT");
  command->add_option("--tls-key", o->server.tls.key, "Its key (PEM)")->envname("TIDEMILL_TLS_KEY");
  command
      ->add_option("--tls-client-ca", o->server.tls.client_ca,
                   "Ask clients for a certificate signed by this authority (PEM)")
      ->envname("TIDEMILL_TLS_CLIENT_CA");
  command->add_option("--audit", o->server.audit,
                      "Log of who changed what; default: STORE.audit.jsonl; none: no log");
  command->callback([&context, o] { context.exit_code = serve(context, *o); });
}

}  // namespace tidemill::cli
