#pragma once
// ToldExchange: an exchange that tells somebody when it begins to fail, when the reason changes and
// when it works again. Owned by the Worker; the worker's event thread only.
#include <functional>
#include <string>
#include <utility>

#include "wire/exchange.h"

namespace tidemill::sdk {

class ToldExchange final : public wire::Exchange {
 public:
  using OnTrouble = std::function<void(const tidemill::Error*)>;
  ToldExchange(wire::Exchange& below, OnTrouble on_trouble)
      : below_(below), on_trouble_(std::move(on_trouble)) {}

  void exchange(ExchangeRequest request, OnReply on_reply) override {
    below_.exchange(std::move(request),
                    [this, on_reply = std::move(on_reply)](tidemill::Result<ExchangeReply> reply) {
                      note(reply.ok() ? nullptr : &reply.error());
                      on_reply(std::move(reply));
                    });
  }
  void fetch_result(const ResultRef& ref, OnBytes on_bytes) override {
    below_.fetch_result(ref, std::move(on_bytes));
  }
  void fetch_plan(const Sha256& hash, OnBytes on_text) override {
    below_.fetch_plan(hash, std::move(on_text));
  }
  void fetch_execution(ExecutionId id, OnExecution on_execution) override {
    below_.fetch_execution(id, std::move(on_execution));
  }
  void put_plan(const Sha256& hash, std::string text, OnDone on_done) override {
    below_.put_plan(hash, std::move(text), std::move(on_done));
  }
  void put_blob(SharedBytes bytes, OnRef on_ref) override {
    below_.put_blob(std::move(bytes), std::move(on_ref));
  }

 private:
  void note(const tidemill::Error* error) {
    const std::string what = error != nullptr ? error->what : "";
    if (std::exchange(last_, what) == what) return;
    if (on_trouble_) on_trouble_(error);
  }

  wire::Exchange& below_;
  OnTrouble on_trouble_;
  std::string last_;  // "": it works
};

}  // namespace tidemill::sdk
