#include "cli/internal/stores.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "cli/internal/hints.h"
#include "cli/internal/text.h"
#include "os/clock.h"
#include "os/file.h"

namespace tidemill::cli {

namespace {

constexpr std::string_view kSuffix = ".db";

std::optional<uint64_t> number(std::string_view text) {
  uint64_t v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return v;
}

// Ends the walk over executions early by returning false.
template <class F>
Status each_execution(client::Records& records, F&& f) {
  ExecutionId after;
  for (;;) {
    TIDEMILL_TRY(std::vector<ExecutionRecord> page, records.executions(after, 500));
    if (page.empty()) return Ok{};
    after = page.back().id;
    for (ExecutionRecord& record : page) {
      if (!f(std::move(record))) return Ok{};
    }
  }
}

// `store`: what --store said, "" for the folder of runs.
Error nothing_found(const Context& context, const std::string& what, const std::string& store) {
  return {ErrorCode::not_found, "there is no " + what + " in " +
                                    (store.empty() ? context.folder : store) + "; `" +
                                    command_hint("list", store) + "` shows what there is"};
}

// What `name` means among the top-level executions of one store.
Result<std::vector<ExecutionRecord>> matching(client::Records& records, const std::string& name) {
  std::vector<ExecutionRecord> found;
  TIDEMILL_CHECK(each_execution(records, [&](ExecutionRecord record) {
    if (name == "latest") {
      if (!record.parent.task && !record.parent.array) found = {std::move(record)};
      return true;
    }
    const std::string id = std::to_string(record.id.raw);
    if (id == name) {
      found = {std::move(record)};
      return false;
    }
    if (id.ends_with(name)) found.push_back(std::move(record));
    return true;
  }));
  return found;
}

}  // namespace

std::string store_path(const std::string& folder, ExecutionId id) {
  return folder + "/" + std::to_string(id.raw) + std::string(kSuffix);
}

std::vector<std::string> store_files(const std::string& folder) {
  auto names = os::list_folder(folder);
  if (!names.ok()) return {};
  std::vector<std::pair<uint64_t, std::string>> runs;
  for (const std::string& name : *names) {
    if (!name.ends_with(kSuffix)) continue;
    const auto id = number(std::string_view(name).substr(0, name.size() - kSuffix.size()));
    if (id) runs.emplace_back(*id, folder + "/" + name);
  }
  std::sort(runs.rbegin(), runs.rend());
  std::vector<std::string> out;
  for (auto& [id, path] : runs) out.push_back(std::move(path));
  return out;
}

bool is_owned(const std::string& store) {
  return os::FileLock::owner(store + ".lock").has_value();
}

bool unfinished(const ExecutionRecord& execution) {
  return execution.state == ExecutionRecord::State::running ||
         execution.state == ExecutionRecord::State::stopping;
}

std::string state_for_people(const ExecutionRecord& execution, Ownership store) {
  if (unfinished(execution) && store == Ownership::idle) return "interrupted";
  return std::string(state_name(execution.state));
}

void say_left_out(const Error& error) {
  fmt::print(stderr, "tidemill: left out: {}\n", error.what);
}

Result<Found> find_execution(const Context& context, const std::string& store,
                             const std::string& name) {
  const std::vector<std::string> files =
      store.empty() ? store_files(context.folder) : std::vector<std::string>{store};
  std::vector<Found> found;
  for (const std::string& file : files) {
    auto records = context.services.open_records(file);
    Result<std::vector<ExecutionRecord>> all = std::vector<ExecutionRecord>{};
    if (!records.ok()) {
      all = std::move(records).error();
    } else {
      all = matching(**records, name);
    }
    if (!all.ok() && !store.empty()) return std::move(all).error();
    if (!all.ok()) {
      say_left_out(all.error());
      continue;
    }
    std::vector<ExecutionRecord>& matches = *all;
    if (matches.empty()) continue;
    if (matches.size() > 1) {
      return Error{ErrorCode::invalid, "several executions end in " + name + ": give more digits"};
    }
    const bool exact = std::to_string(matches[0].id.raw) == name;
    if (exact) found.clear();
    found.push_back({file, std::move(*records), std::move(matches[0])});
    if (exact || name == "latest") break;
  }
  if (found.empty()) {
    return nothing_found(context, "execution " + name, store);
  }
  if (found.size() > 1) {
    return Error{ErrorCode::invalid, "several executions end in " + name + ": give more digits"};
  }
  return std::move(found[0]);
}

Result<FoundWork> find_work(const Context& context, const std::string& store, uint64_t id,
                            std::optional<uint64_t> index) {
  const std::vector<std::string> files =
      store.empty() ? store_files(context.folder) : std::vector<std::string>{store};
  for (const std::string& file : files) {
    auto records = context.services.open_records(file);
    if (!records.ok()) {
      if (!store.empty()) return std::move(records).error();
      continue;
    }
    if (index) {
      TIDEMILL_TRY(const auto array, (*records)->array(ArrayId{id}));
      if (!array) continue;
      if (*index >= array->array.count) {
        return Error{ErrorCode::not_found, "array " + std::to_string(id) + " has indexes 0 to " +
                                               std::to_string(array->array.count - 1)};
      }
      return FoundWork{file, std::move(*records), WorkRef::of(ArrayId{id}, *index)};
    }
    TIDEMILL_TRY(const auto task, (*records)->task(TaskId{id}));
    if (task) return FoundWork{file, std::move(*records), WorkRef::of(TaskId{id})};
    TIDEMILL_TRY(const auto array, (*records)->array(ArrayId{id}));
    if (array) {
      return Error{ErrorCode::invalid, std::to_string(id) + " is an array of " +
                                           std::to_string(array->array.count) +
                                           " tasks: give the index of one, after the id"};
    }
  }
  return nothing_found(context, "task " + std::to_string(id), store);
}

Result<std::unique_ptr<client::Control>> control_of(const Context& context,
                                                    const std::string& store) {
  if (!is_owned(store)) return context.services.open_control(store);
  return context.services.connect(
      store, [](const std::string& note) { fmt::print(stderr, "tidemill: {}\n", note); });
}

ExecutionId new_run_id() {
  constexpr int64_t kYear2026 = 1'767'225'600;  // seconds
  const int64_t now = os::wall_now().ns / 1'000 - kYear2026 * 1'000'000;
  return ExecutionId{static_cast<uint64_t>(std::max<int64_t>(0, now)) + 1};
}

}  // namespace tidemill::cli
