#include "worker/tools/shell.h"

#include <fmt/format.h>

#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/limits.h"
#include "os/process.h"
#include "os/stream.h"
#include "worker/internal/tail_text.h"

namespace tidemill::worker {

namespace {

using playbook::Value;

TaskError shell_error(std::string message) { return {"shell", std::move(message), true}; }
TaskError config_error(std::string message) { return {"config", std::move(message), false}; }

// ---- what a call asks for ----

// A call read from its configuration, or why it cannot be.
struct Command {
  os::ProcessOptions process;
  std::string input;  // for stdin
  bool has_input = false;
};

Result<std::vector<std::string>> read_argv(const Value& command) {
  std::vector<std::string> argv;
  for (const Value& word : command.as_list()) {
    if (word.is_list() || word.is_map() || word.is_undefined()) {
      return Error{ErrorCode::invalid, "command: expected words, found a " +
                                           std::string(playbook::kind_name(word.kind()))};
    }
    argv.push_back(playbook::render_text(word));
  }
  if (argv.empty()) return Error{ErrorCode::invalid, "command: the list is empty"};
  return argv;
}

// `cmds` become one script that ends at the first failure.
Result<std::string> read_script(const Value& text) {
  if (!text.is_list()) return playbook::render_text(text);
  std::string script = "set -e\n";
  for (const Value& line : text.as_list()) script += playbook::render_text(line) + "\n";
  return script;
}

Result<Command> read_command(const ToolCall& call, const ShellOptions& options) {
  Command out;
  const Value argv = call.config.get("command");
  if (argv.is_list()) {
    TIDEMILL_TRY(out.process.argv, read_argv(argv));
  } else {
    Value text = call.config.get("cmd");
    if (text.is_undefined()) text = call.config.get("cmds");
    if (text.is_undefined()) text = argv;
    if (text.is_undefined() || text.is_null()) {
      return Error{ErrorCode::invalid, "a shell tool needs cmd, cmds or command"};
    }
    TIDEMILL_TRY(std::string script, read_script(text));
    const Value shell = call.config.get("shell");
    out.process.argv = {shell.is_string() ? shell.as_string() : "sh", "-c", std::move(script)};
  }
  const Value cwd = call.config.get("cwd");
  out.process.cwd = options.base_directory;
  if (cwd.is_string() && !cwd.as_string().empty()) {
    const bool relative = !cwd.as_string().starts_with('/');
    out.process.cwd = relative && !options.base_directory.empty()
                          ? options.base_directory + "/" + cwd.as_string()
                          : cwd.as_string();
  }
  const Value env = call.config.get("env");
  if (env.is_map()) {
    for (const auto& [name, value] : env.as_map()) {
      out.process.env.emplace_back(name, playbook::render_text(value));
    }
  }
  const Value input = call.config.get("stdin");
  out.has_input = !input.is_undefined() && !input.is_null();
  if (out.has_input) out.input = playbook::render_text(input);
  return out;
}

// ---- a running call ----

enum class Ended : uint8_t { by_itself, timed_out, cancelled };

struct RunningCommand {
  explicit RunningCommand(ToolRunner::OnDone done) : on_done(std::move(done)) {}

  ToolRunner::OnDone on_done;
  TailText out{limits::kOutputMax};
  TailText err{limits::kOutputMax};
  TailText log{limits::kLogMax};
  uint64_t bytes = 0;
  uint64_t input_bytes = 0;
  os::FdPair out_pipe;
  os::FdPair err_pipe;
  os::FdPair in_socket;
  std::unique_ptr<os::Process> process;
  std::unique_ptr<os::StreamReader> out_reader;
  std::unique_ptr<os::StreamReader> err_reader;
  std::unique_ptr<os::StreamWriter> in_writer;
  os::EventLoop::TimerId timer = 0;
  Duration timeout{};
  Ended ended = Ended::by_itself;
};

std::string last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  constexpr size_t kLineMax = 500;
  std::string_view line = text.substr(text.rfind('\n') + 1);
  return std::string(line.substr(0, kLineMax));
}

std::string exit_text(const os::ProcessExit& exit) {
  if (exit.signal != 0) {
    return "ended by signal " + std::to_string(exit.signal) + " (" + strsignal(exit.signal) + ")";
  }
  return "exit code " + std::to_string(exit.code);
}

std::optional<TaskError> error_of(const RunningCommand& call, const os::ProcessExit& exit,
                                  std::string_view stderr_text) {
  switch (call.ended) {
    case Ended::timed_out:
      return TaskError{"timeout",
                       fmt::format("still running after {:g} s; its process group was ended",
                                   call.timeout.seconds()),
                       true};
    case Ended::cancelled:
      return TaskError{"cancelled", "cancelled while it ran", false};
    case Ended::by_itself:
      break;
  }
  if (exit.code == 0 && exit.signal == 0) return std::nullopt;
  std::string text = exit_text(exit);
  if (const std::string line = last_line(stderr_text); !line.empty()) text += ": " + line;
  return shell_error(std::move(text));
}

class ShellRunner final : public ToolRunner {
 public:
  ShellRunner(os::EventLoop& loop, ShellOptions options)
      : loop_(loop), options_(std::move(options)) {}

  ~ShellRunner() override {
    for (auto& [id, call] : calls_) {
      if (call->timer != 0) loop_.cancel(call->timer);
    }
  }

  void start(const ToolCall& call, OnDone on_done) override {
    auto command = read_command(call, options_);
    if (!command.ok()) {
      ToolResult refused;
      refused.error = config_error(command.error().what);
      on_done(std::move(refused));
      return;
    }
    auto running = std::make_unique<RunningCommand>(std::move(on_done));
    if (Status started = launch(call.id, *command, *running); !started.ok()) {
      ToolResult failed;
      failed.error = shell_error(started.error().what);
      failed.error->retryable = started.error().code == ErrorCode::io;
      running->on_done(std::move(failed));
      return;
    }
    if (call.timeout) {
      running->timeout = *call.timeout;
      running->timer = loop_.after(*call.timeout, [this, id = call.id] {
        calls_.at(id)->timer = 0;
        stop(id, Ended::timed_out);
      });
    }
    calls_.emplace(call.id, std::move(running));
  }

  void cancel(CallId id) override { stop(id, Ended::cancelled); }

 private:
  Status launch(CallId id, Command& command, RunningCommand& running) {
    TIDEMILL_TRY(running.out_pipe, os::pipe_to_read());
    TIDEMILL_TRY(running.err_pipe, os::pipe_to_read());
    command.process.out = running.out_pipe.theirs.get();
    command.process.err = running.err_pipe.theirs.get();
    if (command.has_input) {
      TIDEMILL_TRY(running.in_socket, os::stream_socket());
      command.process.in = running.in_socket.theirs.get();
    }
    TIDEMILL_TRY(running.process,
                 os::Process::start(loop_, command.process,
                                    [this, id](const os::ProcessExit& e) { finish(id, e); }));
    running.out_pipe.theirs.reset();
    running.err_pipe.theirs.reset();
    running.in_socket.theirs.reset();
    running.out_reader = read_into(running, running.out, running.out_pipe.ours.get());
    running.err_reader = read_into(running, running.err, running.err_pipe.ours.get());
    if (command.has_input) {
      running.input_bytes = command.input.size();
      running.in_writer = std::make_unique<os::StreamWriter>(loop_, running.in_socket.ours.get());
      running.in_socket.ours.reset();
      running.in_writer->write(std::move(command.input));
      running.in_writer->end();
    }
    return Ok{};
  }

  std::unique_ptr<os::StreamReader> read_into(RunningCommand& running, TailText& stream, int fd) {
    const auto keep = [&running, &stream](std::string_view bytes) {
      stream.add(bytes);
      running.log.add(bytes);
      running.bytes += bytes.size();
    };
    return std::make_unique<os::StreamReader>(loop_, fd, keep, [] {});
  }

  void stop(CallId id, Ended why) {
    const auto found = calls_.find(id);
    if (found == calls_.end() || found->second->ended != Ended::by_itself) return;
    found->second->ended = why;
    found->second->process->terminate(options_.grace);
  }

  // The child has ended. What it wrote is in the pipes; a process that it left in the background
  // may hold them open for ever, so their end is not waited for.
  void finish(CallId id, const os::ProcessExit& exit) {
    const auto found = calls_.find(id);
    const std::unique_ptr<RunningCommand> call = std::move(found->second);
    calls_.erase(found);
    if (call->timer != 0) loop_.cancel(call->timer);
    call->out_reader->drain();
    call->err_reader->drain();
    std::string out = call->out.take();
    std::string err = call->err.take();
    ToolResult result;
    result.error = error_of(*call, exit, err);
    playbook::Map data;
    data.append_distinct("stdout", Value(std::move(out)));
    data.append_distinct("stderr", Value(std::move(err)));
    data.append_distinct("exit_code", Value(exit.signal != 0 ? 128 + exit.signal : exit.code));
    result.data = Value(std::move(data));
    result.log = call->log.take();
    result.cpu = exit.cpu;
    result.bytes_in = call->bytes;
    result.bytes_out = call->input_bytes;
    call->on_done(std::move(result));
  }

  os::EventLoop& loop_;
  ShellOptions options_;
  std::unordered_map<CallId, std::unique_ptr<RunningCommand>> calls_;
};

}  // namespace

std::unique_ptr<ToolRunner> make_shell_runner(os::EventLoop& loop, ShellOptions options) {
  return std::make_unique<ShellRunner>(loop, std::move(options));
}

}  // namespace tidemill::worker
