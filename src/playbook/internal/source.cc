#include "playbook/internal/source.h"

#include <algorithm>

#include "model/limits.h"
#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

Source::Source(std::string_view text, Position at) : text_(text), at_(at) {}

void Source::index() const {
  line_starts_.push_back(0);
  size_t code_points = 0;
  for (size_t i = 0; i < text_.size(); ++i) {
    if (i % kStride == 0) code_points_.push_back(code_points);
    if (text_[i] == '\n') line_starts_.push_back(i + 1);
    if ((static_cast<unsigned char>(text_[i]) & 0xC0) != 0x80) ++code_points;
  }
  code_points_.push_back(code_points);
}

size_t Source::code_points_before(size_t offset) const {
  if (offset >= text_.size()) return code_points_.back();
  const size_t stride = offset / kStride;
  return code_points_[stride] + count_code_points(slice(stride * kStride, offset));
}

Position Source::position(size_t offset) const {
  if (line_starts_.empty()) index();
  const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const auto line = static_cast<size_t>(next - line_starts_.begin()) - 1;
  const size_t column = code_points_before(offset) - code_points_before(line_starts_[line]);
  return {at_.line + static_cast<int>(line), at_.column + static_cast<int>(column)};
}

Failed Source::fail(size_t offset, std::string text) {
  if (!error_) error_ = EvalError{std::move(text), position(offset), false};
  return {};
}

bool Nesting::too_deep(size_t offset) {
  if (source_.depth <= limits::kTemplateDepth) return false;
  source_.fail(offset,
               "more than " + std::to_string(limits::kTemplateDepth) + " levels of nesting");
  return true;
}

}  // namespace tidemill::playbook::expr
