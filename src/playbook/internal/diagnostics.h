#pragma once
// Diagnostics: the mistakes found in one text, collected by every part of the compiler. A flood is
// cut off (kMost), errors are never lost to warnings. Owned by compile(); one thread.
#include <string>
#include <string_view>
#include <vector>

#include "playbook/compile.h"

namespace tidemill::playbook {

class Diagnostics {
 public:
  static constexpr size_t kMost = 200;  // of each severity

  void error(Position at, std::string text, std::string suggestion = {});
  void warning(Position at, std::string text, std::string suggestion = {});
  bool has_errors() const { return errors_ > 0; }
  // So much is wrong that suggestions, which compare all names with all, are not worth their time.
  bool flooded() const { return errors_ + warnings_ >= kMost; }

  // In the order of the text; the same mistake at the same place once.
  std::vector<Diagnostic> take();

 private:
  std::vector<Diagnostic> found_;
  size_t errors_ = 0;
  size_t warnings_ = 0;
};

// "did you mean 'x'?" for the nearest candidate, or "" when none is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

// "a, b or c".
std::string one_of(const std::vector<std::string>& words);

}  // namespace tidemill::playbook
