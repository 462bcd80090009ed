#include "conform/want.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "program/topology.h"
#include "spec/status.h"
#include "trace/text.h"

namespace polypath::conform {

using scenario::Node;

namespace {

constexpr std::uint16_t kStatusBits = 0x7FF;

[[noreturn]] void complain(const Node& node, const std::string& file, const std::string& what) {
  throw program::InputError(scenario::place_text(file, node.place), what);
}

std::uint64_t number(const Node& node, const std::string& file, std::string_view text) {
  std::uint64_t value = 0;
  const bool hex = text.starts_with("0x");
  const char* first = text.data() + (hex ? 2 : 0);
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(first, last, value, hex ? 16 : 10);
  if (error != std::errc{} || end != last || first == last) {
    complain(node, file, fmt::format("'{}' is no number; write 8 or 0x13", text));
  }
  return value;
}

std::uint64_t number(const Node& node, const std::string& file) {
  if (node.kind != Node::Kind::scalar) complain(node, file, "must be a number");
  return number(node, file, node.text);
}

/// `3`, `0x10..0x1f`.
Range range(const Node& node, const std::string& file) {
  if (node.kind != Node::Kind::scalar) complain(node, file, "must be a number or a range such as 1..8");
  const std::string_view text = node.text;
  const auto dots = text.find("..");
  if (dots == std::string_view::npos) {
    const auto value = number(node, file, text);
    return {value, value};
  }
  return {number(node, file, text.substr(0, dots)), number(node, file, text.substr(dots + 2))};
}

/// One of something stands for a list of one.
std::vector<Node> each(const Node& node) {
  return node.kind == Node::Kind::list ? node.items : std::vector<Node>{node};
}

std::vector<Range> ranges(const Node& node, const std::string& file) {
  std::vector<Range> out;
  for (const Node& item : each(node)) out.push_back(range(item, file));
  return out;
}

void read_answers(Want& want, const Node& node, const std::string& file) {
  for (const Node& item : each(node)) {
    if (item.kind != Node::Kind::scalar) complain(item, file, "must be a status, `waits`, `lost` or `any`");
    spec::Status status{};
    const auto slash = item.text.find('/');
    if (item.text == "any") {
      want.any = true;
    } else if (item.text == "waits") {
      want.waits = true;
    } else if (item.text == "lost") {
      want.lost = true;
    } else if (spec::status_from_name(item.text, status)) {
      want.statuses.push_back(static_cast<std::uint16_t>(status));
    } else if (slash != std::string::npos) {
      const auto type = number(item, file, "0x" + item.text.substr(0, slash));
      const auto code = number(item, file, "0x" + item.text.substr(slash + 1));
      want.statuses.push_back(static_cast<std::uint16_t>((type << 8U | code) & kStatusBits));
    } else {
      complain(item, file,
               fmt::format("'{}' is no status; write its name, SCT/SC such as 1/18, `waits`, `lost` or `any`",
                           item.text));
    }
  }
}

FieldWant read_field(const Node& node, const std::string& file) {
  if (node.kind != Node::Kind::map) complain(node, file, "must be a map such as {at: 80, bytes: 4, is: 1}");
  FieldWant field;
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const Node& value = node.items[i + 1];
    const std::string& key = node.items[i].text;
    if (key == "at") {
      field.at = number(value, file);
    } else if (key == "bytes") {
      field.bytes = number(value, file);
      if (field.bytes < 1 || field.bytes > 8) complain(value, file, "must be 1 to 8");
    } else if (key == "mask") {
      field.mask = number(value, file);
    } else if (key == "is") {
      field.is = ranges(value, file);
    } else if (key == "is_not") {
      field.is_not = ranges(value, file);
    } else if (key == "same") {
      field.same_step = value.text;
    } else if (key == "differs") {
      field.differs_step = value.text;
    } else if (key == "same_at") {
      field.same_at = number(value, file);
    } else {
      complain(
          node.items[i], file,
          fmt::format("unknown key '{}'; known: at, bytes, mask, is, is_not, same, differs, same_at", key));
    }
  }
  return field;
}

std::uint64_t field_of(const std::vector<std::byte>& data, std::size_t at, std::size_t bytes,
                       std::uint64_t mask) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes && at + i < data.size(); ++i)
    value |= std::to_integer<std::uint64_t>(data[at + i]) << 8 * i;
  return value & mask;
}

bool within(const std::vector<Range>& set, std::uint64_t value) {
  return std::any_of(set.begin(), set.end(),
                     [&](const Range& r) { return value >= r.low && value <= r.high; });
}

std::string text_of(const std::vector<Range>& set) {
  std::string out;
  for (const Range& r : set) {
    out += out.empty() ? "" : " or ";
    out += r.low == r.high ? fmt::format("{:#x}", r.low) : fmt::format("{:#x}..{:#x}", r.low, r.high);
  }
  return out;
}

std::string answers_of(const Want& want) {
  std::vector<std::string> words;
  for (const auto status : want.statuses) words.push_back(spec::status_name(spec::Status{status}));
  if (want.waits) words.emplace_back("no completion yet");
  if (want.lost) words.emplace_back("no completion ever");
  return fmt::format("{}", fmt::join(words, " or "));
}

/// Registers answer in two dwords, commands in a buffer.
std::vector<std::byte> data_of(const target::StepOutcome& outcome) {
  if (!outcome.data.empty()) return outcome.data;
  std::vector<std::byte> out;
  const std::uint64_t value = std::uint64_t{outcome.dw1} << 32U | outcome.dw0;
  for (unsigned i = 0; i < 8; ++i) out.push_back(static_cast<std::byte>(value >> 8U * i & 0xFFU));
  return out;
}

std::string field_problem(const FieldWant& field, const std::vector<std::byte>& data, const Named& named) {
  const std::uint64_t seen = field_of(data, field.at, field.bytes, field.mask);
  const std::string where = fmt::format("bytes {} to {}", field.at, field.at + field.bytes - 1);
  if (!field.is.empty() && !within(field.is, seen)) {
    return fmt::format("{} are {:#x}, expected {}", where, seen, text_of(field.is));
  }
  if (within(field.is_not, seen)) return fmt::format("{} are {:#x}, which they must not be", where, seen);
  const bool equal = !field.same_step.empty();
  const std::string& name = equal ? field.same_step : field.differs_step;
  if (name.empty()) return "";
  const auto at = named.find(name);
  if (at == named.end()) return fmt::format("no step before this one is named '{}'", name);
  const std::uint64_t other = field_of(data_of(*at->second), field.same_at, field.bytes, field.mask);
  return (other == seen) == equal
             ? ""
             : fmt::format("{} are {:#x}, but {:#x} in '{}'", where, seen, other, at->first);
}

std::string list_problem(const Want& want, const std::vector<std::byte>& data) {
  const std::size_t width = want.controller_list ? 2 : 4;
  std::vector<std::uint64_t> wanted;
  if (want.controller_list) {
    wanted.push_back(want.cntlids.size());
    wanted.insert(wanted.end(), want.cntlids.begin(), want.cntlids.end());
  } else {
    wanted.insert(wanted.end(), want.nsids.begin(), want.nsids.end());
  }
  for (std::size_t i = 0; i * width < data.size(); ++i) {
    const std::uint64_t seen = field_of(data, i * width, width, ~std::uint64_t{0});
    const std::uint64_t expected = i < wanted.size() ? wanted[i] : 0;
    if (seen != expected) return fmt::format("entry {} of the list is {}, expected {}", i, seen, expected);
  }
  return wanted.size() * width > data.size() ? "the list is too short" : "";
}

std::string comparison(const std::string& name, bool equal, const std::vector<std::byte>& data,
                       const Named& named) {
  const auto at = named.find(name);
  if (at == named.end()) return fmt::format("no step before this one is named '{}'", name);
  if ((at->second->data == data) == equal) return "";
  return fmt::format("the data {} those of '{}'", equal ? "differ from" : "are", name);
}

}  // namespace

Want read_want(const Node& node, const std::string& file) {
  Want want;
  if (node.kind != Node::Kind::map) {
    read_answers(want, node, file);
    return want;
  }
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const std::string& key = node.items[i].text;
    const Node& value = node.items[i + 1];
    if (key == "status") {
      read_answers(want, value, file);
    } else if (key == "result") {
      want.results = ranges(value, file);
    } else if (key == "fields") {
      for (const Node& item : each(value)) want.fields.push_back(read_field(item, file));
    } else if (key == "list") {
      want.list = true;
      for (const Node& item : value.items)
        want.nsids.push_back(static_cast<std::uint32_t>(number(item, file)));
    } else if (key == "controllers") {
      want.controller_list = true;
      for (const Node& item : value.items)
        want.cntlids.push_back(static_cast<std::uint16_t>(number(item, file)));
    } else if (key == "zeros") {
      want.zeros = true;
    } else if (key == "same") {
      want.same = value.text;
    } else if (key == "differs") {
      want.differs = value.text;
    } else {
      complain(node.items[i], file,
               fmt::format("unknown key '{}'; known: status, result, fields, list, controllers, zeros, same, "
                           "differs",
                           key));
    }
  }
  if (want.statuses.empty() && !want.any && !want.waits && !want.lost) want.statuses.push_back(0);
  return want;
}

std::string disappointment(const Want& want, const target::StepOutcome& outcome, const Named& named) {
  if (want.any) return "";
  if (outcome.lost) {
    return want.lost ? "" : fmt::format("expected {}, but no completion came", answers_of(want));
  }
  if (!outcome.started) return "the step did not begin";
  if (!outcome.done) {
    return want.waits ? "" : fmt::format("expected {}, but it still waits", answers_of(want));
  }
  const auto status = static_cast<std::uint16_t>(outcome.status & kStatusBits);
  if (std::find(want.statuses.begin(), want.statuses.end(), status) == want.statuses.end()) {
    return fmt::format("expected {}, got {}", answers_of(want), trace::status_text(outcome.status));
  }
  if (status != 0) return "";
  if (!want.results.empty() && !within(want.results, outcome.dw0)) {
    return fmt::format("dword 0 is {:#x}, expected {}", outcome.dw0, text_of(want.results));
  }
  const std::vector<std::byte> data = data_of(outcome);
  for (const FieldWant& field : want.fields) {
    std::string problem = field_problem(field, data, named);
    if (!problem.empty()) return problem;
  }
  if (want.list || want.controller_list) {
    std::string problem = list_problem(want, data);
    if (!problem.empty()) return problem;
  }
  if (want.zeros && std::any_of(data.begin(), data.end(), [](std::byte b) { return b != std::byte{0}; })) {
    return "the data are not all zeros";
  }
  if (!want.same.empty()) {
    std::string problem = comparison(want.same, true, data, named);
    if (!problem.empty()) return problem;
  }
  return want.differs.empty() ? "" : comparison(want.differs, false, data, named);
}

}  // namespace polypath::conform
