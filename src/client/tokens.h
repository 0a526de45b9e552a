#pragma once
// Tokens: the verbs with which a person says who may ask a server: of a store, running or not, or
// over HTTP with an admin's token. One thread at a time; durable when it returns. Errors: invalid,
// conflict (there is one of that name), not_found, denied, unavailable.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "client/server_api.h"
#include "wire/token_json.h"

namespace tidemill::client {

class Tokens {
 public:
  virtual ~Tokens() = default;
  virtual Result<wire::MadeToken> add(const wire::NewToken& token) = 0;
  virtual Result<std::vector<TokenRecord>> list() = 0;  // in order of their names; no hashes
  virtual Status revoke(const std::string& name) = 0;
};

class HttpTokens : public Tokens {
 public:
  explicit HttpTokens(std::unique_ptr<ServerApi> api) : api_(std::move(api)) {}
  Result<wire::MadeToken> add(const wire::NewToken& token) override;
  Result<std::vector<TokenRecord>> list() override;
  Status revoke(const std::string& name) override;

 private:
  std::unique_ptr<ServerApi> api_;
};

// Over anything that answers a line with a line (wire/token_line.h); the list is read elsewhere.
class LineTokens : public Tokens {
 public:
  using Ask = std::function<Result<std::string>(const std::string& line)>;
  using List = std::function<Result<std::vector<TokenRecord>>()>;
  LineTokens(Ask ask, List list) : ask_(std::move(ask)), list_(std::move(list)) {}
  Result<wire::MadeToken> add(const wire::NewToken& token) override;
  Result<std::vector<TokenRecord>> list() override { return list_(); }
  Status revoke(const std::string& name) override;

 private:
  Ask ask_;
  List list_;
};

}  // namespace tidemill::client
