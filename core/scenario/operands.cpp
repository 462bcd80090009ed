#include "scenario/operands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "program/errno_names.h"
#include "program/sgl_words.h"
#include "program/wording.h"
#include "spec/status.h"

namespace polypath::scenario {
namespace {

using program::Field;
using program::FieldRow;
using program::FieldType;
using program::Form;
using program::in_quotes;
using program::Value;

constexpr std::array<std::string_view, 2> kPolicies{"numa", "round-robin"};

std::string shown(const Node& node) {
  return node.kind == Node::Kind::scalar ? in_quotes(node.text) : std::string(kind_name(node));
}

// The text of a scalar; anything else is an error that says what should stand there.
const std::string& scalar(const Source& source, const Node& node, const std::string& key,
                          const std::string& what) {
  if (node.kind != Node::Kind::scalar) {
    source.fail(node.place, fmt::format("{} is {}; write {}", key, kind_name(node), what));
  }
  return node.text;
}

bool parse_number(const std::string& text, std::uint64_t& out) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + (hex ? 2 : 0), end, out, hex ? 16 : 10);
  return read.ec == std::errc{} && read.ptr == end;
}

Value literal(std::uint64_t number) { return {Form::literal, number, {}, {}}; }

// {live: k}; false when the node is no such map.
bool read_live(const Source& source, const Node& node, const FieldRow& row, Value& out) {
  if (node.kind != Node::Kind::map || node.find("live") == nullptr) return false;
  if (node.items.size() != 2) source.fail(node.place, "{live: k} stands alone; remove the other keys");
  out = {Form::live, read_number(source, *node.find("live"), "live", 0, row.most), {}, {}};
  return true;
}

Value read_reference(Source& source, const Node& node, const FieldRow& row) {
  const std::string key(row.name);
  const std::string what =
      row.type == FieldType::ns ? "a namespace's id, an NSID or {live: k}" : "a controller's id or {live: k}";
  Value value;
  if (read_live(source, node, row, value)) return value;
  if (const Node* name = free_name(source, node, key)) {
    return {Form::name, 0, read_name(source, *name, key), {}};
  }
  const std::string& text = scalar(source, node, key, what);
  std::uint64_t number = 0;
  if (parse_number(text, number)) return literal(read_number(source, node, key, 0, row.most));
  value = {Form::name, 0, read_name(source, node, key), {}};
  source.references.push_back({row.type, node.place, value.text});
  return value;
}

Value read_list(Source& source, const Node& node, const FieldRow& element_row, std::size_t most) {
  Value value;
  if (node.kind == Node::Kind::null) return value;
  if (node.kind != Node::Kind::list) {
    value.list.push_back(read_reference(source, node, element_row));
    return value;
  }
  if (node.items.size() > most) {
    source.fail(node.place, fmt::format("{} elements; {} are the limit", node.items.size(), most));
  }
  for (const Node& item : node.items) value.list.push_back(read_reference(source, item, element_row));
  return value;
}

Value read_list_map(Source& source, const Node& node, const FieldRow& row) {
  const bool by_controller = row.field == Field::list;
  const std::string_view shape = by_controller ? "{nvme0: [ns1]}" : "{ns1: [nvme0]}";
  if (node.kind != Node::Kind::map || node.items.empty()) {
    source.fail(node.place, fmt::format("{} is {}; write a map such as {}", row.name,
                                        node.kind == Node::Kind::map ? "empty" : kind_name(node), shape));
  }
  const FieldRow& controller = *program::find_field(Field::controller);
  const FieldRow& ns = *program::find_field(Field::ns);
  const FieldRow& key_row = by_controller ? controller : ns;
  Value value;
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const Node& key = node.items[i];
    Value entry = read_list(source, node.items[i + 1], by_controller ? ns : controller, 4096);
    entry.form = Form::name;
    entry.text = read_name(source, key, fmt::format("a key of {}", row.name));
    source.references.push_back({key_row.type, key.place, entry.text});
    value.list.push_back(std::move(entry));
  }
  return value;
}

Value read_opcode(Source& source, const Node& node, spec::CommandSet set) {
  const std::string& text = scalar(source, node, "opcode", "a command's name or its opcode");
  std::uint64_t number = 0;
  if (parse_number(text, number)) return literal(read_number(source, node, "opcode", 0, 255));
  std::vector<std::string_view> names;
  for (const spec::CommandRow& row : spec::commands()) {
    if (row.set != set) continue;
    names.push_back(row.name);
    if (row.name == text) return literal(row.opcode);
  }
  const spec::CommandRow* elsewhere = spec::find_command(text);
  if (elsewhere != nullptr) {
    source.fail(
        node.place,
        fmt::format("{} is {} command; use a step that takes it, or its opcode {:#04x}", in_quotes(text),
                    set == spec::CommandSet::admin ? "an NVM" : "an admin", elsewhere->opcode));
  }
  source.fail(node.place, fmt::format("unknown command {}{}", in_quotes(text), program::remedy(text, names)));
}

Value read_status(const Source& source, const Node& node) {
  const std::string& text =
      scalar(source, node, "status", "success, a status name, SCT/SC or Linux's 0x4002");
  std::uint64_t number = 0;
  if (text == "0") return literal(0);
  if (text.starts_with("0x") && parse_number(text, number) && number <= 0x7FFF) {
    return literal(number & (spec::kStatusDnr | 0x7FFU));
  }
  spec::Status status{};
  if (spec::status_from_name(text, status)) return literal(static_cast<std::uint64_t>(status));
  std::vector<std::string> all;
  for (unsigned code = 0; code < 0x400; ++code) {
    std::string name = spec::status_name(static_cast<spec::Status>(code));
    if (name.find('/') == std::string::npos) all.push_back(std::move(name));
  }
  const std::string_view near = program::near_miss(text, {all.begin(), all.end()});
  source.fail(
      node.place,
      fmt::format("unknown status {}; {}write a name of the standard such as invalid_field, SCT/SC in "
                  "hexadecimal (1/18), or Linux's form (0x4002)",
                  in_quotes(text), near.empty() ? "" : fmt::format("did you mean {}? ", in_quotes(near))));
}

Value read_bytes(const Source& source, const Node& node, const FieldRow& row) {
  const std::string& text =
      scalar(source, node, std::string(row.name), "hexadecimal digits, two for each byte");
  Value value;
  unsigned half = 0;
  bool open = false;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    unsigned digit = 0;
    const auto read = std::from_chars(&c, &c + 1, digit, 16);
    if (read.ec != std::errc{}) {
      source.fail(node.place, fmt::format("{} holds {}; write hexadecimal digits, two for each byte",
                                          row.name, in_quotes(std::string_view(&c, 1))));
    }
    if (open) value.text += static_cast<char>(half << 4U | digit);
    half = digit;
    open = !open;
  }
  if (open)
    source.fail(node.place, fmt::format("{} has an odd number of digits; write two for each byte", row.name));
  if (value.text.size() > row.most) {
    source.fail(node.place,
                fmt::format("{} has {} bytes; {} are the limit", row.name, value.text.size(), row.most));
  }
  return value;
}

Value read_size(const Source& source, const Node& node, const FieldRow& row) {
  const std::string& text = scalar(source, node, std::string(row.name), "a size such as 128MiB");
  const auto bytes = program::parse_size(text);
  if (!bytes) {
    source.fail(node.place,
                fmt::format("{} {} is no size below 2^64; write 128MiB or bytes", row.name, in_quotes(text)));
  }
  if (row.field == Field::block_size && !std::has_single_bit(*bytes)) {
    source.fail(node.place,
                fmt::format("block_size {} is no power of two; write one, such as 4096", in_quotes(text)));
  }
  if (*bytes < row.least || *bytes > row.most) {
    source.fail(node.place, fmt::format("{} {} is out of bounds; write {} to {}", row.name, in_quotes(text),
                                        program::format_size(row.least), program::format_size(row.most)));
  }
  return literal(*bytes);
}

}  // namespace

std::string read_text(const Source& source, const Node& node, const std::string& key, std::size_t longest,
                      bool lines) {
  std::string text = scalar(source, node, key, "a text");
  while (lines && !text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (text.size() > longest) {
    source.fail(node.place, fmt::format("{} has {} bytes; {} are the limit", key, text.size(), longest));
  }
  if (!program::is_clean_text(text, longest, lines)) {
    source.fail(node.place, fmt::format("{} {} has control characters, or blanks at its ends; remove them",
                                        key, in_quotes(text)));
  }
  return text;
}

std::string read_name(const Source& source, const Node& node, const std::string& key) {
  const std::string& text = scalar(source, node, key, "a name");
  if (!program::is_name(text)) {
    source.fail(node.place,
                fmt::format("{} {} is no name; a name is a letter, then letters, digits, '_', '-' or '.', {} "
                            "at most",
                            key, in_quotes(text), program::kLongestName));
  }
  return text;
}

std::uint64_t read_number(const Source& source, const Node& node, const std::string& key, std::uint64_t least,
                          std::uint64_t most) {
  const std::string& text = scalar(source, node, key, "a number");
  std::uint64_t number = 0;
  if (!parse_number(text, number)) {
    source.fail(node.place, fmt::format("{} {} is no number from {} to {}; write it in decimal or as 0x...",
                                        key, in_quotes(text), least, most));
  }
  if (number < least || number > most) {
    source.fail(node.place,
                fmt::format("{} {} is out of bounds; write {} to {}", key, in_quotes(text), least, most));
  }
  return number;
}

bool read_flag(const Source& source, const Node& node, const std::string& key) {
  const std::string& text = scalar(source, node, key, "true or false");
  if (text == "true" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "no" || text == "off") return false;
  source.fail(node.place,
              fmt::format("{} {} is neither true nor false; write one of them", key, in_quotes(text)));
}

engine::Time read_duration(const Source& source, const Node& node, const std::string& key,
                           engine::Time least) {
  const std::string& text = scalar(source, node, key, "a duration such as 5ms");
  const auto duration = program::parse_duration(text);
  if (!duration) {
    source.fail(node.place, fmt::format("{} {} is no duration; write 250ns, 10us, 5ms, 1.5s, 2min or 1h", key,
                                        in_quotes(text)));
  }
  if (*duration > program::kLongestDuration || *duration < least) {
    source.fail(node.place, fmt::format("{} {} is out of bounds; write {} to {}", key, in_quotes(text),
                                        program::format_duration(least),
                                        program::format_duration(program::kLongestDuration)));
  }
  return *duration;
}

const Node* free_name(const Source& source, const Node& node, const std::string& key) {
  if (node.kind != Node::Kind::map) return nullptr;
  const Node* name = node.find("name");
  if (name == nullptr || node.items.size() != 2) {
    source.fail(node.place,
                fmt::format("{} is a map; write a name, {{live: k}}, or {{name: x}} for a name that need not "
                            "resolve",
                            key));
  }
  return name;
}

Value read_value(Source& source, const Node& node, const FieldRow& row, spec::CommandSet set) {
  const std::string key(row.name);
  if (node.kind == Node::Kind::null && row.type != FieldType::controllers) {
    source.fail(node.place, fmt::format("{} has no value; give one, or put quotation marks around it", key));
  }
  switch (row.type) {
    case FieldType::number:
      return literal(read_number(source, node, key, row.least, row.most));
    case FieldType::flag:
      return literal(read_flag(source, node, key) ? 1 : 0);
    case FieldType::duration:
      return literal(read_duration(source, node, key, row.least));
    case FieldType::size:
      return read_size(source, node, row);
    case FieldType::opcode:
      return read_opcode(source, node, set);
    case FieldType::status:
      return read_status(source, node);
    case FieldType::error: {
      const std::string& text = scalar(source, node, key, "an errno such as EIO, or none");
      const auto number = program::errno_from_name(text);
      if (!number) {
        source.fail(node.place, fmt::format("unknown errno {}{}", in_quotes(text),
                                            program::remedy(text, program::errno_names())));
      }
      return literal(*number);
    }
    case FieldType::queue: {
      Value value;
      if (read_live(source, node, row, value)) return value;
      return literal(read_number(source, node, key, row.least, row.most));
    }
    case FieldType::host: {
      if (const Node* name = free_name(source, node, key))
        return {Form::name, 0, read_name(source, *name, key), {}};
      Value value{Form::name, 0, read_name(source, node, key), {}};
      source.references.push_back({row.type, node.place, value.text});
      return value;
    }
    case FieldType::ns:
    case FieldType::controller:
      return read_reference(source, node, row);
    case FieldType::controllers:
      return read_list(source, node, *program::find_field(Field::controller), row.most);
    case FieldType::list_map:
      return read_list_map(source, node, row);
    case FieldType::text: {
      Value value;
      value.text = read_text(source, node, key, row.most);
      if (value.text.size() < row.least)
        source.fail(node.place, fmt::format("{} is empty; write a text", key));
      if (row.field == Field::sgl && !program::parse_sgl(value.text)) {
        source.fail(node.place,
                    fmt::format("sgl {} is no list; write descriptors such as block 512, bucket 512, "
                                "segment, raw 0x30 0x1000 16",
                                in_quotes(value.text)));
      }
      return value;
    }
    case FieldType::policy: {
      Value value;
      value.text = scalar(source, node, key, "numa or round-robin");
      if (std::find(kPolicies.begin(), kPolicies.end(), value.text) == kPolicies.end()) {
        source.fail(node.place,
                    fmt::format("unknown policy {}{}", shown(node),
                                program::remedy(value.text, {kPolicies.begin(), kPolicies.end()})));
      }
      return value;
    }
    case FieldType::bytes:
      return read_bytes(source, node, row);
  }
  return {};
}

}  // namespace polypath::scenario
