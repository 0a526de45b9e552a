#pragma once
// What stderr is: a terminal that a person looks at, and how wide, or a file or pipe. Free
// functions; any thread.
#include <cstddef>

namespace tidemill::os {

bool stderr_is_terminal();
size_t stderr_width();  // in columns; 80 when it is no terminal or does not say

}  // namespace tidemill::os
