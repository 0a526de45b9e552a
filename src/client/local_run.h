#pragma once
// LocalRun: an engine and a worker inside this process on one store, as `tidemill run` uses them.
// main/ makes it; the CLI sees this interface only. One thread at a time, but progress() and
// stop_now(), which any thread may call.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/control.h"
#include "client/records.h"
#include "client/service.h"
#include "model/records.h"

namespace tidemill::client {

struct LocalRunOptions {
  enum class Open : uint8_t { create, existing, create_or_existing };
  std::string store;  // path of the SQLite file; blobs lie beside it
  Open open = Open::create;
  ExecutionId first_id;  // of a new store: its first execution has this id
  uint32_t slots = 0;    // 0: cores
  uint32_t places = 0;  // 0: limits::kPlaces
  std::map<std::string, std::string> connections;  // name → DSN, URL, path or JSON map
  std::string base_folder;  // relative paths of playbooks are looked up here
  std::string python = "python3";
};

struct StartRequest {
  std::string text;      // of the playbook
  std::string file;      // as the person named it
  std::string name;
  std::string workload;  // JSON object merged over the defaults; "" for none
  std::vector<std::string> child_texts;  // playbooks it names, made known before it starts
};

struct StepProgress {
  uint32_t step = 0;
  uint32_t epoch = 0;
  StepRecord::State state = StepRecord::State::waiting;
  uint64_t total = 0;  // items of a loop, 1 for a single task
  uint64_t done = 0;
  uint64_t failed = 0;
};

struct FailureNote {
  StepRef step;
  WorkRef work;
  uint32_t attempt = 0;
  bool final = false;  // no further attempt
  TaskError error;
};

// What committed turns say of one execution (and, summed, of its children).
struct Progress {
  ExecutionRecord::State state = ExecutionRecord::State::running;
  TaskError error;
  std::vector<StepProgress> steps;  // newest epoch of each, by step
  uint64_t tasks_finished = 0;      // of the whole run, children included
  uint64_t tasks_failed = 0;
  uint64_t children = 0;
  std::vector<FailureNote> failures;  // since the last call, at most 100
};

class LocalRun {
 public:
  virtual ~LocalRun() = default;
  // Starts an execution, and the worker with the first.
  virtual Result<ExecutionId> start(const StartRequest& request) = 0;
  // Starts the worker on what the store has unfinished.
  virtual Status go_on() = 0;
  virtual Progress progress(ExecutionId id) = 0;
  // Waits until the execution is terminal, the engine failed, or the time has passed.
  enum class Wake : uint8_t { finished, failed, timeout };
  virtual Wake wait(ExecutionId id, Duration at_most) = 0;
  // Why the engine stopped taking writes, when it did.
  virtual std::optional<Error> failure() = 0;
  virtual Control& control() = 0;
  virtual Records& records() = 0;
  // No new work starts; what runs is let finish and recorded.
  virtual void drain() = 0;
  // Waits until nothing runs any more after drain(); false when the time has passed.
  virtual bool drained(Duration at_most) = 0;
  // Kills what runs and stops; nothing recorded is lost.
  virtual void stop_now() = 0;
};

// What main gives the CLI. Paths of stores name the SQLite file.
struct LocalServices {
  std::function<Result<std::unique_ptr<LocalRun>>(const LocalRunOptions&)> open_run;
  std::function<Result<std::unique_ptr<Records>>(const std::string& store)> open_records;
  // `talk` is told, at most once a verb, when the process that has the store open is slow to
  // answer. Errors: unavailable when no process has it open; of the verbs timeout.
  using Talk = std::function<void(const std::string& note)>;
  std::function<Result<std::unique_ptr<Control>>(const std::string& store, Talk talk)> connect;
  // Control without a running process: opens the store, does the verb, closes it.
  std::function<Result<std::unique_ptr<Control>>(const std::string& store)> open_control;
  Services service;
};

}  // namespace tidemill::client
