// What a scenario expects: the second half of Script.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/scenario/script.h"

namespace tidemill::scenario {

namespace {

std::string joined(const std::vector<std::string>& words, size_t from) {
  std::string out;
  for (size_t i = from; i < words.size(); ++i) out += (out.empty() ? "" : " ") + words[i];
  return out;
}

const char* name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::open: return "open";
    case Outcome::done: return "done";
    case Outcome::failed: return "buried";
    case Outcome::cancelled: return "cancelled";
  }
  return "?";
}

const char* name_of(machine::Refused::Why why) {
  switch (why) {
    case machine::Refused::Why::invalid: return "invalid";
    case machine::Refused::Why::too_large: return "too_large";
    case machine::Refused::Why::not_found: return "not_found";
    case machine::Refused::Why::key_conflict: return "key_conflict";
    case machine::Refused::Why::wrong_state: return "wrong_state";
    case machine::Refused::Why::overloaded: return "overloaded";
  }
  return "?";
}

}  // namespace

// expect w got a b · expect w told a · expect a done · expect A done=2 · expect answer recorded
void Script::expect(const Line& line) {
  const std::string& subject = line.words.size() > 1 ? line.words[1] : line.words[0];
  if (const auto w = workers_.find(subject); w != workers_.end()) {
    expect_worker(w->second, line.words);
  } else if (tasks_.contains(subject)) {
    expect_task(subject, line);
  } else if (arrays_.contains(subject)) {
    expect_array(subject, line);
  } else if (barriers_.contains(subject)) {
    const bool fired = world_.memory().fired.contains(barriers_.at(subject));
    EXPECT_EQ(fired ? "fired" : "open", line.words.at(2));
  } else if (subject == "refused") {
    expect_refused(line);
  } else if (subject == "accepted") {
    EXPECT_FALSE(was_refused_) << refused_.text;
  } else if (subject == "existing") {
    EXPECT_TRUE(existing_);
  } else if (subject == "at_once" || subject == "asked") {
    EXPECT_EQ(cancelled_.at_once ? "at_once" : "asked", subject);
  } else if (subject == "round") {
    EXPECT_EQ(std::to_string(retried_.round), line.words.at(2));
    EXPECT_EQ(retried_.barrier_had_fired, line.words.size() > 3);
  } else if (subject == "answer") {
    std::string said;
    for (const ReportAnswer one : answers_) {
      said += (said.empty() ? "" : " ");
      said += one == ReportAnswer::recorded ? "recorded" : "lease_lost";
    }
    EXPECT_EQ(said, joined(line.words, 2));
  } else {
    expect_counts(line);
  }
}

void Script::expect_worker(Worker& worker, const Words& words) {
  const std::string& what = words.at(2);
  if (what == "woken" || what == "parked") {
    EXPECT_EQ(worker.woken(world_) ? "woken" : "parked", what);
  } else if (what == "got") {
    EXPECT_EQ(names_of(worker.got()), joined(words, 3));
  } else if (what == "told") {
    EXPECT_EQ(names_of(worker.told()), joined(words, 3));
  } else if (what == "holds") {
    EXPECT_EQ(std::to_string(worker.holding()), words.at(3));
  } else if (what == "attempt") {  // expect w attempt a 2
    const Assignment* one = worker.last_assignment(unit(words.at(3)));
    ASSERT_NE(one, nullptr);
    EXPECT_EQ(std::to_string(one->attempt), words.at(4));
  } else {
    FAIL() << "a worker has no " << what;
  }
}

std::string Script::state_of(TaskId id) const {
  const Memory& memory = world_.memory();
  if (const auto ended = memory.finished.find(id); ended != memory.finished.end()) {
    return scenario::name_of(ended->second.outcome);
  }
  const auto live = memory.live.find(id);
  if (live == memory.live.end()) return "unknown";
  switch (live->second.state) {
    case TaskRecord::State::blocked: return "blocked";
    case TaskRecord::State::delayed: return "delayed";
    case TaskRecord::State::suspended: return "suspended";
    case TaskRecord::State::ready: break;
  }
  return "ready";
}

void Script::expect_task(const std::string& name, const Line& line) {
  const TaskId id = tasks_.at(name);
  if (line.words.size() > 2) {
    EXPECT_EQ(state_of(id), line.words[2]);
  }
  const Memory& memory = world_.memory();
  const auto ended = memory.finished.find(id);
  const bool over = ended != memory.finished.end();
  const auto live = memory.live.find(id);
  ASSERT_TRUE(over || live != memory.live.end());
  const TaskRecord& record = over ? ended->second.task : live->second;
  for (const auto& [key, value] : line.options) {
    if (key == "error") {
      EXPECT_EQ(over ? ended->second.error.kind : record.last_error.kind, value);
    }
    if (key == "failures") {
      EXPECT_EQ(std::to_string(record.attempts), value);
    }
    if (key == "crashes") {
      EXPECT_EQ(std::to_string(record.crashes), value);
    }
    if (key == "round") {
      EXPECT_EQ(std::to_string(record.round), value);
    }
  }
}

// expect A ended done=2 failed=0 cancelled=1 · expect A open done=1
void Script::expect_array(const std::string& name, const Line& line) {
  const Memory& memory = world_.memory();
  const ArrayId id = arrays_.at(name);
  const auto ended = memory.ended_arrays.find(id);
  const bool over = ended != memory.ended_arrays.end();
  if (line.words.size() > 2) {
    EXPECT_EQ(over ? "ended" : "open", line.words[2]);
  }
  uint64_t counted[4] = {};
  if (const auto found = memory.outcomes.find(id); found != memory.outcomes.end()) {
    for (const auto& [index, outcome] : found->second) ++counted[static_cast<size_t>(outcome)];
  }
  if (over) {
    EXPECT_EQ(ended->second.done, counted[1]);
    EXPECT_EQ(ended->second.failed, counted[2]);
    EXPECT_GE(ended->second.cancelled, counted[3]);
    counted[3] = ended->second.cancelled;
    EXPECT_EQ(counted[1] + counted[2] + counted[3], array_counts_.at(name));
  }
  for (const auto& [key, value] : line.options) {
    if (key == "done") {
      EXPECT_EQ(std::to_string(counted[1]), value);
    }
    if (key == "failed") {
      EXPECT_EQ(std::to_string(counted[2]), value);
    }
    if (key == "cancelled") {
      EXPECT_EQ(std::to_string(counted[3]), value);
    }
  }
}

// expect refused invalid tasks[0].kind: is empty
void Script::expect_refused(const Line& line) {
  ASSERT_TRUE(was_refused_) << "it was accepted";
  EXPECT_EQ(scenario::name_of(refused_.why), line.words.at(2));
  const std::string text = joined(line.words, 3);
  EXPECT_NE(refused_.text.find(text), std::string::npos) << refused_.text;
}

// expect ready=1 leased=2
void Script::expect_counts(const Line& line) {
  ASSERT_EQ(line.words.size(), 1U) << "there is nothing called " << line.words.at(1);
  const machine::MachineCounts counts = world_.counts();
  for (const auto& [key, value] : line.options) {
    if (key == "ready") {
      EXPECT_EQ(std::to_string(counts.ready), value);
    }
    if (key == "delayed") {
      EXPECT_EQ(std::to_string(counts.delayed), value);
    }
    if (key == "blocked") {
      EXPECT_EQ(std::to_string(counts.blocked), value);
    }
    if (key == "leased") {
      EXPECT_EQ(std::to_string(counts.leased), value);
    }
    if (key == "arrays") {
      EXPECT_EQ(std::to_string(counts.arrays), value);
    }
    if (key == "barriers") {
      EXPECT_EQ(std::to_string(counts.barriers), value);
    }
  }
}

}  // namespace tidemill::scenario
