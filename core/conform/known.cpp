#include "conform/known.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "program/topology.h"
#include "scenario/yaml_tree.h"

namespace polypath::conform {

using scenario::Node;

namespace {

std::string text(const Node& map, std::string_view key, const std::string& file) {
  const Node* node = map.find(key);
  if (node == nullptr || node->kind != Node::Kind::scalar) {
    throw program::InputError(scenario::place_text(file, map.place),
                              fmt::format("has no `{}:`; add it", key));
  }
  return node->text;
}

Argument argument(const Node& node, const std::string& file) {
  Argument out{text(node, "verdict", file), "", text(node, "argument", file)};
  if (const Node* rule = node.find("rule")) out.rule = rule->text;
  return out;
}

}  // namespace

Known load_known(const std::string& file, const std::string& target, const std::string& version) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw program::InputError(file, "cannot be read; name a file of known deviations");
  const std::string content{std::istreambuf_iterator<char>(in), {}};
  const Node root = scenario::read_yaml(content, file);
  Known known;
  known.file = file;
  const std::string wanted = text(root, "version", file);
  const bool same = version == wanted || version.starts_with(wanted + ".");
  if (text(root, "target", file) != target || !same) return known;
  if (const Node* cases = root.find("cases")) {
    for (const Node& node : cases->items) known.cases[text(node, "id", file)] = argument(node, file);
  }
  if (const Node* everywhere = root.find("everywhere")) {
    for (const Node& node : everywhere->items)
      known.everywhere[text(node, "rule", file)] = argument(node, file);
  }
  return known;
}

void apply(Known& known, Verdict& verdict) {
  for (auto& [rule, argument] : known.everywhere) {
    const auto broken = std::find(verdict.rules.begin(), verdict.rules.end(), rule);
    if (broken == verdict.rules.end()) continue;
    argument.used = true;
    verdict.rules.erase(broken);
    std::erase_if(verdict.problems, [&](const std::string& p) { return p.starts_with(rule + ":"); });
  }
  if (verdict.result == Result::failed && verdict.problems.empty()) verdict.result = Result::passed;
  const auto at = known.cases.find(verdict.id);
  if (at == known.cases.end() || verdict.result != Result::failed) return;
  at->second.used = true;
  verdict.result = Result::known;
  verdict.reason = fmt::format("{}: {}", at->second.verdict, at->second.argument);
}

std::vector<std::string> idle(const Known& known, const std::vector<Verdict>& verdicts) {
  std::vector<std::string> out;
  for (const auto& [id, argument] : known.cases) {
    const bool asked = std::any_of(verdicts.begin(), verdicts.end(), [&, &key = id](const Verdict& v) {
      return v.id == key && v.result == Result::passed;
    });
    if (!argument.used && asked) {
      out.push_back(fmt::format("{}: {} fails no more; take it out of the list", known.file, id));
    }
  }
  return out;
}

}  // namespace polypath::conform
