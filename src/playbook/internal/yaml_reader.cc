// The one file that includes yaml-cpp: its event interface builds our own tree, its exceptions end
// here.
#include "playbook/internal/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <istream>
#include <streambuf>
#include <unordered_set>
#include <utility>

#include "model/limits.h"
#include "playbook/internal/utf8.h"

namespace tidemill::playbook {
namespace {

constexpr std::string_view kQuoteTemplates = "put templates in quotes: '{{ … }}'";

// Where the lines of the text begin, to find indentation and quotes that events do not tell.
class LineIndex {
 public:
  explicit LineIndex(std::string_view text) : text_(text) {
    starts_.push_back(0);
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') starts_.push_back(i + 1);
    }
  }

  std::string_view line(int number) const {  // 1-based; "" beyond the end
    if (number < 1 || static_cast<size_t>(number) > starts_.size()) return {};
    size_t begin = starts_[static_cast<size_t>(number) - 1];
    return text_.substr(begin, text_.find('\n', begin) - begin);
  }

  // Whether the quote that opens at the mark is closed again; yaml-cpp takes the end of the text
  // for one.
  bool closes(const YAML::Mark& mark) const {
    size_t begin = starts_[static_cast<size_t>(mark.line)] + static_cast<size_t>(mark.column);
    const char quote = text_[begin];
    for (size_t i = begin + 1; i < text_.size(); ++i) {
      if (quote == '"' && text_[i] == '\\') {
        ++i;
      } else if (text_[i] == quote) {
        if (quote == '"' || i + 1 == text_.size() || text_[i + 1] != quote) return true;
        ++i;  // '' is a quote inside single quotes
      }
    }
    return false;
  }

  char at(const YAML::Mark& mark) const {
    std::string_view l = line(mark.line + 1);
    size_t i = static_cast<size_t>(mark.column);
    return i < l.size() ? l[i] : '\0';
  }

  // Marks count bytes; people and templates count characters.
  Position place(const YAML::Mark& mark) const {
    return place(mark.line + 1, static_cast<size_t>(mark.column));
  }

  Position place(size_t offset) const {
    auto after = std::upper_bound(starts_.begin(), starts_.end(), offset);
    size_t number = static_cast<size_t>(after - starts_.begin());
    return place(static_cast<int>(number), offset - starts_[number - 1]);
  }

 private:
  Position place(int number, size_t bytes) const {
    std::string_view before = line(number).substr(0, bytes);
    auto characters = std::count_if(before.begin(), before.end(), [](char c) {
      return (static_cast<uint8_t>(c) & 0xc0) != 0x80;
    });
    return {number, static_cast<int>(characters) + 1};
  }

  std::string_view text_;
  std::vector<size_t> starts_;
};

// A stream over text that is not copied.
class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // streambuf's signature; nothing writes
    setg(begin, begin, begin + text.size());
  }
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const LineIndex& lines, Diagnostics& diagnostics)
      : lines_(lines), diagnostics_(diagnostics) {}

  bool stopped() const { return stopped_; }  // nothing after the last error can be trusted
  int documents() const { return documents_; }
  YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { end(); }

 private:
  struct Frame {
    YamlNode node;
    bool has_key = false;    // a map: the key was read, its value comes next
    bool duplicate = false;  // that value is dropped
    std::string key;
    Position key_at;
    std::unordered_set<std::string> key_set;  // of a large map
  };

  void begin(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
             YAML::anchor_t anchor);
  void end();
  bool refuse(Position at, const std::string& tag, YAML::anchor_t anchor);
  bool wants_key() const;
  void take_key(Position at, const std::string& key);
  Position* first_place(Frame& frame, const std::string& key);
  void add(YamlNode node);
  void place_text(YamlNode& node, const YAML::Mark& mark, const std::string& tag) const;
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

void TreeBuilder::OnDocumentStart(const YAML::Mark& mark) {
  if (++documents_ == 2)
    stop(lines_.place(mark), "a second document begins here; a playbook is one document",
         "put each playbook in a file of its own");
}

void TreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  if (stopped_) return;
  Position at = lines_.place(mark);
  refuse(at, "", anchor);
  if (wants_key()) return stop(at, "a key is missing before ':'", kQuoteTemplates);
  // An empty value is reported where the next token stands; its key is the better place.
  if (!stack_.empty() && stack_.back().has_key && at.line > stack_.back().key_at.line)
    at = stack_.back().key_at;
  YamlNode node;
  node.at = node.text_at = at;
  add(std::move(node));
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t) {
  if (stopped_) return;
  Position at = lines_.place(mark);
  diagnostics_.error(at, "aliases ('*name') are not allowed in a playbook", "repeat the value");
  if (wants_key()) return stop(at, "a key must be a plain word", {});
  YamlNode node;
  node.at = node.text_at = at;
  add(std::move(node));
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  if (stopped_) return;
  Position at = lines_.place(mark);
  refuse(at, tag, anchor);
  bool quoted = tag == "!" && (lines_.at(mark) == '\'' || lines_.at(mark) == '"');
  if (quoted && !lines_.closes(mark))
    return stop(at, "this quote is not closed", "a quote inside is written '' or \\\"");
  if (wants_key()) return take_key(at, value);
  YamlNode node;
  node.kind = YamlNode::Kind::scalar;
  node.at = node.text_at = at;
  node.text = value;
  place_text(node, mark, tag);
  add(std::move(node));
}

void TreeBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                  YAML::anchor_t anchor, YAML::EmitterStyle::value) {
  begin(YamlNode::Kind::list, mark, tag, anchor);
}

void TreeBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
  begin(YamlNode::Kind::map, mark, tag, anchor);
}

void TreeBuilder::begin(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                        YAML::anchor_t anchor) {
  if (stopped_) return;
  Position at = lines_.place(mark);
  refuse(at, tag, anchor);
  if (wants_key()) return stop(at, "a key must be a plain word", kQuoteTemplates);
  if (stack_.size() >= static_cast<size_t>(limits::kYamlMaxDepth))
    return stop(at, "nested deeper than " + std::to_string(limits::kYamlMaxDepth) + " levels",
                "give the value as a file or as the run's input");
  Frame& frame = stack_.emplace_back();
  frame.node.kind = kind;
  frame.node.at = frame.node.text_at = at;
}

void TreeBuilder::end() {
  if (stopped_) return;
  YamlNode node = std::move(stack_.back().node);
  stack_.pop_back();
  add(std::move(node));
}

// Reports a tag or an anchor; reading goes on as if it were not there.
bool TreeBuilder::refuse(Position at, const std::string& tag, YAML::anchor_t anchor) {
  if (anchor != YAML::NullAnchor)
    diagnostics_.error(at, "anchors ('&name') are not allowed in a playbook", "repeat the value");
  bool tagged = !tag.empty() && tag != "?" && tag != "!";
  if (tagged)
    diagnostics_.error(at, "tags ('!name') are not allowed in a playbook",
                       "leave the tag out; quote the value if it is text");
  return tagged || anchor != YAML::NullAnchor;
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

// yaml-cpp marks the quote or the `|`; templates need the place of the first character.
void TreeBuilder::place_text(YamlNode& node, const YAML::Mark& mark, const std::string& tag) const {
  if (tag != "!") return;
  char first = lines_.at(mark);
  if (first != '|' && first != '>') {
    node.style = YamlNode::Style::quoted;
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
  std::string_view theirs;
  std::string_view ours;
  std::string_view suggestion;
};

// yaml-cpp's words for a person who does not know its grammar.
constexpr Wording kWordings[] = {
    {"end of sequence flow not found", "this '[' list is not closed; expected ',' or ']'", ""},
    {"end of map flow not found", "this '{' map is not closed; expected ',' or '}'",
     kQuoteTemplates},
    {"end of map not found", "expected a key of the map above, or a line with less indentation",
     "indent the keys of one map equally"},
    {"end of sequence not found", "expected '- ' or a line with less indentation",
     "indent the items of one list equally"},
    {"illegal map value", "a ':' is not allowed here", "quote text that holds ': '"},
    {"illegal block entry", "a list item '- ' is not allowed here",
     "begin the list on a line of its own"},
    {"illegal flow end", "a closing bracket without an opening one", ""},
    {"illegal EOF in scalar", "the text ends inside quotes", "close the quote"},
    {"illegal document indicator in scalar", "a '---' or '...' line inside quotes",
     "close the quote"},
    {"illegal tab when looking for indentation", "a tab is not allowed as indentation",
     "indent with spaces"},
    {"illegal character in scalar", "unexpected character in text", "quote the text"},
    {"unknown token", "unexpected character", "quote text that begins with a special character"},
    {"the referenced anchor is not defined", "aliases ('*name') are not allowed in a playbook",
     "quote text that begins with '*'"},
    {"alias not found after *", "unexpected '*'", "quote text that begins with '*'"},
    {"anchor not found after &", "unexpected '&'", "quote text that begins with '&'"},
    {"bad file", "nested too deeply", ""},
};

void report_syntax(const YAML::Exception& e, const LineIndex& lines, Diagnostics& diagnostics) {
  Position at = e.mark.is_null() ? Position{1, 1} : lines.place(e.mark);
  std::string_view line = lines.line(at.line);
  if (size_t tab = line.find_first_not_of(' '); tab != line.npos && line[tab] == '\t') {
    diagnostics.error({at.line, static_cast<int>(tab) + 1}, "a tab is not allowed as indentation",
                      "indent with spaces");
    return;
  }
  for (const Wording& w : kWordings) {
    if (e.msg != w.theirs) continue;
    diagnostics.error(at, std::string(w.ours), std::string(w.suggestion));
    return;
  }
  diagnostics.error(at, "YAML: " + e.msg);
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
  TextBuffer buffer(text);
  try {
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    while (!builder.stopped() && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& e) {
    if (!builder.stopped()) report_syntax(e, lines, diagnostics);
    return std::nullopt;
  } catch (const std::exception& e) {
    diagnostics.error({1, 1}, std::string("YAML: ") + e.what());
    return std::nullopt;
  }
  if (builder.stopped()) return std::nullopt;
  if (builder.documents() == 0) {
    diagnostics.error({1, 1}, "the file is empty; expected a playbook",
                      "begin with 'apiVersion: tidemill/v1'");
    return std::nullopt;
  }
  return builder.take_root();
}

}  // namespace tidemill::playbook
