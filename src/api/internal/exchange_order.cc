#include "api/internal/exchange_order.h"

#include <utility>

namespace tidemill::api {

namespace {

// A worker has two exchanges under way; one that goes on counting without the missing one is wrong,
// and hears so from the machine.
constexpr size_t kEarlyMax = 4;

}  // namespace

void ExchangeOrder::opened(SessionId session) { sessions_[session].next = 2; }

std::vector<ExchangeOrder::Arrived> ExchangeOrder::arrive(Arrived arrived) {
  std::vector<Arrived> ready;
  const auto found = sessions_.find(arrived.request.session);
  if (found == sessions_.end()) {
    ready.push_back(std::move(arrived));
    return ready;
  }
  Session& session = found->second;
  const uint64_t number = arrived.request.number;
  if (number > session.next) {
    // The same again over another connection: who waits for the first answer is gone.
    session.early.insert_or_assign(number, std::move(arrived));
    if (session.early.size() <= kEarlyMax) return ready;
    session.next = session.early.begin()->first;
  } else {
    session.next = std::max(session.next, number + 1);
    ready.push_back(std::move(arrived));
  }
  while (!session.early.empty() && session.early.begin()->first <= session.next) {
    session.next = session.early.begin()->first + 1;
    ready.push_back(std::move(session.early.begin()->second));
    session.early.erase(session.early.begin());
  }
  return ready;
}

}  // namespace tidemill::api
