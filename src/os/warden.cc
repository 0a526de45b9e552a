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

// Whether the environment with which a process was started has this word. Ours has not: the kernel
// shows what we were started with.
bool started_with(const std::string& pid, const std::string& word) {
  const Fd file(open(("/proc/" + pid + "/environ").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  std::string text;
  std::array<char, 16 * 1024> part;
  ssize_t n = 0;
  while ((n = read(file.get(), part.data(), part.size())) > 0) {
    text.append(part.data(), static_cast<size_t>(n));
  }
  return text.find(word) != std::string::npos;
}

// How many were found.
int end_all(const std::string& word) {
  DIR* processes = opendir("/proc");
  if (processes == nullptr) return 0;
  int found = 0;
  while (const dirent* entry = readdir(processes)) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0) continue;
    if (!started_with(entry->d_name, word)) continue;
    found += kill(static_cast<pid_t>(std::atoi(entry->d_name)), SIGKILL) == 0 ? 1 : 0;
  }
  closedir(processes);
  return found;
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
  if (n == 0) {
    // A process may start another while it is found: until a look around finds none.
    for (int round = 0; round < kRounds && end_all(word) > 0; ++round) {
    }
  }
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
