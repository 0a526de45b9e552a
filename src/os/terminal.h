#pragma once
// What stderr is: a terminal that a person looks at, and how wide, or a file or pipe. Free
// functions; any thread.
#include <cstddef>

namespace tidemill::os {

bool stderr_is_terminal();
size_t stderr_width();  // in columns; 80 when it is no terminal or does not say

// Whoever read it has closed their end.
bool stdout_is_abandoned();
// From now on what cannot be written to stderr is lost without a word: a closed pipe or a full disk
// behind it must not end the work it tells of. Once, before other threads.
void forgive_stderr();

}  // namespace tidemill::os
