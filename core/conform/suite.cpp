#include "conform/suite.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "conform/needs.h"
#include "program/wording.h"
#include "scenario/scenario.h"

namespace polypath::conform {

using scenario::Node;

namespace {

constexpr std::string_view kProtection = "protection";

struct WorldText {
  std::string head;  ///< topology and hosts, as a scenario has them
  std::vector<Node> setup;
};

struct File {
  std::string name;
  Node root;
};

[[noreturn]] void complain(const File& file, const Node& node, const std::string& what) {
  throw program::InputError(scenario::place_text(file.name, node.place), what);
}

File read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw program::InputError(path, "cannot be read; name the folder of the cases with --cases");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return {path, scenario::read_yaml(text, path)};
}

const Node& needed(const File& file, const Node& map, std::string_view key) {
  const Node* node = map.find(key);
  if (node == nullptr) complain(file, map, fmt::format("has no `{}:`; add it", key));
  return *node;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

using Row = std::map<std::string, std::string>;

/// `$name` stands for what the row says.
std::string substituted(const std::string& text, const Row& row) {
  std::string out = text;
  // Longer names first: `$nsid2` is no `$nsid`.
  std::vector<std::pair<std::string, std::string>> pairs(row.begin(), row.end());
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  for (const auto& [name, value] : pairs) {
    const std::string word = "$" + name;
    for (std::size_t at = 0; (at = out.find(word, at)) != std::string::npos; at += value.size())
      out.replace(at, word.size(), value);
  }
  return out;
}

/// The node with the row's words in it. A scalar that is a word alone takes the row's node whole, so that a
/// row may hold a list.
Node filled(const Node& node, const Row& row, const Node* row_node) {
  Node out = node;
  if (node.kind == Node::Kind::scalar) {
    if (row_node != nullptr && node.text.starts_with('$')) {
      const Node* whole = row_node->find(std::string_view(node.text).substr(1));
      if (whole != nullptr) return *whole;
    }
    out.text = substituted(node.text, row);
    return out;
  }
  for (Node& item : out.items) item = filled(item, row, row_node);
  return out;
}

/// YAML of a node on one line, without what is the suite's own.
std::string flow(const Node& node) {
  if (node.kind == Node::Kind::null) return "null";
  if (node.kind == Node::Kind::scalar) return node.plain ? node.text : quoted(node.text);
  const bool map = node.kind == Node::Kind::map;
  std::string out = map ? "{" : "[";
  for (std::size_t i = 0; i < node.items.size(); i += map ? 2 : 1) {
    const Node& first = node.items[i];
    if (map && (first.text == "want" || first.text == "name")) continue;
    if (out.size() > 1) out += ", ";
    out += map ? first.text + ": " + flow(node.items[i + 1]) : flow(first);
  }
  return out + (map ? "}" : "]");
}

const Node* own_key(const Node& step, std::string_view key) {
  if (const Node* beside = step.find(key)) return beside;
  for (std::size_t i = 1; i < step.items.size(); i += 2) {
    if (step.items[i].kind != Node::Kind::map) continue;
    if (const Node* inside = step.items[i].find(key)) return inside;
  }
  return nullptr;
}

/// Commands that are waited for succeed, unless the case says otherwise.
bool succeeds_by_default(const Node& step) {
  static const std::set<std::string_view> kinds{"admin",
                                                "io",
                                                "attach",
                                                "detach",
                                                "create",
                                                "delete",
                                                "write",
                                                "read",
                                                "flush",
                                                "compare",
                                                "write_zeroes",
                                                "create_queue_pair",
                                                "delete_queue_pair"};
  const Node* nowait = step.find("nowait");
  if ((nowait != nullptr && nowait->text == "true") || own_key(step, "expect") != nullptr) return false;
  return step.items.size() >= 2 && std::any_of(step.items.begin(), step.items.end(), [](const Node& n) {
           return n.kind == Node::Kind::scalar && kinds.contains(n.text);
         });
}

StepWant step_want(const File& file, const Node& step) {
  StepWant out;
  out.words = flow(step);
  if (const Node* name = own_key(step, "name")) out.name = name->text;
  if (const Node* want = own_key(step, "want")) {
    out.want = read_want(*want, file.name);
  } else if (succeeds_by_default(step)) {
    out.want = Want{};
    out.want->statuses.push_back(0);
  }
  return out;
}

/// Properties of namespaces that need a profile with zones, or with metadata.
bool of_zones(std::string_view property) { return property.starts_with("zoned"); }
bool of_metadata(std::string_view property) {
  constexpr std::array<std::string_view, 6> kProperties{"ms=", "mset=", "pi=", "pil=", "pif=", "sts="};
  return std::ranges::any_of(kProperties, [&](std::string_view one) { return property.starts_with(one); });
}

/// Where the profile does not have it, namespaces are without; cases that need it are skipped.
std::string without(const std::string& word, bool (*left_out)(std::string_view)) {
  std::string out;
  for (std::size_t at = 0; at <= word.size();) {
    const std::size_t comma = std::min(word.find(',', at), word.size());
    const std::string piece = word.substr(at, comma - at);
    if (!left_out(piece)) out += (out.empty() ? "" : ",") + piece;
    at = comma + 1;
  }
  return out;
}

/// QEMU 7.2 has no storage tags, and no guards of 32 bits.
bool without_tags(const Node& topology) {
  return std::ranges::none_of(topology.items, [](const Node& word) {
    return word.text.find(",sts=") != std::string::npos || word.text.find(",pif=1") != std::string::npos;
  });
}

std::map<std::string, WorldText> read_worlds(const File& file, const std::string& profile,
                                             bool storage_tags) {
  std::map<std::string, WorldText> worlds;
  const Node& all = needed(file, file.root, "worlds");
  for (std::size_t i = 0; i + 1 < all.items.size(); i += 2) {
    const Node& node = all.items[i + 1];
    WorldText& world = worlds[all.items[i].text];
    world.head = "topology:\n";
    const Node& topology = needed(file, node, "topology");
    const bool metadata =
        program::profile_has_metadata(profile) &&
        ((storage_tags && program::profile_has_storage_tags(profile)) || without_tags(topology));
    for (const Node& word : topology.items) {
      std::string text = word.text;
      if (!program::profile_has_zones(profile)) text = without(text, of_zones);
      if (!metadata) text = without(text, of_metadata);
      world.head += "  - " + text + "\n";
    }
    if (const Node* hosts = node.find("hosts")) world.head += "hosts: " + flow(*hosts) + "\n";
    if (const Node* setup = node.find("setup")) world.setup = setup->items;
  }
  return worlds;
}

std::vector<std::string> words_of(const Node* node) {
  std::vector<std::string> out;
  if (node == nullptr) return out;
  if (node->kind == Node::Kind::scalar) return {node->text};
  for (const Node& item : node->items) out.push_back(item.text);
  return out;
}

class Reader {
 public:
  Reader(std::map<std::string, WorldText> worlds, std::string profile)
      : worlds_(std::move(worlds)), profile_(std::move(profile)) {}

  void read(const File& file, Suite& suite) {
    family_ = needed(file, file.root, "family").text;
    for (const Node& node : needed(file, file.root, "cases").items) {
      const Node* rows = node.find("rows");
      if (rows == nullptr) {
        suite.cases.push_back(read_case(file, node, node));
        continue;
      }
      for (const Node& row : rows->items) {
        Row words;
        for (std::size_t i = 0; i + 1 < row.items.size(); i += 2)
          words[row.items[i].text] = flow(row.items[i + 1]);
        for (auto& [name, value] : words) {
          if (const Node* plain = row.find(name); plain->kind == Node::Kind::scalar) value = plain->text;
        }
        Node made = node;
        for (std::size_t i = 0; i + 1 < made.items.size(); i += 2) {
          if (made.items[i].text != "rows") made.items[i + 1] = filled(made.items[i + 1], words, &row);
        }
        made.place = row.place;
        suite.cases.push_back(read_case(file, made, row));
      }
    }
  }

 private:
  Case read_case(const File& file, const Node& node, const Node& place) {
    static const std::set<std::string_view> known{"id",     "title", "area",  "origin", "needs",
                                                  "judged", "world", "steps", "rows",   "hosts"};
    for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
      if (known.contains(node.items[i].text)) continue;
      complain(file, node.items[i],
               "unknown key " + program::in_quotes(node.items[i].text) +
                   program::remedy(node.items[i].text, {known.begin(), known.end()}));
    }
    const auto said = [&](std::string_view key) -> const Node* {
      if (const Node* own = node.find(key)) return own;
      return key == "rows" ? nullptr : file.root.find(key);
    };
    Case out;
    out.id = needed(file, &node == &place || node.find("id") != nullptr ? node : place, "id").text;
    if (!ids_.insert(out.id).second) complain(file, place, out.id + " is given twice; ids are unique");
    out.family = family_;
    out.title = needed(file, node, "title").text;
    const Node* area = said("area");
    if (area == nullptr) complain(file, place, "has no `area:`; name the chapter of the standard");
    out.area = area->text;
    out.origin = words_of(said("origin"));
    out.needs = words_of(said("needs"));
    for (const std::string& need : out.needs) {
      if (!known_need(need)) {
        complain(file, place, "needs " + program::in_quotes(need) + program::remedy(need, all_needs()));
      }
    }
    if (const Node* judged = said("judged")) {
      if (judged->text != "device" && judged->text != "host")
        complain(file, *judged, "`judged:` must be device or host");
      out.judged = judged->text == "host" ? Judged::host : Judged::device;
    }
    const Node* world = said("world");
    if (world == nullptr) complain(file, place, "has no `world:`; name one of worlds.yaml");
    const auto at = worlds_.find(world->text);
    if (at == worlds_.end())
      complain(file, *world, "worlds.yaml has no world " + program::in_quotes(world->text));
    out.world = world->text;
    out.place = scenario::place_text(file.name, place.place);
    out.text = "name: " + quoted(out.id + " " + out.title) + "\n" + at->second.head;
    if (const Node* hosts = node.find("hosts")) out.text += "hosts: " + flow(*hosts) + "\n";
    out.text += "steps:\n";
    for (const Node& step : at->second.setup) out.text += "  - " + flow(step) + "\n";
    out.setup = at->second.setup.size();
    for (const Node& step : needed(file, node, "steps").items) {
      out.steps.push_back(step_want(file, step));
      out.text += "  - " + out.steps.back().words + "\n";
    }
    scenario::LoadOptions options;
    options.profile = profile_;
    out.program = scenario::load_scenario_text(out.text, out.place + " (" + out.id + ")", options);
    return out;
  }

  std::map<std::string, WorldText> worlds_;
  std::string profile_, family_;
  std::set<std::string> ids_;
};

}  // namespace

Suite load_suite(const std::string& folder, const std::string& profile, bool storage_tags) {
  namespace fs = std::filesystem;
  const File worlds = read_file((fs::path(folder) / "worlds.yaml").string());
  Reader reader(read_worlds(worlds, profile, storage_tags), profile);
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml" && entry.path().filename() != "worlds.yaml")
      files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  Suite suite;
  for (const std::string& file : files) reader.read(read_file(file), suite);
  if (suite.cases.empty()) throw program::InputError(folder, "has no cases; name their folder with --cases");
  return suite;
}

Suite with_protection(Suite suite, const std::string& folder, bool storage_tags) {
  std::erase_if(suite.cases, [](const Case& one) { return one.family == kProtection; });
  for (Case& one : load_suite(folder, "spec-pi", storage_tags).cases) {
    if (one.family == kProtection) suite.cases.push_back(std::move(one));
  }
  return suite;
}

Suite load_widest_suite(const std::string& folder) {
  return with_protection(load_suite(folder, "spec-zoned"), folder, true);
}

}  // namespace polypath::conform
