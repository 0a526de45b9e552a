#pragma once
// The pft benchmark: the stub API, then the bare loop and `tidemill run` on the playbook in turn,
// the totals checked, a table printed. Blocks its caller; any thread.
#include <cstdio>
#include <string>
#include <vector>

#include "bench/workloads/pft/bare_loop.h"
#include "bench/workloads/pft/stub_api.h"

namespace tidemill::bench::pft {

struct PftOptions {
  std::vector<Variant> variants = {Variant::facilities};
  std::vector<SinkKind> sinks = {SinkKind::sqlite};
  StubOptions api;
  int in_flight = 256;
  int facilities = kFacilities;
  int rounds = 1;        // of bare loop and engine in turn; medians are printed
  std::string tidemill;  // the binary; "": only the bare loop is run
  std::string playbooks = "examples/pft";
  std::string postgres;    // connection string, for the postgres sink
  std::string folder;      // for databases; a new one below the temporary folder when empty
  std::string json_file;   // "-": standard output
  std::string engine_log;  // where the engine's output goes; "": nowhere
};

// 0 when every total was exact and nothing failed, 2 when a playbook is not there, 1 otherwise.
int run_pft_bench(const PftOptions& options, std::FILE* out);

// The same from a command line: `argv` after the words `tidemill bench pft` (argv[0] is a name),
// and the binary to compare with, "" for none. The exit code.
int run_pft_command(int argc, char** argv, const std::string& tidemill);

}  // namespace tidemill::bench::pft
