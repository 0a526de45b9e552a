// Pi as an array of 100 000 indexes: each integrates its part of 4 / (1 + x²). The range handler
// gets many of them at once, so an index costs little more than its arithmetic. Here the producer
// and the worker are one program; any number of workers may share the work.
//
//   ./pi
#include <tidemill/client.h>
#include <tidemill/worker.h>

#include <cstdio>

namespace mill = tidemill::sdk;

constexpr int kSteps = 1'000;  // of each index

double part(std::uint64_t index, std::uint64_t count) {
  const double width = 1.0 / (static_cast<double>(count) * kSteps);
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double x = (static_cast<double>(index) * kSteps + i + 0.5) * width;
    sum += 4.0 / (1.0 + x * x);
  }
  return sum * width;
}

mill::RangeOutput integrate(mill::Context& context, const mill::Range& range) {
  mill::RangeOutput out;
  for (std::uint64_t i = range.first(); i < range.end() && !context.cancelled(); ++i) {
    out.add(part(i, range.array_count()));
  }
  return out;
}

int fail(const mill::Error& error) {
  std::fprintf(stderr, "pi: %s\n", error.what.c_str());
  return 1;
}

int main() {
  mill::Worker worker;
  worker.handle_range("pi-part", integrate);
  if (auto started = worker.start(); !started) return fail(started.error());

  mill::Client client;
  mill::Array array;
  array.kind = "pi-part";
  array.count = 100'000;
  const auto id = client.spawn(array);
  if (!id) return fail(id.error());
  const auto state = client.wait(*id, std::chrono::minutes(5));
  if (!state) return fail(state.error());

  double pi = 0;
  for (std::uint64_t first = 0; first < array.count;) {
    const auto results = client.results(*id, first, 10'000);
    if (!results) return fail(results.error());
    for (const mill::IndexOutcome& one : *results) pi += one.result.number().value_or(0);
    if (results->empty()) break;
    first = results->back().index + 1;
  }
  std::printf("%llu of %llu parts: %.10f\n", static_cast<unsigned long long>(state->done),
              static_cast<unsigned long long>(state->count), pi);
  return worker.drain(std::chrono::seconds(10)) ? 0 : 1;
}
