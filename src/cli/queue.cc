// `tidemill queue configure|pause|resume`: how a queue of a server treats its tasks.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/exit_code.h"
#include "cli/internal/context.h"
#include "cli/internal/server_option.h"

namespace tidemill::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Options {
  ServerOption server;
  std::string name, order = "fair", durability = "durable";
  uint32_t concurrency = 0, key_concurrency = 0;
  double ageing = 0;
};

// A name of a queue may hold anything.
std::string path_of(const std::string& name) {
  std::string out = "/v1/queues/";
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

int finish(Result<std::string> answer) { return answer.ok() ? kExitOk : report(answer.error()); }

int configure(const Options& o) {
  auto api = o.server.open();
  if (!api.ok()) return report(api.error());
  const Json body{{"concurrency", o.concurrency},
                  {"key_concurrency", o.key_concurrency},
                  {"ageing_ms", o.ageing * 1000},
                  {"order", o.order},
                  {"durability", o.durability}};
  return finish((*api)->put(path_of(o.name), body.dump()));
}

int post(const Options& o, const char* verb) {
  auto api = o.server.open();
  if (!api.ok()) return report(api.error());
  return finish((*api)->post(path_of(o.name) + "/" + verb));
}

CLI::App* subcommand(CLI::App& group, const char* name, const char* help, Options& o) {
  CLI::App* command = group.add_subcommand(name, help);
  command->add_option("name", o.name, "Queue")->required();
  o.server.add_to(*command);
  return command;
}

}  // namespace

void add_queue(CLI::App& app, Context& context) {
  auto o = std::make_shared<Options>();
  CLI::App* group = app.add_subcommand("queue", "Queues of a server: configure, pause, resume");
  group->require_subcommand(1);
  CLI::App* command = subcommand(*group, "configure",
                                 "Set its policies; what is not named has its "
                                 "usual value",
                                 *o);
  command->add_option("--concurrency", o->concurrency, "Tasks running at once; 0: no limit");
  command->add_option("--key-concurrency", o->key_concurrency,
                      "The same per concurrency key; 0: no limit");
  command->add_option("--ageing", o->ageing, "Seconds of waiting that weigh one step of priority");
  command->add_option("--order", o->order, "fair or fifo")->capture_default_str();
  command->add_option("--durability", o->durability, "durable or relaxed")->capture_default_str();
  command->callback([&context, o] { context.exit_code = configure(*o); });
  subcommand(*group, "pause", "Hand out nothing more of it", *o)->callback([&context, o] {
    context.exit_code = post(*o, "pause");
  });
  subcommand(*group, "resume", "Hand out again", *o)->callback([&context, o] {
    context.exit_code = post(*o, "resume");
  });
}

}  // namespace tidemill::cli
