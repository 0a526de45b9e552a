#include "playbook/internal/references.h"

#include <algorithm>

namespace tidemill::playbook::expr {

void References::add(std::vector<std::string> path, Position at, Check check) {
  const auto binding = std::find_if(bound_.rbegin(), bound_.rend(),
                                    [&](const Bound& b) { return b.name == path.front(); });
  if (binding != bound_.rend()) {
    const bool sure = std::any_of(bound_.begin(), bound_.end(), [&](const Bound& b) {
      return b.name == path.front() && !b.maybe;
    });
    if (sure) return;
    check = Check::unchecked;
  }
  const bool checked = check == Check::checked;
  const bool known = std::any_of(found_.begin(), found_.end(), [&](const Reference& r) {
    return r.checked == checked && r.path == path;
  });
  if (!known) found_.push_back(Reference{std::move(path), at, checked});
}

void References::leave() {
  bound_.resize(marks_.back(), Bound{});
  marks_.pop_back();
}

void References::leave_maybe() {
  for (size_t i = marks_.back(); i < bound_.size(); ++i) bound_[i].maybe = true;
  marks_.pop_back();
}

}  // namespace tidemill::playbook::expr
