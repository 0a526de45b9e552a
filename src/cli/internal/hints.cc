#include "cli/internal/hints.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace tidemill::cli {

namespace {

bool is_plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("_-./=:,@%+").find(c) != std::string_view::npos;
}

constexpr std::string_view kHidden = "***";

// postgres://user:PASSWORD@host/…: the last '@' before the path ends the credentials.
void hide_in_url(std::string& text) {
  const size_t scheme = text.find("://");
  if (scheme == std::string::npos) return;
  const size_t from = scheme + 3;
  const size_t end = std::min(text.find('/', from), text.size());
  const size_t at = text.substr(0, end).rfind('@');
  const size_t colon = text.find(':', from);
  if (at == std::string::npos || at < from || colon >= at) return;
  text.replace(colon + 1, at - colon - 1, kHidden);
}

// host=… password=WORD, and the same in a URL's query.
void hide_in_words(std::string& text) {
  constexpr std::string_view kName = "password=";
  const size_t name = text.find(kName);
  if (name == std::string::npos) return;
  const size_t from = name + kName.size();
  const bool quoted = from < text.size() && text[from] == '\'';
  const size_t end = quoted ? std::min(text.find('\'', from + 1), text.size() - 1) + 1
                            : text.find_first_of(" &", from);
  text.replace(from, std::min(end, text.size()) - from, kHidden);
}

// A name says it by its last part: api.token, PGPASSWORD, aws_secret.
bool names_secret(std::string_view name) {
  std::string last(name.substr(name.rfind('.') + 1));
  std::transform(last.begin(), last.end(), last.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::string_view kWords[] = {"password", "passwd", "pwd", "secret", "token",
                                         "key",      "auth",   "credential"};
  return std::any_of(std::begin(kWords), std::end(kWords), [&](std::string_view word) {
    return last.find(word) != std::string::npos;
  });
}

}  // namespace

std::string shell_word(std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string command_hint(std::string_view words, const std::string& store) {
  std::string out = "tidemill " + std::string(words);
  if (!store.empty()) out += " --store " + shell_word(store);
  return out;
}

std::string without_password(std::string_view connection) {
  const size_t equals = connection.find('=');
  std::string dsn(connection.substr(std::min(connection.size(), equals + 1)));
  if (dsn.starts_with('{')) {
    dsn = kHidden;  // A map of settings: any of them may be the secret.
  } else {
    hide_in_url(dsn);
    hide_in_words(dsn);
  }
  return std::string(connection.substr(0, equals + 1)) + dsn;
}

std::string connection_word(std::string_view connection) {
  const size_t equals = connection.find('=');
  const std::string_view dsn = connection.substr(std::min(connection.size(), equals + 1));
  const bool token = !dsn.empty() && dsn.find_first_of("/.:=@") == std::string_view::npos;
  if (!token) return without_password(connection);
  return std::string(connection.substr(0, equals + 1)).append(kHidden);
}

std::string without_secret(std::string_view set) {
  const std::string_view name = set.substr(0, set.find('='));
  if (!names_secret(name) && without_password(set) == set) return std::string(set);
  return std::string(name) + "=…";
}

}  // namespace tidemill::cli
