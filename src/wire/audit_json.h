#pragma once
// One line of the audit log: who changed what, from where, and what was answered. It holds no
// payload and no secret. The form is in docs/protocol.md. Pure; any thread.
#include <string>
#include <vector>

#include "base/time.h"

namespace tidemill::wire {

struct AuditLine {
  WallTime at;
  std::string token;                  // its name; "": none was asked for
  std::string kind;                   // of the token
  std::string certificate;            // the common name in it; "": none was shown
  std::string peer;                   // address, or "socket"
  std::string method;                 // of a control line "LINE"
  std::string path;                   // without its query
  std::vector<std::string> affected;  // "task 7", "queue imaging"; the first of many
  uint64_t affected_more = 0;         // how many are not named
  int status = 0;                     // 0: it went away before it could be answered
};

inline constexpr size_t kAuditNamed = 16;  // of `affected`

std::string to_json(const AuditLine& line);

}  // namespace tidemill::wire
