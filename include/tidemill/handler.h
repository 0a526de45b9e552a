#pragma once
// What a handler gets and gives. A handler runs on a thread of its worker (a slot); it may take its
// time, and may be called by several slots at once. What it throws fails the attempt with what().
//
//   Output square(Context&, const Json& input) {
//     Result<double> n = input.number("n");
//     if (n) return *n * *n;                               // what is no error is the result
//     return Failure::fatal("input", n.error().what);      // not tried again
//   }
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tidemill/json.h"

namespace tidemill::sdk {

// The attempt failed. It is tried again as the task's retry policy says, unless it is fatal or its
// kind is among the policy's `fatal_kinds`.
struct Failure {
  std::string kind = "error";
  std::string message;
  bool retryable = true;

  static Failure fatal(std::string kind, std::string message) {
    return {std::move(kind), std::move(message), false};
  }
};

// The result of one task or index: JSON, or why there is none.
class Output {
 public:
  Output() = default;  // done, with null
  Output(Json result) : v_(std::move(result)) {}
  Output(Failure failure) : v_(std::move(failure)) {}
  // What becomes a Json by itself: numbers, truth values, texts.
  template <class T, class D = std::decay_t<T>,
            class = std::enable_if_t<std::is_convertible_v<T, Json> && !std::is_same_v<D, Json> &&
                                     !std::is_same_v<D, Failure> && !std::is_same_v<D, Output>>>
  Output(const T& value) : v_(Json(value)) {}

  const Json* result() const { return std::get_if<Json>(&v_); }
  const Failure* failure() const { return std::get_if<Failure>(&v_); }

 private:
  std::variant<Json, Failure> v_;
};

struct Attempt;  // of the library

// The attempt under way. Valid while its handler runs; any thread of the handler's.
class Context {
 public:
  explicit Context(Attempt& attempt) : attempt_(attempt) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // Nobody wants the result any more: somebody cancelled it, its time is over, the lease was lost,
  // or the worker was stopped. Long work looks now and then, and returns.
  bool cancelled() const;
  // Waits so long, or until cancelled; true when it was.
  bool cancelled_within(std::chrono::nanoseconds time) const;

  std::uint64_t id() const;       // of the task, or of the array
  std::uint64_t index() const;    // of the array: the first of a range; 0 for a task
  std::uint32_t attempt() const;  // which try this is, from 1
  const std::string& kind() const;
  const std::string& queue() const;

 private:
  Attempt& attempt_;
};

// Consecutive indexes of an array. A task that a range handler gets is a range of one.
class Range {
 public:
  explicit Range(Attempt& attempt) : attempt_(attempt) {}
  std::uint64_t first() const;
  std::uint64_t count() const;
  std::uint64_t end() const { return first() + count(); }
  std::uint64_t array_count() const;  // indexes of the whole array
  const Json& input() const;          // what all indexes share
  bool has_items() const;
  Json item(std::uint64_t index) const;  // of an index of this range; null without items

 private:
  Attempt& attempt_;
};

// One output for each index of a range, in order. Those that are missing at the end fail.
class RangeOutput {
 public:
  void reserve(std::size_t count) { all_.reserve(count); }
  void add(Output output) { all_.push_back(std::move(output)); }
  std::size_t size() const { return all_.size(); }
  std::vector<Output>& all() { return all_; }

 private:
  std::vector<Output> all_;
};

using Handler = std::function<Output(Context&, const Json& input)>;
using RangeHandler = std::function<RangeOutput(Context&, const Range&)>;

}  // namespace tidemill::sdk
