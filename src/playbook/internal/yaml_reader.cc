// The one file that includes libyaml: its events build our own tree. What it allocates is owned by
// EventParser and goes with it.
#include "playbook/internal/yaml_reader.h"

#include <yaml.h>

#include <algorithm>
#include <cstdint>
#include <unordered_set>
#include <utility>

#include "model/limits.h"
#include "playbook/internal/utf8.h"

namespace tidemill::playbook {
namespace {

constexpr std::string_view kQuoteTemplates = "put templates in quotes: '{{ … }}'";

constexpr bool begins_character(char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }

// Where lines and characters of the text begin. Of libyaml's marks only the count of characters is
// used: it ends lines at characters too that no editor ends a line at.
class LineIndex {
 public:
  explicit LineIndex(std::string_view text) : text_(text) {
    starts_.push_back(0);
    size_t characters = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') starts_.push_back(i + 1);
      if (begins_character(text[i]) && characters++ % kStride == 0) strides_.push_back(i);
    }
  }

  std::string_view line(int number) const {  // 1-based; "" beyond the end
    if (number < 1 || static_cast<size_t>(number) > starts_.size()) return {};
    size_t begin = starts_[static_cast<size_t>(number) - 1];
    return text_.substr(begin, text_.find('\n', begin) - begin);
  }

  size_t offset(const yaml_mark_t& mark) const {
    size_t stride = mark.index / kStride;
    if (stride >= strides_.size()) return text_.size();
    size_t i = strides_[stride];
    for (size_t left = mark.index % kStride; left > 0 && i < text_.size(); --left) {
      do ++i;
      while (i < text_.size() && !begins_character(text_[i]));
    }
    return i;
  }

  char at(const yaml_mark_t& mark) const {
    size_t i = offset(mark);
    return i < text_.size() ? text_[i] : '\0';
  }

  Position place(const yaml_mark_t& mark) const { return place(offset(mark)); }

  Position place(size_t offset) const {
    auto after = std::upper_bound(starts_.begin(), starts_.end(), offset);
    size_t number = static_cast<size_t>(after - starts_.begin());
    std::string_view before = text_.substr(starts_[number - 1], offset - starts_[number - 1]);
    auto characters = std::count_if(before.begin(), before.end(), begins_character);
    return {static_cast<int>(number), static_cast<int>(characters) + 1};
  }

 private:
  static constexpr size_t kStride = 64;  // every 64th character's offset is kept

  std::string_view text_;
  std::vector<size_t> starts_;
  std::vector<size_t> strides_;
};

// libyaml's parser over text that is not copied, and the event it gave last.
class EventParser {
 public:
  explicit EventParser(std::string_view text) : ready_(yaml_parser_initialize(&parser_) == 1) {
    if (!ready_) return;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(
        &parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~EventParser() {
    if (held_) yaml_event_delete(&event_);
    if (ready_) yaml_parser_delete(&parser_);
  }
  EventParser(const EventParser&) = delete;
  EventParser& operator=(const EventParser&) = delete;

  // Null when the text is broken; the event lives until the next call.
  const yaml_event_t* next() {
    if (held_) yaml_event_delete(&event_);
    held_ = ready_ && yaml_parser_parse(&parser_, &event_) == 1;
    return held_ ? &event_ : nullptr;
  }

  const yaml_parser_t& state() const { return parser_; }  // says what is wrong

 private:
  yaml_parser_t parser_{};
  yaml_event_t event_{};
  bool ready_ = false;
  bool held_ = false;
};

std::string_view view(const yaml_char_t* text) {
  return text == nullptr ? std::string_view{} : reinterpret_cast<const char*>(text);
}

class TreeBuilder {
 public:
  TreeBuilder(const LineIndex& lines, Diagnostics& diagnostics)
      : lines_(lines), diagnostics_(diagnostics) {}

  void take(const yaml_event_t& event);
  bool stopped() const { return stopped_; }  // nothing after the last error can be trusted
  int documents() const { return documents_; }
  YamlNode take_root() { return std::move(root_); }

 private:
  struct Frame {
    YamlNode node;
    bool has_key = false;    // a map: the key was read, its value comes next
    bool duplicate = false;  // that value is dropped
    std::string key;
    Position key_at;
    std::unordered_set<std::string> key_set;  // of a large map
  };

  void begin_document(Position at);
  void take_null(Position at);
  void take_alias(Position at);
  void take_scalar(const yaml_event_t& event);
  void begin(YamlNode::Kind kind, Position at);
  void end();
  void refuse(Position at, const yaml_char_t* tag, const yaml_char_t* anchor);
  bool wants_key() const;
  void take_key(Position at, const std::string& key);
  Position* first_place(Frame& frame, const std::string& key);
  void add(YamlNode node);
  void place_text(YamlNode& node, const yaml_event_t& event) const;
  void stop(Position at, std::string text, std::string_view suggestion);

  static constexpr size_t kSmallMap = 16;

  const LineIndex& lines_;
  Diagnostics& diagnostics_;
  std::vector<Frame> stack_;
  YamlNode root_;
  Position first_place_;
  int documents_ = 0;
  bool stopped_ = false;
};

void TreeBuilder::take(const yaml_event_t& event) {
  Position at = lines_.place(event.start_mark);
  switch (event.type) {
    case YAML_DOCUMENT_START_EVENT:
      return begin_document(at);
    case YAML_ALIAS_EVENT:
      return take_alias(at);
    case YAML_SCALAR_EVENT:
      return take_scalar(event);
    case YAML_SEQUENCE_START_EVENT:
      refuse(at, event.data.sequence_start.tag, event.data.sequence_start.anchor);
      return begin(YamlNode::Kind::list, at);
    case YAML_MAPPING_START_EVENT:
      refuse(at, event.data.mapping_start.tag, event.data.mapping_start.anchor);
      return begin(YamlNode::Kind::map, at);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      return end();
    default:
      return;
  }
}

void TreeBuilder::begin_document(Position at) {
  if (++documents_ == 2)
    stop(at, "a second document begins here; a playbook is one document",
         "put each playbook in a file of its own");
}

void TreeBuilder::take_null(Position at) {
  if (wants_key()) return stop(at, "a key is missing before ':'", kQuoteTemplates);
  YamlNode node;
  node.at = node.text_at = at;
  add(std::move(node));
}

void TreeBuilder::take_alias(Position at) {
  diagnostics_.error(at, "aliases ('*name') are not allowed in a playbook", "repeat the value");
  if (wants_key()) return stop(at, "a key must be a plain word", {});
  YamlNode node;
  node.at = node.text_at = at;
  add(std::move(node));
}

void TreeBuilder::take_scalar(const yaml_event_t& event) {
  const auto& scalar = event.data.scalar;
  Position at = lines_.place(event.start_mark);
  refuse(at, scalar.tag, scalar.anchor);
  std::string text(reinterpret_cast<const char*>(scalar.value), scalar.length);
  if (scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nullptr) {
    // An empty value has no place; that of its key is the best.
    if (text.empty() && !stack_.empty() && stack_.back().has_key)
      return take_null(stack_.back().key_at);
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
      return take_null(at);
  }
  if (wants_key()) return take_key(at, text);
  if (scalar.style == YAML_PLAIN_SCALAR_STYLE && is_beyond_json(text)) {
    diagnostics_.error(at, "JSON, in which values are kept, cannot hold the number " + text,
                       "quote it if it is text, or give a number that a double can hold");
  }
  YamlNode node;
  node.kind = YamlNode::Kind::scalar;
  node.at = node.text_at = at;
  node.text = std::move(text);
  place_text(node, event);
  add(std::move(node));
}

void TreeBuilder::begin(YamlNode::Kind kind, Position at) {
  if (wants_key()) return stop(at, "a key must be a plain word", kQuoteTemplates);
  if (stack_.size() >= static_cast<size_t>(limits::kYamlMaxDepth))
    return stop(at, "nested deeper than " + std::to_string(limits::kYamlMaxDepth) + " levels",
                "give the value as a file or as the run's input");
  Frame& frame = stack_.emplace_back();
  frame.node.kind = kind;
  frame.node.at = frame.node.text_at = at;
}

void TreeBuilder::end() {
  YamlNode node = std::move(stack_.back().node);
  stack_.pop_back();
  add(std::move(node));
}

// Reports a tag or an anchor; reading goes on as if it were not there.
void TreeBuilder::refuse(Position at, const yaml_char_t* tag, const yaml_char_t* anchor) {
  if (anchor != nullptr)
    diagnostics_.error(at, "anchors ('&name') are not allowed in a playbook", "repeat the value");
  if (tag != nullptr && view(tag) != "!")
    diagnostics_.error(at, "tags ('!name') are not allowed in a playbook",
                       "leave the tag out; quote the value if it is text");
}

bool TreeBuilder::wants_key() const {
  return !stack_.empty() && stack_.back().node.is_map() && !stack_.back().has_key;
}

void TreeBuilder::take_key(Position at, const std::string& key) {
  Frame& frame = stack_.back();
  frame.has_key = true;
  frame.key = key;
  frame.key_at = at;
  frame.duplicate = false;
  if (key == "<<") {
    diagnostics_.error(at, "merge keys ('<<') are not allowed in a playbook", "repeat the values");
    frame.duplicate = true;
  } else if (Position* first = first_place(frame, key)) {
    diagnostics_.error(at, "duplicate key '" + key + "'",
                       "it is already given in line " + std::to_string(first->line));
    frame.duplicate = true;
  }
}

// Where the map has this key already; null when it is new.
Position* TreeBuilder::first_place(Frame& frame, const std::string& key) {
  std::vector<YamlField>& fields = frame.node.fields;
  if (fields.size() >= kSmallMap) {
    if (frame.key_set.empty()) {
      for (const YamlField& field : fields) frame.key_set.insert(field.key);
    }
    if (frame.key_set.insert(key).second) return nullptr;
  }
  for (YamlField& field : fields) {
    if (field.key == key) return &field.at;
  }
  return nullptr;
}

void TreeBuilder::add(YamlNode node) {
  if (stack_.empty()) {
    root_ = std::move(node);
    return;
  }
  Frame& frame = stack_.back();
  if (frame.node.is_list()) {
    frame.node.items.push_back(std::move(node));
    return;
  }
  frame.has_key = false;
  if (frame.duplicate) return;
  frame.node.fields.push_back(
      {.key = std::move(frame.key), .at = frame.key_at, .value = std::move(node)});
}

// libyaml marks the quote or the `|`; templates need the place of the first character.
void TreeBuilder::place_text(YamlNode& node, const yaml_event_t& event) const {
  const auto& scalar = event.data.scalar;
  bool block = scalar.style == YAML_LITERAL_SCALAR_STYLE ||
               scalar.style == YAML_FOLDED_SCALAR_STYLE;
  if (scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nullptr) return;
  if (!block) {
    node.style = YamlNode::Style::quoted;
    char first = lines_.at(event.start_mark);
    if (first == '\'' || first == '"') node.text_at.column += 1;
    return;
  }
  node.style = YamlNode::Style::block;
  int number = node.at.line + 1;
  node.text_at = {number, 1};
  for (int ahead = 0; ahead < 100; ++ahead) {  // the first line that is not blank shows the indent
    std::string_view line = lines_.line(number + ahead);
    size_t indent = line.find_first_not_of(" \r");
    if (indent == std::string_view::npos) continue;
    node.text_at.column = static_cast<int>(indent) + 1;
    return;
  }
}

void TreeBuilder::stop(Position at, std::string text, std::string_view suggestion) {
  diagnostics_.error(at, std::move(text), std::string(suggestion));
  stopped_ = true;
}

struct Wording {
  std::string_view context;  // "" is any
  std::string_view problem;
  std::string_view ours;
  std::string_view suggestion;
  enum { at_problem, at_context } place = at_problem;
};

// libyaml's words for a person who does not know YAML's grammar.
constexpr Wording kWordings[] = {
    {"", "did not find expected ',' or ']'",
     "this '[' list is not closed; expected ',' or ']'", ""},
    {"", "did not find expected ',' or '}'",
     "this '{' map is not closed; expected ',' or '}'", kQuoteTemplates},
    {"", "did not find expected key",
     "expected a key of the map above, or a line with less indentation",
     "indent the keys of one map equally"},
    {"while scanning a simple key", "could not find expected ':'",
     "expected a key of the map above, or a line with less indentation",
     "indent the keys of one map equally", Wording::at_context},
    {"", "did not find expected <document start>",
     "expected a key of the map above, or a line with less indentation",
     "indent the keys of one map equally"},
    {"", "did not find expected '-' indicator",
     "expected '- ' or a line with less indentation", "indent the items of one list equally"},
    {"", "mapping values are not allowed in this context", "a ':' is not allowed here",
     "quote text that holds ': '"},
    {"", "found unexpected ':'", "a ':' is not allowed here", "quote text that holds ': '"},
    {"", "mapping keys are not allowed in this context", "a '?' is not allowed here",
     "quote text that begins with '?'"},
    {"", "block sequence entries are not allowed in this context",
     "a list item '- ' is not allowed here", "begin the list on a line of its own"},
    {"", "found unexpected end of stream", "this quote is not closed",
     "a quote inside is written '' or \\\"", Wording::at_context},
    {"", "found unexpected document indicator", "a '---' or '...' line inside quotes",
     "close the quote"},
    {"", "found unknown escape character", "an unknown escape after '\\'",
     "write \\\\ for a backslash, or use single quotes"},
    {"", "found a tab character that violates indentation",
     "a tab is not allowed as indentation", "indent with spaces"},
    {"", "found a tab character where an indentation space is expected",
     "a tab is not allowed as indentation", "indent with spaces"},
    {"", "found character that cannot start any token", "unexpected character",
     "quote text that begins with a special character"},
    {"", "did not find expected node content", "a value is expected here", kQuoteTemplates},
    {"while scanning an alias", "", "unexpected '*'", "quote text that begins with '*'",
     Wording::at_context},
    {"while scanning an anchor", "", "unexpected '&'", "quote text that begins with '&'",
     Wording::at_context},
    {"while scanning a directive", "", "a '%' line is not allowed here", "leave the line out",
     Wording::at_context},
    {"while scanning a %YAML directive", "", "a '%' line is not allowed here",
     "leave the line out", Wording::at_context},
    {"while scanning a %TAG directive", "", "a '%' line is not allowed here",
     "leave the line out", Wording::at_context},
    {"", "found incompatible YAML document", "a '%' line is not allowed here",
     "leave the line out"},
    {"", "found undefined tag handle", "tags ('!name') are not allowed in a playbook",
     "leave the tag out; quote the value if it is text"},
    {"while scanning a tag", "", "tags ('!name') are not allowed in a playbook",
     "quote text that begins with '!'", Wording::at_context},
    {"while parsing a tag", "", "tags ('!name') are not allowed in a playbook",
     "quote text that begins with '!'", Wording::at_context},
};

std::string_view view(const char* text) { return text == nullptr ? std::string_view{} : text; }

bool fits(const Wording& w, const yaml_parser_t& state) {
  return (w.context.empty() || w.context == view(state.context)) &&
         (w.problem.empty() || w.problem == view(state.problem));
}

// A key and its ':' must be found within so many characters; libyaml calls it another mistake.
bool report_long_key(const yaml_parser_t& state, const LineIndex& lines,
                     Diagnostics& diagnostics) {
  constexpr int kKeyMost = 1024;
  bool about_keys = view(state.problem) == "could not find expected ':'" ||
                    view(state.problem) == "mapping values are not allowed in this context";
  Position at = lines.place(state.problem_mark);
  std::string_view line = lines.line(at.line);
  size_t begin = std::min(line.find_first_not_of(" -?{["), line.size());
  size_t colon = line.find(':', begin);
  if (!about_keys || at.column - static_cast<int>(begin) <= kKeyMost ||
      colon == std::string_view::npos || colon - begin <= static_cast<size_t>(kKeyMost))
    return false;
  diagnostics.error({at.line, static_cast<int>(begin) + 1},
                    "a key has " + std::to_string(kKeyMost) + " characters at most",
                    "quote text that holds ': '");
  return true;
}

void report_syntax(const yaml_parser_t& state, const LineIndex& lines, Diagnostics& diagnostics) {
  if (state.error == YAML_MEMORY_ERROR) return diagnostics.error({1, 1}, "not enough memory");
  if (state.error == YAML_READER_ERROR)
    return diagnostics.error(lines.place(state.problem_offset), "a control character",
                             "write it as an escape in double quotes");
  Position at = lines.place(state.problem_mark);
  std::string_view line = lines.line(at.line);
  if (size_t tab = line.find_first_not_of(' '); tab != line.npos && line[tab] == '\t')
    return diagnostics.error({at.line, static_cast<int>(tab) + 1},
                             "a tab is not allowed as indentation", "indent with spaces");
  if (report_long_key(state, lines, diagnostics)) return;
  if (view(state.problem) == "did not find expected key" && lines.at(state.problem_mark) == ':')
    return diagnostics.error(at, "a key is missing before ':'", std::string(kQuoteTemplates));
  for (const Wording& w : kWordings) {
    if (!fits(w, state)) continue;
    if (w.place == Wording::at_context) at = lines.place(state.context_mark);
    return diagnostics.error(at, std::string(w.ours), std::string(w.suggestion));
  }
  diagnostics.error(at, "YAML: " + std::string(view(state.problem)));
}

bool check_bytes(std::string_view text, Diagnostics& diagnostics) {
  if (text.size() > limits::kPlaybookMax) {
    diagnostics.error({1, 1},
                      "the playbook has " + std::to_string(text.size()) + " bytes; the most is " +
                          std::to_string(limits::kPlaybookMax),
                      "give data as the run's input (--input FILE)");
    return false;
  }
  std::optional<BadByte> bad = find_bad_byte(text);
  if (!bad) return true;
  Position at = LineIndex(text).place(bad->offset);
  if (bad->control)
    diagnostics.error(at, "a control character", "write it as an escape in double quotes");
  else
    diagnostics.error(at, "this is not UTF-8 text", "save the file as UTF-8");
  return false;
}

}  // namespace

std::optional<YamlNode> read_yaml(std::string_view text, Diagnostics& diagnostics) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.substr(0, 3) == kByteOrderMark) text.remove_prefix(3);
  if (!check_bytes(text, diagnostics)) return std::nullopt;
  LineIndex lines(text);
  TreeBuilder builder(lines, diagnostics);
  EventParser parser(text);
  for (bool more = true; more;) {
    const yaml_event_t* event = parser.next();
    if (event == nullptr) {
      report_syntax(parser.state(), lines, diagnostics);
      return std::nullopt;
    }
    more = event->type != YAML_STREAM_END_EVENT;
    builder.take(*event);
    if (builder.stopped()) return std::nullopt;
  }
  if (builder.documents() == 0) {
    diagnostics.error({1, 1}, "the file is empty; expected a playbook",
                      "begin with 'apiVersion: tidemill/v1'");
    return std::nullopt;
  }
  return builder.take_root();
}

}  // namespace tidemill::playbook
