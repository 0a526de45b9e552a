// RevokeToken: no request passes with it any more, and the sessions of workers that were opened
// with it end as if their connections had closed: after the grace what they hold goes elsewhere.
#include "machine/internal/commands.h"
#include "machine/internal/emit.h"
#include "machine/internal/sessions.h"

namespace tidemill::machine {

void decide(State& s, Tag tag, const RevokeToken& command) {
  const auto found = s.tokens.find(command.name);
  if (found == s.tokens.end()) {
    refuse(s, tag, Refused::Why::not_found,
           "token: there is none named \"" + command.name + "\"; `tidemill token list` shows all");
    return;
  }
  unhash(s, found->second.share);
  s.tokens.erase(found);
  emit(s, DropToken{command.name});
  std::vector<SessionId> cut_off;
  for (const auto& [id, session] : s.sessions.all) {
    if (session.token == command.name) cut_off.push_back(id);
  }
  for (const SessionId id : cut_off) close_session(s, id);
  answer(s, tag, Done{});
}

}  // namespace tidemill::machine
