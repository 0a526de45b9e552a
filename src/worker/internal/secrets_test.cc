#include "worker/internal/secrets.h"

#include <gtest/gtest.h>

#include "playbook/json.h"

namespace tidemill::worker {
namespace {

using playbook::Value;

Value keychain_of(std::string_view text) { return playbook::parse_json(text).value(); }

std::string hidden_text(const Secrets& secrets, std::string text) {
  secrets.hide(text);
  return text;
}

TEST(SecretsTest, EveryTextOfAKeychainIsHiddenButWhatIsPublic) {
  Secrets secrets;
  secrets.add_keychain(keychain_of(R"({"api": {"token": "s3cr3t-token", "host": "localhost"},
                                "pin": 12345678, "list": ["in-a-list"]})"));
  EXPECT_EQ(hidden_text(secrets, "Bearer s3cr3t-token at localhost"), "Bearer *** at localhost");
  EXPECT_EQ(hidden_text(secrets, "12345678 in-a-list"), "*** ***");
}

TEST(SecretsTest, OfADsnThePassword) {
  Secrets secrets;
  secrets.add_connection(Value("postgres://ada:p%40ssword@db.example/shop"));
  secrets.add_connection(Value("host=db password='two words' user=ada"));
  secrets.add_connection(Value("shop.db"));
  EXPECT_EQ(hidden_text(secrets, "p%40ssword p@ssword two words ada db.example shop.db"),
            "*** *** *** ada db.example shop.db");
}

TEST(SecretsTest, ABasicAuthorisationToo) {
  Secrets secrets;
  secrets.add_keychain(keychain_of(R"({"api": {"username": "ada", "password": "lovelace"}})"));
  EXPECT_EQ(hidden_text(secrets, "Basic YWRhOmxvdmVsYWNl"), "Basic ***");
}

TEST(SecretsTest, DataIsHiddenWhereverItIsNested) {
  Secrets secrets;
  secrets.add_keychain(keychain_of(R"({"token": "s3cr3t-token", "short": "data"})"));
  const Value data =
      keychain_of(R"({"a": ["x s3cr3t-token y", {"b": "data"}], "c": "database", "n": 1})");
  EXPECT_TRUE(secrets.in(data));
  EXPECT_EQ(playbook::to_json(secrets.hidden(data)),
            R"({"a":["x *** y",{"b":"***"}],"c":"database","n":1})");
  EXPECT_FALSE(secrets.in(keychain_of(R"({"c": "database"})")));
  EXPECT_FALSE(Secrets().in(data));
}

TEST(SecretsTest, NamesOfFieldsAreHiddenToo) {
  Secrets secrets;
  secrets.add_keychain(keychain_of(R"({"token": "s3cr3t-token"})"));
  const Value data = keychain_of(R"({"s3cr3t-token": 1, "a": {"pre-s3cr3t-token": 2}})");
  EXPECT_TRUE(secrets.in(data));
  EXPECT_EQ(playbook::to_json(secrets.hidden(data)), R"({"***":1,"a":{"pre-***":2}})");
}

// Sent to a server, it may come back in another spelling.
TEST(SecretsTest, OtherSpellingsAreHiddenToo) {
  Secrets secrets;
  secrets.add_keychain(keychain_of(R"({"key": "--KEY--\nMII\"/+Ev\\x\n--END--"})"));
  EXPECT_EQ(hidden_text(secrets, "k=--KEY--\nMII\"/+Ev\\x\n--END--."), "k=***.");
  EXPECT_EQ(hidden_text(secrets, R"({"k":"--KEY--\nMII\"/+Ev\\x\n--END--"})"), R"({"k":"***"})");
  EXPECT_EQ(hidden_text(secrets, "?k=--KEY--%0AMII%22/%2BEv%5Cx%0A--END--&n=1"), "?k=***&n=1");
  EXPECT_EQ(hidden_text(secrets, "?k=--KEY--%0AMII%22%2F%2BEv%5Cx%0A--END--"), "?k=***");
  EXPECT_EQ(hidden_text(secrets, "LS1LRVktLQpNSUkiLytFdlx4Ci0tRU5ELS0="), "***");
}

}  // namespace
}  // namespace tidemill::worker
