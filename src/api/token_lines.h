#pragma once
// TokenLines: the verbs for tokens as lines of text (wire/token_line.h), for the Unix socket beside
// a store and for a store that nobody serves. Borrowing the engine; any thread but the engine's own
// (it waits for the turn).
#include <functional>
#include <string>

#include "base/result.h"
#include "engine/engine.h"

namespace tidemill::api {

class TokenLines {
 public:
  TokenLines(engine::Engine& engine, std::function<WallTime()> wall_now,
             std::function<std::string()> new_secret);

  std::string handle(const std::string& line);

 private:
  Result<std::string> add(std::string_view json);
  Result<std::string> revoke(std::string_view name);
  Status decide(machine::CommandBody command);

  engine::Engine& engine_;
  const std::function<WallTime()> wall_now_;
  const std::function<std::string()> new_secret_;
};

}  // namespace tidemill::api
