// Get Log Page. Base specification; sheet 04, section 4.
#include <algorithm>
#include <cstring>

#include "device/act.h"
#include "spec/identify.h"

namespace polypath::device::admin {
namespace {

using spec::LogId;
using spec::Status;
using Bytes = std::vector<std::byte>;

template <class T>
void put(Bytes& log, std::size_t offset, const T& value) {
  std::memcpy(log.data() + offset, &value, sizeof value);
}

Bytes error_information(const Act& act, const Controller& c) {
  Bytes log((act.profile().controller.elpe + std::size_t{1}) * sizeof(spec::ErrorLogEntry));
  std::size_t at = 0;
  std::vector<ErrorEntry> newest_first(c.errors.rbegin(), c.errors.rend());
  if (newest_first.size() > 1 && act.broken_by(Fault::error_entries_oldest_first)) newest_first = c.errors;
  for (auto e = newest_first.begin(); e != newest_first.end(); ++e, at += sizeof(spec::ErrorLogEntry)) {
    spec::ErrorLogEntry entry{};
    entry.count = e->count;
    entry.sqid = e->sqid;
    entry.cid = e->cid;
    entry.status = e->status;
    entry.parameter = e->parameter;
    entry.nsid = e->nsid;
    entry.opcode = e->opcode;
    entry.command_specific = e->command_specific;
    put(log, at, entry);
  }
  return log;
}

Bytes smart(const Controller& c) {
  Bytes log(spec::kSmartLogBytes);
  const auto thousands = [](std::uint64_t units) { return (units + 999) / 1000; };
  put(log, 1, std::uint16_t{323});  // composite temperature, K
  put(log, 3, std::uint8_t{100});   // available spare, %
  put(log, 32, thousands(c.units_read));
  put(log, 48, thousands(c.units_written));
  put(log, 64, c.reads);
  put(log, 80, c.writes);
  put(log, 176, c.error_count);
  return log;
}

Bytes changed_namespaces(const Controller& c) {
  Bytes log(spec::kChangedNsLogBytes);
  if (c.changed_overflow) {
    put(log, 0, std::uint32_t{0xFFFFFFFF});
    return log;
  }
  for (std::size_t i = 0; i < c.changed.size(); ++i) put(log, 4 * i, c.changed[i]);
  return log;
}

Bytes changed_zones(const Act& act, const Controller& c, std::uint32_t nsid) {
  Bytes log(spec::kChangedZonesBytes);
  for (const ChangedZones& list : c.changed_zones) {
    if (list.nsid != nsid) continue;
    const bool fits = list.zslba.size() <= spec::kChangedZonesMost;
    put(log, 0, fits ? static_cast<std::uint16_t>(list.zslba.size()) : spec::kTooManyChangedZones);
    std::size_t at = 8;
    const std::size_t skip = !list.zslba.empty() && act.broken_by(Fault::changed_zones_short) ? 1 : 0;
    for (std::size_t i = skip; fits && i < list.zslba.size(); ++i, at += 8) put(log, at, list.zslba[i]);
    if (skip != 0) put(log, 0, static_cast<std::uint16_t>(list.zslba.size() - 1));
  }
  return log;
}

// With a choice of command sets CSI says whose I/O commands are listed.
Bytes effects(const Act& act, std::uint32_t csi) {
  Bytes log(spec::kEffectsLogBytes);
  for (const spec::CommandRow& row : spec::commands()) {
    if (!row.implemented || !announces(act.profile(), row)) continue;
    if (row.announced == spec::Announced::zoned && csi != spec::kCsiZoned) continue;
    const std::size_t table = row.set == spec::CommandSet::admin ? 0 : 1024;
    put(log, table + 4 * std::size_t{row.opcode}, row.effects | spec::effect::supported);
  }
  return log;
}

// Logs of this device. What LPA bit 5 announces exists only with it.
bool available(const Profile& profile, LogId lid) {
  switch (lid) {
    case LogId::error_information:
    case LogId::smart:
    case LogId::firmware_slot:
    case LogId::changed_ns:
    case LogId::effects:
      return true;
    case LogId::self_test:
      return (profile.controller.oacs & spec::oacs::self_test) != 0;
    case LogId::telemetry_host:
    case LogId::telemetry_controller:
      return (profile.controller.lpa & spec::kLpaTelemetry) != 0;
    case LogId::sanitize:
      return profile.controller.sanicap != 0;
    case LogId::changed_zones:
      return (profile.controller.oaes & spec::oaes::zone_descriptor) != 0;
    case LogId::supported:
    case LogId::feature_effects:
    case LogId::mi_effects:
      return (profile.controller.lpa & spec::kLpaSupportedLogs) != 0;
    default:
      return false;
  }
}

Bytes supported_logs(const Act& act) {
  Bytes log(spec::kSupportedLogBytes);
  for (std::size_t lid = 0; lid < 256; ++lid) {
    const auto id = static_cast<LogId>(lid);
    if (!available(act.profile(), id)) continue;
    if (id == LogId::changed_ns && act.broken_by(Fault::supported_logs_short)) continue;
    put(log, 4 * lid, std::uint32_t{1});
  }
  return log;
}

Bytes feature_effects_log(const Act& act) {
  Bytes log(spec::kFeatureEffectsLogBytes);
  for (std::size_t fid = 0; fid < 256; ++fid) {
    std::uint32_t effects = feature_effects(act.profile(), static_cast<std::uint8_t>(fid));
    if ((effects & spec::feature_effect::of_namespace) != 0 &&
        act.broken_by(Fault::feature_effects_scope_wrong)) {
      effects ^= spec::feature_effect::of_namespace | spec::feature_effect::of_controller;
    }
    put(log, 4 * fid, effects);
  }
  return log;
}

}  // namespace

Outcome get_log_page(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  Controller& c = act.controller(controller);
  const auto lid = static_cast<LogId>(entry.cdw10 & 0xFFU);
  bool retain = (entry.cdw10 >> 15U & 1U) != 0;
  if (retain && act.broken_by(Fault::retain_ignored)) retain = false;
  const std::uint64_t length =
      ((std::uint64_t{entry.cdw11 & 0xFFFFU} << 16U | entry.cdw10 >> 16U) + 1) * sizeof(std::uint32_t);
  const std::uint64_t offset = std::uint64_t{entry.cdw13} << 32U | entry.cdw12;
  const bool by_index = (entry.cdw14 >> 23U & 1U) != 0;

  Bytes log;
  if (!available(act.profile(), lid)) {
    if (!act.broken_by(Fault::unknown_log_accepted)) return Status::invalid_log_page;
    log.resize(spec::kSmartLogBytes);
  }
  const bool telemetry = lid == LogId::telemetry_host || lid == LogId::telemetry_controller;
  switch (lid) {
    case LogId::telemetry_host:
    case LogId::telemetry_controller:
      log = telemetry_log(act, controller, lid);
      break;
    case LogId::supported:
      log = supported_logs(act);
      break;
    case LogId::feature_effects:
      log = feature_effects_log(act);
      break;
    case LogId::mi_effects:
      log.resize(spec::kMiEffectsLogBytes);  // no management endpoint takes a command
      break;
    case LogId::error_information:
      log = error_information(act, c);
      break;
    case LogId::smart:
      log = smart(c);
      break;
    case LogId::firmware_slot:
      log = firmware_log(act, controller);
      break;
    case LogId::changed_ns:
      log = changed_namespaces(c);
      break;
    case LogId::effects: {
      const std::uint32_t csi = zones_enabled(act, controller) ? entry.cdw14 >> 24U : spec::kCsiNvm;
      if (csi != spec::kCsiNvm && csi != spec::kCsiZoned) return Status::command_set_not_supported;
      log = effects(act, csi);
      break;
    }
    case LogId::changed_zones: {  // of one namespace
      const std::int64_t ns = attached(c, entry.nsid);
      if (entry.nsid == 0 || entry.nsid == spec::kBroadcastNsid) return Status::invalid_field;
      if (ns < 0) {
        return classify(act, controller, entry.nsid) == NsidClass::invalid
                   ? Status::invalid_namespace_or_format
                   : Status::invalid_field;
      }
      log = changed_zones(act, c, entry.nsid);
      break;
    }
    case LogId::self_test:
      log = self_test_log(act, controller);
      break;
    case LogId::sanitize:
      log = sanitize_log(act, controller);
      break;
    default:
      break;
  }
  const bool of_zones = lid == LogId::changed_zones;
  if (entry.nsid != 0 && entry.nsid != spec::kBroadcastNsid && !of_zones) {
    // Other logs are of controller scope. Where SMART may be asked of a namespace, it says the same.
    const bool smart_of_namespace =
        lid == LogId::smart && (act.profile().controller.lpa & spec::kLpaSmartPerNamespace) != 0;
    if (smart_of_namespace && classify(act, controller, entry.nsid) == NsidClass::invalid)
      return Status::invalid_namespace_or_format;
    if (!smart_of_namespace || attached(c, entry.nsid) < 0) return Status::invalid_field;
  }
  const std::uint64_t most = mdts_bytes(c);
  if (telemetry && (offset % spec::telemetry::block_bytes != 0 ||
                    length % spec::telemetry::block_bytes != 0 || (most != 0 && length > most)))
    return Status::invalid_field;
  if (lid == LogId::telemetry_host && (entry.cdw10 & spec::telemetry::create) != 0) {
    capture_telemetry(act, controller);
    log = telemetry_log(act, controller, lid);
  }
  const bool beyond = offset > log.size();
  if (by_index || offset % 4 != 0 || (beyond && !act.broken_by(Fault::log_offset_unchecked)) ||
      (most != 0 && length > most)) {
    return Status::invalid_field;
  }
  Bytes out(length);
  const std::uint64_t held = beyond ? 0 : std::min<std::uint64_t>(length, log.size() - offset);
  if (held != 0) std::copy_n(log.begin() + static_cast<std::ptrdiff_t>(offset), held, out.begin());
  const Status status = copy_out(act, controller, command, entry, out);
  if (status != Status::success) return status;

  if (lid == LogId::changed_ns) {
    // Reading empties the list; with RAE set the host may come back for it, so it stays.
    if (act.fault(Fault::changed_list_keeps_entries)) {
      if (!retain && !c.changed.empty()) act.fired(Fault::changed_list_keeps_entries);
    } else if (!retain) {
      c.changed.clear();
      c.changed_overflow = false;
      if (act.broken_by(Fault::log_read_clears_peer)) {
        for (const auto peer : act.device.subsystems[c.subsystem].controllers)
          act.controller(peer).changed.clear();
      }
    }
  }
  if (!retain && lid == LogId::changed_zones) clear_zone_event(act, controller, entry.nsid);
  if (!retain) clear_event(act, controller, lid);
  return Status::success;
}

}  // namespace polypath::device::admin
