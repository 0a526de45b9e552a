#pragma once
// json(): the value of a JSON text that a test wrote; text that does not parse fails the test.
// For tests of this room only; any thread.
#include <gtest/gtest.h>

#include <string_view>
#include <utility>

#include "playbook/json.h"

namespace tidemill::playbook {

inline Value json(std::string_view text) {
  Result<Value> v = parse_json(text);
  EXPECT_TRUE(v.ok()) << text;
  return v.ok() ? std::move(v).value() : Value();
}

}  // namespace tidemill::playbook
