// A task that spawns others, and one that runs when they are all done. The parent does not wait: it
// would hold a slot. The join is a task of its own, held back by `after`.
//
//   ./fan_out
#include <tidemill/client.h>
#include <tidemill/worker.h>

#include <cstdio>
#include <string>

namespace mill = tidemill::sdk;

// Spawned under a key of the parent's own, so that a second attempt finds the first one's.
mill::Output survey(mill::Client& client, mill::Context& context, const mill::Json& input) {
  const std::string key = "survey-" + std::to_string(context.id());
  std::vector<mill::Task> fields;
  for (int n = 0; n < input.integer("fields").value_or(0); ++n) {
    mill::Task& field = fields.emplace_back();
    field.kind = "field";
    field.input = n;
    field.idempotency_key = key + "/" + std::to_string(n);
  }
  const auto spawned = client.spawn(fields);
  if (!spawned) return mill::Failure{"spawn", spawned.error().what};
  mill::Task join;
  join.kind = "join";
  join.idempotency_key = key + "/join";
  for (const mill::Spawned& one : *spawned) join.after.push_back(one.id);
  const auto joined = client.spawn(join);
  if (!joined) return mill::Failure{"spawn", joined.error().what};
  return static_cast<double>(joined->value);
}

int main() {
  mill::Client client;
  mill::Worker worker;
  worker.handle("survey",
                [&](mill::Context& c, const mill::Json& in) { return survey(client, c, in); });
  worker.handle("field", [](mill::Context&, const mill::Json& n) -> mill::Output { return n; });
  worker.handle("join",
                [](mill::Context&, const mill::Json&) -> mill::Output { return "all done"; });
  if (auto started = worker.start(); !started) {
    std::fprintf(stderr, "fan_out: %s\n", started.error().what.c_str());
    return 1;
  }
  mill::Task parent;
  parent.kind = "survey";
  parent.input = mill::Json::object().set("fields", 100);
  const auto id = client.spawn(parent);
  if (!id) return 1;
  const auto surveyed = client.wait(*id, std::chrono::minutes(1));
  if (!surveyed || surveyed->state != mill::State::done) return 1;
  const mill::TaskId join{static_cast<std::uint64_t>(surveyed->result.integer().value_or(0))};
  const auto joined = client.wait(join, std::chrono::minutes(1));
  if (!joined || joined->state != mill::State::done) return 1;
  std::printf("100 fields: %s\n", joined->result.text().value_or("").c_str());
  return 0;
}
