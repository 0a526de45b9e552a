#include "engine/queries.h"

#include <utility>

#include "engine/put_playbook.h"
#include "engine/result_text.h"

namespace tidemill::engine {

namespace {

Result<SharedBytes> shared(Result<std::string> text) {
  if (!text.ok()) return std::move(text).error();
  return SharedBytes(std::make_shared<const std::string>(std::move(*text)));
}

}  // namespace

Result<std::unique_ptr<Queries>> Queries::open(store::Store& store, blob::BlobStore& blobs) {
  TIDEMILL_TRY(auto reader, store.reader());
  return std::unique_ptr<Queries>(new Queries(store, blobs, std::move(reader)));
}

Queries::Queries(store::Store& store, blob::BlobStore& blobs, std::unique_ptr<store::Reader> reader)
    : store_(store),
      blobs_(blobs),
      reader_(std::move(reader)),
      thread_("tm-query", [this] { loop_.run(); }) {}

Queries::~Queries() {
  loop_.post([this] { loop_.stop(); });
  thread_.join();
}

void Queries::task(TaskId id, On<std::optional<TaskRow>> on_row) {
  loop_.post([this, id, on_row = std::move(on_row)] { on_row(reader_->task(id)); });
}

void Queries::tasks(TaskFilter filter, On<std::vector<TaskRow>> on_rows) {
  loop_.post([this, filter = std::move(filter), on_rows = std::move(on_rows)] {
    on_rows(reader_->tasks(filter));
  });
}

void Queries::array(ArrayId id, On<std::optional<ArrayRow>> on_row) {
  loop_.post([this, id, on_row = std::move(on_row)] { on_row(reader_->array(id)); });
}

void Queries::outcomes(ArrayId id, uint64_t first, uint32_t limit,
                       On<std::vector<IndexRow>> on_rows) {
  loop_.post([this, id, first, limit, on_rows = std::move(on_rows)] {
    on_rows(reader_->outcomes(id, first, limit));
  });
}

void Queries::execution(ExecutionId id, On<std::optional<ExecutionRecord>> on_record) {
  loop_.post([this, id, on_record = std::move(on_record)] { on_record(reader_->execution(id)); });
}

void Queries::executions(ExecutionId after, uint32_t limit,
                         On<std::vector<ExecutionRecord>> on_records) {
  loop_.post([this, after, limit, on_records = std::move(on_records)] {
    on_records(reader_->executions(after, limit));
  });
}

void Queries::steps(ExecutionId id, On<std::vector<StepRecord>> on_records) {
  loop_.post([this, id, on_records = std::move(on_records)] { on_records(reader_->steps(id)); });
}

void Queries::result(const ResultRef& ref, On<SharedBytes> on_text) {
  loop_.post([this, ref, on_text = std::move(on_text)] {
    on_text(shared(result_text(ref, *reader_, blobs_)));
  });
}

void Queries::plan(const Sha256& hash, On<SharedBytes> on_text) {
  loop_.post([this, hash, on_text = std::move(on_text)] {
    Result<std::optional<std::string>> text = reader_->plan_text(hash);
    if (!text.ok()) return on_text(std::move(text).error());
    if (!*text) {
      return on_text(Error{ErrorCode::not_found, "the store has no playbook " + hex(hash)});
    }
    on_text(shared(std::move(**text)));
  });
}

void Queries::put_plan(const Sha256& hash, std::string text, On<Ok> on_done) {
  loop_.post([this, hash, text = std::move(text), on_done = std::move(on_done)] {
    on_done(put_playbook(store_, hash, text));
  });
}

void Queries::put_blob(SharedBytes bytes, On<ResultRef> on_ref) {
  loop_.post([this, bytes = std::move(bytes), on_ref = std::move(on_ref)] {
    Result<Sha256> name = blobs_.put(*bytes);
    if (!name.ok()) return on_ref(std::move(name).error());
    on_ref(ResultRef{.place = ResultRef::Place::blob, .blob = *name, .size = bytes->size()});
  });
}

void Queries::after(Duration delay, std::function<void()> f) {
  loop_.post([this, delay, f = std::move(f)]() mutable { loop_.after(delay, std::move(f)); });
}

}  // namespace tidemill::engine
