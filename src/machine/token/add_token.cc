// AddToken: from the turn that makes it durable on, requests that bear its secret may pass.
#include <algorithm>
#include <utility>

#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/recovery.h"
#include "machine/internal/validate.h"
#include "model/limits.h"

namespace tidemill::machine {

namespace {

using Why = Refused::Why;

Flaw conflict_of(const State& s, const TokenRecord& token) {
  if (s.tokens.contains(token.name)) {
    return {Why::wrong_state, "token: there is one named \"" + token.name +
                                  "\" already; revoke it first, or choose another name"};
  }
  const bool known = std::any_of(s.tokens.begin(), s.tokens.end(), [&](const auto& one) {
    return one.second.record.hash == token.hash;
  });
  if (known) return {Why::wrong_state, "token: its secret belongs to another one; make a new one"};
  if (s.tokens.size() < limits::kTokensMax) return {};
  return {Why::too_large, "token: there are " + std::to_string(limits::kTokensMax) +
                              " already, and no more are allowed; revoke some"};
}

}  // namespace

void decide(State& s, Tag tag, const AddToken& command) {
  TokenRecord token = command.token;
  token.created_at = s.turn.now.wall;
  Flaw flaw = flaw_of(token);
  if (!flaw) flaw = conflict_of(s, token);
  if (flaw) {
    refuse(s, tag, flaw.why, flaw.text);
    return;
  }
  emit(s, PutToken{token});
  restore(s, std::move(token));
  answer(s, tag, Done{});
}

void restore(State& s, TokenRecord record) {
  LiveToken& token = s.tokens[record.name];
  token.record = std::move(record);
  rehash(s, token.share, token.record);
}

}  // namespace tidemill::machine
