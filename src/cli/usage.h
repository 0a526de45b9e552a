#pragma once
// What is wrong with a command line, for people: the word that nobody understood, what was probably
// meant, and where help is. Used by every program that parses with CLI11; no state, any thread.
namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace tidemill::cli {

// Prints what app.parse() threw: the help that was asked for on stdout, or a line about what is
// wrong on stderr. Returns the exit code.
int end_of_parsing(const CLI::App& app, const CLI::ParseError& error);

}  // namespace tidemill::cli
