#include "main/local_exchange.h"

#include <utility>
#include <variant>

#include "machine/command.h"
#include "machine/reply.h"

namespace tidemill::main {

namespace {

Result<ExchangeReply> exchange_reply(Result<machine::ReplyBody> reply) {
  if (!reply.ok()) return std::move(reply).error();
  if (auto* answer = std::get_if<ExchangeReply>(&reply.value())) return std::move(*answer);
  if (auto* refused = std::get_if<machine::Refused>(&reply.value())) {
    return Error{ErrorCode::invalid, refused->text};
  }
  return Error{ErrorCode::invalid, "the engine answered an exchange with something else"};
}

bool is_of_disk(const Error& error) {
  return error.code == ErrorCode::disk_full || error.code == ErrorCode::denied ||
         error.code == ErrorCode::io;
}

}  // namespace

void LocalExchange::exchange(ExchangeRequest request, OnReply on_reply) {
  engine_.submit(machine::Exchange{.request = std::move(request), .in_process = true},
                 [this, on_reply = std::move(on_reply)](Result<machine::ReplyBody> reply) {
                   loop_.post([on_reply, answer = exchange_reply(std::move(reply))]() mutable {
                     on_reply(std::move(answer));
                   });
                 });
}

void LocalExchange::fetch_result(const ResultRef& ref, OnBytes on_bytes) {
  queries_.result(ref, posted<SharedBytes>(std::move(on_bytes)));
}

void LocalExchange::fetch_plan(const Sha256& hash, OnBytes on_text) {
  queries_.plan(hash, posted<SharedBytes>(std::move(on_text)));
}

void LocalExchange::fetch_execution(ExecutionId id, OnExecution on_execution) {
  queries_.execution(id, [id, tell = posted<wire::ExecutionInfo>(std::move(on_execution))](
                             Result<std::optional<ExecutionRecord>> record) {
    if (!record.ok()) return tell(std::move(record).error());
    if (!*record) {
      return tell(Error{ErrorCode::not_found, "there is no execution " + std::to_string(id.raw)});
    }
    const ExecutionRecord& r = **record;
    tell(wire::ExecutionInfo{id, r.plan, r.workload, r.file});
  });
}

void LocalExchange::put_plan(const Sha256& hash, std::string text, OnDone on_done) {
  queries_.put_plan(hash, std::move(text), posted<Ok>(std::move(on_done)));
}

void LocalExchange::put_blob(SharedBytes bytes, OnRef on_ref) {
  queries_.put_blob(std::move(bytes),
                    [this, tell = posted<ResultRef>(std::move(on_ref))](Result<ResultRef> ref) {
                      // A disk that takes no blob is nobody's fault but must not cost an attempt,
                      // nor fail what could be done after room is made: the run stops as it does
                      // when a commit fails.
                      if (!ref.ok() && is_of_disk(ref.error())) engine_.fail(ref.error());
                      tell(std::move(ref));
                    });
}

}  // namespace tidemill::main
