#pragma once
// What is wrong with a command line, for people: the word that nobody understood, what was probably
// meant, and where help is. Used by every program that parses with CLI11; no state, any thread.
#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace tidemill::cli {

// One line, with its newline; `error` is what app.parse() threw.
std::string usage_text(const CLI::App& app, const CLI::ParseError& error);

}  // namespace tidemill::cli
