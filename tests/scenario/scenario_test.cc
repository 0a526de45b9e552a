// Every *.test file of this folder, in every configuration and on every store.
#include <gtest/gtest.h>

#include <algorithm>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>

#include "store/memory/memory_store.h"
#include "store/sqlite/sqlite_store.h"
#include "tests/scenario/script.h"

namespace tidemill::scenario {
namespace {

namespace fs = std::filesystem;

const char* const kFolder = "tests/scenario";

struct Case {
  std::string file;
  Config config;
  bool sqlite = false;
};

std::vector<Config> configs() {
  return {{.name = "plain"},
          {.name = "restart", .restart_each = true},
          {.name = "late1", .commit_lag = 1},
          {.name = "late7", .commit_lag = 7},
          {.name = "short", .lease = seconds(3)},
          {.name = "tiny_windows", .window = 6},
          {.name = "tiny_windows_restart", .restart_each = true, .window = 6},
          {.name = "sqlite"},
          {.name = "sqlite_restart", .restart_each = true}};
}

std::vector<Case> cases() {
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".test") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  std::vector<Case> out;
  for (const std::string& file : files) {
    for (const Config& config : configs()) {
      out.push_back({file, config, config.name.starts_with("sqlite")});
    }
  }
  return out;
}

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  return "\n" + std::string(std::istreambuf_iterator<char>(in), {});
}

// So that a failing case says which one it is.
void PrintTo(const Case& one, std::ostream* out) { *out << one.file << " in " << one.config.name; }

class ScenarioTest : public ::testing::TestWithParam<Case> {
 protected:
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  std::unique_ptr<store::Store> open() {
    if (!GetParam().sqlite) return store::open_memory();
    folder_ = fs::path(::testing::TempDir()) / ("scenario_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    auto opened = store::open_sqlite((folder_ / "store.db").string());
    EXPECT_TRUE(opened.ok()) << opened.error().what;
    return std::move(opened).value();
  }
  fs::path folder_;
};

TEST_P(ScenarioTest, RunsAsWritten) {
  const Case& one = GetParam();
  const std::string text = text_of(one.file);
  const std::string base = one.config.restart_each ? "restart"
                           : one.sqlite             ? "plain"
                                                    : one.config.name;
  if (Script::leaves_out(text, base)) GTEST_SKIP() << "not meant for this configuration";
  World world(one.config, open());
  Script script(world, one.config);
  script.run(one.file, text);
  world.finish();
}

INSTANTIATE_TEST_SUITE_P(Scenarios, ScenarioTest, ::testing::ValuesIn(cases()),
                         [](const ::testing::TestParamInfo<Case>& one) {
                           return fs::path(one.param.file).stem().string() + "_" +
                                  one.param.config.name;
                         });

}  // namespace
}  // namespace tidemill::scenario
