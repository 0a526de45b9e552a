// TokenBook: which secret is whose, and since when.
#include "engine/token_book.h"

#include <gtest/gtest.h>

namespace tidemill::engine {
namespace {

TokenRecord token(const std::string& name, const std::string& secret) {
  return {.name = name, .hash = sha256(secret)};
}

TEST(TokenBookTest, ASecretIsFoundFromItsTurnToItsEnd) {
  TokenBook book;
  EXPECT_TRUE(book.empty());
  EXPECT_EQ(book.find(""), nullptr);
  book.load({token("a", "one")});
  book.committed({PutToken{token("b", "two")}});
  ASSERT_NE(book.find("one"), nullptr);
  EXPECT_EQ(book.find("one")->name, "a");
  EXPECT_EQ(book.find("two")->name, "b");
  for (const char* wrong : {"", "on", "onf", "one ", "a", "b"}) {
    EXPECT_EQ(book.find(wrong), nullptr) << wrong;
  }
  EXPECT_EQ(book.find(hex(sha256("one"))), nullptr);  // what the store holds opens nothing
  book.committed({DropToken{"a"}, DropToken{"nobody"}});
  EXPECT_EQ(book.find("one"), nullptr);
  ASSERT_EQ(book.all().size(), 1U);
  EXPECT_EQ(book.all()[0].name, "b");
}

TEST(TokenBookTest, AnExpiredOneIsThereAndNotValid) {
  TokenBook book;
  TokenRecord old = token("old", "one");
  old.expires_at = WallTime{1'000};
  book.load({old});
  EXPECT_FALSE(book.empty());
  EXPECT_TRUE(book.has_valid(WallTime{999}));
  EXPECT_FALSE(book.has_valid(WallTime{1'000}));
}

}  // namespace
}  // namespace tidemill::engine
