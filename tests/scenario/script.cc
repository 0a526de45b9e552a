#include "tests/scenario/script.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace tidemill::scenario {

namespace {

uint64_t number(const std::string& text) { return std::strtoull(text.c_str(), nullptr, 10); }

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, by);) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

Backoff backoff_named(const std::string& name) {
  if (name == "fixed") return Backoff::fixed;
  if (name == "linear") return Backoff::linear;
  return name == "exponential" ? Backoff::exponential : Backoff::none;
}

}  // namespace

Script::Script(World& world, const Config&) : world_(world) {
  const auto bind = [this](void (Script::*f)(const Line&)) {
    return [this, f](const Line& line) { (this->*f)(line); };
  };
  verbs_ = {{"queue", bind(&Script::queue)},
            {"token", bind(&Script::token)},
            {"spawn", bind(&Script::spawn)},
            {"array", bind(&Script::array)},
            {"barrier", bind(&Script::barrier)},
            {"worker", bind(&Script::worker)},
            {"claim", bind(&Script::claim)},
            {"expect", bind(&Script::expect)}};
  for (const char* verb : {"done", "fail", "return", "start"}) {
    verbs_[verb] = bind(&Script::report);
  }
  for (const char* verb : {"cancel", "retry", "bury", "pause", "resume", "revoke"}) {
    verbs_[verb] = bind(&Script::act_on_work);
  }
  for (const char* verb : {"close", "park", "lose", "repeat", "drain"}) {
    verbs_[verb] = bind(&Script::act_on_worker);
  }
  verbs_["configs"] = [](const Line&) {};
  verbs_["restart"] = [this](const Line&) { world_.restart(); };
  verbs_["advance"] = [this](const Line& l) { world_.advance(duration(l.words.at(1))); };
  verbs_["jump"] = [this](const Line& l) { world_.jump_wall(duration(l.words.at(1))); };
}

void Script::run(const std::string& file, const std::string& text) {
  std::stringstream in(text);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    line = line.substr(0, line.find('#'));
    const Line parsed = parse(line);
    if (parsed.words.empty()) continue;
    SCOPED_TRACE(file + ":" + std::to_string(number) + ": " + line);
    run_line(parsed);
    if (::testing::Test::HasFailure()) return;
  }
}

bool Script::leaves_out(const std::string& text, const std::string& config) {
  const size_t at = text.find("\nconfigs ");
  if (at == std::string::npos) return false;
  const Words names = split(text.substr(at + 9, text.find('\n', at + 1) - at - 9), ' ');
  return std::find(names.begin(), names.end(), config) == names.end();
}

Script::Line Script::parse(const std::string& line) {
  Line out;
  for (const std::string& word : split(line, ' ')) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) {
      out.words.push_back(word);
    } else {
      out.options[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return out;
}

void Script::run_line(const Line& line) {
  const auto verb = verbs_.find(line.words.front());
  ASSERT_NE(verb, verbs_.end()) << "there is no verb " << line.words.front();
  verb->second(line);
}

const machine::ReplyBody* Script::ask(machine::CommandBody body) {
  const machine::ReplyBody* reply = world_.reply(world_.send(std::move(body)));
  was_refused_ = reply != nullptr && std::holds_alternative<machine::Refused>(*reply);
  if (was_refused_) refused_ = std::get<machine::Refused>(*reply);
  return was_refused_ ? nullptr : reply;
}

// ---- what happens ----

WorkSpec Script::work_spec(const Line& line) const {
  WorkSpec work;
  work.kind = "k";
  work.retry.backoff = Backoff::none;
  for (const auto& [key, value] : line.options) {
    if (key == "kind") work.kind = value;
    if (key == "queue") work.queue = value;
    if (key == "priority") work.priority = std::atoi(value.c_str());
    if (key == "slot") work.needs_slot = value == "yes";
    if (key == "attempts") work.retry.max_attempts = static_cast<uint32_t>(number(value));
    if (key == "crashes") work.retry.max_crashes = static_cast<uint32_t>(number(value));
    if (key == "backoff") work.retry.backoff = backoff_named(value);
    if (key == "delay") work.retry.delay = duration(value);
    if (key == "fatal") work.retry.fatal_kinds = split(value, ',');
    if (key == "timeout") work.attempt_timeout = duration(value);
    if (key == "barrier") work.barrier = barriers_.at(value);
    if (key == "input") work.input = std::make_shared<const std::string>(value);
  }
  return work;
}

machine::TaskSpec Script::task_spec(const Line& line) const {
  machine::TaskSpec spec;
  spec.work = work_spec(line);
  for (const auto& [key, value] : line.options) {
    if (key == "in") spec.run_at = world_.wall() + duration(value);
    if (key == "deadline") spec.deadline = world_.wall() + duration(value);
    if (key == "key") spec.concurrency_key = value;
    if (key == "once") spec.idempotency_key = value;
    if (key == "anyway") spec.after_any_outcome = value == "yes";
    if (key != "after") continue;
    for (const std::string& name : split(value, ',')) {
      spec.after.push_back(tasks_.contains(name) ? tasks_.at(name) : TaskId{number(name)});
    }
  }
  return spec;
}

void Script::queue(const Line& line) {
  QueueConfig config{.name = line.words.at(1)};
  for (const auto& [key, value] : line.options) {
    if (key == "concurrency") config.concurrency = static_cast<uint32_t>(number(value));
    if (key == "key_concurrency") config.key_concurrency = static_cast<uint32_t>(number(value));
    if (key == "order") config.order = value == "fifo" ? Order::fifo : Order::fair;
    if (key == "ageing") config.ageing = duration(value);
    if (key == "durability") {
      config.durability = value == "relaxed" ? Durability::relaxed : Durability::durable;
    }
  }
  ask(machine::ConfigureQueue{config});
}

// token NAME kind=worker queues=a,b expires=1h secret=s
void Script::token(const Line& line) {
  TokenRecord token{.name = line.words.at(1), .kind = TokenKind::worker};
  token.hash = sha256(token.name);
  for (const auto& [key, value] : line.options) {
    if (key == "kind") token.kind = value == "admin" ? TokenKind::admin : TokenKind::worker;
    if (key == "queues") token.queues = split(value, ',');
    if (key == "expires") token.expires_at = world_.wall() + duration(value);
    if (key == "secret") token.hash = sha256(value);
  }
  token_queues_[token.name] = token.queues;
  ask(machine::AddToken{token});
}

void Script::spawn(const Line& line) {
  machine::SpawnTasks command;
  command.tasks.assign(line.words.size() - 1, task_spec(line));
  const machine::ReplyBody* reply = ask(std::move(command));
  if (reply == nullptr) return;
  const auto& spawned = std::get<machine::Spawned>(*reply);
  for (size_t i = 0; i < spawned.tasks.size(); ++i) {
    tasks_[line.words[i + 1]] = spawned.tasks[i].id;
    existing_ = spawned.tasks[i].existing;
  }
}

void Script::array(const Line& line) {
  machine::SpawnArray command;
  machine::ArraySpec& spec = command.array;
  spec.work = work_spec(line);
  if (!line.options.contains("slot")) spec.work.needs_slot = false;
  for (const auto& [key, value] : line.options) {
    if (key == "count") spec.count = number(value);
    if (key == "max_in_flight") spec.max_in_flight = static_cast<uint32_t>(number(value));
    if (key == "max_failed") spec.max_failed = number(value);
    if (key == "items") spec.items = split(value, ',');
  }
  if (!spec.items.empty()) spec.count = spec.items.size();
  const uint64_t count = spec.count;
  const machine::ReplyBody* reply = ask(std::move(command));
  if (reply == nullptr) return;
  arrays_[line.words.at(1)] = std::get<machine::ArraySpawned>(*reply).id;
  array_counts_[line.words.at(1)] = count;
}

void Script::barrier(const Line& line) {
  machine::OpenBarrier command;
  command.fires = task_spec(line);
  command.expected = number(line.options.at("expected"));
  const machine::ReplyBody* reply = ask(std::move(command));
  if (reply == nullptr) return;
  const auto& opened = std::get<machine::BarrierOpened>(*reply);
  barriers_[line.words.at(1)] = opened.id;
  tasks_[line.options.at("fires")] = opened.fires;
}

void Script::worker(const Line& line) {
  Worker::Shape shape;
  for (const auto& [key, value] : line.options) {
    if (key == "slots") shape.slots = static_cast<uint32_t>(number(value));
    if (key == "places") shape.places = static_cast<uint32_t>(number(value));
    if (key == "kinds") shape.kinds = split(value, ',');
    if (key == "in") shape.in_process = value == "process";
    if (key == "token") {
      shape.token = value;
      shape.queues = token_queues_.at(value);
    }
  }
  workers_.insert_or_assign(line.words.at(1), Worker(shape));
}

// claim by w · claim 3 by w
void Script::claim(const Line& line) {
  Worker& w = worker_named(line.words.back());
  const bool counted = line.words.size() == 4;
  const auto most = counted ? static_cast<uint32_t>(number(line.words[1])) : UINT32_MAX;
  w.exchange(world_, {}, std::min(most, w.free_slots()), std::min(most, w.free_places()));
}

// done a b by w · fail a by w kind=http fatal=yes · return a by w
void Script::report(const Line& line) {
  const std::string& verb = line.words.front();
  Worker& w = worker_named(line.words.back());
  std::vector<Report> reports;
  for (size_t i = 1; i + 2 < line.words.size(); ++i) {
    const auto kind = verb == "done"     ? Report::Kind::done
                      : verb == "fail"   ? Report::Kind::failed
                      : verb == "return" ? Report::Kind::returned
                                         : Report::Kind::started;
    Report one = w.report(kind, unit(line.words[i]));
    if (kind == Report::Kind::failed) {
      one.error = {.kind = "tool", .message = "it broke"};
      if (line.options.contains("kind")) one.error.kind = line.options.at("kind");
      if (line.options.contains("fatal")) one.error.retryable = false;
    }
    reports.push_back(std::move(one));
  }
  // It asks for nothing new, so that a scenario says itself who claims what.
  w.exchange(world_, std::move(reports), 0, 0);
  answers_ = w.answers();
}

void Script::act_on_work(const Line& line) {
  const std::string& verb = line.words.front();
  const std::string& name = line.words.at(1);
  if (verb == "pause") ask(machine::PauseQueue{name});
  if (verb == "resume") ask(machine::ResumeQueue{name});
  if (verb == "revoke") ask(machine::RevokeToken{name});
  if (verb == "bury") ask(machine::BuryTask{tasks_.at(name), "given up"});
  if (verb == "cancel") {
    const bool now = line.words.size() > 2 && line.words[2] == "now";
    const auto* reply = ask(machine::CancelWork{
        work(name), now ? machine::CancelWork::Urgency::now : machine::CancelWork::Urgency::ask});
    if (reply != nullptr) cancelled_ = std::get<machine::Cancelled>(*reply);
  }
  if (verb == "retry") {
    const auto* reply = ask(machine::RetryWork{work(name)});
    if (reply != nullptr) retried_ = std::get<machine::Retried>(*reply);
  }
}

void Script::act_on_worker(const Line& line) {
  const std::string& verb = line.words.front();
  Worker& w = worker_named(line.words.at(1));
  if (verb == "close") w.close(world_);
  if (verb == "park") w.park(world_);
  if (verb == "lose") w.lose_next_reply();
  if (verb == "drain") w.drain();
  if (verb == "repeat") w.repeat(world_);
}

Worker& Script::worker_named(const std::string& name) {
  const auto found = workers_.find(name);
  EXPECT_NE(found, workers_.end()) << "there is no worker " << name;
  return found->second;
}

Unit Script::unit(const std::string& name) const {
  const size_t slash = name.find('/');
  if (slash != std::string::npos) {
    return WorkRef::of(arrays_.at(name.substr(0, slash)), number(name.substr(slash + 1)));
  }
  return WorkRef::of(tasks_.at(name));
}

WorkRef Script::work(const std::string& name) const {
  if (const auto array = arrays_.find(name); array != arrays_.end()) {
    return WorkRef::of(array->second, 0, UINT64_MAX);
  }
  return unit(name);
}

std::string Script::name_of(const Unit& unit) const {
  for (const auto& [name, id] : tasks_) {
    if (unit.task == id) return name;
  }
  for (const auto& [name, id] : arrays_) {
    if (unit.array == id) return name + "/" + std::to_string(unit.first);
  }
  return "?";
}

std::string Script::names_of(const std::vector<Unit>& units) const {
  std::string out;
  for (const Unit& unit : units) out += (out.empty() ? "" : " ") + name_of(unit);
  return out.empty() ? "nothing" : out;
}

// 500ms, 30s, 2m, lease
Duration Script::duration(const std::string& text) const {
  if (text == "lease") return world_.lease();
  const auto amount = static_cast<int64_t>(number(text));
  if (text.ends_with("ms")) return milliseconds(amount);
  if (text.ends_with("m")) return minutes(amount);
  if (text.ends_with("h")) return hours(amount);
  return seconds(amount);
}

}  // namespace tidemill::scenario
