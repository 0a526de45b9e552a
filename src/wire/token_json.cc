#include "wire/token_json.h"

#include <algorithm>
#include <array>
#include <utility>

#include "wire/internal/fields.h"
#include "wire/internal/utc_text.h"

namespace tidemill::wire {

namespace {

constexpr std::array kTokenKinds = {TokenKind::client, TokenKind::worker, TokenKind::admin,
                                    TokenKind::read_only};

Status read_token_kind(JsonValue value, TokenKind& out) {
  std::string text;
  TIDEMILL_CHECK(read(value, text));
  TIDEMILL_TRY(out, parse_token_kind(text));
  return Ok{};
}

Status read_token_time(JsonValue value, WallTime& out) {
  std::string text;
  TIDEMILL_CHECK(read(value, text));
  const std::optional<WallTime> time = parse_utc(text);
  if (!time) return Error{ErrorCode::invalid, "expected a time like 2026-01-31T23:59:59Z"};
  out = *time;
  return Ok{};
}

void write_queues(JsonWriter& w, const std::vector<std::string>& queues) {
  if (queues.empty()) return;
  w.key("queues").open('[');
  for (const std::string& queue : queues) w.text(queue);
  w.close(']');
}

void write_token_fields(JsonWriter& w, const TokenRecord& token) {
  w.key("name").text(token.name).key("kind").text(token_kind_name(token.kind));
  write_queues(w, token.queues);
  w.key("created_at").text(utc_text(token.created_at));
  if (token.expires_at != WallTime::never()) w.key("expires_at").text(utc_text(token.expires_at));
}

Status read_token_field(std::string_view name, JsonValue v, TokenRecord& out) {
  if (name == "name") return read(v, out.name);
  if (name == "kind") return read_token_kind(v, out.kind);
  if (name == "queues") return read(v, out.queues);
  if (name == "created_at") return read_token_time(v, out.created_at);
  if (name == "expires_at") return read_token_time(v, out.expires_at);
  return Ok{};  // of a newer server
}

}  // namespace

Result<TokenKind> parse_token_kind(std::string_view text) {
  for (const TokenKind kind : kTokenKinds) {
    if (text == token_kind_name(kind)) return kind;
  }
  return Error{ErrorCode::invalid, "expected client, worker, admin or read-only"};
}

std::string to_json(const NewToken& token) {
  std::string out;
  JsonWriter w(out);
  w.open('{').key("name").text(token.name).key("kind").text(token_kind_name(token.kind));
  write_queues(w, token.queues);
  if (token.expires_at) w.key("expires_at").text(utc_text(*token.expires_at));
  if (token.expires_in) w.key("expires_in_ms").number(token.expires_in->whole_milliseconds());
  w.close('}');
  return out;
}

Result<NewToken> parse_new_token(std::string_view json) {
  JsonText text(json);
  TIDEMILL_TRY(const JsonValue root, text.root());
  NewToken out;
  bool has_kind = false;
  TIDEMILL_CHECK(each_field(root, [&](std::string_view name, JsonValue v) -> Status {
    if (name == "name") return read(v, out.name);
    if (name == "queues") return read(v, out.queues);
    if (name == "expires_at") return read_token_time(v, out.expires_at.emplace());
    if (name == "expires_in_ms") return read_milliseconds(v, out.expires_in.emplace());
    if (name != "kind") {
      return unknown_field(name, {"name", "kind", "queues", "expires_at", "expires_in_ms"});
    }
    has_kind = true;
    return read_token_kind(v, out.kind);
  }));
  if (!has_kind) {
    return Error{ErrorCode::invalid, "kind: is missing: client, worker, admin or read-only"};
  }
  return out;
}

TokenRecord record_of(const NewToken& token, std::string_view secret, WallTime now) {
  TokenRecord record{.name = token.name, .kind = token.kind, .hash = sha256(secret)};
  record.queues = token.queues;
  record.created_at = now;
  if (token.expires_at) record.expires_at = *token.expires_at;
  if (token.expires_in) record.expires_at = std::min(record.expires_at, now + *token.expires_in);
  return record;
}

std::string to_json(const MadeToken& made) {
  std::string out;
  JsonWriter w(out);
  w.open('{');
  write_token_fields(w, made.record);
  w.key("token").text(made.secret).close('}');
  return out;
}

Result<MadeToken> parse_made_token(std::string_view json) {
  JsonText text(json);
  TIDEMILL_TRY(const JsonValue root, text.root());
  MadeToken out;
  TIDEMILL_CHECK(each_field(root, [&](std::string_view name, JsonValue v) -> Status {
    return name == "token" ? read(v, out.secret) : read_token_field(name, v, out.record);
  }));
  return out;
}

std::string to_json(const std::vector<TokenRecord>& tokens) {
  std::string out;
  JsonWriter w(out);
  w.open('{').key("tokens").open('[');
  for (const TokenRecord& token : tokens) {
    w.open('{');
    write_token_fields(w, token);
    w.close('}');
  }
  w.close(']').close('}');
  return out;
}

Result<std::vector<TokenRecord>> parse_tokens(std::string_view json) {
  JsonText text(json);
  TIDEMILL_TRY(const JsonValue root, text.root());
  std::vector<TokenRecord> out;
  TIDEMILL_CHECK(each_field(root, [&](std::string_view name, JsonValue v) -> Status {
    if (name != "tokens") return Ok{};
    return each_item(v, [&](JsonValue item) -> Status {
      TokenRecord& token = out.emplace_back();
      return each_field(item, [&](std::string_view field, JsonValue value) -> Status {
        return read_token_field(field, value, token);
      });
    });
  }));
  return out;
}

}  // namespace tidemill::wire
