// Program to text, in one canonical way: reading it back gives the same program.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "program/errno_names.h"
#include "scenario/keys.h"
#include "scenario/scenario.h"
#include "spec/commands.h"
#include "spec/status.h"

namespace polypath::scenario {
namespace {

using program::Field;
using program::FieldRow;
using program::FieldType;
using program::Form;
using program::Program;
using program::Step;
using program::StepKind;
using program::StepRow;
using program::Value;

// Words that YAML's readers take for something else than text.
bool is_yaml_word(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords{"null", "true", "false", "yes", "no",
                                                   "on",   "off",  "y",     "n"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

// A letter first, then nothing that has a meaning anywhere in YAML.
bool is_plain(std::string_view text) {
  constexpr std::string_view kInner = "_-./=+ ";
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && letter(text[0]) && text.back() != ' ' && !is_yaml_word(text) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return letter(c) || (c >= '0' && c <= '9') || kInner.find(c) != std::string_view::npos;
         });
}

// Characters that YAML, or an editor, does not leave alone; all of them have two or three bytes in UTF-8.
std::string escaped_character(std::string_view character) {
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned>(static_cast<unsigned char>(character[i]));
  };
  unsigned code = 0;
  if (character.size() == 2) code = (byte(0) & 0x1FU) << 6U | (byte(1) & 0x3FU);
  if (character.size() == 3) code = (byte(0) & 0xFU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
  const bool special =
      code == 0xA0 || code == 0x85 || (code >= 0x2000 && code <= 0x206F) || code == 0xFEFF || code >= 0xFFF0;
  return character.size() < 4 && special ? fmt::format("\\u{:04X}", code) : std::string(character);
}

std::string double_quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t bytes = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (bytes == 1) {
      if (text[i] == '"' || text[i] == '\\') out += '\\';
      if (text[i] == '\n') {
        out += "\\n";
      } else {
        out += text[i];
      }
    } else {
      out += escaped_character(text.substr(i, bytes));
    }
    i += bytes;
  }
  return out + "\"";
}

std::string scalar(std::string_view text) { return is_plain(text) ? std::string(text) : double_quoted(text); }

// A device word: commas and colons are plain in a list of its own lines as long as no blank follows or
// precedes.
std::string word_scalar(std::string_view text) {
  constexpr std::string_view kInner = "_-./=+,:";
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const bool plain =
      !text.empty() && text.back() != ':' && std::all_of(text.begin(), text.end(), [&](char c) {
        return letter(c) || (c >= '0' && c <= '9') || kInner.find(c) != std::string_view::npos;
      });
  return plain ? std::string(text) : double_quoted(text);
}

// A block of lines is easier to read and review than one long line with \n in it.
std::string lines(std::string_view text) {
  const bool simple =
      text.find('\n') != std::string_view::npos &&
      std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= 0x20 && c <= 0x7E); });
  const bool awkward = text.find("\n ") != std::string_view::npos ||
                       text.find(" \n") != std::string_view::npos ||
                       text.find("\n\n\n") != std::string_view::npos;
  if (!simple || awkward) return double_quoted(text);
  std::string out = "|-\n  ";
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '\n' && text[i + 1] != '\n') out += "  ";
  }
  return out;
}

struct Names {
  std::set<std::string_view> controllers, namespaces, hosts, labels;
};

Names names_of(const Program& p) {
  Names names;
  for (const auto& c : p.topology.controllers) names.controllers.insert(c.id);
  for (const auto& n : p.topology.namespaces) names.namespaces.insert(n.id);
  for (const auto& h : p.hosts) names.hosts.insert(h.id);
  for (const Step& step : p.steps) {
    if (!step.as.empty()) names.namespaces.insert(step.as);
    if (!step.label.empty()) names.labels.insert(step.label);
  }
  return names;
}

std::string reference(const Value& value, const std::set<std::string_view>& known) {
  switch (value.form) {
    case Form::live:
      return fmt::format("{{live: {}}}", value.number);
    case Form::literal:
      return fmt::format("{}", value.number);
    case Form::name:
      break;
  }
  const std::string text = scalar(value.text);
  return known.contains(value.text) ? text : fmt::format("{{name: {}}}", text);
}

template <class Element>
std::string joined(const std::vector<Value>& list, Element&& element) {
  std::string out = "[";
  for (const Value& value : list) {
    if (out.size() > 1) out += ", ";
    out += element(value);
  }
  return out + "]";
}

bool is_hex_field(Field field) {
  switch (field) {
    case Field::cdw2:
    case Field::cdw3:
    case Field::cdw10:
    case Field::cdw11:
    case Field::cdw12:
    case Field::cdw13:
    case Field::cdw14:
    case Field::cdw15:
    case Field::offset:
    case Field::value:
    case Field::prp1:
    case Field::prp2:
    case Field::flags:
      return true;
    default:
      return false;
  }
}

std::string value_text(const Value& value, const FieldRow& row, const Names& names, spec::CommandSet set) {
  switch (row.type) {
    case FieldType::number:
      return is_hex_field(row.field) && value.number > 9 ? fmt::format("{:#x}", value.number)
                                                         : fmt::format("{}", value.number);
    case FieldType::flag:
      return value.number != 0 ? "true" : "false";
    case FieldType::duration:
      return program::format_duration(value.number);
    case FieldType::size:
      return program::format_size(value.number);
    case FieldType::opcode: {
      const auto* command = spec::find_command(set, static_cast<std::uint8_t>(value.number));
      return command == nullptr ? fmt::format("{:#04x}", value.number) : std::string(command->name);
    }
    case FieldType::status:
      return (value.number & spec::kStatusDnr) != 0
                 ? fmt::format("{:#06x}", value.number)
                 : spec::status_name(static_cast<spec::Status>(value.number));
    case FieldType::error:
      return program::errno_name(value.number);
    case FieldType::queue:
      return reference(value, {});
    case FieldType::host:
      return reference(value, names.hosts);
    case FieldType::ns:
      return reference(value, names.namespaces);
    case FieldType::controller:
      return reference(value, names.controllers);
    case FieldType::controllers:
      return joined(value.list, [&](const Value& v) { return reference(v, names.controllers); });
    case FieldType::text:
      return scalar(value.text);
    case FieldType::policy:
      return value.text;
    case FieldType::bytes: {
      std::string out = "\"";
      for (const char c : value.text) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
      return out + "\"";
    }
    case FieldType::list_map: {
      const bool by_controller = row.field == Field::list;
      std::string out = "{";
      for (const Value& entry : value.list) {
        if (out.size() > 1) out += ", ";
        out += scalar(entry.text) + ": " + joined(entry.list, [&](const Value& v) {
                 return reference(v, by_controller ? names.namespaces : names.controllers);
               });
      }
      return out + "}";
    }
  }
  return {};
}

spec::CommandSet set_of(const Step& step) {
  if (step.kind == StepKind::admin) return spec::CommandSet::admin;
  const Value* queue = step.find(Field::queue);
  const bool admin_queue = queue != nullptr && queue->form == Form::literal && queue->number == 0;
  return step.kind == StepKind::submit && admin_queue ? spec::CommandSet::admin : spec::CommandSet::nvm;
}

std::string step_text(const Step& step, const Names& names, bool with_id) {
  const StepRow& row = *program::find_step(step.kind);
  std::vector<std::string> pairs, expected;
  for (const program::Operand& operand : step.operands) {
    const FieldRow& field = *program::find_field(operand.field);
    std::string pair =
        fmt::format("{}: {}", field.name, value_text(operand.value, field, names, set_of(step)));
    (program::is_expectation(operand.field) ? expected : pairs).push_back(std::move(pair));
  }
  const std::size_t operands = pairs.size();
  if (!expected.empty()) pairs.push_back(fmt::format("expect: {{{}}}", fmt::join(expected, ", ")));
  if (!step.as.empty()) pairs.push_back("as: " + scalar(step.as));
  if (!step.label.empty()) pairs.push_back("label: " + scalar(step.label));
  if (!step.after.empty()) {
    pairs.push_back("after: " + reference({Form::name, 0, step.after, {}}, names.labels));
  }
  if (step.at != engine::kForever) pairs.push_back("at: " + program::format_duration(step.at));
  if (!step.actor.empty()) pairs.push_back("actor: " + scalar(step.actor));
  if (step.nowait != program::runs_beside(step.kind)) pairs.push_back(fmt::format("nowait: {}", step.nowait));
  if (step.latitude != 0) pairs.push_back(fmt::format("latitude: {}", step.latitude));
  if (with_id) pairs.push_back(fmt::format("id: {}", step.id));
  const FieldRow* only = shorthand(row);
  if (operands == 1 && pairs.size() == 1 && only != nullptr && only->field == step.operands[0].field) {
    return fmt::format("- {}: {}\n", row.name,
                       value_text(step.operands[0].value, *only, names, set_of(step)));
  }
  return fmt::format("- {}: {{{}}}\n", row.name, fmt::join(pairs, ", "));
}

std::string host_text(const program::HostSpec& host) {
  const program::HostSpec usual;
  std::string out = "- {id: " + scalar(host.id);
  if (host.policy != usual.policy) out += ", policy: " + host.policy;
  std::vector<std::string> paths;
  for (const std::string& path : host.paths) paths.push_back(scalar(path));
  out += fmt::format(", paths: [{}]", fmt::join(paths, ", "));
  if (host.queues != usual.queues) out += fmt::format(", queues: {}", host.queues);
  if (host.queue_depth != usual.queue_depth) out += fmt::format(", queue_depth: {}", host.queue_depth);
  if (host.io_timeout != usual.io_timeout)
    out += ", io_timeout: " + program::format_duration(host.io_timeout);
  if (host.later) out += ", later: true";
  return out + "}\n";
}

}  // namespace

std::string scenario_text(const Program& given) {
  const Program p = program::canonical(given);
  std::string out;
  if (!p.name.empty()) out += "name: " + scalar(p.name) + "\n";
  if (!p.description.empty()) out += "description: " + lines(p.description) + "\n";
  if (p.profile != "spec") out += "profile: " + scalar(p.profile) + "\n";
  if (p.seed != 0) out += fmt::format("seed: {}\n", p.seed);
  out += "topology:\n";
  for (const std::string& word : p.topology.words) out += "  - " + word_scalar(word) + "\n";
  if (!p.hosts.empty()) out += "hosts:\n";
  for (const auto& host : p.hosts) out += "  " + host_text(host);
  if (!p.faults.empty()) out += "faults:\n";
  for (const std::string& fault : p.faults) out += "  - " + scalar(fault) + "\n";
  if (!p.steps.empty()) out += "steps:\n";
  const Names names = names_of(p);
  // Steps are numbered from 1 unless some were removed or moved.
  bool with_ids = false;
  for (std::size_t i = 0; i < p.steps.size(); ++i) with_ids = with_ids || p.steps[i].id != i + 1;
  for (const Step& step : p.steps) out += "  " + step_text(step, names, with_ids);
  if (!p.overrides.empty()) out += "overrides:\n";
  for (const auto& one : p.overrides) {
    out += fmt::format("  - {{cause: {}, site: {}, nth: {}, value: {}}}\n", one.cause, one.site, one.nth,
                       one.value);
  }
  return out;
}

}  // namespace polypath::scenario
