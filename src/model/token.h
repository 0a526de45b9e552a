#pragma once
// Tokens: who may ask a server for what. The secret itself is shown once, when its token is made,
// and kept nowhere: a record holds its hash. Values; any thread.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/time.h"

namespace tidemill {

enum class TokenKind : uint8_t { client, worker, admin, read_only };

struct TokenRecord {
  std::string name;
  TokenKind kind = TokenKind::client;
  Sha256 hash{};                    // of the secret
  std::vector<std::string> queues;  // worker: gets only work of these; empty: of all
  WallTime created_at;
  WallTime expires_at = WallTime::never();
  bool operator==(const TokenRecord&) const = default;
};

// "client", "worker", "admin", "read-only".
constexpr std::string_view token_kind_name(TokenKind kind) {
  switch (kind) {
    case TokenKind::client:
      return "client";
    case TokenKind::worker:
      return "worker";
    case TokenKind::admin:
      return "admin";
    case TokenKind::read_only:
      break;
  }
  return "read-only";
}

}  // namespace tidemill
