#include "os/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/assert.h"

namespace tidemill::os {

namespace {

// posix_spawn's attributes and actions, released whatever happens. glibc runs it like vfork: the
// child borrows our memory until it has become the program, so a start costs the same in a large
// process.
class SpawnPlan {
 public:
  explicit SpawnPlan(const ProcessOptions& options) {
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_init(&actions_);
    sigset_t none;
    sigemptyset(&none);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                               POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    give(options.in, STDIN_FILENO, O_RDONLY);
    give(options.out, STDOUT_FILENO, O_WRONLY);
    give(options.err, STDERR_FILENO, O_WRONLY);
    if (options.channel >= 0) posix_spawn_file_actions_adddup2(&actions_, options.channel, 3);
    if (!options.cwd.empty()) {
      posix_spawn_file_actions_addchdir_np(&actions_, options.cwd.c_str());
    }
  }
  ~SpawnPlan() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  int run(pid_t& pid, char* const* argv, char* const* env) {
    return posix_spawnp(&pid, argv[0], &actions_, &attributes_, argv, env);
  }

 private:
  void give(int fd, int as, int null_mode) {
    if (fd >= 0) {
      posix_spawn_file_actions_adddup2(&actions_, fd, as);
    } else {
      posix_spawn_file_actions_addopen(&actions_, as, "/dev/null", null_mode, 0);
    }
  }

  posix_spawnattr_t attributes_;
  posix_spawn_file_actions_t actions_;
};

// Our environment with the additions; a later name hides an earlier one.
std::vector<std::string> merged_environment(
    const std::vector<std::pair<std::string, std::string>>& additions) {
  std::vector<std::string> merged;
  for (char** e = environ; *e != nullptr; ++e) {
    const std::string_view entry(*e);
    const std::string_view name = entry.substr(0, entry.find('='));
    bool replaced = false;
    for (const auto& [added, value] : additions) replaced = replaced || added == name;
    if (!replaced) merged.emplace_back(entry);
  }
  for (const auto& [name, value] : additions) merged.push_back(name + "=" + value);
  return merged;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const auto& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

Error start_error(int number, const ProcessOptions& options) {
  std::string what = "start '" + options.argv[0] + "'";
  if (!options.cwd.empty()) what += " in " + options.cwd;
  const ErrorCode code = number == ENOENT || number == ENOTDIR ? ErrorCode::not_found
                         : number == EACCES                    ? ErrorCode::denied
                                                               : ErrorCode::io;
  return {code, what + ": " + std::strerror(number)};
}

Duration to_duration(const timeval& t) { return seconds(t.tv_sec) + microseconds(t.tv_usec); }

}  // namespace

Result<std::unique_ptr<Process>> Process::start(EventLoop& loop, const ProcessOptions& options,
                                                OnExit on_exit) {
  TIDEMILL_ASSERT(!options.argv.empty());
  SpawnPlan plan(options);
  const std::vector<char*> argv = pointers(options.argv);
  std::vector<std::string> merged;
  std::vector<char*> env;
  if (!options.env.empty()) {
    merged = merged_environment(options.env);
    env = pointers(merged);
  }
  pid_t pid = 0;
  const int failed = plan.run(pid, argv.data(), env.empty() ? environ : env.data());
  if (failed != 0) return start_error(failed, options);
  // Nobody else reaps it, so the number is still its own. (glibc's pidfd_open() has no C++ linkage
  // yet.)
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int number = errno;
    ::kill(-pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return start_error(number, options);
  }
  std::unique_ptr<Process> process(new Process(loop, pid, std::move(pidfd), std::move(on_exit)));
  process->watch_exit();
  return process;
}

Process::Process(EventLoop& loop, pid_t pid, Fd pidfd, OnExit on_exit)
    : loop_(loop), pid_(pid), pidfd_(std::move(pidfd)), on_exit_(std::move(on_exit)) {}

Process::~Process() {
  if (kill_timer_ != 0) loop_.cancel(kill_timer_);
  if (pid_ == 0) return;
  loop_.unwatch(pidfd_.get());
  ::kill(-pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Process::watch_exit() {
  loop_.watch(pidfd_.get(), EPOLLIN, [this](uint32_t) { reap(); });
}

void Process::terminate(Duration grace) {
  if (pid_ == 0 || terminating_) return;
  terminating_ = true;
  ::kill(-pid_, SIGTERM);
  // A stopped group would keep the signal for later.
  ::kill(-pid_, SIGCONT);
  kill_timer_ = loop_.after(grace, [this] {
    kill_timer_ = 0;
    kill();
  });
}

void Process::kill() {
  terminating_ = true;
  if (pid_ != 0) ::kill(-pid_, SIGKILL);
}

void Process::reap() {
  // The group's number belongs to the child until it is reaped: the last moment at which what it
  // left behind can be named.
  if (terminating_) ::kill(-pid_, SIGKILL);
  int status = 0;
  rusage usage{};
  const pid_t got = wait4(pid_, &status, WNOHANG, &usage);
  if (got == 0) return;
  TIDEMILL_ASSERT(got == pid_);
  loop_.unwatch(pidfd_.get());
  if (kill_timer_ != 0) loop_.cancel(kill_timer_);
  kill_timer_ = 0;
  pid_ = 0;
  ProcessExit exit;
  if (WIFEXITED(status)) exit.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) exit.signal = WTERMSIG(status);
  exit.cpu = to_duration(usage.ru_utime) + to_duration(usage.ru_stime);
  exit.peak_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  const OnExit on_exit = std::move(on_exit_);
  on_exit(exit);  // may destroy this
}

}  // namespace tidemill::os
