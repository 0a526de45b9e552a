#pragma once
// Secrets: the credentials that an attempt may have seen, and how to take them out of everything
// that leaves it: results, errors, logs. What a map names `host`, `user` or the like is no secret.
// A value; read by one thread at a time.
#include <string>
#include <vector>

#include "playbook/value.h"

namespace tidemill::worker {

class Secrets {
 public:
  // Every text of a keychain that is not public by its name.
  void add_keychain(const playbook::Value& keychain);
  // Of a connection: the same of a map; of a DSN or URL its password.
  void add_connection(const playbook::Value& connection);
  bool empty() const { return words_.empty(); }

  void hide(std::string& text) const;
  // The same value with "***" for what is secret; shares what holds none. A word of less than eight
  // bytes is only hidden where it is the whole text: data must not be torn by a short word.
  playbook::Value hidden(const playbook::Value& value) const;
  bool in(const playbook::Value& value) const;  // hidden() would change it

 private:
  void add(const playbook::Value& value);
  void add_spellings(const std::string& word);
  void add_word(std::string word);
  bool holds(const std::string& text) const;

  std::vector<std::string> words_;  // longest first, so that no part of one stays
};

}  // namespace tidemill::worker
