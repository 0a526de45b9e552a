#include "wire/control_line.h"

#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace tidemill::wire {

namespace {

using Verb = ControlRequest::Verb;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const size_t end = line.find(' ');
    const std::string_view word = line.substr(0, end);
    if (!word.empty()) words.push_back(word);
    if (end == std::string_view::npos) break;
    line.remove_prefix(end + 1);
  }
  return words;
}

std::optional<uint64_t> number(std::string_view word) {
  uint64_t v = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), v);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return v;
}

Error bad_word(std::string_view word, std::string_view expected) {
  return {ErrorCode::invalid,
          "'" + std::string(word) + "' is not " + std::string(expected) + " here"};
}

// The numbers that follow a verb: `least` to `most` of them, then nothing.
Result<std::vector<uint64_t>> numbers(const std::vector<std::string_view>& words, size_t count) {
  if (words.size() < count + 1) {
    return Error{ErrorCode::invalid, std::string(words[0]) + " takes " + std::to_string(count) +
                                         (count == 1 ? " number" : " numbers")};
  }
  std::vector<uint64_t> out;
  for (size_t i = 1; i <= count; ++i) {
    const std::optional<uint64_t> v = number(words[i]);
    if (!v) return bad_word(words[i], "a number");
    out.push_back(*v);
  }
  return out;
}

std::string work_words(const WorkRef& work) {
  if (work.task) return "task " + std::to_string(work.task.raw);
  return "index " + std::to_string(work.array.raw) + " " + std::to_string(work.first);
}

Result<WorkRef> parse_work(const std::vector<std::string_view>& words, std::string_view noun) {
  if (noun == "task") {
    TIDEMILL_TRY(const auto n, numbers(words, 1));
    return WorkRef::of(TaskId{n[0]});
  }
  TIDEMILL_TRY(const auto n, numbers(words, 2));
  return WorkRef::of(ArrayId{n[0]}, n[1]);
}

std::optional<ErrorCode> code_of(std::string_view name) {
#define X(code, value) \
  if (name == #code) return ErrorCode::code;
  TIDEMILL_ERROR_CODES(X)
#undef X
  return std::nullopt;
}

}  // namespace

std::string format(const ControlRequest& request) {
  switch (request.verb) {
    case Verb::cancel_execution:
      return "cancel-execution " + std::to_string(request.execution.raw);
    case Verb::retry_execution:
      return "retry-execution " + std::to_string(request.execution.raw);
    case Verb::cancel_work:
      return "cancel-" + work_words(request.work) + (request.now ? " now" : "");
    case Verb::retry_work:
      return "retry-" + work_words(request.work);
  }
  return {};
}

Result<ControlRequest> parse_control_request(std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  if (words.empty()) return Error{ErrorCode::invalid, "the line is empty"};
  const size_t dash = words[0].find('-');
  const std::string_view verb = words[0].substr(0, dash);
  const std::string_view noun = dash == std::string_view::npos ? "" : words[0].substr(dash + 1);
  const bool cancel = verb == "cancel";
  if (!cancel && verb != "retry") return bad_word(words[0], "cancel-… or retry-…");

  ControlRequest request;
  size_t used = 2;
  if (noun == "execution") {
    request.verb = cancel ? Verb::cancel_execution : Verb::retry_execution;
    TIDEMILL_TRY(const auto n, numbers(words, 1));
    request.execution = ExecutionId{n[0]};
  } else if (noun == "task" || noun == "index") {
    request.verb = cancel ? Verb::cancel_work : Verb::retry_work;
    TIDEMILL_TRY(request.work, parse_work(words, noun));
    used = noun == "task" ? 2 : 3;
  } else {
    return bad_word(words[0], "an execution, a task or an index");
  }
  if (words.size() > used && cancel && request.verb == Verb::cancel_work && words[used] == "now") {
    request.now = true;
    ++used;
  }
  if (words.size() > used) return bad_word(words[used], "expected");
  return request;
}

std::string format(const Result<ControlAnswer>& answer) {
  if (!answer.ok()) {
    std::string text = answer.error().what;
    for (char& c : text) {
      if (c == '\n') c = ' ';
    }
    return "error " + std::string(error_code_name(answer.error().code)) + " " + text;
  }
  return "ok at-once=" + std::to_string(answer->at_once) +
         " round=" + std::to_string(answer->round) +
         " barrier-fired=" + std::to_string(answer->barrier_fired);
}

Result<ControlAnswer> parse_control_answer(std::string_view line) {
  if (line.starts_with("error ")) {
    line.remove_prefix(6);
    const size_t space = line.find(' ');
    const std::optional<ErrorCode> code = code_of(line.substr(0, space));
    if (!code || space == std::string_view::npos) return bad_word(line, "an error code and a text");
    return Error{*code, std::string(line.substr(space + 1))};
  }
  const std::vector<std::string_view> words = words_of(line);
  if (words.empty() || words[0] != "ok") return bad_word(line, "an answer");
  ControlAnswer answer;
  for (size_t i = 1; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    const std::optional<uint64_t> v =
        equals == std::string_view::npos ? std::nullopt : number(words[i].substr(equals + 1));
    if (!v) return bad_word(words[i], "name=number");
    const std::string_view name = words[i].substr(0, equals);
    if (name == "at-once") answer.at_once = *v != 0;
    if (name == "round") answer.round = static_cast<uint32_t>(*v);
    if (name == "barrier-fired") answer.barrier_fired = *v != 0;
  }
  return answer;
}

}  // namespace tidemill::wire
