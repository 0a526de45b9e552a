#pragma once
// What calls of the SDK return: a value or an error. Nothing here throws.
//
//   Result<TaskId> id = client.spawn(task);
//   id.ok() ? use(*id) : complain(id.error().what)
//
// Values; any thread.
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace tidemill::sdk {

enum class ErrorCode {
  invalid,      // what was asked is wrong; the text says where
  too_large,    // over a limit of the server
  not_found,    // no such task, array, queue
  unavailable,  // no answer from the server: it is not there, or is stopping. Try again later
  conflict,     // not in a state for this, or an idempotency key of another task
  timeout,      // not in the time allowed
  disk_full,    // the server takes nothing more until there is room
  denied,       // not allowed with this token
  corrupt,      // stored bytes are not what was written
  io,           // the server, or this machine, reported a failure
};
std::string_view name_of(ErrorCode code);

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::invalid;
  std::string what;  // place, reason, next step
};

// Ends the process: somebody took the value of an error.
[[noreturn]] void no_value(const Error* error);

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : v_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return v_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Only when ok().
  T& operator*() & { return get(); }
  const T& operator*() const& { return const_cast<Result*>(this)->get(); }
  T&& operator*() && { return std::move(get()); }
  T* operator->() { return &get(); }
  const T* operator->() const { return &const_cast<Result*>(this)->get(); }
  T value_or(T otherwise) const { return ok() ? std::get<0>(v_) : std::move(otherwise); }

  // Only when not ok().
  const Error& error() const {
    const Error* e = std::get_if<1>(&v_);
    if (e == nullptr) no_value(nullptr);
    return *e;
  }

 private:
  T& get() {
    T* value = std::get_if<0>(&v_);
    if (value == nullptr) no_value(std::get_if<1>(&v_));
    return *value;
  }
  std::variant<T, Error> v_;
};

struct Done {};
using Status = Result<Done>;

}  // namespace tidemill::sdk
