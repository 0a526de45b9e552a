#pragma once
// `tidemill bench NAME`: the built-in workloads. Each checks its own totals and fails when they are
// wrong; it never judges a time. Main thread.
#include <string>
#include <vector>

#include "client/local_run.h"

namespace tidemill::bench {

struct Context {
  client::LocalServices services;
  std::string self;  // path of this binary, for workloads that start it as a process
};

// Arrivals that wait for nobody: bench queue --rate.
struct Load {
  enum class Arrivals : uint8_t { poisson, fixed };
  double rate = 0;  // tasks a second; 0: not asked for
  Duration time = seconds(10);
  Arrivals arrivals = Arrivals::poisson;
};

// What a workload was asked for on the command line.
struct Request {
  bool quick = false;     // a size for a smoke test
  uint32_t rounds = 3;    // of what is compared, alternating
  std::string json_file;  // "": none
  std::string folder;     // scratch, made and removed by run_bench
  Load load;
};

// Figures with their meaning, printed as a table and written as JSON.
class Figures {
 public:
  explicit Figures(std::string workload) : workload_(std::move(workload)) {}
  void add(const std::string& what, double value, const std::string& unit,
           const std::string& note = "");
  void print() const;  // to stdout
  Status write_json(const std::string& file) const;

 private:
  struct Row {
    std::string what;
    double value;
    std::string unit, note;
  };
  std::string workload_;
  std::vector<Row> rows_;
};

double median(std::vector<double> values);

// Each workload is a function of its file's name.
Status noop(const Context& context, const Request& request, Figures& figures);
Status loop(const Context& context, const Request& request, Figures& figures);
Status array(const Context& context, const Request& request, Figures& figures);
Status shell(const Context& context, const Request& request, Figures& figures);
Status queue(const Context& context, const Request& request, Figures& figures);
Status granularity(const Context& context, const Request& request, Figures& figures);
Status fan(const Context& context, const Request& request, Figures& figures);
Status workers(const Context& context, const Request& request, Figures& figures);
Status mixed(const Context& context, const Request& request, Figures& figures);
Status telescope(const Context& context, const Request& request, Figures& figures);

// The exit code of the process.
int run_bench(const std::vector<std::string>& arguments, const Context& context);

}  // namespace tidemill::bench
