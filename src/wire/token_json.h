#pragma once
// Tokens as JSON (docs/protocol.md): what is asked for, what is made of it, and the list, which
// holds no secret. Pure; any thread.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/token.h"

namespace tidemill::wire {

// "client", "worker", "admin", "read-only". Errors: invalid.
Result<TokenKind> parse_token_kind(std::string_view text);

// ---- POST /v1/tokens ----
struct NewToken {
  std::string name;
  TokenKind kind = TokenKind::client;
  std::vector<std::string> queues;
  std::optional<WallTime> expires_at;
  std::optional<Duration> expires_in;  // from when the server takes it; with both the earlier
};
std::string to_json(const NewToken& token);
// Errors: invalid, naming the path of what is wrong.
Result<NewToken> parse_new_token(std::string_view json);

// What the machine is to keep of it: the secret only as its hash.
TokenRecord record_of(const NewToken& token, std::string_view secret, WallTime now);

struct MadeToken {
  TokenRecord record;  // without the hash
  std::string secret;  // is told here, and never again
};
std::string to_json(const MadeToken& made);
Result<MadeToken> parse_made_token(std::string_view json);

// ---- GET /v1/tokens ----
std::string to_json(const std::vector<TokenRecord>& tokens);
Result<std::vector<TokenRecord>> parse_tokens(std::string_view json);

}  // namespace tidemill::wire
