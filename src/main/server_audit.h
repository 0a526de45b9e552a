#pragma once
// What a server needs to be safe among others: whether it may listen where it is told to, and its
// log of changes. Wiring; used while a server is opened, the log's functions on any thread.
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/http_service.h"
#include "base/result.h"
#include "client/service.h"
#include "engine/token_book.h"
#include "os/line_log.h"

namespace tidemill::main {

bool is_loopback(const std::string& address);
// Errors: invalid, with what is missing and how to get it.
Status check_open_to_others(const client::ServerOptions& options, const engine::TokenBook& tokens);

// Null when `file` is "none"; "" is beside the store.
Result<std::shared_ptr<os::LineLog>> open_audit(const std::string& file, const std::string& store,
                                                std::function<void(const std::string&)> talk);
std::function<void(std::string_view)> audit_line(std::shared_ptr<os::LineLog> log);
std::function<api::AuditCounts()> audit_counts(std::shared_ptr<os::LineLog> log);
// Of a line over the socket: its verb and what it names, nothing else of it.
std::string audit_of_line(std::string_view line, std::string_view answer, WallTime now);

}  // namespace tidemill::main
