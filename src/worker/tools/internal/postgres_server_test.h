#pragma once
// A PostgreSQL of the test's own: started by its constructor, stopped and removed by its
// destructor. Needs Debian's postgresql package; one thread.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace tidemill::worker {

class TestPostgres {
 public:
  TestPostgres() {
    std::string name = (std::filesystem::temp_directory_path() / "tidemill_pg_XXXXXX").string();
    root_ = mkdtemp(name.data());
    // The server runs as another user when the test runs as root.
    std::filesystem::permissions(root_, std::filesystem::perms{0755});
    folder_ = root_ + "/pg";
    FILE* out = popen(("tools/test_postgres start " + folder_).c_str(), "r");
    char line[512] = {};
    if (out && fgets(line, sizeof line, out)) dsn_ = line;
    EXPECT_EQ(out ? pclose(out) : -1, 0);
    while (dsn_.ends_with('\n')) dsn_.pop_back();
    EXPECT_FALSE(dsn_.empty()) << "PostgreSQL did not start";
  }
  ~TestPostgres() {
    (void)!std::system(("tools/test_postgres stop " + folder_).c_str());
    std::filesystem::remove_all(root_);
  }
  const std::string& dsn() const { return dsn_; }

 private:
  std::string root_;
  std::string folder_;
  std::string dsn_;
};

}  // namespace tidemill::worker
