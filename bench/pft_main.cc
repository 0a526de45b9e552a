// The pft benchmark as a program of its own: for working on the stub API and the bare loop, and for
// serving the API to anything else (--serve). `tidemill bench pft` is the same with the engine.
#include "bench/workloads/pft/pft_bench.h"

int main(int argc, char** argv) { return tidemill::bench::pft::run_pft_command(argc, argv, ""); }
