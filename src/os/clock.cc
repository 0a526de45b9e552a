#include "os/clock.h"

#include <sys/random.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <thread>

#include "base/assert.h"

namespace tidemill::os {

namespace {

int64_t read_clock(clockid_t clock) {
  timespec t{};
  TIDEMILL_ASSERT(clock_gettime(clock, &t) == 0);
  return static_cast<int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

SteadyTime steady_now() { return {read_clock(CLOCK_MONOTONIC)}; }
WallTime wall_now() { return {read_clock(CLOCK_REALTIME)}; }
Duration thread_cpu() { return {read_clock(CLOCK_THREAD_CPUTIME_ID)}; }
Duration process_cpu() { return {read_clock(CLOCK_PROCESS_CPUTIME_ID)}; }

uint64_t resident_bytes() {
  std::FILE* f = std::fopen("/proc/self/statm", "re");
  if (f == nullptr) return 0;
  unsigned long total = 0, resident = 0;
  const int got = std::fscanf(f, "%lu %lu", &total, &resident);
  std::fclose(f);
  return got == 2 ? resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

uint64_t entropy64() {
  uint64_t v = 0;
  TIDEMILL_ASSERT(getrandom(&v, sizeof v, 0) == static_cast<ssize_t>(sizeof v));
  return v;
}

uint32_t core_count() {
  const uint32_t n = std::thread::hardware_concurrency();
  return n == 0 ? 1 : n;
}

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? std::string(name) : std::string("unknown");
}

int64_t process_id() { return getpid(); }

}  // namespace tidemill::os
