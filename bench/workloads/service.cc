#include "bench/workloads/service.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

extern char** environ;

namespace tidemill::bench {

namespace {

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

int waited(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::string read_line(int fd) {
  std::string line;
  for (char c = 0; read(fd, &c, 1) == 1 && c != '\n';) line += c;
  return line;
}

}  // namespace

Result<std::unique_ptr<Process>> Process::start(const std::vector<std::string>& command,
                                                std::string* first_line) {
  std::vector<std::string> words = command;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return Error{ErrorCode::io, "no pipe"};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, first_line != nullptr ? ends[1] : 2, 1);
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (first_line != nullptr && failed == 0) *first_line = read_line(ends[0]);
  close(ends[0]);
  if (failed != 0) return Error{ErrorCode::io, "cannot start " + command[0]};
  return std::unique_ptr<Process>(new Process(pid));
}

Process::~Process() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  (void)waited(pid_);
}

Duration Process::cpu() const {
  const std::string stat = text_of("/proc/" + std::to_string(pid_) + "/stat");
  std::istringstream fields(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  int64_t user = 0;
  int64_t system = 0;
  fields >> user >> system;
  return nanoseconds((user + system) * (1'000'000'000 / sysconf(_SC_CLK_TCK)));
}

uint64_t Process::resident_bytes() const {
  std::istringstream fields(text_of("/proc/" + std::to_string(pid_) + "/statm"));
  uint64_t size = 0;
  uint64_t resident = 0;
  fields >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

Status Process::end() {
  kill(pid_, SIGTERM);
  const int status = waited(std::exchange(pid_, 0));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Ok{};
  return Error{ErrorCode::invalid, "a process ended with status " + std::to_string(status)};
}

Result<std::unique_ptr<Service>> Service::start(const std::string& self, const std::string& store) {
  auto service = std::make_unique<Service>();
  service->self_ = self;
  TIDEMILL_TRY(service->server_,
               Process::start({self, "server", "--store", store, "--port", "0"}, &service->url_));
  TIDEMILL_TRY(service->api_, client::ServerApi::open(service->url_));
  return service;
}

Status Service::start_workers(int count) {
  for (int i = 0; i < count; ++i) {
    TIDEMILL_TRY(auto worker, Process::start({self_, "worker", "--server", url_}));
    workers_.push_back(std::move(worker));
  }
  return Ok{};
}

Status Service::start_handlers(int count, uint32_t slots) {
  for (int i = 0; i < count; ++i) {
    TIDEMILL_TRY(auto worker, Process::start({self_, "bench", "handlers", "--server", url_,
                                              "--slots", std::to_string(slots)}));
    workers_.push_back(std::move(worker));
  }
  return Ok{};
}

Duration Service::workers_cpu() const {
  Duration all;
  for (const auto& worker : workers_) all = all + worker->cpu();
  return all;
}

Status Service::stop() {
  workers_.clear();
  return server_->end();
}

}  // namespace tidemill::bench
