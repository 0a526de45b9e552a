#include "worker/tools/internal/sql_template.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace tidemill::worker {

namespace {

using playbook::Value;

// Programs are dropped all together above this number: playbooks have few statements.
constexpr size_t kProgramsKept = 4'096;
// Of a text with blocks; above that its values are written into it, escaped. Databases take some
// ten thousand.
constexpr size_t kParametersMax = 1'000;
constexpr std::array<std::string_view, 3> kStatementKeys = {"query", "command", "commands"};

// The `{{ … }}` number `n` of a template's text, for messages.
std::string expression_text(std::string_view text, size_t n) {
  size_t at = 0;
  for (size_t i = 0;; ++i) {
    at = text.find("{{", at);
    if (at == std::string_view::npos) return "{{ … }}";
    const size_t end = text.find("}}", at);
    if (end == std::string_view::npos) return "{{ … }}";
    if (i == n) return std::string(text.substr(at, end + 2 - at));
    at = end + 2;
  }
}

std::string shown(const Value& value) {
  constexpr size_t kShown = 40;
  std::string text = playbook::render_text(value);
  if (text.size() > kShown) text = text.substr(0, kShown) + "…";
  return std::string(playbook::kind_name(value.kind())) + " \"" + text + "\"";
}

Error evaluation_error(const playbook::EvalError& e) {
  std::string text = "a template of the statement: " + e.text;
  if (e.at.line > 0) {
    text += " (line " + std::to_string(e.at.line) + ", column " + std::to_string(e.at.column) + ")";
  }
  return Error{ErrorCode::invalid, std::move(text)};
}

// Neighbouring texts as one, so that the lexer sees quotes and comments whole.
std::vector<SqlPiece> joined(std::vector<SqlPiece> pieces) {
  std::vector<SqlPiece> out;
  for (SqlPiece& p : pieces) {
    if (!p.slot && !out.empty() && !out.back().slot) {
      out.back().text += p.text;
    } else {
      out.push_back(std::move(p));
    }
  }
  return out;
}

}  // namespace

Result<std::vector<BoundSql>> SqlCall::bind_written() const {
  std::vector<BoundSql> out;
  for (const Source& s : sources) {
    TIDEMILL_TRY(auto bound, s.program->bind(s.values, SqlProgram::Passing::written));
    std::move(bound.begin(), bound.end(), std::back_inserter(out));
  }
  return out;
}

Result<SqlCall> SqlTemplates::statements_of(const ToolCall& call) {
  SqlCall out;
  bool found = false;
  if (const auto* fields = std::get_if<playbook::InputTree::Fields>(&call.tool.config.node)) {
    for (const auto& [key, tree] : *fields) {
      if (std::find(kStatementKeys.begin(), kStatementKeys.end(), key) == kStatementKeys.end())
        continue;
      found = true;
      TIDEMILL_CHECK(add(tree, call, out));
    }
  }
  if (!found)
    return Error{ErrorCode::invalid, "no statement: give `query`, `command` or `commands`"};
  if (out.statements.empty()) return Error{ErrorCode::invalid, "the statement is empty"};
  return out;
}

Status SqlTemplates::add(const playbook::InputTree& tree, const ToolCall& call, SqlCall& out) {
  if (const auto* source = std::get_if<playbook::Template>(&tree.node)) {
    return add_template(*source, call, out);
  }
  const auto* items = std::get_if<playbook::InputTree::Items>(&tree.node);
  if (!items) return Error{ErrorCode::invalid, "a statement is text or a list of texts, not a map"};
  for (const playbook::InputTree& item : *items) TIDEMILL_CHECK(add(item, call, out));
  return Ok{};
}

Status SqlTemplates::add_template(const playbook::Template& source, const ToolCall& call,
                                  SqlCall& out) {
  if (source.has_blocks()) return add_rendered(source, call, out);
  TIDEMILL_TRY(const Entry* entry, entry_of(source));
  SqlCall::Source bound{entry->program, std::vector<Value>(entry->expressions.size())};
  playbook::Fuel fuel{playbook::kWorkerFuel};
  for (size_t slot = 0; slot < entry->expressions.size(); ++slot) {
    if (!entry->used[slot]) continue;
    auto value = playbook::Template::evaluate_piece(entry->expressions[slot], call.scope, fuel);
    if (!value.ok()) return evaluation_error(value.error());
    bound.values[slot] = std::move(value.value());
  }
  TIDEMILL_CHECK(insert_bare_text(*entry, call, bound, out.warnings));
  TIDEMILL_TRY(auto statements, bound.program->bind(bound.values));
  std::move(statements.begin(), statements.end(), std::back_inserter(out.statements));
  out.sources.push_back(std::move(bound));
  return Ok{};
}

// A text with Jinja blocks can become anything, so it is compiled for each call; the values in it
// are bound like those of any other.
Status SqlTemplates::add_rendered(const playbook::Template& source, const ToolCall& call,
                                  SqlCall& out) {
  playbook::Fuel fuel{playbook::kWorkerFuel};
  auto given = source.evaluate_apart(call.scope, fuel);
  if (!given.ok()) return evaluation_error(given.error());
  Entry entry;
  entry.source = source;
  SqlCall::Source bound;
  for (playbook::Template::Given& g : given.value()) {
    if (!g.value) {
      entry.pieces.push_back({std::move(g.literal), std::nullopt, false});
      continue;
    }
    entry.pieces.push_back({"", static_cast<uint32_t>(bound.values.size()), g.is_ident});
    bound.values.push_back(std::move(*g.value));
  }
  TIDEMILL_TRY(SqlProgram program, SqlProgram::compile(joined(entry.pieces), dialect_));
  bound.program = std::make_shared<const SqlProgram>(std::move(program));
  TIDEMILL_CHECK(insert_bare_text(entry, call, bound, out.warnings));
  const auto passing = bound.values.size() <= kParametersMax ? SqlProgram::Passing::parameters
                                                             : SqlProgram::Passing::written;
  TIDEMILL_TRY(auto statements, bound.program->bind(bound.values, passing));
  std::move(statements.begin(), statements.end(), std::back_inserter(out.statements));
  out.sources.push_back(std::move(bound));
  return Ok{};
}

// Text outside a literal: an error, or in a noetl.io/v2 document part of the statement, which then
// is compiled anew for this call.
Status SqlTemplates::insert_bare_text(const Entry& entry, const ToolCall& call,
                                      SqlCall::Source& source, std::string& warnings) {
  const std::vector<uint32_t> bare = source.program->slots_with_bare_text(source.values);
  if (bare.empty()) return Ok{};
  std::vector<SqlPiece> pieces = entry.pieces;
  for (const uint32_t slot : bare) {
    const Value& value = source.values[slot];
    const std::string expression = entry.source.has_blocks()
                                       ? "a {{ … }} of a text with {% %} blocks"
                                       : expression_text(entry.source.text(), slot);
    const std::string what = expression + " is a " + shown(value) + " outside a literal";
    if (!call.noetl || value.is_list() || value.is_map() || value.is_undefined()) {
      return Error{ErrorCode::invalid,
                   what +
                       ": write '{{ … }}' in quotes to pass it as a value, or {{ … | ident "
                       "}} when it is a name"};
    }
    warnings += "warning: " + what + " is inserted as SQL; quote it or use | ident\n";
    for (SqlPiece& p : pieces) {
      if (p.slot == slot) p = SqlPiece{playbook::render_text(value), std::nullopt, false};
    }
  }
  TIDEMILL_TRY(SqlProgram program, SqlProgram::compile(joined(std::move(pieces)), dialect_));
  source.program = std::make_shared<const SqlProgram>(std::move(program));
  if (!source.program->slots_with_bare_text(source.values).empty()) {
    return Error{ErrorCode::invalid,
                 "a text inserted into the statement changed where its other templates stand"};
  }
  return Ok{};
}

Result<const SqlTemplates::Entry*> SqlTemplates::entry_of(const playbook::Template& source) {
  if (entries_.size() > kProgramsKept) entries_.clear();
  if (const auto known = entries_.find(source.identity()); known != entries_.end())
    return &known->second;
  Entry entry;
  entry.source = source;
  for (playbook::Template::Piece& p : source.pieces()) {
    if (!p.expression) {
      entry.pieces.push_back({p.literal, std::nullopt, false});
      continue;
    }
    entry.pieces.push_back({"", static_cast<uint32_t>(entry.expressions.size()), p.is_ident});
    entry.expressions.push_back(p);
  }
  TIDEMILL_TRY(SqlProgram program, SqlProgram::compile(joined(entry.pieces), dialect_));
  for (uint32_t slot = 0; slot < entry.expressions.size(); ++slot) {
    entry.used.push_back(program.uses_slot(slot));
  }
  entry.program = std::make_shared<const SqlProgram>(std::move(program));
  return &entries_.emplace(source.identity(), std::move(entry)).first->second;
}

}  // namespace tidemill::worker
