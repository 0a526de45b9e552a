// A worker with one handler, until Ctrl-C.
//
//   tidemill server --store tasks.db &
//   ./hello_worker &
//   tidemill spawn hello '{"name": "Ada"}' --wait
#include <tidemill/worker.h>

#include <cstdio>
#include <string>

namespace mill = tidemill::sdk;

mill::Output hello(mill::Context&, const mill::Json& input) {
  const auto name = input.text("name");
  if (!name) return mill::Failure::fatal("input", name.error().what);
  return mill::Json::object().set("greeting", "Hello, " + *name + "!");
}

int main() {
  mill::Worker worker;
  worker.handle("hello", hello);
  const mill::Status ended = worker.run();
  if (!ended) std::fprintf(stderr, "hello_worker: %s\n", ended.error().what.c_str());
  return ended ? 0 : 1;
}
