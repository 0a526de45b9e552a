#pragma once
// References: gathers the static paths a template reads while its nodes are walked once after
// parsing. Names bound by `for` and `set` are no references. One owner at a time.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "playbook/template.h"

namespace tidemill::playbook::expr {

enum class Check : uint8_t { checked, unchecked };

class References {
 public:
  void add(std::vector<std::string> path, Position at, Check check);

  // A name is bound from here on, until the enclosing block is left.
  void bind(std::string name) { bound_.push_back({std::move(name), false}); }
  void enter() { marks_.push_back(bound_.size()); }
  void leave();
  // Leaves a block that may not have run: what it bound may be bound, or still be a reference.
  void leave_maybe();

  std::vector<Reference> take() { return std::move(found_); }

 private:
  struct Bound {
    std::string name;
    bool maybe;
  };

  std::vector<Reference> found_;
  std::vector<Bound> bound_;
  std::vector<size_t> marks_;
};

}  // namespace tidemill::playbook::expr
