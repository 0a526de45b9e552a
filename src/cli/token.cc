// `tidemill token add|list|revoke`: who may ask a server. With --store the owner of the store does
// it, whether a server has it open or not; otherwise it is asked of a server, with an admin's
// token.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <ctime>
#include <utility>

#include "cli/exit_code.h"
#include "cli/internal/context.h"
#include "cli/internal/server_option.h"
#include "cli/internal/text.h"
#include "os/clock.h"

namespace tidemill::cli {

namespace {

using Json = nlohmann::ordered_json;

struct TokenOptions {
  ServerOption server;
  std::string store, name, kind, expires;
  std::vector<std::string> queues;
};

Result<std::unique_ptr<client::Tokens>> open_tokens(const Context& context, const TokenOptions& o) {
  if (!o.store.empty()) return context.services.service.open_tokens(o.store);
  TIDEMILL_TRY(auto api, o.server.open());
  return std::unique_ptr<client::Tokens>(std::make_unique<client::HttpTokens>(std::move(api)));
}

// "90d", "12h", "30m", "45s".
Result<Duration> lifetime_of(const std::string& text) {
  const Error wrong{ErrorCode::invalid,
                    "--expires: '" + text + "' is no time from now; 90d, 12h, 30m or 45s is"};
  if (text.size() < 2 || text.size() > 9) return wrong;
  int64_t amount = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return wrong;
    amount = amount * 10 + (c - '0');
  }
  if (amount == 0) return wrong;
  switch (text.back()) {
    case 's':
      return seconds(amount);
    case 'm':
      return minutes(amount);
    case 'h':
      return hours(std::min<int64_t>(amount, 2'000'000));
    case 'd':
      return hours(24 * std::min<int64_t>(amount, 80'000));
    default:
      return wrong;
  }
}

std::string expiry_text(const TokenRecord& token) {
  return token.expires_at == WallTime::never() ? "never" : iso_time(token.expires_at);
}

Json json_of(const TokenRecord& token) {
  Json out{{"name", token.name}, {"kind", token_kind_name(token.kind)}, {"queues", token.queues}};
  out["created_at"] = iso_time(token.created_at);
  out["expires_at"] = token.expires_at == WallTime::never() ? Json() : Json(expiry_text(token));
  return out;
}

int add(const Context& context, const TokenOptions& o) {
  wire::NewToken wanted{.name = o.name, .queues = o.queues};
  auto kind = wire::parse_token_kind(o.kind);
  if (!kind.ok()) return report(std::move(kind).error().with("--kind"));
  wanted.kind = *kind;
  if (!o.expires.empty()) {
    auto lifetime = lifetime_of(o.expires);
    if (!lifetime.ok()) return report(lifetime.error());
    wanted.expires_in = *lifetime;
  }
  auto tokens = open_tokens(context, o);
  if (!tokens.ok()) return report(tokens.error());
  auto made = (*tokens)->add(wanted);
  if (!made.ok()) return report(made.error());
  if (context.json) {
    Json out = json_of(made->record);
    out["token"] = made->secret;
    fmt::print("{}\n", out.dump());
    return kExitOk;
  }
  fmt::print("{}\n", made->secret);
  fmt::print(stderr, "this is shown once: keep it, for example as TIDEMILL_TOKEN\n");
  return kExitOk;
}

int list(const Context& context, const TokenOptions& o) {
  auto tokens = open_tokens(context, o);
  if (!tokens.ok()) return report(tokens.error());
  auto all = (*tokens)->list();
  if (!all.ok()) return report(all.error());
  const WallTime now = os::wall_now();
  if (!context.json) fmt::print("{:<24} {:<10} {:<25} QUEUES\n", "NAME", "KIND", "EXPIRES");
  for (const TokenRecord& token : *all) {
    if (context.json) {
      fmt::print("{}\n", json_of(token).dump());
      continue;
    }
    const bool over = token.expires_at <= now;
    fmt::print("{:<24} {:<10} {:<25} {}\n", token.name, token_kind_name(token.kind),
               over ? "expired" : expiry_text(token),
               token.queues.empty() ? "all" : fmt::format("{}", fmt::join(token.queues, ", ")));
  }
  return kExitOk;
}

int revoke(const Context& context, const TokenOptions& o) {
  auto tokens = open_tokens(context, o);
  if (!tokens.ok()) return report(tokens.error());
  const Status done = (*tokens)->revoke(o.name);
  return done.ok() ? kExitOk : report(done.error());
}

CLI::App* verb(CLI::App& group, const char* name, const char* help, TokenOptions& o) {
  CLI::App* command = group.add_subcommand(name, help);
  command->add_option("--store", o.store,
                      "The store's file, by its owner; without it a server is asked");
  o.server.add_to(*command);
  return command;
}

}  // namespace

void add_token(CLI::App& app, Context& context) {
  auto o = std::make_shared<TokenOptions>();
  CLI::App* group = app.add_subcommand("token", "Who may ask a server: add, list, revoke");
  group->require_subcommand(1);
  group->footer(
      "\nExamples:\n"
      "  tidemill token add ops --kind admin --store tasks.db\n"
      "  tidemill token add gpu-1 --kind worker --queue imaging --expires 90d\n"
      "  tidemill token revoke gpu-1\n");
  CLI::App* command = verb(*group, "add", "Make one, and print it, once", *o);
  command->add_option("name", o->name, "Its name, for the list and the audit log")->required();
  command->add_option("--kind", o->kind, "client, worker, admin or read-only")->required();
  command->add_option("--queue", o->queues, "A worker's: only tasks of it; may be repeated");
  command->add_option("--expires", o->expires, "When it ends: 90d, 12h, 30m from now");
  command->add_flag("--json", context.json, "Print JSON");
  command->callback([&context, o] { context.exit_code = add(context, *o); });
  command = verb(*group, "list", "Show all, without the tokens themselves", *o);
  command->add_flag("--json", context.json, "Print JSON, a line for each");
  command->callback([&context, o] { context.exit_code = list(context, *o); });
  command = verb(*group, "revoke", "Let nobody in with it any more", *o);
  command->add_option("name", o->name, "Its name")->required();
  command->callback([&context, o] { context.exit_code = revoke(context, *o); });
}

}  // namespace tidemill::cli
