// A value that is JSON text until somebody looks inside may be shared by threads: all see the same.
#include <gtest/gtest.h>

#include <vector>

#include "os/thread.h"
#include "playbook/json.h"

namespace tidemill::playbook {
namespace {

TEST(SharedValueTest, SeveralThreadsMayLookAtOnce) {
  const std::string records = "[\"" + std::string(200, 'x') + "\",{\"a\":[1,2,3]}]";
  for (int round = 0; round < 100; ++round) {
    const Value data = parse_json_lazily("{\"data\":" + records + "}").value().get("data");
    ASSERT_FALSE(data.known_json().empty());
    std::vector<const Value*> seen(4);
    std::vector<os::Thread> threads;
    for (const Value*& mine : seen)
      threads.emplace_back("look", [&data, &mine] { mine = &data.as_list().front(); });
    for (os::Thread& t : threads) t.join();
    for (const Value* one : seen) EXPECT_EQ(one, seen.front());
  }
}

}  // namespace
}  // namespace tidemill::playbook
