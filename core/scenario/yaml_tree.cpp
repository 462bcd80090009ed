#include "scenario/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <set>
#include <streambuf>

#include "program/wording.h"

namespace polypath::scenario {
namespace {

using program::in_quotes;
using program::InputError;

constexpr int kDeepest = 32;
// The scanner keeps all of a bracketed collection in memory until it ends: some 130 bytes for each of these
// characters.
constexpr std::size_t kMostFlowMarks = 500'000;
constexpr int kDeepestBrackets = 64;

Place place_of(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

class Fail {
 public:
  explicit Fail(const std::string& name) : name_(name) {}
  [[noreturn]] void at(Place place, const std::string& what) const {
    throw InputError(place_text(name_, place), what);
  }

 private:
  const std::string& name_;
};

// Reads without a copy of the text.
class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    char* const begin = const_cast<char*>(text.data());  // a streambuf that only reads writes nothing
    setg(begin, begin, begin + text.size());
  }
};

// Looks at bytes only, before any parser does.
void check_bytes(std::string_view text, const Fail& fail) {
  const std::size_t utf8 = program::utf8_prefix(text);
  Place place;
  int brackets = 0;
  std::size_t marks = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == utf8) fail.at(place, "this is no UTF-8 text; save the file as UTF-8");
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\0') fail.at(place, "a NUL byte; scenario files are text, remove it");
    if ((byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7F) {
      fail.at(place, fmt::format("control character {:#04x}; remove it", byte));
    }
    if (c == '[' || c == '{') {
      if (++brackets > kDeepestBrackets)
        fail.at(place, "too many open brackets; close some, or put the text in quotes");
    }
    if (brackets > 0 && (c == ',' || c == ':' || c == '[' || c == '{') && ++marks > kMostFlowMarks) {
      fail.at(place,
              "this bracketed collection is too long; write it with one element a line and without brackets");
    }
    if ((c == ']' || c == '}') && brackets > 0 && --brackets == 0) marks = 0;
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else if ((byte & 0xC0U) != 0x80) {
      ++place.column;
    }
  }
}

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const Fail& fail) : fail_(fail) {}

  bool seen_document() const { return documents_ > 0; }
  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      fail_.at(place_of(mark), "a second document begins here; one file is one scenario, split it");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    Node node;
    node.place = place_of(mark);
    put(std::move(node));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fail_.at(place_of(mark), "aliases (*name) are not allowed; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    Node node;
    node.kind = Node::Kind::scalar;
    node.place = place_of(mark);
    node.text = value;
    node.plain = tag == "?";
    if (value.find('\0') != std::string::npos) fail_.at(node.place, "a NUL character in a text; remove it");
    put(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    std::set<std::string, std::less<>> keys;
  };

  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
    if (anchor != 0)
      fail_.at(place_of(mark), "anchors (&name) are not allowed; write the value out where it is used");
  }
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?" && tag != "!") {
      fail_.at(place_of(mark), fmt::format("tags ({}) are not allowed; remove it", in_quotes(tag)));
    }
  }
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (open_.size() >= kDeepest) {
      fail_.at(place_of(mark),
               fmt::format("nested deeper than {}; no scenario needs that, flatten it", kDeepest));
    }
    if (!open_.empty()) refuse_key_collection(mark);
    open_.emplace_back();
    open_.back().node.kind = kind;
    open_.back().node.place = place_of(mark);
  }
  // In a map, elements alternate: key, value.
  bool key_is_next() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::map &&
           open_.back().node.items.size() % 2 == 0;
  }
  void refuse_key_collection(const YAML::Mark& mark) const {
    if (key_is_next()) fail_.at(place_of(mark), "a key of a map must be a text; write `name: value`");
  }
  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    put(std::move(node));
  }
  void put(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    if (key_is_next()) {
      if (node.kind != Node::Kind::scalar)
        fail_.at(node.place, "a key of a map must be a text; write `name: value`");
      if (!open_.back().keys.insert(node.text).second) {
        fail_.at(node.place,
                 fmt::format("key {} is given twice in this map; keep one", in_quotes(node.text)));
      }
    }
    open_.back().node.items.push_back(std::move(node));
  }

  const Fail& fail_;
  Node root_;
  std::vector<Open> open_;
  int documents_ = 0;
};

// A message of the parser on one line, without its own idea of the place.
std::string parser_words(const YAML::Exception& error) {
  std::string words = program::clean_text(error.msg, 200);
  return words.empty() ? "this is no YAML" : words;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  if (kind != Kind::map) return nullptr;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].text == key) return &items[i + 1];
  }
  return nullptr;
}

std::string_view kind_name(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return "a text";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return "nothing";
}

std::string place_text(const std::string& name, Place place) {
  return fmt::format("{}:{}:{}", name, place.line, place.column);
}

Node read_yaml(std::string_view text, const std::string& name) {
  const Fail fail(name);
  if (text.size() > kLongestFile) fail.at({}, "more than 16 MiB; split the scenario");
  check_bytes(text, fail);
  TextBuffer buffer(text);
  std::istream stream(&buffer);
  TreeBuilder builder(fail);
  try {
    YAML::Parser parser(stream);
    // The parser can hand out empty documents for ever (a lone comma); twice is enough to know.
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
  } catch (const YAML::Exception& error) {
    const Place place = error.mark.is_null() ? Place{} : place_of(error.mark);
    fail.at(place, parser_words(error) + "; correct the YAML here");
  }
  if (!builder.seen_document()) fail.at({}, "an empty file; write at least `topology:` and `steps:`");
  return builder.take();
}

}  // namespace polypath::scenario
