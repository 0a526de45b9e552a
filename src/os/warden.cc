#include "os/warden.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "os/clock.h"

namespace tidemill::os {

namespace {

constexpr char kVariable[] = "TIDEMILL_RUN";
constexpr int kRounds = 1'000;  // what starts processes faster than they are ended is let go
constexpr int kUnclearRounds = 11;  // with pauses of 1, 2, 4 ... ms between them: 2 s

enum class Origin { other, ours, unclear };

// Whether the environment with which a process was started has this word. Ours has not: the kernel
// shows what we were started with. While a process is in execve(2) its environment reads as empty,
// like that of a kernel thread or of one that has ended, but those two run no file.
Origin origin_of(const std::string& pid, const std::string& word) {
  const Fd file(open(("/proc/" + pid + "/environ").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return Origin::other;
  std::string text;
  std::array<char, 16 * 1024> part;
  ssize_t n = 0;
  while ((n = read(file.get(), part.data(), part.size())) > 0) {
    text.append(part.data(), static_cast<size_t>(n));
  }
  if (text.find(word) != std::string::npos) return Origin::ours;
  char path = 0;
  const bool runs_a_file = readlink(("/proc/" + pid + "/exe").c_str(), &path, 1) >= 0;
  return text.empty() && runs_a_file ? Origin::unclear : Origin::other;
}

struct Look {
  int ended = 0;
  int unclear = 0;
};

Look end_all(const std::string& word) {
  Look look;
  DIR* processes = opendir("/proc");
  if (processes == nullptr) return look;
  while (const dirent* entry = readdir(processes)) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0) continue;
    const Origin origin = origin_of(entry->d_name, word);
    if (origin == Origin::unclear) ++look.unclear;
    if (origin != Origin::ours) continue;
    look.ended += kill(static_cast<pid_t>(std::atoi(entry->d_name)), SIGKILL) == 0 ? 1 : 0;
  }
  closedir(processes);
  return look;
}

// A process may start another while it is found, or be seen as it becomes another program: until a
// look around finds none of ours and none that may be. Some are started with no environment at all
// and stay unclear; for them we do not wait long.
void end_until_none(const std::string& word) {
  int unclear = 0;
  for (int round = 0; round < kRounds && unclear < kUnclearRounds; ++round) {
    const Look look = end_all(word);
    if (look.ended > 0) continue;
    if (look.unclear == 0) return;
    (void)usleep(1'000U << unclear++);
  }
}

// The life of the warden. It holds nothing of ours open but its end of the pipe, and no signal of
// the terminal ends it.
[[noreturn]] void keep_watch(int pipe, const std::string& word) {
  const auto end = static_cast<unsigned>(pipe);
  if (end > 0) (void)close_range(0, end - 1, 0);
  (void)close_range(end + 1, ~0U, 0);
  (void)setsid();
  (void)prctl(PR_SET_NAME, "run-warden");
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) signal(number, SIG_IGN);
  char said = 0;
  ssize_t n = 0;
  while ((n = read(pipe, &said, 1)) < 0 && errno == EINTR) {
  }
  if (n == 0) end_until_none(word);
  _exit(0);
}

}  // namespace

Warden::Warden() {
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return;
  const Fd theirs(ends[0]);
  ours_ = Fd(ends[1]);
  const std::string word = std::to_string(getpid()) + "-" + std::to_string(entropy64());
  pid_ = fork();
  if (pid_ == 0) keep_watch(theirs.get(), word);
  // A run inside a tool of another run belongs to both.
  const char* outer = std::getenv(kVariable);
  setenv(kVariable, (outer == nullptr ? word : std::string(outer) + " " + word).c_str(), 1);
}

Warden::~Warden() {
  if (pid_ <= 0) return;
  const char bye = 'x';
  while (write(ours_.get(), &bye, 1) < 0 && errno == EINTR) {
  }
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace tidemill::os
