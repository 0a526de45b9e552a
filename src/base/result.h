#pragma once
// Result<T>: a value or an Error, the only way a function of this project reports that an operation
// failed. What a caller must tell apart in normal running (lease lost, key conflict, not found) is
// an outcome in a reply, never an Error; a bug is TIDEMILL_ASSERT.
//
//   Result<File> open(...);
//   TIDEMILL_TRY(auto file, open(path));        // returns the Error to the caller
//   TIDEMILL_CHECK(file.sync());                // the same for a Status
//
// Values, owned by whoever holds them; any thread.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace tidemill {

// A code exists only if someone can react to it; docs/errors/ has a page for each.
#define TIDEMILL_ERROR_CODES(X)                                            \
  X(invalid, 1001)      /* the input is wrong; the text says where */      \
  X(too_large, 1002)    /* a limit of model/limits.h was passed */         \
  X(not_found, 1003)    /* what was named does not exist */                \
  X(unavailable, 2001)  /* try again later: a peer or file is not there */ \
  X(conflict, 2002)     /* another owner or another version is in place */ \
  X(timeout, 2003)      /* the time allowed has passed */                  \
  X(disk_full, 2004)    /* the disk or a quota is full */                  \
  X(denied, 2005)       /* permission is missing */                        \
  X(corrupt, 3001)      /* stored bytes are not what was written */        \
  X(io, 3002)           /* the operating system reported a failure */

enum class ErrorCode : uint16_t {
#define X(name, number) name = number,
  TIDEMILL_ERROR_CODES(X)
#undef X
};

// The code's name as users see it, e.g. "disk_full".
std::string_view error_code_name(ErrorCode code);

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::invalid;
  std::string what;

  // Adds what was being done, at each border the error crosses: "open run.db: no such file".
  Error&& with(std::string_view context) && {
    what.insert(0, ": ").insert(0, context);
    return std::move(*this);
  }
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : v_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return v_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    TIDEMILL_ASSERT(ok());
    return std::get<0>(v_);
  }
  T&& value() && {
    TIDEMILL_ASSERT(ok());
    return std::get<0>(std::move(v_));
  }
  const T& value() const& {
    TIDEMILL_ASSERT(ok());
    return std::get<0>(v_);
  }
  Error& error() & {
    TIDEMILL_ASSERT(!ok());
    return std::get<1>(v_);
  }
  const Error& error() const& {
    TIDEMILL_ASSERT(!ok());
    return std::get<1>(v_);
  }
  Error&& error() && {
    TIDEMILL_ASSERT(!ok());
    return std::get<1>(std::move(v_));
  }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }

 private:
  std::variant<T, Error> v_;
};

struct Ok {};
using Status = Result<Ok>;

#define TIDEMILL_CAT2(a, b) a##b
#define TIDEMILL_CAT(a, b) TIDEMILL_CAT2(a, b)
#define TIDEMILL_TRY(decl, expr) TIDEMILL_TRY_(TIDEMILL_CAT(tidemill_r_, __COUNTER__), decl, expr)
#define TIDEMILL_TRY_(tmp, decl, expr)                       \
  auto tmp = (expr);                                         \
  if (!tmp.ok()) [[unlikely]] return std::move(tmp).error(); \
  decl = std::move(tmp).value()
#define TIDEMILL_CHECK(expr) TIDEMILL_CHECK_(TIDEMILL_CAT(tidemill_r_, __COUNTER__), expr)
#define TIDEMILL_CHECK_(tmp, expr)                                            \
  do {                                                                        \
    if (auto tmp = (expr); !tmp.ok()) [[unlikely]] return std::move(tmp).error(); \
  } while (0)

}  // namespace tidemill
