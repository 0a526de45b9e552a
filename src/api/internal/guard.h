#pragma once
// Guard: who may ask what, and what goes on record of those who change something. The token of a
// request is looked up among those that are durable; what it may ask says its kind and the route.
// The HTTP server's thread, but for the end of an AuditNote, which may come on any.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/internal/route.h"
#include "wire/audit_json.h"

namespace tidemill::api {

struct Admission {
  bool known = false;  // it came with a good token, or none is asked for
  std::shared_ptr<const TokenRecord> token;
  std::optional<net::HttpResponse> refusal;  // 401, 403
};

// `route` null: there is no such request; it takes a good token to hear that.
Admission admit(const TokenCheck& check, const net::HttpRequest& request, const Route* route);

// One line of the audit log. It is written once: when the answer is made, or without a status when
// nobody is left to answer.
class AuditNote {
 public:
  AuditNote(std::function<void(std::string_view)> audit, wire::AuditLine line)
      : audit_(std::move(audit)), line_(std::move(line)) {}
  ~AuditNote();
  AuditNote(const AuditNote&) = delete;
  AuditNote& operator=(const AuditNote&) = delete;

  void affects(std::string what);
  void answered(int status);

 private:
  std::function<void(std::string_view)> audit_;
  wire::AuditLine line_;
  bool written_ = false;
};

// Whether it changes something. Of exchanges only the first and the end of a session are.
bool is_audited(const Route& route);
// Null when no log is kept.
std::shared_ptr<AuditNote> note_of(const HttpServices& services, const net::HttpRequest& request,
                                   const TokenRecord* token);
// What stands in the path: "task 7".
void affects_path(AuditNote& note, const Route& route, const std::vector<std::string>& words);
// Tells the note what was answered.
net::Respond noted(net::Respond respond, std::shared_ptr<AuditNote> note);

}  // namespace tidemill::api
