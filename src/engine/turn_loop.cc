#include "engine/turn_loop.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "model/limits.h"

namespace tidemill::engine {

namespace {

// Hands what the store reads to a new machine. The counters come first: they say which incarnation
// the machine is to be.
class MachineLoader : public store::Loader {
 public:
  explicit MachineLoader(const TurnLoopOptions& options) : options_(options) {}

  void counters(uint64_t next_id, uint32_t incarnation, Turn last_turn) override {
    next_id_ = std::max(next_id, options_.first_id);
    incarnation_ = incarnation + 1;
    last_turn_ = last_turn;
    machine_ = std::make_unique<machine::Machine>(machine::MachineOptions{
        .partition = options_.partition,
        .seed = options_.seed,
        .incarnation = incarnation_,
        .first_id = next_id_,
        .lease = options_.lease,
        .window = options_.window,
    });
  }
  void queue(QueueConfig v) override { machine_->restore(std::move(v)); }
  void token(TokenRecord v) override { machine_->restore(std::move(v)); }
  void execution(ExecutionRecord v) override {
    plans_.emplace_back(v.id, v.plan);
    machine_->restore(std::move(v));
  }
  void barrier(BarrierRecord v) override { machine_->restore(std::move(v)); }
  void array(ArrayRecord v) override { machine_->restore(std::move(v)); }
  void items(ItemChunk v) override { machine_->restore(std::move(v)); }
  void outcome(ArrayId array, uint64_t index, Outcome outcome) override {
    machine_->restore_outcome(array, index, outcome);
  }
  void override_(IndexOverride v) override { machine_->restore(std::move(v)); }
  void handed_out(TaskId v) override { machine_->restore_handed_out(v); }
  void task(TaskRecord v) override { machine_->restore(std::move(v)); }
  void step(StepRecord v) override { machine_->restore(std::move(v)); }
  void hand_out(HandOut v) override { machine_->restore(std::move(v)); }

  std::unique_ptr<machine::Machine> take() { return std::move(machine_); }
  machine::Needs needs() const {
    machine::Needs needs;
    for (const auto& [id, plan] : plans_) needs.plans.push_back(plan);
    return needs;
  }
  // Of the unfinished executions.
  const std::vector<std::pair<ExecutionId, Sha256>>& plans() const { return plans_; }
  uint64_t next_id() const { return next_id_; }
  uint32_t incarnation() const { return incarnation_; }
  Turn last_turn() const { return last_turn_; }

 private:
  const TurnLoopOptions& options_;
  std::unique_ptr<machine::Machine> machine_;
  std::vector<std::pair<ExecutionId, Sha256>> plans_;
  uint64_t next_id_ = 1;
  uint32_t incarnation_ = 1;
  Turn last_turn_;
};

constexpr size_t kReserveMax = 16'384;  // changes

// An execution whose playbook cannot be had any more stops the start: to leave it out would be to
// lose it without a word.
Status check_plan(ExecutionId id, const Result<playbook::PlanPtr>& plan) {
  if (plan.ok() && *plan) return Ok{};
  if (!plan.ok() && plan.error().code != ErrorCode::corrupt) return plan.error();
  const std::string why =
      plan.ok() ? "the store does not hold its playbook any more" : plan.error().what;
  return Error{ErrorCode::corrupt,
               "execution " + std::to_string(id.raw) + " cannot go on: " + why +
                   "; use the version of tidemill that started it, or put a copy of the store "
                   "back, or start the playbook anew in another store"};
}

}  // namespace

TurnLoop::TurnLoop(std::unique_ptr<store::Reader> reader)
    : prefetch_(std::make_unique<Prefetch>(std::move(reader), plans_)) {}

Result<std::unique_ptr<TurnLoop>> TurnLoop::recover(const TurnLoopOptions& options,
                                                    store::Store& store, Now now) {
  MachineLoader loader(options);
  TIDEMILL_CHECK(store.load(loader));
  TIDEMILL_TRY(auto reader, store.reader());
  store::Reader& plans_from = *reader;
  std::unique_ptr<TurnLoop> loop(new TurnLoop(std::move(reader)));
  loop->machine_ = loader.take();
  TIDEMILL_ASSERT(loop->machine_ != nullptr);
  for (const auto& [id, plan] : loader.plans()) {
    TIDEMILL_CHECK(check_plan(id, loop->plans_.get(plan, plans_from)));
  }
  TIDEMILL_CHECK(loop->prefetch_->read(loader.needs()));

  // The new incarnation is durable before it gives a lease.
  const Change counters = PutCounters{loader.next_id(), loader.incarnation()};
  loop->turn_ = Turn{loader.last_turn().raw + 1};
  TIDEMILL_CHECK(store.commit({&counters, 1}, {loop->turn_, now.wall}));
  loop->outbox_ = std::make_unique<Outbox>(loop->turn_);
  loop->machine_->restored(now, loader.next_id(), *loop->prefetch_);
  return loop;
}

void TurnLoop::submit(machine::CommandBody body, OnReply on_reply) {
  const machine::Tag tag{next_tag_++};
  if (on_reply) waiting_.emplace(tag, std::move(on_reply));
  commands_.push_back({tag, std::move(body)});
}

Status TurnLoop::decide(Now now) {
  machine::Needs needs;
  machine_->needs(commands_, needs);
  // Finished indexes have no overlay: the rare command that names one waits until all is durable.
  // So do those that name a task which is not in memory, or is not found while some are not.
  const bool behind = outbox_->durable_turn() < turn_;
  const bool needs_all = !needs.finished_indexes.empty() || !needs.finished_tasks.empty() ||
                         !needs.stored_tasks.empty();
  if (behind && needs_all) return Ok{};
  TIDEMILL_CHECK(prefetch_->read(needs));
  if (behind && needs.some_stored && prefetch_->missed_a_task()) return Ok{};

  const Turn turn{turn_.raw + 1};
  // Turns of a busy time are alike, and moving what has been written to make room costs.
  output_.changes.reserve(std::min(changes_of_last_turn_, kReserveMax));
  machine_->apply(turn, now, commands_, *prefetch_, output_);
  changes_of_last_turn_ = output_.changes.size();
  commands_.clear();
  const bool changed = !output_.changes.empty();
  if (changed) {
    turn_ = turn;
    prefetch_->overlay(turn, output_.changes);
    pending_.info = {turn, now.wall};
    if (pending_.changes.empty()) {
      pending_.changes.swap(output_.changes);
    } else {
      std::move(output_.changes.begin(), output_.changes.end(),
                std::back_inserter(pending_.changes));
    }
  }
  route(output_, turn_, changed ? turn_ : Turn{turn_.raw + 1});
  return Ok{};
}

// A turn without changes is never committed: what would need it needs the turn before.
void TurnLoop::route(machine::TurnOutput& output, Turn turn, Turn last) {
  for (machine::Reply& reply : output.replies) {
    TIDEMILL_ASSERT(reply.needs <= last);
    const auto found = waiting_.find(reply.tag);
    if (found == waiting_.end()) continue;
    OnReply on_reply = std::move(found->second);
    waiting_.erase(found);
    outbox_->put(std::min(reply.needs, turn), std::move(on_reply), std::move(reply.body));
  }
  for (const auto& effect : output.effects) {
    const Turn needs = std::min(effect.needs, turn);
    if (const auto* page = std::get_if<machine::PageWanted>(&effect.effect)) {
      pages_.emplace_back(needs, *page);
    } else {
      outbox_->put(needs, effect.effect);
    }
  }
}

std::vector<machine::PageWanted> TurnLoop::take_pages() {
  std::vector<machine::PageWanted> out;
  if (pages_.empty()) return out;
  const Turn durable = outbox_->durable_turn();
  for (; !pages_.empty() && pages_.front().first <= durable; pages_.pop_front()) {
    out.push_back(std::move(pages_.front().second));
  }
  return out;
}

Result<machine::PageIn> read_page(store::Reader& reader, const machine::PageWanted& wanted) {
  TIDEMILL_TRY(std::vector<BacklogRow> rows, reader.backlog(wanted.part));
  return machine::PageIn{wanted.part,
                         std::make_shared<std::vector<BacklogRow>>(std::move(rows))};
}

void TurnLoop::abandon(const Error& error) {
  outbox_->fail(error);
  for (auto& [tag, on_reply] : std::exchange(waiting_, {})) on_reply(error);
}

CommitBatch TurnLoop::take() {
  CommitBatch batch = std::move(pending_);
  pending_ = {};
  return batch;
}

}  // namespace tidemill::engine
