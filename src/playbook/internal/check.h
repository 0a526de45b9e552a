#pragma once
// Reading a YAML tree by rules: Fields takes the keys of one map and reports those that nobody
// took; read_*() turn scalars into typed values and report what does not fit. Every function
// reports and returns something usable, so that one mistake does not hide the next. Used by
// compile(); one thread.
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "playbook/internal/diagnostics.h"
#include "playbook/internal/yaml_node.h"
#include "playbook/plan.h"

namespace tidemill::playbook {

struct Check {
  Diagnostics& diagnostics;
  ApiVersion api = ApiVersion::tidemill_v1;

  bool is_noetl() const { return api == ApiVersion::noetl_v2; }
  void error(Position at, std::string text, std::string suggestion = {}) const {
    diagnostics.error(at, std::move(text), std::move(suggestion));
  }
  // "did you mean 'x'?", or "" in a flood.
  std::string suggest(std::string_view word, const std::vector<std::string>& candidates) const {
    return diagnostics.flooded() ? std::string() : did_you_mean(word, candidates);
  }
  void warning(Position at, std::string text, std::string suggestion = {}) const {
    diagnostics.warning(at, std::move(text), std::move(suggestion));
  }
  // An error in tidemill/v1; in noetl.io/v2, whose engine lets it pass, a warning.
  void strict(Position at, std::string text, std::string suggestion = {}) const;
};

// The keys of one map. What is asked for is what is known.
class Fields {
 public:
  // `where` is how messages name the map: "in step 'load'". The node may be of any kind: one that
  // is no map is reported and has no keys.
  Fields(const Check& check, const YamlNode& node, std::string where);

  // Null when the key is absent or has no value.
  const YamlNode* take(std::string_view key);
  // The field itself, also when it has no value.
  const YamlField* take_field(std::string_view key);
  // One of several names of the same thing; two at once are an error.
  const YamlNode* take_one(std::initializer_list<std::string_view> keys);
  // Reports a key that is missing.
  const YamlNode* require(std::string_view key, std::string_view what);

  // Keys of the language that Tidemill does not have: an error that says so.
  void unsupported(std::string_view key, std::string_view instead);
  // Keys that belong into the map `inside` of this one.
  void misplaced(std::string_view key, std::string_view inside);
  // Keys that change nothing here: a warning that says why.
  void no_effect(std::string_view key, std::string_view why);

  // Reports the keys that were not taken. Call it last.
  void finish();

  bool has(std::string_view key) const { return node_.field(key) != nullptr; }
  const std::string& where() const { return where_; }
  void rename(std::string where) { where_ = std::move(where); }
  Position at() const { return node_.at; }

 private:
  const YamlField* find(std::string_view key);
  const YamlField* find_left(std::string_view key);  // that nobody took

  const Check& check_;
  const YamlNode& node_;
  std::string where_;
  std::vector<bool> taken_;
  std::vector<std::string_view> known_;
};

// `what` names the value in messages: "'timeout' in step 'load'".
std::string read_text(const Check& check, const YamlNode& node, std::string_view what);
// A name that templates can use: letters, digits and underscores.
std::string read_name(const Check& check, const YamlNode& node, std::string_view what);
bool is_name(std::string_view text);
std::optional<bool> read_bool(const Check& check, const YamlNode& node, std::string_view what);
uint64_t read_count(const Check& check, const YamlNode& node, std::string_view what, uint64_t least,
                    uint64_t most);
// A number of seconds, or text with a unit: '500ms', '2s', '1m', '1h'.
Duration read_duration(const Check& check, const YamlNode& node, std::string_view what);
// Index of the word in `words`; 0 when it is none of them.
size_t read_choice(const Check& check, const YamlNode& node, std::string_view what,
                   const std::vector<std::string>& words);
// Reports more than `most` of something; false then.
bool check_count(const Check& check, Position at, std::string_view what, size_t count, size_t most);
// The items of a list; null when it is none, which is reported.
const std::vector<YamlNode>* read_list(const Check& check, const YamlNode& node,
                                       std::string_view what);

}  // namespace tidemill::playbook
