#include "main/store_tokens.h"

#include <utility>

#include "api/token_lines.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "engine/engine.h"
#include "net/line_socket.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/sqlite/sqlite_store.h"

namespace tidemill::main {

namespace {

constexpr Duration kAnswerTime = seconds(10);

// Nobody has the store: an engine for as long as the command takes.
class OwnEngine {
 public:
  Status open(const std::string& path) {
    TIDEMILL_TRY(store_, store::open_sqlite(path, {.mode = store::SqliteOptions::Mode::create}));
    TIDEMILL_TRY(engine_, engine::Engine::open({.seed = os::entropy64()}, *store_, {}));
    lines_ = std::make_unique<api::TokenLines>(*engine_, os::wall_now, new_secret);
    return Ok{};
  }
  std::string ask(const std::string& line) { return lines_->handle(line); }

 private:
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<api::TokenLines> lines_;
};

Result<std::string> ask_store(const std::string& path, const std::string& line) {
  if (os::FileLock::owner(path + ".lock")) {
    return net::ask_line(path + ".sock", line, kAnswerTime);
  }
  OwnEngine own;
  TIDEMILL_CHECK(own.open(path));
  return own.ask(line);
}

Result<std::vector<TokenRecord>> list_store(const std::string& path) {
  TIDEMILL_TRY(auto reader, store::open_sqlite_reader(path));
  return reader->tokens();
}

}  // namespace

std::string new_secret() {
  ByteWriter bytes;
  for (int i = 0; i < 4; ++i) bytes.u64(os::entropy64());
  return "tm_" + hex(bytes.str());
}

Result<std::unique_ptr<client::Tokens>> open_store_tokens(const std::string& store) {
  const std::string path = os::resolve_links(store);
  return std::unique_ptr<client::Tokens>(std::make_unique<client::LineTokens>(
      [path](const std::string& line) { return ask_store(path, line); },
      [path] { return list_store(path); }));
}

}  // namespace tidemill::main
