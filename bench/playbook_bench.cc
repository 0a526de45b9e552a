// What a request of a playbook costs in the language: a body parsed and written, a condition, a
// URL.
#include <benchmark/benchmark.h>

#include <string>

#include "playbook/json.h"
#include "playbook/template.h"

namespace tidemill::playbook {
namespace {

// A page of ten records, about two kilobytes.
std::string page() {
  std::string text = "{\"data\":[";
  for (int i = 0; i < 10; ++i) {
    text += i == 0 ? "" : ",";
    text +=
        "{\"id\":\"ASSE-1234-p1-i" + std::to_string(i) +
        "\",\"patientId\":1234,\"dataType\":\"assessments\",\"value\":" + std::to_string(i * 7) +
        ",\"recordedAt\":\"2024-01-01T00:00:00Z\",\"note\":\"" + std::string(60, 'n') + "\"}";
  }
  return text + "],\"paging\":{\"hasMore\":true,\"page\":1,\"pageSize\":10,\"total\":4}}";
}

void parse_page(benchmark::State& state) {
  const std::string text = page();
  for (auto _ : state) benchmark::DoNotOptimize(parse_json(text));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK(parse_page);

void write_page(benchmark::State& state) {
  const Value value = parse_json(page()).value();
  std::string out;
  for (auto _ : state) {
    out.clear();
    write_json(value, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * out.size()));
}
BENCHMARK(write_page);

void evaluate(benchmark::State& state, const char* text) {
  Map output;
  output.set("data", Value(Map()));
  output.find("data")->mutable_map().set("data", parse_json(page()).value());
  output.set("status", Value("ok"));
  Map names;
  names.set("workload", parse_json(R"({"api": "http://localhost:8080"})").value());
  names.set("iter", parse_json(R"({"page": 2, "patient": 1234})").value());
  names.set("output", Value(std::move(output)));
  const Scope outer(names);
  Scope scope(&outer);
  scope.set("loop_index", Value(3));
  const Template compiled = Template::compile(text, {1, 1}).value();
  for (auto _ : state) {
    Fuel fuel{kRoutingFuel};
    benchmark::DoNotOptimize(compiled.evaluate(scope, fuel));
  }
}
BENCHMARK_CAPTURE(evaluate, condition, "{{ output.data.data.paging.hasMore == true }}");
BENCHMARK_CAPTURE(evaluate, url,
                  "{{ workload.api }}/patient?id={{ iter.patient }}&p={{ iter.page }}");
BENCHMARK_CAPTURE(evaluate, next_page, "{{ iter.page | default(1) | int + 1 }}");

void compile(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        Template::compile("{{ output.data.data.paging.hasMore == true }}", {1, 1}));
  }
}
BENCHMARK(compile);

}  // namespace
}  // namespace tidemill::playbook

BENCHMARK_MAIN();
