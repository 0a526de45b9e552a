#include "tests/scenario/worker.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tidemill::scenario {

namespace {

std::vector<Unit> units_of(const WorkRef& work) {
  if (work.task) return {work};
  std::vector<Unit> units;
  for (uint64_t i = 0; i < work.count; ++i) {
    units.push_back(WorkRef::of(work.array, work.first + i));
  }
  return units;
}

}  // namespace

uint32_t Worker::free_slots() const {
  uint32_t used = 0;
  for (const auto& [unit, from] : held_) used += from.needs_slot ? 1 : 0;
  return used >= shape_.slots ? 0 : shape_.slots - used;
}

uint32_t Worker::free_places() const {
  const auto used = static_cast<uint32_t>(held_.size());
  return used >= shape_.places ? 0 : shape_.places - used;
}

ExchangeRequest Worker::request(std::vector<Report> reports, uint32_t slots, uint32_t places) {
  ExchangeRequest out{.session = session_, .number = ++number_, .last_reply = seen_};
  out.reports = std::move(reports);
  out.free_slots = slots;
  out.free_places = places;
  out.wait = false;
  out.draining = draining_;
  return out;
}

// The first exchange of a session: says what it holds; gets no work unless it lives in the process.
void Worker::open(World& world, std::vector<Report> reports) {
  session_ = {};
  number_ = 0;
  seen_ = 0;
  ExchangeRequest first = request(std::move(reports), free_slots(), free_places());
  first.kinds = shape_.kinds;
  std::map<LeaseEpoch, LeasedWork> leases;
  for (const auto& [unit, from] : held_) {
    leases.try_emplace(from.epoch, LeasedWork{from.work, from.epoch});
  }
  for (const auto& [epoch, leased] : leases) first.held.push_back(leased);
  const std::vector<Report> sent = first.reports;
  const machine::ReplyBody* body = world.reply(world.send(
      machine::Exchange{first, shape_.in_process, shape_.token, shape_.queues}));
  ASSERT_NE(body, nullptr);
  const auto& reply = std::get<ExchangeReply>(*body);
  session_ = reply.session;
  seen_ = 1;
  take(reply, sent);
}

void Worker::exchange(World& world, std::vector<Report> reports, uint32_t slots, uint32_t places) {
  got_.clear();
  told_.clear();
  answers_.clear();
  session_unknown_ = false;
  parked_ = {};
  if (!session_) open(world, {});
  last_ = request(reports, std::min(slots, free_slots()), std::min(places, free_places()));
  const machine::ReplyBody* body = world.reply(world.send(machine::Exchange{last_, shape_.in_process}));
  ASSERT_NE(body, nullptr);
  if (std::exchange(lose_next_, false)) {
    gap_ = last_.number;
    return;
  }
  const auto& reply = std::get<ExchangeReply>(*body);
  if (!reply.session_unknown) {
    // A lost reply counts as passed over from the second exchange after it on.
    if (gap_ == 0 || reply.number >= gap_ + 2) {
      seen_ = reply.number;
      gap_ = 0;
    }
    take(reply, reports);
    return;
  }
  session_unknown_ = true;
  open(world, std::move(reports));
  last_ = request({}, slots, places);
  body = world.reply(world.send(machine::Exchange{last_, shape_.in_process}));
  ASSERT_NE(body, nullptr);
  const auto& second = std::get<ExchangeReply>(*body);
  ASSERT_FALSE(second.session_unknown);
  seen_ = second.number;
  take(second, {});
}

void Worker::repeat(World& world) {
  const machine::ReplyBody* body = world.reply(world.send(machine::Exchange{last_, shape_.in_process}));
  ASSERT_NE(body, nullptr);
  got_.clear();
  answers_.clear();
  const auto* reply = std::get_if<ExchangeReply>(body);
  ASSERT_NE(reply, nullptr) << "the repeated exchange was refused";
  seen_ = reply->number;
  gap_ = 0;
  take(*reply, last_.reports);
}

void Worker::park(World& world) {
  if (!session_) open(world, {});
  got_.clear();
  told_.clear();
  answers_.clear();
  last_ = request({}, free_slots(), free_places());
  last_.wait = true;
  parked_ = world.send(machine::Exchange{last_, shape_.in_process});
}

bool Worker::woken(World& world) {
  if (!parked_) return false;
  const machine::ReplyBody* body = world.reply(parked_);
  if (body == nullptr) return false;
  parked_ = {};
  const auto& reply = std::get<ExchangeReply>(*body);
  if (!reply.session_unknown) {
    seen_ = reply.number;
    take(reply, {});
  }
  return true;
}

void Worker::close(World& world) { world.send(machine::CloseSession{session_}); }

void Worker::take(const ExchangeReply& reply, const std::vector<Report>& reports) {
  answers_.insert(answers_.end(), reply.answers.begin(), reply.answers.end());
  for (const Report& report : reports) {
    if (report.kind == Report::Kind::started) continue;
    for (const Unit& unit : units_of(report.work)) held_.erase(unit);
  }
  for (const Assignment& one : reply.assignments) {
    for (const Unit& unit : units_of(one.work)) {
      // It may get again what it lost, under another epoch.
      EXPECT_TRUE(!held_.contains(unit) || held_.at(unit).epoch != one.epoch) << "handed out twice";
      held_[unit] = one;
      known_[unit] = one;
      got_.push_back(unit);
    }
  }
  for (const LeasedWork& stopped : reply.cancels) {
    for (const Unit& unit : units_of(stopped.work)) told_.push_back(unit);
  }
}

Report Worker::report(Report::Kind kind, const Unit& unit) const {
  Report out{.kind = kind, .work = unit};
  if (const auto found = known_.find(unit); found != known_.end()) out.epoch = found->second.epoch;
  return out;
}

const Assignment* Worker::last_assignment(const Unit& unit) const {
  const auto found = known_.find(unit);
  return found == known_.end() ? nullptr : &found->second;
}

}  // namespace tidemill::scenario
