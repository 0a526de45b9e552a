#include "playbook/internal/evaluation.h"

#include "model/limits.h"
#include "playbook/internal/node.h"
#include "playbook/internal/text.h"

namespace tidemill::playbook::expr {

bool Evaluation::spend_text(size_t bytes, Position at) {
  if (bytes > limits::kTemplateTextMax) {
    return fail(at, "the text would be longer than " +
                        std::to_string(limits::kTemplateTextMax / (1024 * 1024)) + " MiB");
  }
  return spend(static_cast<int64_t>(bytes / kBytesPerStep), at);
}

bool Evaluation::spend_growth(size_t before, size_t after, Position at) {
  // Of a text that is too long the whole is named.
  return spend_text(after <= limits::kTemplateTextMax ? after - before : after, at);
}

bool Evaluation::spend_items(size_t items, Position at) {
  if (items > limits::kTemplateItemsMax) {
    return fail(at, "the list would have more than " + std::to_string(limits::kTemplateItemsMax) +
                        " items");
  }
  return spend(static_cast<int64_t>(items), at);
}

bool Evaluation::check_depth(const Value& made, Position at) {
  if (made.depth() <= static_cast<uint32_t>(limits::kJsonMaxDepth)) return true;
  return fail(at, "the value would have more than " + std::to_string(limits::kJsonMaxDepth) +
                      " levels of lists and maps");
}

Failed Evaluation::fail(Position at, std::string text) {
  error_ = EvalError{std::move(text), at, false};
  return {};
}

Failed Evaluation::fail_fuel(Position at) {
  error_ = EvalError{"the expression needs more steps than are allowed here", at, true};
  return {};
}

Failed Evaluation::fail_undefined(const TemplateNode& node, const Value& undefined) {
  const std::string& reference = undefined.undefined_reference();
  std::string text = reference.empty() && node.source.empty()
                         ? "the value"
                         : quoted(reference.empty() ? node.source : reference);
  text += " is undefined";
  Fuel fuel{kRoutingFuel};
  Evaluation again(*scope_, fuel);
  const std::string why = node.missing(again);
  if (!why.empty()) text += ": " + why;
  return fail(node.at, std::move(text));
}

}  // namespace tidemill::playbook::expr
