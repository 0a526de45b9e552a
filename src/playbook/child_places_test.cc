#include "playbook/child_places.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tidemill::playbook {
namespace {

using Places = std::vector<std::string>;

TEST(ChildPlacesTest, BesideTheFileThatNamesIt) {
  EXPECT_EQ(child_places("b", "a.yaml", "."), (Places{"b", "b.yaml", "b.yml"}));
  EXPECT_EQ(child_places("/x/b.yaml", "runs/a.yaml", "runs"),
            (Places{"/x/b.yaml", "/x/b.yaml.yaml", "/x/b.yaml.yml"}));
}

TEST(ChildPlacesTest, ThenBelowTheFolderOfTheFirst) {
  const Places places = child_places("b.yaml", "runs/parts/a.yaml", "runs");
  EXPECT_EQ(places.front(), "runs/parts/b.yaml");
  EXPECT_NE(std::find(places.begin(), places.end(), "runs/b.yaml"), places.end());
  EXPECT_EQ(child_places("b.yaml", "/p/a.yaml", "/p"),
            (Places{"/p/b.yaml", "/p/b.yaml.yaml", "/p/b.yaml.yml"}));
  EXPECT_EQ(child_places("b.yaml", "/a.yaml", "/").front(), "/b.yaml");
}

}  // namespace
}  // namespace tidemill::playbook
