// Compares what is said about each broken playbook of this folder with the text beside it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "playbook/compile.h"

namespace tidemill::playbook {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = "tests/bad_playbooks";
constexpr size_t kAtLeast = 60;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<fs::path> broken_playbooks() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string said_about(const fs::path& path, const std::string& text) {
  std::string said;
  const std::string file = path.filename().string();
  for (const Diagnostic& d : compile(text, file).diagnostics) said += format(d, file, text);
  return said;
}

class BadPlaybook : public testing::TestWithParam<fs::path> {};

TEST_P(BadPlaybook, is_explained_as_expected) {
  const std::string text = read_file(GetParam());
  const std::string said = said_about(GetParam(), text);
  fs::path expected = GetParam();
  expected.replace_extension(".expected");
  if (std::getenv("TIDEMILL_REGENERATE") != nullptr)
    std::ofstream(expected, std::ios::binary) << said;
  EXPECT_EQ(said, read_file(expected));
}

// Of a playbook named warns_… there are warnings, and it runs.
TEST_P(BadPlaybook, names_a_place_inside_the_file) {
  const std::string text = read_file(GetParam());
  const Compiled compiled = compile(text, "file.yaml");
  const bool warns = GetParam().filename().string().rfind("warns_", 0) == 0;
  EXPECT_EQ(compiled.plan != nullptr, warns);
  EXPECT_FALSE(compiled.diagnostics.empty());
  const auto lines = std::count(text.begin(), text.end(), '\n');
  size_t errors = 0;
  for (const Diagnostic& d : compiled.diagnostics) {
    errors += d.severity == Diagnostic::Severity::error ? 1 : 0;
    EXPECT_GE(d.at.line, 1) << d.text;
    EXPECT_LE(d.at.line, lines + 1) << d.text;
    EXPECT_GE(d.at.column, 1) << d.text;
  }
  EXPECT_EQ(errors == 0, warns);
}

TEST(BadPlaybooks, are_many) { EXPECT_GE(broken_playbooks().size(), kAtLeast); }

std::string test_name(const testing::TestParamInfo<fs::path>& info) {
  return info.param.stem().string();
}

INSTANTIATE_TEST_SUITE_P(Corpus, BadPlaybook, testing::ValuesIn(broken_playbooks()), test_name);

}  // namespace
}  // namespace tidemill::playbook
