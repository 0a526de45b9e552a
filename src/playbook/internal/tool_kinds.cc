#include "playbook/internal/tool_kinds.h"

#include "base/assert.h"

namespace tidemill::playbook {
namespace {

using Form = ToolKey::Form;

constexpr ToolKey kPythonKeys[] = {{.name = "code", .form = Form::code, .group = 1}};
constexpr ToolKey kHttpKeys[] = {{.name = "method", .form = Form::text},
                                 {.name = "url", .form = Form::text, .group = 1},
                                 {.name = "endpoint", .form = Form::text, .group = 1},
                                 {.name = "params", .form = Form::map},
                                 {.name = "headers", .form = Form::map},
                                 {.name = "data", .group = 2},
                                 {.name = "json", .group = 2},
                                 {.name = "payload", .group = 2}};
constexpr ToolKey kPostgresKeys[] = {{.name = "query", .form = Form::text, .group = 1},
                                     {.name = "command", .group = 1},
                                     {.name = "commands", .group = 1}};
constexpr ToolKey kSqliteKeys[] = {{.name = "query", .form = Form::text, .group = 1},
                                   {.name = "command", .group = 1},
                                   {.name = "commands", .group = 1}};
constexpr ToolKey kShellKeys[] = {{.name = "cmd", .form = Form::text, .group = 1},
                                  {.name = "cmds", .group = 1},
                                  {.name = "command", .group = 1},
                                  {.name = "env", .form = Form::map},
                                  {.name = "cwd", .form = Form::text},
                                  {.name = "stdin"},
                                  {.name = "shell", .form = Form::text}};
constexpr ToolKey kWorkbookKeys[] = {{.name = "name", .form = Form::text, .group = 1},
                                     {.name = "task", .form = Form::text, .group = 1}};
constexpr ToolKey kPlaybookKeys[] = {{.name = "path", .form = Form::text, .group = 1},
                                     {.name = "return_step", .form = Form::text}};

constexpr std::string_view kSql = "'query', 'command' or 'commands'";

// In the order of ToolKind.
constexpr ToolKindInfo kKinds[] = {
    {.kind = ToolKind::python,
     .name = "python",
     .keys = kPythonKeys,
     .required_group_1 = "'code'",
     .runs_code = true},
    {.kind = ToolKind::http,
     .name = "http",
     .keys = kHttpKeys,
     .required_group_1 = "'url' or 'endpoint'"},
    {.kind = ToolKind::postgres,
     .name = "postgres",
     .keys = kPostgresKeys,
     .required_group_1 = kSql,
     .needs_auth = true},
    {.kind = ToolKind::sqlite,
     .name = "sqlite",
     .keys = kSqliteKeys,
     .required_group_1 = kSql,
     .needs_auth = true},
    {.kind = ToolKind::shell,
     .name = "shell",
     .keys = kShellKeys,
     .required_group_1 = "'cmd', 'cmds' or 'command'",
     .runs_code = true},
    {.kind = ToolKind::noop, .name = "noop", .keys = {}, .required_group_1 = ""},
    {.kind = ToolKind::workbook,
     .name = "workbook",
     .keys = kWorkbookKeys,
     .required_group_1 = "'name'"},
    {.kind = ToolKind::playbook,
     .name = "playbook",
     .keys = kPlaybookKeys,
     .required_group_1 = "'path'"},
};

struct MissingKind {
  std::string_view name;
  std::string_view instead;
};

constexpr MissingKind kMissing[] = {
    {"duckdb", "use python or sqlite"},
    {"container", "use shell"},
    {"artifact", "use shell or python"},
    {"transfer", "use a pipeline of two tools"},
    {"mail", "use python"},
    {"snowflake", "use python"},
    {"snowflake_transfer", "use python"},
    {"gcs", "use shell or python"},
    {"secrets", "use keychain"},
    {"secret_manager", "use keychain"},
    {"script", "use shell or python"},
    {"rhai", "use python"},
    {"nats", "use python"},
    {"ducklake", "use python or sqlite"},
    {"oracle", "use python"},
    {"clickhouse", "use http or python"},
    {"quantum", "use python"},
    {"agent", "use http or python"},
    {"mcp", "use http or python"},
    {"iterator", "write 'loop' in the step"},
    {"router", "use noop with 'next'"},
};

}  // namespace

const ToolKindInfo& info_of(ToolKind kind) {
  const ToolKindInfo& info = kKinds[static_cast<size_t>(kind)];
  TIDEMILL_ASSERT(info.kind == kind);
  return info;
}

const ToolKindInfo* find_kind(std::string_view name) {
  for (const ToolKindInfo& info : kKinds) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const ToolKindInfo& info : kKinds) names.emplace_back(info.name);
  return names;
}

std::optional<std::string_view> missing_kind(std::string_view name) {
  for (const MissingKind& kind : kMissing) {
    if (kind.name == name) return kind.instead;
  }
  return std::nullopt;
}

std::string_view tool_kind_name(ToolKind kind) { return info_of(kind).name; }

}  // namespace tidemill::playbook
