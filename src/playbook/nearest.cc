// "Did you mean": the nearest name by edit distance.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "playbook/internal/text.h"
#include "playbook/template.h"

namespace tidemill::playbook {

namespace {

constexpr size_t kLongest = 64;  // longer words are not compared

// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment), ignoring
// case.
size_t distance(std::string_view a, std::string_view b) {
  using Row = std::array<size_t, kLongest + 1>;
  Row before{}, above{}, row{};
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const auto same = [&](size_t x, size_t y) {
        return expr::ascii_lower(a[x - 1]) == expr::ascii_lower(b[y - 1]);
      };
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same(i, j) ? 0 : 1)});
      if (i > 1 && j > 1 && same(i, j - 1) && same(i - 1, j)) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before = above;
    above = row;
  }
  return above[b.size()];
}

// Longer words may differ in more places and still be meant.
size_t tolerance(std::string_view word) {
  return word.size() < 4 ? 1 : (word.size() < 8 ? 2 : 3);
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string_view best;
  size_t best_distance = tolerance(word) + 1;
  if (word.empty() || word.size() > kLongest) return {};
  for (const std::string& candidate : candidates) {
    if (candidate.empty() || candidate.size() > kLongest) continue;
    const size_t d = distance(word, candidate);
    // A word that would have to be replaced entirely is not near.
    if (d < best_distance && d < std::max(word.size(), candidate.size())) {
      best = candidate;
      best_distance = d;
    }
  }
  return std::string(best);
}

}  // namespace tidemill::playbook
