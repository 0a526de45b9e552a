#include "wire/audit_json.h"

#include "wire/internal/json_writer.h"
#include "wire/internal/utc_text.h"

namespace tidemill::wire {

std::string to_json(const AuditLine& line) {
  std::string out;
  JsonWriter w(out);
  w.open('{').key("time").text(utc_text(line.at));
  if (!line.token.empty()) w.key("token").text(line.token).key("kind").text(line.kind);
  if (!line.certificate.empty()) w.key("certificate").text(line.certificate);
  w.key("peer").text(line.peer).key("method").text(line.method).key("path").text(line.path);
  if (!line.affected.empty()) {
    w.key("affected").open('[');
    for (const std::string& one : line.affected) w.text(one);
    w.close(']');
  }
  if (line.affected_more > 0) w.key("affected_more").count(line.affected_more);
  if (line.status != 0) {
    w.key("status").number(line.status);
  } else {
    w.key("status").raw("null");
  }
  w.close('}');
  return out;
}

}  // namespace tidemill::wire
