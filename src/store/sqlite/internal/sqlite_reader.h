#pragma once
// The Reader of a SQLite store: a connection of its own, each call one read transaction, statements
// prepared when first used. One thread at a time.
#include <map>
#include <memory>
#include <string>

#include "store/internal/index_states.h"
#include "store/sqlite/internal/database.h"
#include "store/sqlite/internal/recovery.h"
#include "store/store.h"

namespace tidemill::store {

class SqliteReader : public Reader {
 public:
  explicit SqliteReader(std::unique_ptr<Database> db) : db_(std::move(db)) {}
  ~SqliteReader() override { statements_.clear(); }

  Result<Turn> last_turn() override { return store::last_turn(*db_); }
  Result<WallTime> last_recorded() override;
  Result<std::vector<ExecutionRecord>> executions(ExecutionId after, uint32_t limit) override;
  Result<std::optional<ExecutionRecord>> execution(ExecutionId id) override;
  Result<std::vector<StepRecord>> steps(ExecutionId id) override;
  Result<std::optional<TaskRow>> task(TaskId id) override;
  Result<std::vector<TaskRow>> tasks(const TaskFilter& filter) override;
  Result<std::vector<BacklogRow>> backlog(const BacklogFilter& filter) override;
  Result<std::optional<ArrayRow>> array(ArrayId id) override;
  Result<std::vector<IndexRow>> outcomes(ArrayId id, uint64_t first, uint32_t limit) override;
  Result<std::vector<AttemptRecord>> attempts(const WorkRef& work) override;
  Result<std::vector<ResultValue>> results(const ResultRef& ref) override;
  Result<std::optional<std::string>> plan_text(const Sha256& hash) override;
  Result<std::vector<TokenRecord>> tokens() override { return tokens_of(*db_); }
  Result<std::optional<KeyRecord>> key(const std::string& queue, const std::string& key) override;
  Result<std::optional<Outcome>> task_outcome(TaskId id) override;

 private:
  // Prepared once; the text is a literal, so its address names it.
  Result<Statement*> prepared(const char* sql) {
    const auto found = statements_.find(sql);
    if (found != statements_.end()) return &found->second;
    TIDEMILL_TRY(Statement s, db_->prepare(sql));
    return &(statements_[sql] = std::move(s));
  }
  // Runs `read` in one read transaction, so that its queries see the same turns.
  template <class Read>
  auto at_once(Read read) -> decltype(read()) {
    TIDEMILL_CHECK(db_->execute("BEGIN"));
    auto result = read();
    if (Status ended = db_->execute("COMMIT"); !ended.ok()) return std::move(ended).error();
    return result;
  }
  Result<std::vector<TaskRow>> finished_tasks(const TaskFilter& filter);
  Result<std::vector<TaskRow>> live_tasks(const TaskFilter& filter);
  Result<std::optional<TaskRecord>> live_task(TaskId id);
  // The tasks of one lane, state and priority: they lie together.
  struct Shelf {
    int64_t lane = INT64_MIN;
    int64_t state = 0;
    int64_t priority = 0;
  };
  Result<bool> next_shelf(Shelf& shelf);
  Result<std::optional<int64_t>> time_on_shelf(const Shelf& shelf, TaskId id);
  Result<std::optional<ArrayRow>> array_now(ArrayId id);
  Result<std::vector<IndexRow>> outcomes_now(ArrayId id, uint64_t first, uint32_t limit);
  // The states of the indexes from `first` on, and how many there are in all.
  struct States {
    IndexStates states;
    uint64_t count = 0;
  };
  Result<States> states_of(ArrayId id, uint64_t first);
  Status fill(ArrayId id, std::vector<IndexRow>& wanted);
  Result<std::vector<ResultValue>> results_of_array(ArrayId id);

  std::unique_ptr<Database> db_;
  std::map<const char*, Statement> statements_;
};

std::unique_ptr<Reader> make_sqlite_reader(std::unique_ptr<Database> db);

}  // namespace tidemill::store
