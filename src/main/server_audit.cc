#include "main/server_audit.h"

#include <utility>

#include "os/clock.h"
#include "wire/audit_json.h"
#include "wire/token_json.h"
#include "wire/token_line.h"

namespace tidemill::main {

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

Status check_open_to_others(const client::ServerOptions& options, const engine::TokenBook& tokens) {
  std::string missing;
  if (options.tls.certificate.empty()) missing = "no certificate (--tls-cert and --tls-key)";
  if (!tokens.has_valid(os::wall_now())) {
    missing += missing.empty() ? "" : " and ";
    missing += "no token (`tidemill token add ops --kind admin --store " + options.store + "`)";
  }
  if (missing.empty()) return Ok{};
  return Error{ErrorCode::invalid, "--listen " + options.address +
                                       ": others could reach this server, and it has " + missing +
                                       "; listen on 127.0.0.1, or say --insecure"};
}

Result<std::shared_ptr<os::LineLog>> open_audit(const std::string& file, const std::string& store,
                                                std::function<void(const std::string&)> talk) {
  if (file == "none") return std::shared_ptr<os::LineLog>();
  os::LineLogOptions options{.path = file.empty() ? store + ".audit.jsonl" : file};
  options.talk = [talk = std::move(talk)](const std::string& text) {
    if (talk) talk("the audit log: " + text);
  };
  auto log = os::LineLog::open(std::move(options));
  if (!log.ok()) {
    return std::move(log).error().with("the audit log (--audit FILE, or --audit none)");
  }
  return std::shared_ptr<os::LineLog>(std::move(*log));
}

std::function<void(std::string_view)> audit_line(std::shared_ptr<os::LineLog> log) {
  if (!log) return nullptr;
  return [log](std::string_view text) { log->line(text); };
}

std::function<api::AuditCounts()> audit_counts(std::shared_ptr<os::LineLog> log) {
  if (!log) return nullptr;
  return [log] {
    const os::LineLog::Counts counts = log->counts();
    return api::AuditCounts{counts.written, counts.lost, counts.failing};
  };
}

std::string audit_of_line(std::string_view line, std::string_view answer, WallTime now) {
  wire::AuditLine out{.at = now, .peer = "socket", .method = "LINE"};
  const size_t space = line.find(' ');
  out.path = line.substr(0, space);
  std::string named(space == std::string_view::npos ? "" : line.substr(space + 1));
  if (const auto token = wire::parse_token_line(line); token.ok()) {
    named = token->rest;
    if (token->verb == wire::TokenLine::Verb::add) {
      const auto wanted = wire::parse_new_token(token->rest);
      named = wanted.ok() ? wanted->name : "";
    }
  }
  if (!named.empty()) out.affected.push_back(std::move(named));
  out.status = answer.starts_with("ok") ? 200 : 400;
  return wire::to_json(out);
}

}  // namespace tidemill::main
