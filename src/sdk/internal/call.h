#pragma once
// One call of a handler, and the reports that come of it. The only place where an exception of a
// user's code is caught. On the slot's thread.
#include <map>
#include <string>
#include <vector>

#include "model/exchange.h"
#include "sdk/internal/attempt.h"
#include "tidemill/handler.h"
#include "wire/json_text.h"

namespace tidemill::sdk {

struct Handlers {
  std::map<std::string, Handler> single;
  std::map<std::string, RangeHandler> ranges;

  std::vector<std::string> kinds() const;
  // Whether all that is left of an assignment is run by one call.
  bool takes_whole(const Assignment& assignment) const;
};

// One report for a task; of a range one for each run of indexes that ended alike. A result that is
// no JSON is a failure; one larger than limits::kInlineMax is still in its report, alone.
std::vector<Report> call(const Handlers& handlers, Attempt& attempt, wire::JsonCheck& check);

}  // namespace tidemill::sdk
