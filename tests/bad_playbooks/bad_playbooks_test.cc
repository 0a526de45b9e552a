// Compares what is said about each broken playbook of this folder with the text beside it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
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
    // What is wrong with run_… shows only when it runs: other tests do that.
    bool runs = entry.path().filename().string().rfind("run_", 0) == 0;
    if (entry.path().extension() == ".yaml" && !runs) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

struct Said {
  std::string text;
  size_t errors = 0;
  std::vector<Diagnostic> in_file;
};

void add(Said& said, const Diagnostic& d, const std::string& file, const std::string& text) {
  said.text += format(d, file, text);
  said.errors += d.severity == Diagnostic::Severity::error ? 1 : 0;
}

// Playbooks named by the tools are files of this folder.
void load_children(const Plan& plan, std::map<std::string, PlanPtr>& plans) {
  for (const ChildReference& child : plan.children) {
    if (plans.contains(child.path) || !fs::exists(kFolder / child.path)) continue;
    PlanPtr loaded = compile(read_file(kFolder / child.path), child.path).plan;
    plans[child.path] = loaded;
    if (loaded) load_children(*loaded, plans);
  }
}

Said said_about(const fs::path& path) {
  Said said;
  const std::string text = read_file(path);
  const std::string file = path.filename().string();
  Compiled compiled = compile(text, file);
  said.in_file = compiled.diagnostics;
  for (const Diagnostic& d : compiled.diagnostics) add(said, d, file, text);
  if (!compiled.plan) return said;
  std::map<std::string, PlanPtr> plans = {{file, compiled.plan}};
  load_children(*compiled.plan, plans);
  for (const ChildDiagnostic& d : check_children(plans, file))
    add(said, d.diagnostic, d.path, plans.at(d.path)->text);
  return said;
}

class BadPlaybook : public testing::TestWithParam<fs::path> {};

TEST_P(BadPlaybook, is_explained_as_expected) {
  const std::string said = said_about(GetParam()).text;
  fs::path expected = GetParam();
  expected.replace_extension(".expected");
  if (std::getenv("TIDEMILL_REGENERATE") != nullptr)
    std::ofstream(expected, std::ios::binary) << said;
  EXPECT_EQ(said, read_file(expected));
}

// Of a playbook named warns_… there are warnings, and it runs.
TEST_P(BadPlaybook, names_a_place_inside_the_file) {
  const std::string text = read_file(GetParam());
  const bool warns = GetParam().filename().string().rfind("warns_", 0) == 0;
  const Said said = said_about(GetParam());
  EXPECT_FALSE(said.text.empty());
  EXPECT_EQ(said.errors == 0, warns);
  const auto lines = std::count(text.begin(), text.end(), '\n');
  for (const Diagnostic& d : said.in_file) {
    EXPECT_GE(d.at.line, 1) << d.text;
    EXPECT_LE(d.at.line, lines + 1) << d.text;
    EXPECT_GE(d.at.column, 1) << d.text;
  }
}

TEST(BadPlaybooks, are_many) { EXPECT_GE(broken_playbooks().size(), kAtLeast); }

std::string test_name(const testing::TestParamInfo<fs::path>& info) {
  return info.param.stem().string();
}

INSTANTIATE_TEST_SUITE_P(Corpus, BadPlaybook, testing::ValuesIn(broken_playbooks()), test_name);

}  // namespace
}  // namespace tidemill::playbook
