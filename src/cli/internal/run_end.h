#pragma once
// What `tidemill run` says when it is over: the result on stdout, the rest on stderr; of a run that
// failed no result, but where it failed, why, and what to type next. Main thread.
#include <string>

#include "base/time.h"
#include "cli/internal/context.h"
#include "client/local_run.h"
#include "playbook/plan.h"

namespace tidemill::cli {

struct RunEnd {
  ExecutionId id;
  std::string store;        // the file
  std::string store_given;  // what --store said, "" without
  std::string resume;       // the command that goes on with it
  const playbook::Plan& plan;
  client::Progress progress;
  Duration taken;
};

void print_end(const Context& context, client::Records& records, const RunEnd& end);
// Of a run that was interrupted or whose engine stopped: what --json promises on stdout.
void print_unfinished(const Context& context, const RunEnd& end);

}  // namespace tidemill::cli
