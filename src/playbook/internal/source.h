#pragma once
// Source: the text of one template, where it stands in the playbook, and the first mistake found in
// it. Shared by the lexer and the parsers during one compilation; one owner.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "playbook/internal/evaluation.h"
#include "playbook/template.h"

namespace tidemill::playbook::expr {

class Source {
 public:
  Source(std::string_view text, Position at);

  std::string_view text() const { return text_; }
  std::string_view slice(size_t begin, size_t end) const {
    return text_.substr(begin, end - begin);
  }
  Position position(size_t offset) const;

  // Remembers the first mistake; later ones follow from it.
  Failed fail(size_t offset, std::string text);
  bool failed() const { return error_.has_value(); }
  const EvalError& error() const { return *error_; }

  // Levels of nesting that are open while parsing.
  int depth = 0;
  // How often a node for the name `loop` was made: a `for` whose body has none need not provide it.
  int loop_names = 0;

 private:
  std::string_view text_;
  Position at_;
  size_t code_points_before(size_t offset) const;
  void index() const;

  static constexpr size_t kStride = 64;
  // Filled when a position is first asked for: where lines begin, and the code points before every
  // kStride-th byte.
  mutable std::vector<size_t> line_starts_;
  mutable std::vector<size_t> code_points_;
  std::optional<EvalError> error_;
};

// One level of nesting, while it lives.
class Nesting {
 public:
  explicit Nesting(Source& source) : source_(source) { ++source_.depth; }
  ~Nesting() { --source_.depth; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;
  bool too_deep(size_t offset);

 private:
  Source& source_;
};

}  // namespace tidemill::playbook::expr
