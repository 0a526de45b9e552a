#pragma once
// put_playbook(): makes the text of a playbook durable, with the names of its steps for people who
// read the store by hand. Idempotent; any thread.
#include <string_view>

#include "base/result.h"
#include "store/store.h"

namespace tidemill::engine {

// A text that does not compile is stored without names: whoever starts it is told why. Errors: the
// store's.
Status put_playbook(store::Store& store, const Sha256& hash, std::string_view text);

}  // namespace tidemill::engine
