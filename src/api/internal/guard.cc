#include "api/internal/guard.h"

#include <utility>

namespace tidemill::api {

namespace {

constexpr std::string_view kExchangePath = "/v1/exchange";

bool is_get(const Route& route) { return route.method == "GET" || route.method == "HEAD"; }

Access access_of(const Route& route) {
  if (route.access != Access::by_method) return route.access;
  return is_get(route) ? Access::read : Access::administer;
}

bool may(TokenKind kind, Access access) {
  switch (access) {
    case Access::open:
      return true;
    case Access::read:
      return kind != TokenKind::worker;
    case Access::fetch:
      return true;
    case Access::produce:
      return kind == TokenKind::client || kind == TokenKind::admin;
    case Access::work:
      return kind == TokenKind::worker || kind == TokenKind::admin;
    case Access::by_method:
    case Access::administer:
      break;
  }
  return kind == TokenKind::admin;
}

std::string_view who_may(Access access) {
  switch (access) {
    case Access::read:
      return "a client's, a read-only or an admin's";
    case Access::produce:
      return "a client's or an admin's";
    case Access::work:
      return "a worker's or an admin's";
    default:
      break;
  }
  return "an admin's";
}

// "Bearer tm_…" → "tm_…"; the word may be written in any case.
std::string_view secret_of(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() < kScheme.size()) return {};
  for (size_t i = 0; i < kScheme.size(); ++i) {
    const char c = authorization[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != kScheme[i]) return {};
  }
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  while (authorization.ends_with(' ')) authorization.remove_suffix(1);
  return authorization;
}

net::HttpResponse unauthorized(std::string why, bool given) {
  net::HttpResponse response = error_response({ErrorCode::denied, std::move(why)});
  response.status = 401;
  response.headers.push_back(
      {"WWW-Authenticate",
       given ? R"(Bearer realm="tidemill", error="invalid_token")" : R"(Bearer realm="tidemill")"});
  return response;
}

std::string_view noun_before_star(std::string_view pattern) {
  pattern = pattern.substr(0, pattern.find("/*"));
  std::string_view noun = pattern.substr(pattern.rfind('/') + 1);
  if (noun.ends_with('s')) noun.remove_suffix(1);
  return noun;
}

}  // namespace

Admission admit(const TokenCheck& check, const net::HttpRequest& request, const Route* route) {
  Admission out;
  const Access access = route == nullptr ? Access::fetch : access_of(*route);
  const bool asked = check.required || !check.tokens.empty();
  if (!asked || access == Access::open) {
    out.known = true;
    return out;
  }
  const std::string_view secret = secret_of(request.header("authorization"));
  if (!secret.empty()) out.token = check.tokens.find(secret);
  if (out.token == nullptr) {
    ++check.refused->without_token;
    out.refusal = unauthorized(
        secret.empty() ? "this server asks for a token (Authorization: Bearer tm_…): --token or "
                         "TIDEMILL_TOKEN gives it, `tidemill token add` makes one"
                       : "there is no such token, or it was revoked; `tidemill token list` shows "
                         "those there are",
        !secret.empty());
    return out;
  }
  if (out.token->expires_at <= check.wall_now()) {
    ++check.refused->without_token;
    out.refusal = unauthorized(
        "the token \"" + out.token->name + "\" has expired; `tidemill token add` makes another",
        true);
    return out;
  }
  out.known = true;
  if (may(out.token->kind, access)) return out;
  ++check.refused->wrong_kind;
  out.refusal = error_response(
      {ErrorCode::denied, "a token of kind " + std::string(token_kind_name(out.token->kind)) +
                              " may not ask this; " + std::string(who_may(access)) + " may"});
  return out;
}

AuditNote::~AuditNote() { answered(0); }

void AuditNote::affects(std::string what) {
  if (line_.affected.size() < wire::kAuditNamed) {
    line_.affected.push_back(std::move(what));
  } else {
    ++line_.affected_more;
  }
}

void AuditNote::answered(int status) {
  if (std::exchange(written_, true)) return;
  line_.status = status;
  audit_(wire::to_json(line_));
}

bool is_audited(const Route& route) {
  if (is_get(route) || route.pattern == kExchangePath) return false;
  const Access access = access_of(route);
  return access == Access::produce || access == Access::work || access == Access::administer;
}

std::shared_ptr<AuditNote> note_of(const HttpServices& services, const net::HttpRequest& request,
                                   const TokenRecord* token) {
  if (!services.audit) return nullptr;
  wire::AuditLine line{.at = services.wall_now()};
  if (token != nullptr) {
    line.token = token->name;
    line.kind = token_kind_name(token->kind);
  }
  line.certificate = request.certificate;
  line.peer = request.peer;
  line.method = request.method;
  line.path = request.path();
  return std::make_shared<AuditNote>(services.audit, std::move(line));
}

void affects_path(AuditNote& note, const Route& route, const std::vector<std::string>& words) {
  if (!words.empty()) {
    note.affects(std::string(noun_before_star(route.pattern)) + " " + words.front());
  }
}

net::Respond noted(net::Respond respond, std::shared_ptr<AuditNote> note) {
  return net::Respond([respond = std::move(respond), note](net::Respond::Make make) {
    respond.make([note, make = std::move(make)] {
      net::HttpResponse response = make();
      note->answered(response.status);
      return response;
    });
  });
}

}  // namespace tidemill::api
