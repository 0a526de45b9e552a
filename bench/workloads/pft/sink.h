#pragma once
// Sink: where the bare loop saves, and the tables it shares with the playbook of examples/pft. A
// group of jobs is one transaction; when run() returns it is on disk. Belongs to the writer thread
// that opened it.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench/workloads/pft/spec.h"

namespace tidemill::bench::pft {

// One thing for the writer to do. What it answers is in the job when run() has returned.
struct Job {
  enum class Kind : uint8_t { queue, claim, save_page, save_mds, validate };
  Kind kind = Kind::queue;
  int facility = 0;
  Type type = Type::assessments;
  int patient = 0;
  int page = 0;
  bool last_page = false;
  std::string json;           // records of a page, or an MDS
  std::vector<int> patients;  // answer of claim
  int64_t count = 0;          // answer of validate: rows saved for the facility
  void* owner = nullptr;      // the caller's
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual Status run(const std::vector<Job*>& jobs) = 0;
  // Rows saved by type and of MDS, for the totals; and how many are still queued or claimed.
  virtual Result<Totals> totals() = 0;
  virtual Result<int64_t> unfinished() = 0;
};

enum class SinkKind : uint8_t { sqlite, postgres };
std::string_view sink_name(SinkKind kind);

// `empty`: the tables are made, anew if need be, to run in. `as_it_is`: to count what a run has
// left.
enum class Tables : uint8_t { empty, as_it_is };

// `connection` is a path, or a connection string of libpq.
Result<std::unique_ptr<Sink>> open_sink(SinkKind kind, const std::string& connection,
                                        Tables tables);
Result<std::unique_ptr<Sink>> open_sqlite_sink(const std::string& path, Tables tables);
Result<std::unique_ptr<Sink>> open_postgres_sink(const std::string& dsn, Tables tables);

inline constexpr int kClaim = 100;  // patients at a time

}  // namespace tidemill::bench::pft
