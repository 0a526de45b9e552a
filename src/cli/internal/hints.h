#pragma once
// Commands that a message tells a person to type: each works when it is copied into the same
// shell. Main thread; no state.
#include <string>
#include <string_view>
#include <vector>

namespace tidemill::cli {

// One word for the shell: in quotes when it needs them.
std::string shell_word(std::string_view text);

// "tidemill show 123 --store run.db". `store`: what the person gave as --store, "" for none.
std::string command_hint(std::string_view words, const std::string& store);

// The same NAME=DSN with what may be a password in it as "***".
std::string without_password(std::string_view connection);
// The same of a NAME=DSN on a command line: what is neither an address nor a path is a token, too.
std::string connection_word(std::string_view connection);

// The same NAME=VALUE of --set, or "NAME=…" when the name or the value looks like a secret.
std::string without_secret(std::string_view set);

}  // namespace tidemill::cli
