#include "playbook/compile.h"

#include <algorithm>

#include "playbook/internal/check_names.h"
#include "playbook/internal/document.h"
#include "playbook/internal/link.h"
#include "playbook/internal/reads.h"
#include "playbook/internal/utf8.h"
#include "playbook/internal/yaml_reader.h"

namespace tidemill::playbook {
namespace {

Compiled finish(Diagnostics& diagnostics, std::shared_ptr<Plan> plan) {
  Compiled out;
  if (!diagnostics.has_errors()) out.plan = std::move(plan);
  out.diagnostics = diagnostics.take();
  return out;
}

std::string_view line_of(std::string_view text, int number) {
  for (int line = 1; line < number; ++line) {
    size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

// What a terminal can show: no control characters, no broken UTF-8.
std::string printable(std::string_view line) {
  std::string out;
  while (std::optional<BadByte> bad = find_bad_byte(line)) {
    out.append(line.substr(0, bad->offset)).append("\xef\xbf\xbd");
    line.remove_prefix(bad->offset + 1);
  }
  return out.append(line);
}

bool begins_character(char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }

// A caret below the character that `column` counts to; tabs stay tabs, so that it stands right.
std::string caret(std::string_view line, int column) {
  std::string out;
  int at = 0;
  for (char c : line) {
    if (!begins_character(c)) continue;
    if (++at >= column) break;
    out += c == '\t' ? '\t' : ' ';
  }
  return out + "^";
}

}  // namespace

Compiled compile(std::string_view text, std::string_view file) {
  Diagnostics diagnostics;
  std::optional<YamlNode> root = read_yaml(text, diagnostics);
  if (!root) return finish(diagnostics, nullptr);
  if (!root->is_map()) {
    diagnostics.error(root->at,
                      "a playbook is a map of keys, found " + std::string(describe(*root)),
                      "begin with 'apiVersion: tidemill/v1'");
    return finish(diagnostics, nullptr);
  }
  Check check{.diagnostics = diagnostics, .api = read_api_version(diagnostics, *root)};
  Document document;
  read_document(check, *root, document);
  link_steps(check, document);
  Plan& plan = document.plan;
  check_names(check, plan);
  check_hiding(check, plan, document.drafts);
  check_loop_defaults(check, plan);
  check_event_names(check, plan);
  if (diagnostics.has_errors()) return finish(diagnostics, nullptr);
  find_reads(plan);
  plan.hash = sha256(text);
  plan.file = std::string(file);
  plan.text = std::string(text);
  return finish(diagnostics, std::make_shared<Plan>(std::move(plan)));
}

std::string format(const Diagnostic& diagnostic, std::string_view file, std::string_view text) {
  bool error = diagnostic.severity == Diagnostic::Severity::error;
  const std::string line = std::to_string(diagnostic.at.line);
  std::string out(file);
  out += ":" + line + ":" + std::to_string(diagnostic.at.column);
  out += error ? ": error: " : ": warning: ";
  out += diagnostic.text;
  if (!diagnostic.suggestion.empty()) out += "; " + diagnostic.suggestion;
  out += "\n";
  const std::string source = printable(line_of(text, diagnostic.at.line));
  constexpr size_t kWidest = 160;
  if (source.find_first_not_of(" \t") == std::string::npos || source.size() > kWidest) return out;
  out += "  " + line + " | " + source + "\n";
  out += "  " + std::string(line.size(), ' ') + " | " + caret(source, diagnostic.at.column) + "\n";
  return out;
}

}  // namespace tidemill::playbook
