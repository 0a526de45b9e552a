#pragma once
// How many members an aggregate has, found by trying how many values it can be made from. The codec
// uses it so that a member added to a record and not to its list of fields does not compile.
// Compile time only.
#include <cstddef>
#include <utility>

namespace tidemill::codec {

struct Anything {
  template <class T>
  operator T() const;  // never called
};

template <class T, size_t... I>
constexpr bool made_from(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), Anything{})...}; };
}

template <class T, size_t N = 0>
constexpr size_t field_count() {
  if constexpr (!made_from<T>(std::make_index_sequence<N + 1>{})) {
    return N;
  } else {
    return field_count<T, N + 1>();
  }
}

}  // namespace tidemill::codec
