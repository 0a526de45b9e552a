#include "worker/tools/internal/interpreter.h"

#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "model/limits.h"
#include "playbook/json.h"
#include "worker/tools/internal/python_runner_source.h"

namespace tidemill::worker {

namespace {

using playbook::Value;

constexpr size_t kHeader = 4;

uint32_t read_length(std::string_view bytes) {
  uint32_t n = 0;
  std::memcpy(&n, bytes.data(), kHeader);
  return n;
}

std::string frame_of(std::string payload) {
  const auto n = static_cast<uint32_t>(payload.size());
  std::string header(kHeader, '\0');
  std::memcpy(header.data(), &n, kHeader);
  return header + payload;
}

// The same text under another name is another piece of code: its tracebacks read differently.
std::string code_hash(const PythonRequest& request) {
  return std::to_string(hash64(request.code, hash64(request.name)));
}

TaskError crash_of(const os::ProcessExit& exit) {
  std::string how = exit.signal != 0 ? "signal " + std::to_string(exit.signal) + " (" +
                                           strsignal(exit.signal) + ")"
                                     : "exit code " + std::to_string(exit.code);
  return {"crash", "the Python interpreter ended while it ran the code: " + how, true};
}

TaskError error_of(const Value& head) {
  TaskError error{"python", {}, true};
  const Value text = head.get("error");
  const Value trace = head.get("trace");
  if (text.is_string()) error.message = text.as_string();
  if (trace.is_string() && !trace.as_string().empty()) error.message += "\n" + trace.as_string();
  error.message = keep_tail(std::move(error.message), limits::kErrorTextMax);
  if (head.get("kind").is_string()) {
    error.kind = head.get("kind").as_string();
    error.retryable = false;
  }
  return error;
}

}  // namespace

Result<std::unique_ptr<Interpreter>> Interpreter::start(os::EventLoop& loop,
                                                        const std::string& program,
                                                        const std::string& folder) {
  std::unique_ptr<Interpreter> interpreter(new Interpreter(loop));
  TIDEMILL_CHECK(interpreter->launch(program, folder));
  return interpreter;
}

Interpreter::~Interpreter() = default;

Status Interpreter::launch(const std::string& program, const std::string& folder) {
  TIDEMILL_TRY(socket_, os::stream_socket());
  TIDEMILL_TRY(output_, os::pipe_to_read());
  os::ProcessOptions options;
  options.argv = {program, "-c", std::string(python_runner_source())};
  options.cwd = folder;
  options.out = output_.theirs.get();
  options.err = output_.theirs.get();
  options.channel = socket_.theirs.get();
  TIDEMILL_TRY(process_,
               os::Process::start(loop_, options, [this](const os::ProcessExit& e) { ended(e); }));
  socket_.theirs.reset();
  output_.theirs.reset();
  // The end of the process is what tells of its end: a socket may be closed a little earlier.
  frames_ = std::make_unique<os::StreamReader>(
      loop_, socket_.ours.get(), [this](std::string_view b) { take_bytes(b); }, [] {});
  output_reader_ = std::make_unique<os::StreamReader>(
      loop_, output_.ours.get(), [this](std::string_view b) { log_.add(b); }, [] {});
  writer_ = std::make_unique<os::StreamWriter>(loop_, socket_.ours.get());
  return Ok{};
}

void Interpreter::run(PythonRequest request, ToolRunner::OnDone on_done) {
  TIDEMILL_ASSERT(!on_done_ && usable());
  request_ = std::move(request);
  on_done_ = std::move(on_done);
  stopped_.reset();
  sent_bytes_ = 0;
  ++calls_;
  // What a thread of the code before wrote since belongs to nobody.
  output_reader_->drain();
  (void)log_.take_tail();
  const std::string hash = code_hash(request_);
  const bool known = !known_code_.insert(hash).second;
  send(request_, hash, known ? std::string_view() : std::string_view(request_.code));
}

void Interpreter::stop(TaskError why, Duration grace) {
  if (!on_done_ || stopped_) return;
  stopped_ = std::move(why);
  process_->terminate(grace);
}

void Interpreter::send(const PythonRequest& request, std::string_view hash, std::string_view code) {
  std::string out = "{\"name\":";
  playbook::write_json_string(request.name, out);
  out += ",\"hash\":\"";
  out += hash;
  out += '"';
  if (!code.empty()) {
    out += ",\"code\":";
    playbook::write_json_string(code, out);
  }
  out += ",\"input\":";
  out += request.input;
  out += '}';
  sent_bytes_ += out.size();
  writer_->write(frame_of(std::move(out)));
}

void Interpreter::take_bytes(std::string_view bytes) {
  if (buffer_.empty() && bytes.size() >= kHeader && bytes.size() == kHeader + read_length(bytes)) {
    take_frame(bytes.substr(kHeader));
    return;
  }
  buffer_ += bytes;
  if (buffer_.size() < kHeader || buffer_.size() < kHeader + read_length(buffer_)) return;
  const std::string whole = std::exchange(buffer_, {});
  take_frame(std::string_view(whole).substr(kHeader));
}

void Interpreter::take_frame(std::string_view frame) {
  const size_t line = frame.find('\n');
  auto head = playbook::parse_json(frame.substr(0, line));
  if (!on_done_ || stopped_ || !head.ok() || line == std::string_view::npos) return;
  if (!head->get("missing").is_undefined()) {
    send(request_, code_hash(request_), request_.code);
    return;
  }
  ToolResult result;
  if (head->get("cpu").is_integer()) result.cpu = nanoseconds(head->get("cpu").as_integer());
  if (head->get("memory").is_integer()) {
    memory_bytes_ = static_cast<uint64_t>(head->get("memory").as_integer());
  }
  result.bytes_in = frame.size();
  if (!head->get("error").is_undefined()) {
    result.error = error_of(*head);
  } else if (auto data = playbook::parse_json(frame.substr(line + 1)); data.ok()) {
    result.data = std::move(*data);
  } else {
    result.error = TaskError{"result", "the result is no JSON: " + data.error().what, false};
  }
  finish(std::move(result));
}

void Interpreter::finish(ToolResult result) {
  output_reader_->drain();
  auto [log, dropped] = log_.take_tail();
  result.log = std::move(log);
  result.log_dropped = dropped;
  result.bytes_out = sent_bytes_;
  request_ = {};
  const ToolRunner::OnDone on_done = std::exchange(on_done_, nullptr);
  on_done(std::move(result));  // may destroy this
}

void Interpreter::ended(const os::ProcessExit& exit) {
  process_.reset();
  if (!on_done_) return;
  // An answer that was sent before the end still counts.
  if (!stopped_) frames_->drain();
  if (!on_done_) return;
  ToolResult result;
  result.error = stopped_ ? *stopped_ : crash_of(exit);
  result.cpu = exit.cpu;
  finish(std::move(result));
}

}  // namespace tidemill::worker
