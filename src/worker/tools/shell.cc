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

// A program's arguments and environment end at a NUL, so what follows one would be lost in silence.
Status has_no_nul(std::string_view text, std::string_view field) {
  const size_t nul = text.find('\0');
  if (nul == std::string_view::npos) return Ok{};
  return Error{ErrorCode::invalid,
               fmt::format("{}: the text has a NUL byte (\\0) at byte {} of {}, and no argument or "
                           "variable of a program can hold one; give it through stdin",
                           field, nul + 1, text.size())};
}

Result<std::string> text_of(const Value& value, std::string_view field) {
  std::string text = playbook::render_text(value);
  TIDEMILL_CHECK(has_no_nul(text, field));
  return text;
}

Result<std::vector<std::string>> read_argv(const Value& command) {
  std::vector<std::string> argv;
  for (const Value& word : command.as_list()) {
    if (word.is_list() || word.is_map() || word.is_undefined()) {
      return Error{ErrorCode::invalid, "command: expected words, found a " +
                                           std::string(playbook::kind_name(word.kind()))};
    }
    TIDEMILL_TRY(std::string text, text_of(word, fmt::format("command[{}]", argv.size())));
    argv.push_back(std::move(text));
  }
  if (argv.empty()) return Error{ErrorCode::invalid, "command: the list is empty"};
  return argv;
}

// `cmds` become one script that ends at the first failure.
Result<std::string> read_script(const Value& text, std::string_view field) {
  if (!text.is_list()) return text_of(text, field);
  std::string script = "set -e\n";
  size_t index = 0;
  for (const Value& line : text.as_list()) {
    TIDEMILL_TRY(const std::string command, text_of(line, fmt::format("{}[{}]", field, index++)));
    script += command + "\n";
  }
  return script;
}

// What is run: `command` as words, or a script for the shell.
Result<std::vector<std::string>> read_program(const Value& config) {
  const Value argv = config.get("command");
  if (argv.is_list()) return read_argv(argv);
  std::string_view field = "cmd";
  Value text = config.get(field);
  if (text.is_undefined()) text = config.get(field = "cmds");
  if (text.is_undefined()) text = config.get(field = "command");
  if (text.is_undefined() || text.is_null()) {
    return Error{ErrorCode::invalid, "a shell tool needs cmd, cmds or command"};
  }
  TIDEMILL_TRY(std::string script, read_script(text, field));
  std::string shell = "sh";
  if (const Value given = config.get("shell"); given.is_string()) {
    TIDEMILL_CHECK(has_no_nul(given.as_string(), "shell"));
    shell = given.as_string();
  }
  return std::vector<std::string>{std::move(shell), "-c", std::move(script)};
}

// Relative to the folder of the playbook.
Result<std::string> read_cwd(const Value& cwd, const std::string& base) {
  if (!cwd.is_string() || cwd.as_string().empty()) return base;
  const std::string& folder = cwd.as_string();
  TIDEMILL_CHECK(has_no_nul(folder, "cwd"));
  const bool relative = !folder.starts_with('/');
  return relative && !base.empty() ? base + "/" + folder : folder;
}

Result<Command> read_command(const ToolCall& call, const ShellOptions& options) {
  Command out;
  TIDEMILL_TRY(out.process.argv, read_program(call.config));
  TIDEMILL_TRY(out.process.cwd, read_cwd(call.config.get("cwd"), options.base_directory));
  const Value env = call.config.get("env");
  if (env.is_map()) {
    for (const auto& [name, value] : env.as_map()) {
      TIDEMILL_CHECK(has_no_nul(name, "env: a name"));
      TIDEMILL_TRY(std::string text, text_of(value, fmt::format("env.{}", name)));
      out.process.env.emplace_back(name, std::move(text));
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

// A stream in the result: the bytes that were kept and, in a field beside it, how many were not.
void add_dropped(ToolResult& result, playbook::Map& data, std::string_view stream,
                 uint64_t dropped) {
  if (dropped == 0) return;
  data.set(fmt::format("{}_dropped", stream), Value(static_cast<int64_t>(dropped)));
  result.log_note += fmt::format(
      "[{}: the result holds its end; the first {} bytes were dropped]\n", stream, dropped);
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
    KeptTail out = call->out.take_tail();
    KeptTail err = call->err.take_tail();
    ToolResult result;
    result.error = error_of(*call, exit, err.text);
    playbook::Map data;
    data.append_distinct("stdout", Value(std::move(out.text)));
    data.append_distinct("stderr", Value(std::move(err.text)));
    data.append_distinct("exit_code", Value(exit.signal != 0 ? 128 + exit.signal : exit.code));
    add_dropped(result, data, "stdout", out.dropped);
    add_dropped(result, data, "stderr", err.dropped);
    result.data = Value(std::move(data));
    KeptTail log = call->log.take_tail();
    result.log = std::move(log.text);
    result.log_dropped = log.dropped;
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
