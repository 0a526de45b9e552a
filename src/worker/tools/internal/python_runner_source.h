#pragma once
// The text of tools/python_runner.py, put into the binary by the build (cmake/embed_text.cmake).
// Constant; any thread.
#include <string_view>

namespace tidemill::worker {

std::string_view python_runner_source();

}  // namespace tidemill::worker
