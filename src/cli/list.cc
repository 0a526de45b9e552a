// `tidemill list`: the executions of this folder's runs, newest first.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

#include "cli/exit_code.h"
#include "cli/internal/context.h"
#include "cli/internal/stores.h"
#include "cli/internal/text.h"
#include "os/clock.h"

namespace tidemill::cli {

namespace {

struct Listed {
  ExecutionRecord execution;
  std::string store;
  bool owned = false;
  WallTime last_recorded;  // in its store
};

std::string state_text(const Listed& l) {
  return state_for_people(l.execution, l.owned ? Ownership::owned : Ownership::idle);
}

// Of an interrupted one up to the last turn that anybody knows of.
Duration time_taken(const Listed& l) {
  const ExecutionRecord& e = l.execution;
  if (e.finished_at.ns != 0) return e.finished_at - e.started_at;
  const WallTime end = l.owned ? os::wall_now() : l.last_recorded;
  return std::max(Duration{}, end - e.started_at);
}

Status collect(const Context& context, const std::string& file, bool children,
               std::vector<Listed>& out) {
  TIDEMILL_TRY(const auto records, context.services.open_records(file));
  const bool owned = is_owned(file);
  TIDEMILL_TRY(const WallTime last_recorded, records->last_recorded());
  ExecutionId after;
  for (;;) {
    TIDEMILL_TRY(std::vector<ExecutionRecord> page, records->executions(after, 500));
    if (page.empty()) return Ok{};
    after = page.back().id;
    for (ExecutionRecord& e : page) {
      const bool child = e.parent.task || e.parent.array;
      if (!child || children) out.push_back({std::move(e), file, owned, last_recorded});
    }
  }
}

void print_json(const std::vector<Listed>& rows) {
  auto all = nlohmann::ordered_json::array();
  for (const Listed& l : rows) {
    all.push_back({{"id", std::to_string(l.execution.id.raw)},
                   {"playbook", l.execution.name},
                   {"file", l.execution.file},
                   {"state", state_text(l)},
                   {"started_at", iso_time(l.execution.started_at)},
                   {"finished_at", iso_time(l.execution.finished_at)},
                   {"error", l.execution.error.message},
                   {"store", l.store}});
  }
  fmt::print("{}\n", all.dump(2));
}

void print_table(const std::vector<Listed>& rows) {
  std::vector<std::vector<std::string>> cells{
      {"ID", "PLAYBOOK", "STATE", "STARTED", "TIME", "ERROR"}};
  for (const Listed& l : rows) {
    const ExecutionRecord& e = l.execution;
    cells.push_back({std::to_string(e.id.raw), e.name, state_text(l), time_text(e.started_at),
                     duration_text(time_taken(l)), one_line(e.error.message, 60)});
  }
  fmt::print("{}", table(cells));
}

struct Options {
  std::string store;
  uint32_t limit = 50;
  bool children = false;
};

int list(const Context& context, const Options& o) {
  std::vector<std::string> files =
      o.store.empty() ? store_files(context.folder) : std::vector<std::string>{o.store};
  std::vector<Listed> rows;
  int code = kExitOk;
  bool all_read = true;
  for (const std::string& file : files) {
    if (rows.size() >= o.limit && o.store.empty()) break;
    Status collected = collect(context, file, o.children, rows);
    if (collected.ok()) continue;
    all_read = false;
    if (o.store.empty()) {
      say_left_out(collected.error());
    } else {
      code = report(collected.error());
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Listed& a, const Listed& b) {
    return a.execution.id > b.execution.id;
  });
  if (rows.size() > o.limit) rows.resize(o.limit);
  if (rows.empty() && code != kExitOk) return code;
  if (context.json) {
    print_json(rows);
  } else if (rows.empty() && all_read) {
    fmt::print(stderr, "no runs here yet: start one with `tidemill run PLAYBOOK`\n");
  } else if (!rows.empty()) {
    print_table(rows);
  }
  return code;
}

}  // namespace

void add_list(CLI::App& app, Context& context) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("list", "List executions, newest first");
  command->add_option("--store", o->store, "Store file; default: all of .tidemill");
  command->add_option("-n,--limit", o->limit, "How many at most")->capture_default_str();
  command->add_flag("--children", o->children, "Also executions started by playbook tools");
  command->add_flag("--json", context.json, "Print JSON");
  command->callback([&context, o] { context.exit_code = list(context, *o); });
}

}  // namespace tidemill::cli
