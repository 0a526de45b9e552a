#pragma once
// From the statements a tool was configured with (`query`, `command`, `commands`) and the scope of
// one call to statements that can be sent. Keeps each template's program, so that a call costs the
// evaluation of its expressions. Owned by one runner; the worker's event thread.
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "playbook/plan.h"
#include "playbook/template.h"
#include "worker/tool.h"
#include "worker/tools/internal/sql_program.h"

namespace tidemill::worker {

// The statements of one call. The sources allow binding once more with values written out.
struct SqlCall {
  struct Source {
    std::shared_ptr<const SqlProgram> program;
    std::vector<playbook::Value> values;
  };
  std::vector<BoundSql> statements;
  std::vector<Source> sources;
  std::string warnings;  // for the call's log, a line each

  Result<std::vector<BoundSql>> bind_written() const;
};

class SqlTemplates {
 public:
  explicit SqlTemplates(SqlDialect dialect) : dialect_(dialect) {}

  // Errors: invalid, with what is wrong in the statement or one of its templates.
  Result<SqlCall> statements_of(const ToolCall& call);

 private:
  struct Entry {
    playbook::Template source;
    std::vector<playbook::Template::Piece> expressions;  // by slot
    std::vector<SqlPiece> pieces;
    std::shared_ptr<const SqlProgram> program;  // absent when blocks make the text vary
    std::vector<bool> used;                     // by slot
  };

  Result<const Entry*> entry_of(const playbook::Template& source);
  Status add(const playbook::InputTree& tree, const ToolCall& call, SqlCall& out);
  Status add_template(const playbook::Template& source, const ToolCall& call, SqlCall& out);
  Status add_rendered(const playbook::Template& source, const ToolCall& call, SqlCall& out);
  Status insert_bare_text(const Entry& entry, const ToolCall& call, SqlCall::Source& source,
                          std::string& warnings);

  SqlDialect dialect_;
  std::unordered_map<const void*, Entry> entries_;  // by identity of `source`
};

}  // namespace tidemill::worker
