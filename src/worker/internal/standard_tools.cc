#include "worker/internal/standard_tools.h"

#include <memory>
#include <utility>

#include "worker/tools/http.h"
#include "worker/tools/postgres.h"
#include "worker/tools/python.h"
#include "worker/tools/shell.h"
#include "worker/tools/sqlite.h"

namespace tidemill::worker {

using playbook::ToolKind;

StandardTools make_standard_tools(os::EventLoop& loop, const WorkerOptions& options) {
  StandardTools out;
  PythonOptions python_options;
  python_options.program = options.python;
  python_options.folder = options.base_folder;
  auto python = make_python_runner(loop, std::move(python_options));
  out.on_plan = [runner = python.get()](const playbook::Plan& plan) {
    if (plan.needs_python) runner->warm_up();
  };
  out.tools.add(ToolKind::python, std::move(python));
  ShellOptions shell_options;
  shell_options.base_directory = options.base_folder;
  out.tools.add(ToolKind::shell, make_shell_runner(loop, std::move(shell_options)));
  out.tools.add(ToolKind::http, make_http_runner(loop, {.ca_file = options.ca_file}));
  out.tools.add(ToolKind::sqlite,
                make_sqlite_runner(loop, {.refused_files = options.refused_files}));
  out.tools.add(ToolKind::postgres, make_postgres_runner(loop));
  out.tools.add(ToolKind::noop, make_noop_runner());
  for (const auto& [name, text] : options.connections) out.tools.add_connection(name, text);
  return out;
}

}  // namespace tidemill::worker
