#include "worker/internal/secrets.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "playbook/json.h"
#include "playbook/template.h"
#include "worker/tools/internal/base64.h"

namespace tidemill::worker {

namespace {

using playbook::List;
using playbook::Map;
using playbook::Value;

constexpr std::string_view kHidden = "***";
constexpr size_t kShortest = 4;        // shorter ones would hide half of every text
constexpr size_t kShortestInData = 8;  // inside of a longer text
constexpr size_t kShortestNumber = 6;

constexpr std::array<std::string_view, 27> kPublic = {
    "name", "kind",     "type",     "host",    "hostname", "hostaddr", "port",
    "user", "username", "dbname",   "db",      "database", "schema",   "path",
    "file", "scheme",   "header",   "service", "region",   "sslmode",  "driver",
    "in",   "prefix",   "provider", "url",     "endpoint", "base_url"};

bool is_public(std::string_view key) {
  return std::find(kPublic.begin(), kPublic.end(), key) != kPublic.end();
}

// Credentials in a URL or in the words of a DSN are followed by what ends them.
std::string_view password_in_url(std::string_view text) {
  const size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return {};
  text.remove_prefix(scheme + 3);
  const std::string_view authority = text.substr(0, text.find_first_of("/?#"));
  const size_t at = authority.rfind('@');
  const size_t colon = authority.find(':');
  if (at == std::string_view::npos || colon == std::string_view::npos || colon > at) return {};
  return authority.substr(colon + 1, at - colon - 1);
}

std::string_view password_in_words(std::string_view text) {
  constexpr std::string_view kName = "password=";
  const size_t name = text.find(kName);
  if (name == std::string_view::npos) return {};
  text.remove_prefix(name + kName.size());
  if (text.starts_with('\'')) return text.substr(1, text.find('\'', 1) - 1);
  return text.substr(0, text.find_first_of(" &"));
}

std::string unescaped(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 32);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool hex =
        text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    out += hex ? static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])) : text[i];
    if (hex) i += 2;
  }
  return out;
}

// As addresses have it: `kept` stands as it is beside letters and digits.
std::string percent_encoded(std::string_view text, std::string_view kept) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       kept.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 0xf];
  }
  return out;
}

// The two halves of a Basic authorisation are no secret apart from each other only.
std::string basic_authorisation(const Value& map) {
  for (const char* const user : {"user", "username"}) {
    const Value name = map.get(user);
    const Value password = map.get("password");
    if (name.is_string() && password.is_string()) {
      return base64(name.as_string() + ":" + password.as_string());
    }
  }
  return {};
}

}  // namespace

void Secrets::add_keychain(const Value& keychain) { add(keychain); }

void Secrets::add_connection(const Value& connection) {
  if (!connection.is_string()) return add(connection);
  for (const std::string_view password :
       {password_in_url(connection.as_string()), password_in_words(connection.as_string())}) {
    add_word(std::string(password));
    add_word(unescaped(password));
  }
}

void Secrets::add(const Value& value) {
  if (value.is_map()) {
    add_word(basic_authorisation(value));
    for (const auto& [key, entry] : value.as_map()) {
      if (is_public(key)) {
        if (entry.is_string()) add_connection(entry);
      } else {
        add(entry);
      }
    }
  } else if (value.is_list()) {
    for (const Value& entry : value.as_list()) add(entry);
  } else if (value.is_string()) {
    add_spellings(value.as_string());
    add_connection(value);
  } else if (value.is_number()) {
    std::string digits = playbook::render_text(value);
    if (digits.size() >= kShortestNumber) add_word(std::move(digits));
  }
}

// The word, and as it looks inside a JSON text, an address, and base64: whoever is sent it may send
// it back like that.
void Secrets::add_spellings(const std::string& word) {
  if (word.size() < kShortest) return;
  add_word(word);
  const std::string quoted = playbook::to_json(Value(word));
  add_word(quoted.substr(1, quoted.size() - 2));
  add_word(percent_encoded(word, "-._~/"));
  add_word(percent_encoded(word, "-._~"));
  add_word(base64(word));
}

void Secrets::add_word(std::string word) {
  if (word.size() < kShortest) return;
  if (std::find(words_.begin(), words_.end(), word) != words_.end()) return;
  const auto at = std::find_if(words_.begin(), words_.end(),
                               [&](const std::string& w) { return w.size() < word.size(); });
  words_.insert(at, std::move(word));
}

void Secrets::hide(std::string& text) const {
  for (const std::string& word : words_) {
    for (size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += kHidden.size()) {
      text.replace(at, word.size(), kHidden);
    }
  }
}

bool Secrets::holds(const std::string& text) const {
  return std::any_of(words_.begin(), words_.end(), [&](const std::string& word) {
    return word.size() >= kShortestInData ? text.find(word) != std::string::npos : text == word;
  });
}

bool Secrets::in(const Value& value) const {
  if (words_.empty()) return false;
  if (value.is_string()) return holds(value.as_string());
  if (value.is_list()) {
    return std::any_of(value.as_list().begin(), value.as_list().end(),
                       [this](const Value& entry) { return in(entry); });
  }
  if (!value.is_map()) return false;
  for (const auto& [key, entry] : value.as_map()) {
    if (holds(std::string(key)) || in(entry)) return true;
  }
  return false;
}

Value Secrets::hidden(const Value& value) const {
  if (!in(value)) return value;
  if (value.is_string()) {
    std::string text = value.as_string();
    hide(text);
    return Value(std::move(text));
  }
  if (value.is_list()) {
    List list;
    for (const Value& entry : value.as_list()) list.push_back(hidden(entry));
    return Value(std::move(list));
  }
  Map map;
  for (const auto& [key, entry] : value.as_map()) {
    std::string name(key);
    if (holds(name)) hide(name);
    map.set(name, hidden(entry));
  }
  return Value(std::move(map));
}

}  // namespace tidemill::worker
