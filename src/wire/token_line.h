#pragma once
// Tokens over the Unix socket beside a store, whose owner needs no token to make one:
//
//   token-add {"name": "ci", "kind": "client"}   → ok {"name": "ci", …, "token": "tm_…"}
//   token-revoke ci                              → ok {}
//   anything wrong                               → error conflict token: there is one named …
//
// Pure; any thread.
#include <string>
#include <string_view>

#include "base/result.h"

namespace tidemill::wire {

struct TokenLine {
  enum class Verb : uint8_t { add, revoke };
  Verb verb = Verb::add;
  std::string_view rest;  // JSON, or the name
};

// The line is for tokens, whatever else is wrong with it.
bool is_token_line(std::string_view line);
std::string token_line(const TokenLine& line);
// Errors: invalid.
Result<TokenLine> parse_token_line(std::string_view line);

std::string token_answer(const Result<std::string>& json);
// The JSON, or the error of an `error` line.
Result<std::string> parse_token_answer(std::string_view line);

}  // namespace tidemill::wire
