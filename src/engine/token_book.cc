#include "engine/token_book.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace tidemill::engine {

namespace {

// Looks at every byte, wherever the first difference is.
bool same_hash(const Sha256& a, const Sha256& b) {
  uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i)
    difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace

void TokenBook::load(std::vector<TokenRecord> tokens) {
  const os::Lock lock(mutex_);
  by_name_.clear();
  for (TokenRecord& token : tokens) {
    const std::string name = token.name;
    by_name_[name] = std::make_shared<const TokenRecord>(std::move(token));
  }
}

void TokenBook::committed(const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    if (const auto* put = std::get_if<PutToken>(&change)) {
      auto token = std::make_shared<const TokenRecord>(put->token);
      const os::Lock lock(mutex_);
      by_name_[token->name] = std::move(token);
    } else if (const auto* drop = std::get_if<DropToken>(&change)) {
      const os::Lock lock(mutex_);
      by_name_.erase(drop->name);
    }
  }
}

// A store has a thousand tokens at most, and a comparison takes some nanoseconds.
std::shared_ptr<const TokenRecord> TokenBook::find(std::string_view secret) const {
  const Sha256 hash = sha256(secret);
  Entry found;
  const os::Lock lock(mutex_);
  for (const auto& [name, token] : by_name_) {
    if (same_hash(token->hash, hash)) found = token;
  }
  return found;
}

std::vector<TokenRecord> TokenBook::all() const {
  const os::Lock lock(mutex_);
  std::vector<TokenRecord> out;
  for (const auto& [name, token] : by_name_) out.push_back(*token);
  return out;
}

bool TokenBook::empty() const {
  const os::Lock lock(mutex_);
  return by_name_.empty();
}

bool TokenBook::has_valid(WallTime now) const {
  const os::Lock lock(mutex_);
  return std::any_of(by_name_.begin(), by_name_.end(),
                     [&](const auto& one) { return one.second->expires_at > now; });
}

}  // namespace tidemill::engine
