#include "trace/ftrace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <tuple>

#include "trace/inflate.h"

namespace polypath::trace {
namespace {

using engine::Time;

constexpr std::size_t kLineBytesMax = std::size_t{64} << 10U;
constexpr std::size_t kUnmatchedKept = 20;
constexpr std::size_t kControllersMax = 4096;
constexpr std::uint32_t kInstanceMax = 0xFFFF;
constexpr std::uint8_t kFabricsOpcode = 0x7F;
constexpr std::string_view kFabricsPrefix = "nvme_fabrics_type_";

// --- what Linux calls things (drivers/nvme/host/trace.c)
// ---------------------------------------------------------

struct OpcodeName {
  std::string_view name;
  std::uint8_t opcode;
};
constexpr std::array<OpcodeName, 25> kAdminNames{{
    {"nvme_admin_delete_sq", 0x00},      {"nvme_admin_create_sq", 0x01},
    {"nvme_admin_get_log_page", 0x02},   {"nvme_admin_delete_cq", 0x04},
    {"nvme_admin_create_cq", 0x05},      {"nvme_admin_identify", 0x06},
    {"nvme_admin_abort_cmd", 0x08},      {"nvme_admin_set_features", 0x09},
    {"nvme_admin_get_features", 0x0A},   {"nvme_admin_async_event", 0x0C},
    {"nvme_admin_ns_mgmt", 0x0D},        {"nvme_admin_activate_fw", 0x10},
    {"nvme_admin_download_fw", 0x11},    {"nvme_admin_dev_self_test", 0x14},
    {"nvme_admin_ns_attach", 0x15},      {"nvme_admin_keep_alive", 0x18},
    {"nvme_admin_directive_send", 0x19}, {"nvme_admin_directive_recv", 0x1A},
    {"nvme_admin_dbbuf", 0x7C},          {"nvme_admin_format_nvm", 0x80},
    {"nvme_admin_security_send", 0x81},  {"nvme_admin_security_recv", 0x82},
    {"nvme_admin_sanitize_nvm", 0x84},   {"nvme_admin_get_lba_status", 0x86},
    {"nvme_admin_virtual_mgmt", 0x1C},
}};
constexpr std::array<OpcodeName, 18> kIoNames{{
    {"nvme_cmd_flush", 0x00},
    {"nvme_cmd_write", 0x01},
    {"nvme_cmd_read", 0x02},
    {"nvme_cmd_write_uncor", 0x04},
    {"nvme_cmd_compare", 0x05},
    {"nvme_cmd_write_zeroes", 0x08},
    {"nvme_cmd_dsm", 0x09},
    {"nvme_cmd_verify", 0x0C},
    {"nvme_cmd_resv_register", 0x0D},
    {"nvme_cmd_resv_report", 0x0E},
    {"nvme_cmd_resv_acquire", 0x11},
    {"nvme_cmd_resv_release", 0x15},
    {"nvme_cmd_zone_mgmt_send", 0x79},
    {"nvme_cmd_zone_mgmt_recv", 0x7A},
    {"nvme_cmd_zone_append", 0x7D},
    {"nvme_cmd_copy", 0x19},
    {"nvme_cmd_io_mgmt_recv", 0x12},
    {"nvme_cmd_io_mgmt_send", 0x1D},
}};

/// Where a named value of the text lies in the entry. `wide`: it goes on in the next dword.
struct TextField {
  bool admin;
  std::uint8_t opcode;
  std::string_view key;
  std::uint8_t dword, lsb, bits;
  bool wide = false;
};
constexpr std::array<TextField, 34> kTextFields{{
    {true, 0x00, "sqid", 10, 0, 16},        {true, 0x01, "sqid", 10, 0, 16},
    {true, 0x01, "qsize", 10, 16, 16},      {true, 0x01, "sq_flags", 11, 0, 16},
    {true, 0x01, "cqid", 11, 16, 16},       {true, 0x04, "cqid", 10, 0, 16},
    {true, 0x05, "cqid", 10, 0, 16},        {true, 0x05, "qsize", 10, 16, 16},
    {true, 0x05, "cq_flags", 11, 0, 16},    {true, 0x05, "irq_vector", 11, 16, 16},
    {true, 0x06, "cns", 10, 0, 8},          {true, 0x06, "ctrlid", 10, 16, 16},
    {true, 0x09, "fid", 10, 0, 8},          {true, 0x09, "sv", 10, 31, 1},
    {true, 0x09, "cdw11", 11, 0, 32},       {true, 0x0A, "fid", 10, 0, 8},
    {true, 0x0A, "sel", 10, 8, 3},          {true, 0x0A, "cdw11", 11, 0, 32},
    {true, 0x86, "slba", 10, 0, 32, true},  {true, 0x86, "mndw", 12, 0, 32},
    {true, 0x86, "rl", 13, 0, 16},          {true, 0x86, "atype", 13, 24, 8},
    {false, 0x09, "nr", 10, 0, 32},         {false, 0x09, "attributes", 11, 0, 32},
    {false, 0x79, "slba", 10, 0, 32, true}, {false, 0x79, "zsa", 13, 0, 8},
    {false, 0x79, "all", 13, 8, 1},         {false, 0x7A, "slba", 10, 0, 32, true},
    {false, 0x7A, "numd", 12, 0, 32},       {false, 0x7A, "zra", 13, 0, 8},
    {false, 0x7A, "pr", 13, 16, 1},         {true, 0x80, "lbaf", 10, 0, 4},
    {true, 0x80, "ses", 10, 9, 3},          {true, 0x80, "pi", 10, 5, 3},
}};
// Reads, writes and everything that prints as they do, whatever the opcode.
constexpr std::array<TextField, 5> kRangeFields{{{false, 0, "slba", 10, 0, 32, true},
                                                 {false, 0, "len", 12, 0, 16},
                                                 {false, 0, "ctrl", 12, 16, 16},
                                                 {false, 0, "dsmgmt", 13, 0, 32},
                                                 {false, 0, "reftag", 14, 0, 32}}};

bool prints_a_range(bool admin, std::uint8_t opcode) {
  constexpr std::array<std::uint8_t, 7> kOpcodes{0x01, 0x02, 0x04, 0x05, 0x08, 0x0C, 0x7D};
  return !admin && std::find(kOpcodes.begin(), kOpcodes.end(), opcode) != kOpcodes.end();
}

// --- small pieces of text
// ----------------------------------------------------------------------------------------

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

/// What of the text may be shown in a message: short, and printable.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 40)) out += c >= ' ' && c <= '~' ? c : '?';
  return text.size() > 40 ? out + "..." : out;
}

/// Decimal, or hexadecimal after 0x; nothing else around it.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
  }
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value, base);
  if (result.ec != std::errc{} || result.ptr != end || text.empty()) return std::nullopt;
  return value;
}

/// Takes a run of digits from the front.
std::optional<std::uint64_t> take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const auto value = parse_number(text.substr(0, count));
  if (value) text.remove_prefix(count);
  return value;
}

/// Value of `key` in "a=1, b=2, c=3"; empty when it is not there.
std::optional<std::string_view> find_value(std::string_view pairs, std::string_view key) {
  while (!pairs.empty()) {
    const auto comma = pairs.find(',');
    const auto pair = trim(pairs.substr(0, comma));
    pairs = comma == std::string_view::npos ? std::string_view{} : pairs.substr(comma + 1);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == key) return pair.substr(equals + 1);
  }
  return std::nullopt;
}

/// Seconds and a fraction of 1 to 9 digits, in nanoseconds. Consumes it and the colon after it.
std::optional<Time> take_timestamp(std::string_view& text) {
  auto rest = text;
  const auto seconds = take_digits(rest);
  if (!seconds || rest.empty() || rest.front() != '.') return std::nullopt;
  rest.remove_prefix(1);
  const auto before = rest.size();
  const auto fraction = take_digits(rest);
  const auto digits = before - rest.size();
  if (!fraction || digits > 9 || rest.empty() || rest.front() != ':') return std::nullopt;
  if (*seconds > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;  // 136 years of uptime
  std::uint64_t scale = 1;
  for (auto i = digits; i < 9; ++i) scale *= 10;
  rest.remove_prefix(1);
  text = rest;
  return *seconds * engine::kSecond + *fraction * scale;
}

struct EventLine {
  Time time = 0;
  std::string_view event;  ///< "nvme_setup_cmd"
  std::string_view text;   ///< what follows it
};

/// "  task-12  [001] d.h1.  13.756625: event: text". The task may hold anything, so each bracket is tried.
std::optional<EventLine> split_event_line(std::string_view line) {
  for (auto at = line.find('['); at != std::string_view::npos; at = line.find('[', at + 1)) {
    auto rest = line.substr(at + 1);
    if (!take_digits(rest) || rest.empty() || rest.front() != ']') continue;
    rest = trim(rest.substr(1));
    EventLine out;
    auto time = take_timestamp(rest);
    if (!time) {  // the column of irq flags, which may be switched off
      const auto space = rest.find(' ');
      if (space == std::string_view::npos || space > 8) continue;
      rest = trim(rest.substr(space));
      time = take_timestamp(rest);
    }
    if (!time) continue;
    rest = trim(rest);
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos) continue;
    out.time = *time;
    out.event = rest.substr(0, colon);
    out.text = trim(rest.substr(colon + 1));
    return out;
  }
  return std::nullopt;
}

// --- the importer
// ------------------------------------------------------------------------------------------------

class Importer {
 public:
  explicit Importer(const std::string& name) { recording_.name = name; }

  void read(std::string_view text);
  Recording finish();

 private:
  using Key = std::tuple<std::uint32_t, std::uint16_t, std::uint16_t>;  // controller instance, queue, CID

  [[noreturn]] void fail(const std::string& what) const {
    throw ImportError(fmt::format("{}:{}", recording_.name, line_), what);
  }
  void unmatched(std::string reason) {
    ++recording_.unmatched_lines;
    if (recording_.unmatched.size() < kUnmatchedKept)
      recording_.unmatched.push_back({line_, std::move(reason)});
  }
  std::uint64_t number(std::string_view pairs, std::string_view key, std::uint64_t most) const;
  std::uint64_t number_or_zero(std::string_view pairs, std::string_view key, std::uint64_t most) const {
    return find_value(pairs, key) ? number(pairs, key, most) : 0;
  }

  void read_line(std::string_view line);
  void comment(std::string_view line);
  void event(const EventLine& line);
  std::uint32_t take_controller(std::string_view& text);
  std::uint16_t disk(std::string_view pairs, std::uint32_t instance, std::uint32_t nsid);
  void setup(const EventLine& line);
  void command_text(std::string_view text, RecordedCommand& command) const;
  void hex_dwords(std::string_view text, RecordedCommand& command) const;
  void completion(const EventLine& line);
  void async_event(const EventLine& line);

  Recording recording_;
  std::map<Key, std::size_t> open_;                   // to index in commands
  std::map<std::uint32_t, std::uint16_t> instances_;  // to provisional controller index
  std::map<std::string, std::uint16_t, std::less<>> disk_index_;
  std::uint32_t line_ = 0;
  bool any_time_ = false;
  bool any_nvme_ = false;
};

std::uint64_t Importer::number(std::string_view pairs, std::string_view key, std::uint64_t most) const {
  const auto text = find_value(pairs, key);
  if (!text)
    fail(fmt::format("'{}=' is missing; the line was cut or edited, export the recording again", key));
  const auto value = parse_number(*text);
  if (!value) fail(fmt::format("'{}={}' is no number; export the recording again", key, shown(*text)));
  if (*value > most) fail(fmt::format("{}={} is out of range (at most {})", key, shown(*text), most));
  return *value;
}

void Importer::read(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const bool cut = end == std::string_view::npos;
    const auto line = text.substr(0, end);
    text = cut ? std::string_view{} : text.substr(end + 1);
    if (line_ == std::numeric_limits<std::uint32_t>::max())
      fail("too many lines; cut the recording into shorter ones");
    ++line_;
    ++recording_.lines;
    if (line.size() > kLineBytesMax) {
      fail(
          fmt::format("the line is longer than {} KiB; this is no text of the tracer", kLineBytesMax >> 10U));
    }
    if (line.find('\0') != std::string_view::npos) {
      fail("binary data; give the tracer's text (/sys/kernel/tracing/trace), not its raw buffer");
    }
    if (!cut) {
      read_line(line);
      continue;
    }
    try {
      read_line(line);
    } catch (const ImportError&) {
      unmatched("the recording ends in the middle of this line");
    }
  }
}

void Importer::read_line(std::string_view line) {
  line = trim(line);
  if (line.empty()) return;
  if (line.front() == '#') return comment(line);
  const auto split = split_event_line(line);
  if (split) return event(*split);
  const auto lost = line.find("[LOST ");
  if (lost != std::string_view::npos) {
    auto rest = line.substr(lost + 6);
    recording_.lost_events += take_digits(rest).value_or(0);
    return;
  }
  if (line.find("nvme_setup_cmd:") != std::string_view::npos ||
      line.find("nvme_complete_rq:") != std::string_view::npos) {
    fail(
        "no 'TASK-PID [CPU] FLAGS SECONDS.MICROSECONDS:' before the event; record with trace_clock mono, "
        "local or "
        "global and export the text as it is");
  }
  unmatched("not a line of the tracer");
}

void Importer::comment(std::string_view line) {
  constexpr std::string_view kEntries = "entries-in-buffer/entries-written:";
  const auto at = line.find(kEntries);
  if (at == std::string_view::npos) return;
  auto rest = trim(line.substr(at + kEntries.size()));
  const auto kept = take_digits(rest);
  if (!kept || rest.empty() || rest.front() != '/') return;
  rest.remove_prefix(1);
  const auto written = take_digits(rest);
  if (written && *written > *kept) recording_.lost_events += *written - *kept;
}

void Importer::event(const EventLine& line) {
  if (any_time_ && line.time < recording_.last_time) {
    fail(
        "time goes backwards; the text was merged or edited, export the recording again with trace_clock "
        "mono");
  }
  if (!any_time_) recording_.first_time = line.time;
  any_time_ = true;
  recording_.last_time = line.time;

  if (line.event == "nvme_setup_cmd") return setup(line);
  if (line.event == "nvme_complete_rq") return completion(line);
  if (line.event == "nvme_async_event") return async_event(line);
  if (line.event == "nvme_sq") {
    ++recording_.queue_lines;
  } else if (line.event == "tracing_mark_write") {
    recording_.marks.push_back({line.time, std::string(line.text.substr(0, 4096))});
  } else if (line.event.starts_with("block_")) {
    ++recording_.block_lines;
  } else {
    ++recording_.other_lines;
  }
}

std::uint32_t Importer::take_controller(std::string_view& text) {
  auto rest = text;
  std::optional<std::uint64_t> instance;
  if (rest.starts_with("nvme")) {
    rest.remove_prefix(4);
    instance = take_digits(rest);
  }
  if (!instance || !rest.starts_with(":")) {
    fail(fmt::format("'{}' names no controller (nvme0:, nvme1: ...); export the recording again",
                     shown(text)));
  }
  if (*instance > kInstanceMax)
    fail(fmt::format("controller number {} is out of range (at most {})", *instance, kInstanceMax));
  text = trim(rest.substr(1));
  any_nvme_ = true;
  const auto number = static_cast<std::uint32_t>(*instance);
  if (instances_.try_emplace(number, static_cast<std::uint16_t>(recording_.controllers.size())).second) {
    if (recording_.controllers.size() == kControllersMax) {
      fail(fmt::format("more than {} controllers; this is no recording of one machine", kControllersMax));
    }
    recording_.controllers.push_back({fmt::format("nvme{}", number), number});
  }
  return number;
}

std::uint16_t Importer::disk(std::string_view pairs, std::uint32_t instance, std::uint32_t nsid) {
  const auto name = find_value(pairs, "disk");
  if (!name) return kNoDisk;
  const auto known = disk_index_.find(*name);
  if (known != disk_index_.end()) {
    if (recording_.controllers[recording_.disks[known->second].controller].instance != instance) {
      fail(fmt::format("disk={} belongs to another controller than nvme{}; export the recording again",
                       shown(*name), instance));
    }
    return known->second;
  }
  RecordedDisk out;
  out.name = std::string(*name);
  auto rest = *name;
  const auto bad = [&]() { fail(fmt::format("disk={} is no NVMe disk (nvme0n1, nvme0c1n1)", shown(*name))); };
  if (!rest.starts_with("nvme")) bad();
  rest.remove_prefix(4);
  const auto subsystem = take_digits(rest);
  std::optional<std::uint64_t> controller = instance;
  if (!rest.empty() && rest.front() == 'c') {
    rest.remove_prefix(1);
    controller = take_digits(rest);
    out.path = true;
  }
  if (!subsystem || !controller || rest.empty() || rest.front() != 'n') bad();
  rest.remove_prefix(1);
  const auto head = take_digits(rest);
  if (!head || !rest.empty() || *subsystem > kInstanceMax ||
      *head > std::numeric_limits<std::uint32_t>::max())
    bad();
  if (*controller != instance) {
    fail(fmt::format("disk={} is a path of nvme{}, the line of nvme{}; export the recording again",
                     shown(*name), *controller, instance));
  }
  if (recording_.disks.size() == kNoDisk) fail("too many disks; this is no recording of one machine");
  out.subsystem = static_cast<std::uint32_t>(*subsystem);
  out.head = static_cast<std::uint32_t>(*head);
  out.nsid = nsid;
  out.controller = instances_.at(instance);
  const auto index = static_cast<std::uint16_t>(recording_.disks.size());
  disk_index_.emplace(out.name, index);
  recording_.disks.push_back(std::move(out));
  return index;
}

void Importer::setup(const EventLine& line) {
  auto text = line.text;
  const auto instance = take_controller(text);
  const auto open = text.find("cmd=(");
  if (open == std::string_view::npos)
    fail("'cmd=(' is missing; the line was cut, export the recording again");
  auto pairs = text.substr(0, open);
  auto inner = text.substr(open + 5);
  if (inner.empty() || inner.back() != ')')
    fail("')' is missing after cmd=(; the line was cut, export the recording again");
  inner.remove_suffix(1);

  RecordedCommand command;
  command.time = line.time;
  command.line = line_;
  command.controller = instances_.at(instance);
  command.queue = static_cast<std::uint16_t>(number(pairs, "qid", 0xFFFF));
  command.entry.cid = static_cast<std::uint16_t>(number(pairs, "cmdid", 0xFFFF));
  command.entry.nsid = static_cast<std::uint32_t>(number(pairs, "nsid", 0xFFFFFFFF));
  command.entry.flags = static_cast<std::uint8_t>(number_or_zero(pairs, "flags", 0xFF));
  command.disk = disk(pairs, instance, command.entry.nsid);
  command_text(trim(inner), command);

  const Key key{instance, command.queue, command.entry.cid};
  const auto index = recording_.commands.size();
  const auto [slot, fresh] = open_.try_emplace(key, index);
  if (!fresh) {
    // The host does not use an identifier twice at a time, so the first one's completion was not recorded.
    unmatched(
        fmt::format("identifier {} of nvme{} queue {} is used again while the command of line {} is open",
                    command.entry.cid, instance, command.queue, recording_.commands[slot->second].line));
    slot->second = index;
  }
  recording_.commands.push_back(command);
}

void Importer::command_text(std::string_view text, RecordedCommand& command) const {
  const bool admin = command.queue == 0;
  const auto space = text.find(' ');
  auto name = text.substr(0, space);
  if (name.ends_with(',')) name.remove_suffix(1);
  const auto fields = space == std::string_view::npos ? std::string_view{} : trim(text.substr(space));

  if (name.starts_with(kFabricsPrefix)) {  // not the command's dwords but the capsule's fields
    command.entry.opcode = kFabricsOpcode;
    return;
  }
  const auto names = admin ? std::span<const OpcodeName>(kAdminNames) : std::span<const OpcodeName>(kIoNames);
  const auto known =
      std::find_if(names.begin(), names.end(), [&](const OpcodeName& row) { return row.name == name; });
  if (known != names.end()) {
    command.entry.opcode = known->opcode;
  } else {
    const auto opcode = parse_number(name);
    if (!opcode) {
      fail(fmt::format(
          "'{}' is no {} command that this version knows; remove the line or name its opcode in hex",
          shown(name), admin ? "admin" : "NVM"));
    }
    if (*opcode > 0xFF) fail(fmt::format("opcode {} is out of range (at most 0xff)", shown(name)));
    command.entry.opcode = static_cast<std::uint8_t>(*opcode);
  }

  if (fields.starts_with("cdw10=") && fields.find('=', 6) == std::string_view::npos) {
    return hex_dwords(fields.substr(6), command);
  }
  const auto place = [&](const TextField& field) {
    if (!find_value(fields, field.key)) return;  // older kernels print fewer
    const auto most = field.wide ? ~0ULL : (1ULL << field.bits) - 1;
    const auto value = number(fields, field.key, most);
    const auto low = static_cast<std::uint32_t>(value);
    command.entry.set_cdw(field.dword, command.entry.cdw(field.dword) | low << field.lsb);
    if (field.wide) command.entry.set_cdw(field.dword + 1U, static_cast<std::uint32_t>(value >> 32U));
  };
  if (prints_a_range(admin, command.entry.opcode)) {
    if (!find_value(fields, "slba") || !find_value(fields, "len")) {
      fail(fmt::format("'slba=' or 'len=' is missing in {}; the line was cut, export the recording again",
                       shown(name)));
    }
    for (const auto& field : kRangeFields) place(field);
    return;
  }
  for (const auto& field : kTextFields) {
    if (field.admin == admin && field.opcode == command.entry.opcode) place(field);
  }
}

void Importer::hex_dwords(std::string_view text, RecordedCommand& command) const {
  std::array<std::uint8_t, 24> bytes{};
  std::size_t count = 0;
  while (!text.empty()) {
    const auto space = text.find(' ');
    const auto token = text.substr(0, space);
    text = space == std::string_view::npos ? std::string_view{} : trim(text.substr(space));
    unsigned value = 0;
    const auto* end = token.data() + token.size();
    const auto result = std::from_chars(token.data(), end, value, 16);
    if (token.size() != 2 || result.ec != std::errc{} || result.ptr != end) {
      fail(fmt::format("'{}' in cdw10= is no byte in hex; export the recording again", shown(token)));
    }
    if (count == bytes.size()) fail("cdw10= has more than 24 bytes; export the recording again");
    bytes[count++] = static_cast<std::uint8_t>(value);
  }
  if (count == 0 || count % 4 != 0)
    fail(fmt::format("cdw10= has {} bytes, not whole dwords; export the recording again", count));
  for (std::size_t i = 0; i < count; i += 4) {
    const auto dword = std::uint32_t{bytes[i]} | std::uint32_t{bytes[i + 1]} << 8U |
                       std::uint32_t{bytes[i + 2]} << 16U | std::uint32_t{bytes[i + 3]} << 24U;
    command.entry.set_cdw(static_cast<unsigned>(10 + i / 4), dword);
  }
  command.tail_dwords_shown = count == bytes.size();
}

void Importer::completion(const EventLine& line) {
  auto text = line.text;
  const auto instance = take_controller(text);
  const auto queue = static_cast<std::uint16_t>(number(text, "qid", 0xFFFF));
  const auto cid = static_cast<std::uint16_t>(number(text, "cmdid", 0xFFFF));
  const auto result = number(text, "res", ~0ULL);
  const auto retries = static_cast<std::uint16_t>(number_or_zero(text, "retries", 0xFFFF));
  const auto status = static_cast<std::uint16_t>(number(text, "status", 0x7FFF));
  const auto open = open_.find(Key{instance, queue, cid});
  if (open == open_.end()) {
    return unmatched(
        fmt::format("completes identifier {} of nvme{} queue {}, whose submission was not recorded", cid,
                    instance, queue));
  }
  auto& command = recording_.commands[open->second];
  command.completed_at = line.time;
  command.completed_line = line_;
  command.result = result;
  command.retries = retries;
  command.status = status;
  open_.erase(open);
}

void Importer::async_event(const EventLine& line) {
  auto text = line.text;
  const auto instance = take_controller(text);
  constexpr std::string_view kKey = "NVME_AEN=";
  if (!text.starts_with(kKey)) fail("'NVME_AEN=' is missing; the line was cut, export the recording again");
  text.remove_prefix(kKey.size());
  const auto token = text.substr(0, text.find(' '));
  const auto dword = parse_number(token);
  if (!dword || *dword > 0xFFFFFFFF) fail(fmt::format("NVME_AEN={} is no 32-bit number", shown(token)));
  recording_.events.push_back(
      {line.time, static_cast<std::uint32_t>(*dword), line_, instances_.at(instance)});
}

Recording Importer::finish() {
  if (!any_nvme_) {
    throw ImportError(
        recording_.name,
        "no NVMe event in it; record with /sys/kernel/tracing/events/nvme/enable set to 1 and give the "
        "text of /sys/kernel/tracing/trace (.txt or .txt.gz)");
  }
  // Controllers were numbered as they appeared; now in the order of their instances.
  std::vector<std::uint16_t> rank(recording_.controllers.size());
  std::vector<RecordedController> sorted;
  for (const auto& [instance, provisional] : instances_) {
    rank[provisional] = static_cast<std::uint16_t>(sorted.size());
    sorted.push_back(recording_.controllers[provisional]);
  }
  recording_.controllers = std::move(sorted);
  for (auto& disk : recording_.disks) disk.controller = rank[disk.controller];
  for (auto& command : recording_.commands) command.controller = rank[command.controller];
  for (auto& event : recording_.events) event.controller = rank[event.controller];
  return std::move(recording_);
}

}  // namespace

Recording parse_ftrace(std::string_view text, const std::string& name) {
  Importer importer(name);
  importer.read(text);
  return importer.finish();
}

Recording read_ftrace(const std::string& path) { return parse_ftrace(read_text_file(path), path); }

}  // namespace polypath::trace
