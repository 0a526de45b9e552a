#include "playbook/internal/diagnostics.h"

#include <algorithm>
#include <tuple>

namespace tidemill::playbook {
namespace {

auto order_key(const Diagnostic& d) {
  return std::tie(d.at.line, d.at.column, d.severity, d.text, d.suggestion);
}

}  // namespace

void Diagnostics::error(Position at, std::string text, std::string suggestion) {
  if (errors_++ >= kMost) return;
  found_.push_back({.severity = Diagnostic::Severity::error,
                    .at = at,
                    .text = std::move(text),
                    .suggestion = std::move(suggestion)});
}

void Diagnostics::warning(Position at, std::string text, std::string suggestion) {
  if (warnings_++ >= kMost) return;
  found_.push_back({.severity = Diagnostic::Severity::warning,
                    .at = at,
                    .text = std::move(text),
                    .suggestion = std::move(suggestion)});
}

std::vector<Diagnostic> Diagnostics::take() {
  std::sort(found_.begin(), found_.end(),
            [](const Diagnostic& a, const Diagnostic& b) { return order_key(a) < order_key(b); });
  auto same = [](const Diagnostic& a, const Diagnostic& b) { return order_key(a) == order_key(b); };
  found_.erase(std::unique(found_.begin(), found_.end(), same), found_.end());
  return std::move(found_);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  std::string near = nearest(word, candidates);
  return near.empty() ? near : "did you mean '" + near + "'?";
}

std::string one_of(const std::vector<std::string>& words) {
  std::string out;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

}  // namespace tidemill::playbook
