#pragma once
// TokenBook: the tokens that are durable, for whoever asks whether a request may pass. Filled from
// the store when the engine is opened; the commit thread tells it every turn that became durable,
// before the replies of that turn leave. Any thread.
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/change.h"
#include "os/sync.h"

namespace tidemill::engine {

class TokenBook {
 public:
  void load(std::vector<TokenRecord> tokens);
  void committed(const std::vector<Change>& changes);

  // Whose secret it is, expired ones included; null: nobody's. Takes the same time for every secret
  // that is not right.
  std::shared_ptr<const TokenRecord> find(std::string_view secret) const;
  std::vector<TokenRecord> all() const;  // in order of their names
  bool empty() const;                    // expired ones count
  bool has_valid(WallTime now) const;

 private:
  using Entry = std::shared_ptr<const TokenRecord>;

  mutable os::Mutex mutex_;
  std::map<std::string, Entry> by_name_ GUARDED_BY(mutex_);
};

}  // namespace tidemill::engine
