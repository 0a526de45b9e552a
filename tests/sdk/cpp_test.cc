// The C++ SDK against a real server: sdk_cpp_test TIDEMILL. What it links is what a user links.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <tidemill/client.h>
#include <tidemill/worker.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <stdexcept>

extern char** environ;

namespace {

namespace mill = tidemill::sdk;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string tidemill_binary;

// A server on a port and a store, killed at the end.
class ServerProcess {
 public:
  ServerProcess(const std::string& store, const std::string& port) {
    std::vector<std::string> words = {tidemill_binary, "server", "--store", store, "--port", port};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    EXPECT_EQ(posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    for (char c = 0; read(ends[0], &c, 1) == 1 && c != '\n';) url_ += c;
    close(ends[0]);
  }
  ~ServerProcess() { kill_it(); }
  void kill_it() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    waitpid(std::exchange(pid_, 0), nullptr, 0);
  }
  const std::string& url() const { return url_; }
  std::string port() const { return url_.substr(url_.rfind(':') + 1); }

 private:
  pid_t pid_ = 0;
  std::string url_;
};

class SdkTest : public testing::Test {
 protected:
  SdkTest() {
    char name[] = "/tmp/tidemill-sdk-XXXXXX";
    folder_ = mkdtemp(name);
    server_ = std::make_unique<ServerProcess>(store(), "0");
    client_ =
        std::make_unique<mill::Client>(mill::ClientOptions{{server_->url(), ""}, seconds(20)});
  }
  ~SdkTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string store() const { return folder_ + "/tasks.db"; }
  mill::WorkerOptions worker_options(unsigned slots) const {
    mill::WorkerOptions options;
    options.server.url = server_->url();
    options.slots = slots;
    return options;
  }
  static mill::Task task(const std::string& kind, mill::Json input = {}) {
    mill::Task out;
    out.kind = kind;
    out.input = std::move(input);
    out.retry.delay = milliseconds(1);
    return out;
  }
  mill::Outcome run(const mill::Task& task) {
    const auto id = client_->spawn(task);
    EXPECT_TRUE(id.ok()) << id.error().what;
    const auto outcome = client_->wait(*id, minutes(1));
    EXPECT_TRUE(outcome.ok()) << outcome.error().what;
    return *outcome;
  }

  std::string folder_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<mill::Client> client_;
};

TEST_F(SdkTest, ResultsFailuresAndRetries) {
  mill::Worker worker(worker_options(2));
  worker.handle("square", [](mill::Context&, const mill::Json& n) -> mill::Output {
    return *n.number("n") * *n.number("n");
  });
  worker.handle("flaky", [](mill::Context& c, const mill::Json&) -> mill::Output {
    if (c.attempt() < 3) throw std::runtime_error("not yet");
    return c.attempt();
  });
  worker.handle("hopeless", [](mill::Context&, const mill::Json&) -> mill::Output {
    return mill::Failure::fatal("config", "no such field");
  });
  worker.handle("throws", [](mill::Context&, const mill::Json&) -> mill::Output { throw 7; });
  worker.handle("no-json", [](mill::Context&, const mill::Json&) -> mill::Output {
    return mill::Json::raw("{");
  });
  worker.handle("not-a-number", [](mill::Context&, const mill::Json&) -> mill::Output {
    return 0.0 / static_cast<double>(getpid() == 0);
  });
  ASSERT_TRUE(worker.start().ok());
  std::vector<mill::Task> tasks;
  for (int n = 0; n < 300; ++n) tasks.push_back(task("square", mill::Json::object().set("n", n)));
  const auto spawned = client_->spawn(tasks);
  ASSERT_TRUE(spawned.ok()) << spawned.error().what;
  std::vector<mill::TaskId> ids;
  for (const mill::Spawned& one : *spawned) ids.push_back(one.id);
  const auto outcomes = client_->wait_all(ids, minutes(1));
  ASSERT_TRUE(outcomes.ok());
  for (int n = 0; n < 300; ++n) {
    EXPECT_EQ(outcomes->at(static_cast<size_t>(n)).result.str(), std::to_string(n * n));
  }
  EXPECT_EQ(run(task("flaky")).result.integer().value_or(0), 3);
  const mill::Outcome hopeless = run(task("hopeless"));
  EXPECT_EQ(hopeless.state, mill::State::failed);
  EXPECT_EQ(hopeless.error_kind + ": " + hopeless.error, "config: no such field");
  mill::Task once = task("throws");
  once.retry.max_attempts = 1;
  EXPECT_EQ(run(once).error_kind, "exception");
  EXPECT_EQ(run(task("no-json")).error_kind, "result");
  EXPECT_EQ(run(task("not-a-number")).error_kind, "result");
}

TEST_F(SdkTest, LargeResultsAreBlobs) {
  mill::Worker worker(worker_options(1));
  const std::string large(200'000, 'x');
  worker.handle("large", [&](mill::Context&, const mill::Json&) -> mill::Output { return large; });
  worker.handle_range("mixed", [&](mill::Context&, const mill::Range& range) {
    mill::RangeOutput out;
    for (auto i = range.first(); i < range.end(); ++i) {
      out.add(i % 2 == 0 ? mill::Output(large) : mill::Output(i));
    }
    return out;
  });
  ASSERT_TRUE(worker.start().ok());
  EXPECT_EQ(run(task("large")).result.text().value_or(""), large);
  mill::Array array;
  array.kind = "mixed";
  array.count = 10;
  const auto id = client_->spawn(array);
  ASSERT_TRUE(client_->wait(*id, minutes(1))->finished);
  const auto results = client_->results(*id);
  ASSERT_EQ(results->size(), 10U);
  EXPECT_EQ(results->at(4).result.text().value_or(""), large);
  EXPECT_EQ(results->at(7).result.str(), "7");
}

TEST_F(SdkTest, RangesGiveAResultForEachIndex) {
  mill::Worker worker(worker_options(2));
  std::atomic<uint64_t> calls = 0;
  worker.handle_range("ranged", [&](mill::Context& c, const mill::Range& range) {
    ++calls;
    mill::RangeOutput out;
    for (auto i = range.first(); i < range.end(); ++i) {
      if (i % 1'000 == 7 && c.attempt() < 3) {
        out.add(mill::Failure{"flaky", "not yet"});
      } else if (i % 1'000 == 9) {
        out.add(mill::Failure::fatal("bad", "never"));
      } else {
        out.add(static_cast<double>(i) * *range.input().number("by"));
      }
    }
    return out;
  });
  ASSERT_TRUE(worker.start().ok());
  mill::Array array;
  array.kind = "ranged";
  array.input = mill::Json::object().set("by", 0.5);
  array.count = 20'000;
  array.retry.delay = milliseconds(1);
  const auto id = client_->spawn(array);
  ASSERT_TRUE(id.ok()) << id.error().what;
  const auto state = client_->wait(*id, minutes(1));
  ASSERT_TRUE(state->finished);
  EXPECT_EQ(state->done, 19'980U);
  EXPECT_EQ(state->failed, 20U);
  EXPECT_LT(calls, 10'000U);  // it was really called with ranges
  const auto page = client_->results(*id, 5'000, 10);
  ASSERT_EQ(page->size(), 10U);
  EXPECT_EQ(page->at(7).result.str(), "2503.5");
  EXPECT_EQ(page->at(9).error_kind, "bad");

  array.count = 0;
  for (int i = 0; i < 50; ++i) array.items.push_back("item " + std::to_string(i));
  array.kind = "items";
  mill::Worker other(worker_options(1));
  other.handle("items", [](mill::Context& c, const mill::Json& item) -> mill::Output {
    return *item.text() + " at " + std::to_string(c.index());
  });
  ASSERT_TRUE(other.start().ok());
  const auto named = client_->spawn(array);
  ASSERT_TRUE(client_->wait(*named, minutes(1))->finished);
  EXPECT_EQ(client_->results(*named)->at(49).result.str(), "\"item 49 at 49\"");
}

TEST_F(SdkTest, ARangeThatEndsEarlyOrThrowsFails) {
  mill::Worker worker(worker_options(1));
  worker.handle_range("short",
                      [](mill::Context&, const mill::Range&) { return mill::RangeOutput(); });
  worker.handle_range("throws", [](mill::Context&, const mill::Range&) -> mill::RangeOutput {
    throw std::runtime_error("all of it");
  });
  ASSERT_TRUE(worker.start().ok());
  for (const char* kind : {"short", "throws"}) {
    mill::Array array;
    array.kind = kind;
    array.count = 5;
    array.retry.max_attempts = 1;
    const auto id = client_->spawn(array);
    EXPECT_EQ(client_->wait(*id, minutes(1))->failed, 5U);
  }
}

TEST_F(SdkTest, ACancelReachesWhatRuns) {
  mill::Worker worker(worker_options(1));
  std::promise<void> begun;
  worker.handle("long", [&](mill::Context& c, const mill::Json&) -> mill::Output {
    begun.set_value();
    if (c.cancelled_within(minutes(1))) return mill::Failure::fatal("stopped", "as asked");
    return {};
  });
  ASSERT_TRUE(worker.start().ok());
  const auto id = client_->spawn(task("long"));
  begun.get_future().wait();
  EXPECT_FALSE(client_->cancel(*id).value_or(true));
  EXPECT_EQ(client_->wait(*id, minutes(1))->state, mill::State::cancelled);
  EXPECT_EQ(client_->cancel(*id).error().code, mill::ErrorCode::not_found);
}

TEST_F(SdkTest, ATimeoutFreesTheTaskAndTellsTheHandler) {
  mill::Worker worker(worker_options(2));
  std::atomic<int> told = 0;
  worker.handle("slow", [&](mill::Context& c, const mill::Json&) -> mill::Output {
    if (c.attempt() == 1 && c.cancelled_within(minutes(1))) ++told;
    return c.attempt();
  });
  ASSERT_TRUE(worker.start().ok());
  mill::Task slow = task("slow");
  slow.timeout = milliseconds(50);
  EXPECT_EQ(run(slow).result.integer().value_or(0), 2);
  EXPECT_TRUE(worker.drain(minutes(1)));
  EXPECT_EQ(told, 1);
}

TEST_F(SdkTest, DrainFinishesWhatRunsAndReturnsTheRest) {
  mill::Worker worker(worker_options(1));
  std::promise<void> begun;
  std::promise<void> go;
  worker.handle("gate", [&](mill::Context&, const mill::Json& n) -> mill::Output {
    begun.set_value();
    go.get_future().wait();
    return n;
  });
  const auto spawned = client_->spawn({task("gate", 1), task("gate", 2), task("gate", 3)});
  ASSERT_TRUE(worker.start().ok());
  begun.get_future().wait();
  EXPECT_FALSE(worker.drain(milliseconds(1)));
  go.set_value();
  EXPECT_TRUE(worker.drain(minutes(1)));
  worker.stop();
  EXPECT_EQ(client_->wait(spawned->at(0).id, minutes(1))->result.str(), "1");
  EXPECT_EQ(client_->wait(spawned->at(1).id, milliseconds(0))->state, mill::State::open);
  EXPECT_EQ(client_->get(spawned->at(2).id)->integer("crashes").value_or(9), 0);
}

TEST_F(SdkTest, AServerThatIsKilledLosesNothing) {
  std::atomic<int> troubles = 0;
  std::atomic<int> well = 0;
  std::atomic<int> ran = 0;
  mill::WorkerOptions options = worker_options(2);
  options.on_trouble = [&](const mill::Error* error) { ++(error != nullptr ? troubles : well); };
  mill::Worker worker(options);
  std::promise<void> some;
  worker.handle("slow", [&](mill::Context& c, const mill::Json& n) -> mill::Output {
    if (++ran == 20) some.set_value();
    (void)c.cancelled_within(milliseconds(5));
    return n;
  });
  ASSERT_TRUE(worker.start().ok());
  std::vector<mill::Task> tasks;
  for (int n = 0; n < 200; ++n) {
    tasks.push_back(task("slow", n));
    tasks.back().idempotency_key = std::to_string(n);
  }
  const auto spawned = client_->spawn(tasks);
  ASSERT_TRUE(spawned.ok());
  some.get_future().wait();
  const std::string port = server_->port();
  server_->kill_it();
  EXPECT_FALSE(mill::Client(mill::ClientOptions{{"http://127.0.0.1:" + port, ""}, milliseconds(0)})
                   .spawn(task("slow"))
                   .ok());
  server_ = std::make_unique<ServerProcess>(store(), port);
  for (int n = 0; n < 200; ++n) {
    const auto outcome = client_->wait(spawned->at(static_cast<size_t>(n)).id, minutes(2));
    ASSERT_TRUE(outcome.ok()) << outcome.error().what;
    EXPECT_EQ(outcome->result.str(), std::to_string(n));
  }
  EXPECT_TRUE(client_->spawn(tasks)->at(7).existing);
  EXPECT_GE(troubles, 1);
  EXPECT_GE(well, 1);
}

TEST_F(SdkTest, ErrorsAreValues) {
  EXPECT_EQ(client_->spawn(task("")).error().code, mill::ErrorCode::invalid);
  EXPECT_EQ(client_->spawn(task("k", mill::Json::raw("{"))).error().code, mill::ErrorCode::invalid);
  EXPECT_EQ(client_->get(mill::TaskId{77}).error().code, mill::ErrorCode::not_found);
  EXPECT_EQ(client_->wait(mill::TaskId{77}, seconds(1)).error().code, mill::ErrorCode::not_found);
  EXPECT_EQ(client_->get(mill::ArrayId{77}).error().code, mill::ErrorCode::not_found);
  EXPECT_EQ(mill::Client(mill::ClientOptions{{"ftp://x", ""}, {}}).pause("q").error().code,
            mill::ErrorCode::invalid);
  mill::Worker none(worker_options(1));
  EXPECT_EQ(none.start().error().code, mill::ErrorCode::invalid);
}

TEST_F(SdkTest, QueuesAreSteered) {
  mill::Worker worker(worker_options(1));
  worker.handle("k", [](mill::Context&, const mill::Json& n) -> mill::Output { return n; });
  ASSERT_TRUE(worker.start().ok());
  mill::QueueOptions options;
  options.concurrency = 1;
  ASSERT_TRUE(client_->configure("a b", options).ok());
  ASSERT_TRUE(client_->pause("a b").ok());
  mill::Task held = task("k", 1);
  held.queue = "a b";
  const auto id = client_->spawn(held);
  EXPECT_EQ(client_->wait(*id, milliseconds(50))->state, mill::State::open);
  ASSERT_TRUE(client_->resume("a b").ok());
  EXPECT_EQ(client_->wait(*id, minutes(1))->state, mill::State::done);
  EXPECT_EQ(client_->retry(*id).value_or(0), 2U);
  EXPECT_EQ(client_->wait(*id, minutes(1))->state, mill::State::done);
  mill::Task never = task("nobody");
  const auto any = client_->spawn({never, task("k", 2)});
  const auto told = client_->wait_any({any->at(0).id, any->at(1).id}, minutes(1));
  EXPECT_EQ(told->at(0).state, mill::State::open);
  EXPECT_EQ(told->at(1).state, mill::State::done);
  EXPECT_TRUE(client_->bury(any->at(0).id, "a reason: ü & more").ok());
  EXPECT_EQ(client_->wait(any->at(0).id, minutes(1))->error, "a reason: ü & more");
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2) return 2;
  tidemill_binary = argv[1];
  return RUN_ALL_TESTS();
}
