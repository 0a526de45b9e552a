#pragma once
// Policies that tasks, arrays and queues carry. Values; any thread.
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/limits.h"

namespace tidemill {

enum class Backoff : uint8_t { none, fixed, linear, exponential };

struct RetryPolicy {
  uint32_t max_attempts = limits::kMaxAttempts;  // failures, the last included
  uint32_t max_crashes = limits::kMaxCrashes;
  Backoff backoff = Backoff::exponential;
  Duration delay = limits::kBackoffDelay;  // d; linear d·k, exponential d·2^(k−1)
  Duration delay_cap = limits::kBackoffCap;
  uint32_t jitter_percent = 0;                // of the delay, drawn from hash(seed, task, attempt)
  std::vector<std::string> fatal_kinds;       // error kinds that do not retry
  bool operator==(const RetryPolicy&) const = default;
};

enum class Order : uint8_t { fair, fifo };
enum class Durability : uint8_t { durable, relaxed };

struct QueueConfig {
  std::string name;
  RetryPolicy retry;
  Duration attempt_timeout{};      // 0: none
  uint32_t concurrency = 0;        // leased at once in the queue; 0: no limit
  uint32_t key_concurrency = 0;    // leased at once per concurrency key; 0: no limit
  Duration ageing{};               // 0: strict priority
  Order order = Order::fair;
  Durability durability = Durability::durable;
  bool paused = false;
  bool operator==(const QueueConfig&) const = default;
};

}  // namespace tidemill
