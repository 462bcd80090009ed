#include "model/logs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/features.h"
#include "model/firmware.h"
#include "model/namespaces.h"
#include "model/sanitize.h"
#include "model/self_test.h"
#include "model/status.h"
#include "model/telemetry.h"
#include "model/zones.h"
#include "spec/commands.h"
#include "spec/log_feature_event.h"
#include "spec/registers.h"
#include "spec/zones.h"

namespace polypath::model {
namespace {

using spec::LogId;
using spec::Status;

constexpr std::uint32_t kOverflow = 0xFFFFFFFF;  // first entry of a changed-namespace log that is too long

LogId lid_of(const Command& command) { return static_cast<LogId>(command.entry.cdw10 & 0xFFU); }
bool keeps_event(const Command& command) { return (command.entry.cdw10 & 0x8000U) != 0; }
std::uint64_t offset_of(const Command& command) {
  return std::uint64_t{command.entry.cdw13} << 32U | command.entry.cdw12;
}
std::uint64_t length_of(const Command& command) {
  return ((std::uint64_t{command.entry.cdw11 & 0xFFFFU} << 16U | command.entry.cdw10 >> 16U) + 1) * 4;
}

LogReads* reads_of(Controller& c, LogId lid) {
  switch (lid) {
    case LogId::error_information:
      return &c.log01;
    case LogId::smart:
      return &c.log02;
    case LogId::changed_ns:
      return &c.log04;
    case LogId::firmware_slot:
      return &c.log03;
    case LogId::sanitize:
      return &c.log81;
    default:
      return nullptr;
  }
}

/// Bytes of a log whose length is laid down, 0 for others.
std::uint64_t size_of(const Announced& announced, LogId lid) {
  switch (lid) {
    case LogId::error_information:
      return 64U * (announced.elpe + 1U);
    case LogId::smart:
      return spec::kSmartLogBytes;
    case LogId::firmware_slot:
      return spec::kFirmwareLogBytes;
    case LogId::changed_ns:
      return spec::kChangedNsLogBytes;
    case LogId::effects:
      return spec::kEffectsLogBytes;
    case LogId::changed_zones:
      return spec::kChangedZonesBytes;
    case LogId::self_test:
      return spec::self_test::log_bytes;
    case LogId::sanitize:
      return spec::sanitize::log_bytes;
    case LogId::supported:
      return spec::kSupportedLogBytes;
    case LogId::feature_effects:
      return spec::kFeatureEffectsLogBytes;
    case LogId::mi_effects:
      return spec::kMiEffectsLogBytes;
    default:
      return 0;
  }
}

bool defined(unsigned lid) {
  return lid <= 0x1C || (lid >= 0x20 && lid <= 0x23) || (lid >= 0x70 && lid <= 0x74) || lid == 0x80 ||
         lid == 0x81 || lid == 0xBF;
}

std::string list_text(const std::vector<std::uint32_t>& list) {
  std::string out;
  for (std::size_t i = 0; i < list.size() && i < 16; ++i)
    out += fmt::format("{}{}", i == 0 ? "" : ", ", list[i]);
  return list.empty() ? "none" : list.size() > 16 ? out + " ..." : out;
}

void check_changed(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  Controller& c = scene.c();
  if (offset_of(command) != 0) return;
  std::vector<std::uint32_t> list;
  bool ended = false, ascending = true;
  const std::size_t entries = std::min<std::size_t>(data.size() / 4, spec::kNsListEntries);
  for (std::size_t i = 0; i < entries && !ended; ++i) {
    const auto nsid = read_as<std::uint32_t>(data.subspan(i * 4));
    ended = nsid == 0;
    if (ended) break;
    if (!list.empty() && nsid <= list.back()) ascending = false;
    list.push_back(nsid);
  }
  const bool whole = ended || entries == spec::kNsListEntries;
  const auto say = [&](Rule rule, std::string what, std::string allowed, Seq also = 0) {
    violation(scene, rule, fmt::format("{}: {}", name_of(scene, scene.index), what), std::move(allowed),
              list_text(list), {command.submitted, also});
  };
  exercised(scene, Rule::ae10);
  if (list.size() == 1 && list[0] == kOverflow) {
    std::size_t possible = c.changed.size();
    if (possible <= spec::kNsListEntries && c.initial_known)
      say(Rule::ae10, "the log of changed namespaces overflowed", "a list");
    return;
  }
  if (!ascending) {
    say(Rule::ae10, "the log of changed namespaces is not ascending", "an ascending list");
    return;
  }
  // Of two reads at once, either may have emptied the list for the other.
  if (c.log04.open_any > 1 || c.log04.read_until >= command.submitted) {
    inconclusive(scene, Rule::ae10);
    return;
  }
  const bool may_hold_more = !c.initial_known || c.cause_unknown;
  const bool quiet = std::none_of(c.changed.begin(), c.changed.end(), [](const Changed&) { return true; });
  if (c.log04.cleared_until != 0 && quiet) exercised(scene, Rule::ae11);
  for (const std::uint32_t nsid : list) {
    const bool possible =
        std::any_of(c.changed.begin(), c.changed.end(), [&](const Changed& row) { return row.nsid == nsid; });
    if (possible || may_hold_more) continue;
    // What a create that has not ended made may have been attached and detached already.
    const Subsystem& subsystem = scene.s.subsystems[c.subsystem];
    const bool maybe_created = subsystem.creates_open != 0 || subsystem.create_until >= command.submitted;
    if (maybe_created && find_namespace(scene.s, c.subsystem, nsid) == kNone) continue;
    if (c.log04.cleared_until != 0 && quiet) {
      say(Rule::ae11, "the log of changed namespaces lists something again",
          "none: nothing changed since it was read", c.log04.cleared_until);
    } else {
      say(Rule::ae10, fmt::format("the log lists namespace {}, which did not change", nsid),
          "namespaces that changed");
    }
    return;
  }
  for (const Changed& row : c.changed) {
    if (!row.sure || row.until >= command.submitted || !whole) continue;
    bool peer = false;
    for (const auto other : scene.s.subsystems[c.subsystem].controllers) {
      peer |= other != scene.index && scene.s.controllers[other].log04.cleared_until > row.until;
    }
    if (peer) exercised(scene, Rule::ae21);
    if (std::find(list.begin(), list.end(), row.nsid) != list.end()) continue;
    say(peer ? Rule::ae21 : Rule::ae10,
        fmt::format("the log does not list namespace {}, which changed", row.nsid),
        "all namespaces that changed", row.until);
    return;
  }
  // An event that the host has seen must have its reason in the log.
  for (const Reported& event : c.reported) {
    if (event.type != 2 || event.info != 0 || event.at == 0 || event.at >= command.submitted) continue;
    const bool first = c.log04.read_until < event.at && c.log04.open_any == 1;
    const bool undisturbed =
        c.cause_from != 0 && c.log04.read_until < c.cause_from && event.requested >= c.log04.cleared_until;
    if (!first || !undisturbed) continue;
    exercised(scene, Rule::ae20);
    if (list.empty())
      say(Rule::ae20, "the log is empty after its event", "the namespaces that the event was about",
          event.at);
  }
}

void check_errors(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  Controller& c = scene.c();
  if (offset_of(command) != 0) return;
  const auto say = [&](Rule rule, std::string what, std::string allowed, std::string seen) {
    violation(scene, rule, fmt::format("{}: {}", name_of(scene, scene.index), what), std::move(allowed),
              std::move(seen), {command.submitted});
  };
  exercised(scene, Rule::ae14);
  const std::size_t most = c.announced.known ? c.announced.elpe + 1U : data.size() / 64;
  const std::size_t entries = std::min(data.size() / sizeof(spec::ErrorLogEntry), most);
  std::uint64_t before = 0, newest = 0;
  bool full = true;
  for (std::size_t i = 0; i < entries; ++i) {
    const auto entry = read_as<spec::ErrorLogEntry>(data.subspan(i * sizeof(spec::ErrorLogEntry)));
    if (entry.count == 0) {
      full = false;
      continue;
    }
    if (!full || (before != 0 && entry.count >= before)) {
      say(Rule::ae14, "entries of the error log out of order", "counts falling from the newest to the oldest",
          fmt::format("count {} behind {}", entry.count, full ? before : 0));
      return;
    }
    before = entry.count;
    newest = std::max(newest, entry.count);
  }
  if (newest != 0 && newest < c.error_count && c.errors_at < command.submitted) {
    say(Rule::ae14, "the error count went back", fmt::format("at least {}", c.error_count),
        fmt::format("{}", newest));
  }
  c.error_count = std::max(c.error_count, newest);
  c.errors_at = scene.now;
  if (full) return;  // older entries may have been pushed out, or not been read
  for (const MoreSet& promised : c.more_set) {
    if (promised.at >= command.submitted) continue;
    exercised(scene, Rule::q34);
    bool found = false;
    for (std::size_t i = 0; i < entries; ++i) {
      const auto entry = read_as<spec::ErrorLogEntry>(data.subspan(i * sizeof(spec::ErrorLogEntry)));
      found |= entry.count != 0 && entry.sqid == promised.sqid && entry.cid == promised.cid;
    }
    if (found) continue;
    violation(
        scene, Rule::q34,
        fmt::format("{}: the error log says nothing of a status with More", name_of(scene, scene.index)),
        fmt::format("an entry for queue {} cid {}", promised.sqid, promised.cid), "none",
        {promised.at, command.submitted});
    return;
  }
}

void check_smart(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  Controller& c = scene.c();
  if (offset_of(command) != 0 || data.size() < 96 ||
      (command.entry.nsid != 0 && command.entry.nsid != spec::kBroadcastNsid))
    return;
  // Data units read, data units written, host reads, host writes; 128 bits of which the low half is enough.
  constexpr std::array<std::size_t, 4> kOffsets{32, 48, 64, 80};
  constexpr std::array<const char*, 4> kNames{"data units read", "data units written", "host reads",
                                              "host writes"};
  exercised(scene, Rule::ae16);
  for (std::size_t i = 0; i < kOffsets.size(); ++i) {
    const auto value = read_as<std::uint64_t>(data.subspan(kOffsets[i]));
    // Of two reads at once, the one that shows more may have ended first.
    if (value < c.smart[i] && c.smart_at < command.submitted) {
      violation(scene, Rule::ae16, fmt::format("{}: {} went back", name_of(scene, scene.index), kNames[i]),
                fmt::format("at least {}", c.smart[i]), fmt::format("{}", value), {command.submitted});
    }
    c.smart[i] = std::max(c.smart[i], value);
  }
  c.smart_at = scene.now;
}

/// Must a controller that announces this have the log?
bool required(const Announced& announced, LogId lid) {
  switch (lid) {
    case LogId::error_information:
    case LogId::smart:
    case LogId::firmware_slot:
      return true;
    case LogId::changed_ns:
      return (announced.oaes & spec::oaes::ns_attribute) != 0;
    case LogId::changed_zones:
      return (announced.oaes & spec::oaes::zone_descriptor) != 0;
    case LogId::effects:
      return (announced.lpa & 2U) != 0;
    case LogId::self_test:
      return (announced.oacs & spec::oacs::self_test) != 0;
    case LogId::telemetry_host:
    case LogId::telemetry_controller:
      return (announced.lpa & spec::kLpaTelemetry) != 0;
    case LogId::sanitize:
      return (announced.sanicap & 7U) != 0;
    case LogId::supported:
    case LogId::feature_effects:
    case LogId::mi_effects:
      return (announced.lpa & spec::kLpaSupportedLogs) != 0;
    default:
      return false;
  }
}

void check_supported(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  if (offset_of(command) != 0) return;
  exercised(scene, Rule::log02);
  for (unsigned code = 0; code < 0xC0 && std::size_t{code} * 4 + 4 <= data.size(); ++code) {
    const auto entry = read_as<std::uint32_t>(data.subspan(std::size_t{code} * 4));
    const bool there = (entry & 1U) != 0;
    const char* allowed = nullptr;
    if (!there && required(scene.c().announced, static_cast<LogId>(code)))
      allowed = "bit 0 set: the log is mandatory or announced";
    if (there && !defined(code)) allowed = "0: the identifier is reserved";
    if (allowed == nullptr) continue;
    violation(scene, Rule::log02,
              fmt::format("{}: log {:02X}h in the log of supported logs", name_of(scene, scene.index), code),
              allowed, fmt::format("{:#010x}", entry), {command.submitted});
    return;
  }
}

void check_effects(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  const auto& announced = scene.c().announced;
  if (offset_of(command) != 0 || data.size() < 2048) return;
  exercised(scene, Rule::log01);
  const auto say = [&](std::size_t code, bool io, const char* allowed, std::uint32_t seen) {
    violation(scene, Rule::log01,
              fmt::format("{}: {} opcode {:#04x} in the effects log", name_of(scene, scene.index),
                          io ? "I/O" : "Admin", code),
              allowed, fmt::format("{:#010x}", seen), {command.submitted});
  };
  for (const bool io : {false, true}) {
    for (std::size_t code = 0; code < 256; ++code) {
      const auto effects = read_as<std::uint32_t>(data.subspan((io ? 1024U : 0U) + code * 4));
      const bool supported = (effects & spec::effect::supported) != 0;
      if (!supported && effects != 0) {
        say(code, io, "0 for a command that is not supported", effects);
        return;
      }
      const auto* row = spec::find_command(io ? spec::CommandSet::nvm : spec::CommandSet::admin,
                                           static_cast<std::uint8_t>(code));
      if (row == nullptr) continue;
      if (row->announced == spec::Announced::mandatory && !supported) {
        say(code, io, "bit 0 set: the command is mandatory", effects);
        return;
      }
      if (!announced.known || supported) continue;
      const auto bit = [&](std::uint16_t field) { return (field >> row->bit & 1U) != 0; };
      const bool there = (row->announced == spec::Announced::oacs && bit(announced.oacs)) ||
                         (row->announced == spec::Announced::oncs && bit(announced.oncs)) ||
                         (row->announced == spec::Announced::kas && announced.kas != 0) ||
                         (row->announced == spec::Announced::sanicap && (announced.sanicap & 7U) != 0);
      if (there) {
        say(code, io, "bit 0 set: Identify Controller announces the command", effects);
        return;
      }
    }
  }
}

}  // namespace

void begin_log_read(const Scene& scene, const Command& command) {
  Controller& c = scene.c();
  begin_telemetry(scene, command);
  if (lid_of(command) == LogId::changed_zones) begin_zone_log(scene);
  LogReads* reads = reads_of(c, lid_of(command));
  if (reads == nullptr) return;
  ++reads->open_any;
  if (keeps_event(command)) return;
  ++reads->open_clearing;
  if (lid_of(command) == LogId::sanitize) {
    finish_sanitize(scene);
    c.sanitize_due = 0;
  }
  if (lid_of(command) == LogId::changed_ns) c.due = false;  // the read may clear it before it is reported
}

void end_log_read(const Scene& scene, const Command& command, bool success) {
  Controller& c = scene.c();
  end_telemetry(scene, command, success);
  if (lid_of(command) == LogId::changed_zones) end_zone_log(scene);
  LogReads* reads = reads_of(c, lid_of(command));
  if (reads == nullptr) return;
  --reads->open_any;
  if (!keeps_event(command)) --reads->open_clearing;
  if (!success) return;
  reads->read_until = scene.now;
  if (keeps_event(command)) {
    reads->kept_until = scene.now;
  } else {
    reads->cleared_before = reads->cleared_until;
    reads->cleared_from = command.submitted;
    reads->cleared_until = scene.now;
  }
  if (lid_of(command) != LogId::changed_ns) return;
  if (keeps_event(command)) {
    // Whether such a read empties the list is not laid down.
    for (auto& row : c.changed) {
      row.sure = false;
      row.shown = true;
    }
    return;
  }
  c.cause_unknown = c.cause_unknown && !c.initial_known;
  if (c.cause_pending == 0 && c.cause_until < command.submitted) {
    if (c.cause_from != 0) {
      c.read_cause = c.cause_from;
      c.read_cause_until = c.cause_until;
    }
    c.cause_from = 0;
  }
  std::erase_if(c.changed, [&](const Changed& row) { return row.until < command.submitted; });
  for (auto& row : c.changed) {  // in this read or in the next one
    row.sure = false;
    row.shown = true;
  }
}

void check_log(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  switch (lid_of(command)) {
    case LogId::changed_ns:
      check_changed(scene, command, data);
      break;
    case LogId::error_information:
      check_errors(scene, command, data);
      break;
    case LogId::smart:
      check_smart(scene, command, data);
      break;
    case LogId::effects:
      check_effects(scene, command, data);
      break;
    case LogId::self_test:
      check_self_test_log(scene, command, data);
      break;
    case LogId::telemetry_host:
    case LogId::telemetry_controller:
      check_telemetry(scene, command, data);
      break;
    case LogId::firmware_slot:
      check_firmware_log(scene, command, data);
      break;
    case LogId::sanitize:
      check_sanitize_log(scene, command, data);
      break;
    case LogId::changed_zones:
      check_zone_log(scene, command, data);
      break;
    case LogId::supported:
      check_supported(scene, command, data);
      break;
    case LogId::feature_effects:
      if (offset_of(command) == 0) check_feature_effects(scene, command, data);
      break;
    default:
      break;
  }
}

void allow_log(const Scene& scene, const Command& command, Allowed& allowed) {
  const Controller& c = scene.c();
  const auto& announced = c.announced;
  const auto& entry = command.entry;
  const LogId lid = lid_of(command);
  const auto code = static_cast<unsigned>(lid);
  const bool extended = (announced.lpa & 4U) != 0;
  if (command.no_tail) allowed.may({Status::invalid_field, Status::invalid_log_page});
  if (!announced.known || entry.cdw14 != 0 || entry.cdw11 >> 16U != 0) {
    allowed.may({Status::invalid_field, Status::invalid_log_page, Status::command_set_not_supported});
  }
  // Which logs there are
  const bool announced_log = required(announced, lid);
  const bool absent = (!defined(code) && code < 0xC0) ||
                      (lid == LogId::ana && announced.known && (announced.cmic & spec::cmic::ana) == 0);
  if (absent) {
    allowed.must(Rule::q33, {Status::invalid_field, Status::invalid_log_page});
    return;
  }
  if (!announced_log) {
    allowed.may({Status::invalid_field, Status::invalid_log_page});
  }
  if (code >= 0xC0 || (!announced_log && code > 0x05)) {
    allowed.anything();
    return;
  }
  const bool of_zones = lid == LogId::changed_zones;
  if (of_zones && (entry.nsid == 0 || entry.nsid == spec::kBroadcastNsid))
    allowed.must(Rule::q33, {Status::invalid_field, Status::invalid_namespace_or_format});
  // Namespace: logs are of controller scope; LPA bit 0 lets SMART be asked of an active one.
  if (entry.nsid != 0 && entry.nsid != spec::kBroadcastNsid) {
    const std::uint32_t ns = find_namespace(scene.s, c.subsystem, entry.nsid);
    const bool own = of_zones || (lid == LogId::smart && announced.known &&
                                  (announced.lpa & spec::kLpaSmartPerNamespace) != 0);
    if (!own || ns == kNone || may_be_inactive(scene.s.namespaces[ns], scene.index, command.submitted))
      allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});
  }
  // Where in the log
  const std::uint64_t offset = offset_of(command);
  const std::uint64_t size = size_of(announced, lid);
  const bool telemetry = lid == LogId::telemetry_host || lid == LogId::telemetry_controller;
  const std::uint64_t unit = telemetry ? spec::telemetry::block_bytes : 4;
  if (offset % unit != 0 || length_of(command) % unit != 0) allowed.may(Status::invalid_field);
  if (offset != 0 && (!announced.known || !extended || size == 0)) allowed.may(Status::invalid_field);
  if (announced.known && extended && size != 0) {
    exercised(scene, Rule::ae18);
    if (offset > size) allowed.must(Rule::ae18, {Status::invalid_field});
  }
  if (exceeds_mdts(c, length_of(command))) allowed.must(Rule::q33, {Status::invalid_field});
}

}  // namespace polypath::model
