// Set Features and Get Features. Base specification; sheet 04, section 3.
#include <algorithm>
#include <cstring>

#include "device/act.h"

namespace polypath::device::admin {
namespace {

using spec::FeatureId;
using spec::FeatureSelect;
using spec::Status;

bool known(const Profile& profile, FeatureId fid) {
  switch (fid) {
    case FeatureId::volatile_write_cache:
      return (profile.controller.vwc & 1U) != 0;
    case FeatureId::autonomous_power:
      return (profile.controller.apsta & 1U) != 0;
    case FeatureId::thermal_management:
      return (profile.controller.hctma & 1U) != 0;
    case FeatureId::non_operational_power:
      return (profile.controller.ctratt & spec::ctratt::non_operational_permissive) != 0;
    case FeatureId::software_progress:
      return profile.saves_features;  // its whole use is to outlive a failed boot
    case FeatureId::keep_alive:
      return profile.controller.kas != 0;
    case FeatureId::command_set_profile:
      return profile.zoned;
    case FeatureId::sanitize_config:
      return (profile.controller.sanicap & spec::sanitize::inhibits_no_deallocate) != 0;
    case FeatureId::write_protection:
      return (profile.controller.nwpc & spec::protection::announced) != 0;
    case FeatureId::arbitration:
    case FeatureId::power_management:
    case FeatureId::temperature_threshold:
    case FeatureId::error_recovery:
    case FeatureId::number_of_queues:
    case FeatureId::interrupt_coalescing:
    case FeatureId::interrupt_vector:
    case FeatureId::write_atomicity:
    case FeatureId::async_event:
    case FeatureId::timestamp:
    case FeatureId::host_behavior:
      return true;
    default:
      return false;
  }
}

bool of_subsystem(FeatureId fid) { return fid == FeatureId::sanitize_config; }
bool of_namespace(FeatureId fid) {
  return fid == FeatureId::error_recovery || fid == FeatureId::write_protection;
}

bool saveable(const Profile& profile, FeatureId fid) {
  if (!profile.saves_features) return false;
  switch (fid) {
    case FeatureId::arbitration:
    case FeatureId::power_management:
    case FeatureId::temperature_threshold:
    case FeatureId::volatile_write_cache:
    case FeatureId::interrupt_coalescing:
    case FeatureId::write_atomicity:
    case FeatureId::async_event:
    case FeatureId::autonomous_power:
    case FeatureId::thermal_management:
    case FeatureId::non_operational_power:
    case FeatureId::software_progress:
      return true;
    default:
      return false;
  }
}

// Set Features with SV: what the command made current is saved as well, and nothing beside it.
void save(const Features& from, const spec::SubmissionEntry& entry, Features& to) {
  switch (static_cast<FeatureId>(entry.cdw10 & 0xFFU)) {
    case FeatureId::arbitration:
      to.arbitration = from.arbitration;
      break;
    case FeatureId::power_management:
      to.power = from.power;
      break;
    case FeatureId::temperature_threshold:
      if ((entry.cdw11 >> 20U & 3U) == 0) {
        to.over_temperature = from.over_temperature;
      } else {
        to.under_temperature = from.under_temperature;
      }
      break;
    case FeatureId::volatile_write_cache:
      to.write_cache = from.write_cache;
      break;
    case FeatureId::interrupt_coalescing:
      to.coalescing = from.coalescing;
      break;
    case FeatureId::write_atomicity:
      to.write_atomicity = from.write_atomicity;
      break;
    case FeatureId::async_event:
      to.async_event = from.async_event;
      break;
    case FeatureId::autonomous_power:
      to.autonomous_power = from.autonomous_power;
      to.autonomous_table = from.autonomous_table;
      break;
    case FeatureId::thermal_management:
      to.thermal_management = from.thermal_management;
      break;
    case FeatureId::non_operational_power:
      to.non_operational_power = from.non_operational_power;
      break;
    case FeatureId::software_progress:
      to.software_progress = from.software_progress;
      break;
    default:
      break;
  }
}

// True when some I/O completion queue of the controller uses this vector.
bool vector_in_use(const Act& act, const Controller& c, std::uint32_t vector) {
  for (std::size_t qid = 1; qid < c.cq.size(); ++qid) {
    const CompletionQueue* cq = act.device.cqs.get(c.cq[qid]);
    if (cq != nullptr && cq->interrupts && cq->vector == vector) return true;
  }
  return false;
}

std::uint64_t milliseconds(const Act& act) { return act.world.engine.now() / engine::kMillisecond; }

// NSID rules of namespace-scope features; `ns` is filled on success.
Status find_namespace(const Act& act, std::uint32_t controller, std::uint32_t nsid, Status on_broadcast,
                      std::int64_t& ns) {
  switch (classify(act, controller, nsid)) {
    case NsidClass::active:
      ns = attached(act.controller(controller), nsid);
      return Status::success;
    case NsidClass::broadcast:
      return on_broadcast;
    case NsidClass::invalid:
      return Status::invalid_namespace_or_format;
    default:
      return Status::invalid_field;
  }
}

Outcome set_number_of_queues(Controller& c, std::uint32_t value) {
  const auto wanted_sq = static_cast<std::uint16_t>(value);
  const auto wanted_cq = static_cast<std::uint16_t>(value >> 16U);
  if (c.io_queue_created) return Status::command_sequence_error;
  if (wanted_sq == 0xFFFF || wanted_cq == 0xFFFF) return Status::invalid_field;
  const auto most = static_cast<std::uint16_t>(c.max_io_queues - 1);
  c.features.queues_sq = std::min(wanted_sq, most);
  c.features.queues_cq = std::min(wanted_cq, most);
  Outcome outcome;
  outcome.dw0 = std::uint32_t{c.features.queues_cq} << 16U | c.features.queues_sq;
  return outcome;
}

Outcome set_timestamp(Act& act, std::uint32_t controller, Handle command,
                      const spec::SubmissionEntry& entry) {
  std::array<std::byte, 8> data{};
  const Status status = copy_in(act, controller, command, entry, data);
  if (status != Status::success) return status;
  std::uint64_t value = 0;
  std::memcpy(&value, data.data(), 6);  // 48 bits of milliseconds; the rest is reserved
  Features& f = act.controller(controller).features;
  f.timestamp_base_ms = value - milliseconds(act);
  f.timestamp_set = true;
  return Status::success;
}

Outcome set_host_behavior(Act& act, std::uint32_t controller, Handle command,
                          const spec::SubmissionEntry& entry) {
  std::array<std::byte, 512> data{};
  const Status status = copy_in(act, controller, command, entry, data);
  if (status != Status::success) return status;
  for (std::size_t i = 0; i < 4; ++i) {  // ACRE, ETDAS, LBAFEE, HDISNS: each 0 or 1
    if (std::to_integer<unsigned>(data[i]) > 1) return Status::invalid_field;
  }
  std::memcpy(act.controller(controller).features.host_behavior.data(), data.data(), 8);
  return Status::success;
}

Outcome set_autonomous_power(Act& act, std::uint32_t controller, Handle command,
                             const spec::SubmissionEntry& entry) {
  std::array<std::byte, 256> data{};
  const Status status = copy_in(act, controller, command, entry, data);
  if (status != Status::success) return status;
  const spec::IdentifyController& id = act.profile().controller;
  for (std::size_t state = 0; state < 32; ++state) {
    const auto to = std::to_integer<unsigned>(data[state * 8]) >> 3U;
    if (to > id.npss) return Status::invalid_field;
  }
  Features& f = act.controller(controller).features;
  f.autonomous_power = entry.cdw11 & 1U;
  std::memcpy(f.autonomous_table.data(), data.data(), data.size());
  return Status::success;
}

// TMT1 and TMT2: 0 switches one off, others lie between MNTMT and MXTMT and the first below the second.
bool thermal_limits_valid(const spec::IdentifyController& id, std::uint32_t value) {
  const std::uint32_t first = value >> 16U, second = value & 0xFFFFU;
  const auto within = [&](std::uint32_t kelvin) {
    return kelvin == 0 || (kelvin >= id.mntmt && kelvin <= id.mxtmt);
  };
  return within(first) && within(second) && (first == 0 || second == 0 || first < second);
}

Outcome set_error_recovery(Act& act, std::uint32_t controller, const spec::SubmissionEntry& entry) {
  constexpr std::uint32_t kDulbe = 1U << 16;
  if ((entry.cdw11 & kDulbe) != 0) return Status::invalid_field;  // NSFEAT b2 is 0
  if (entry.nsid == spec::kBroadcastNsid) {
    for (Active& a : act.controller(controller).active) a.error_recovery = entry.cdw11 & 0xFFFFU;
    return Status::success;
  }
  std::int64_t ns = -1;
  const Status status = find_namespace(act, controller, entry.nsid, Status::invalid_field, ns);
  if (status != Status::success) return status;
  find_active(act.controller(controller), entry.nsid)->error_recovery = entry.cdw11 & 0xFFFFU;
  return Status::success;
}

// KATO is rounded up to the granularity that KAS announces.
Outcome set_keep_alive(Act& act, std::uint32_t controller, std::uint32_t value) {
  const std::uint32_t unit = act.profile().controller.kas * 100U;
  if (value > 0xFFFFFFFFU - unit) return Status::keep_alive_invalid;
  act.controller(controller).features.keep_alive_ms = (value + unit - 1) / unit * unit;
  if (value == 0) stop_keep_alive(act, controller);
  return Status::success;
}

Outcome set_value(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  Controller& c = act.controller(controller);
  Features& f = c.features;
  const std::uint32_t value = entry.cdw11;
  switch (static_cast<FeatureId>(entry.cdw10 & 0xFFU)) {
    case FeatureId::arbitration:
      f.arbitration = value & 0xFFFFFF07U;
      return Status::success;
    case FeatureId::power_management:
      if ((value & 0x1FU) > act.profile().controller.npss) return Status::invalid_field;
      f.power = value & 0xFFU;
      return Status::success;
    case FeatureId::temperature_threshold: {
      const std::uint32_t sensor = value >> 16U & 0xFU, kind = value >> 20U & 3U;
      if (kind > 1) return Status::invalid_field;
      if (sensor != 0 && sensor != 0xF) return Status::success;  // no such sensor: nothing to keep
      (kind == 1 ? f.under_temperature : f.over_temperature) = static_cast<std::uint16_t>(value);
      return Status::success;
    }
    case FeatureId::error_recovery:
      return set_error_recovery(act, controller, entry);
    case FeatureId::volatile_write_cache:
      f.write_cache = value & 1U;
      if (f.write_cache == 0) flush_subsystem(act, controller);
      return Status::success;
    case FeatureId::number_of_queues:
      return set_number_of_queues(c, value);
    case FeatureId::interrupt_coalescing:
      f.coalescing = value & 0xFFFFU;
      return Status::success;
    case FeatureId::interrupt_vector: {
      const std::uint32_t vector = value & 0xFFFFU;
      if (!vector_in_use(act, c, vector)) return Status::invalid_field;
      const std::uint32_t bit = 1U << (vector % 32U);
      std::uint32_t& word = c.coalescing_disabled[vector / 32U];
      word = (value >> 16U & 1U) != 0 ? word | bit : word & ~bit;
      return Status::success;
    }
    case FeatureId::write_atomicity:
      f.write_atomicity = value & 1U;
      return Status::success;
    case FeatureId::async_event:
      if ((value & ~(act.profile().controller.oaes | 0xFFU)) != 0) return Status::invalid_field;
      f.async_event = value;
      if (act.broken_by(Fault::feature_on_all_controllers)) {
        for (const auto peer : act.device.subsystems[c.subsystem].controllers) {
          act.controller(peer).features.async_event = value;
        }
      }
      return Status::success;
    case FeatureId::autonomous_power:
      return set_autonomous_power(act, controller, command, entry);
    case FeatureId::thermal_management:
      if (!thermal_limits_valid(act.profile().controller, value) &&
          !act.broken_by(Fault::thermal_limits_unchecked)) {
        return Status::invalid_field;
      }
      f.thermal_management = value;
      return Status::success;
    case FeatureId::non_operational_power:
      f.non_operational_power = value & 1U;
      return Status::success;
    case FeatureId::software_progress:
      f.software_progress = value & 0xFFU;
      return Status::success;
    case FeatureId::timestamp:
      return set_timestamp(act, controller, command, entry);
    case FeatureId::keep_alive:
      return set_keep_alive(act, controller, value);
    case FeatureId::host_behavior:
      return set_host_behavior(act, controller, command, entry);
    case FeatureId::command_set_profile:  // the index of the one combination is 0
      if (!zones_enabled(act, controller) || (value & 0x1FFU) == 0) return Status::success;
      return Status::command_set_combination_rejected;
    case FeatureId::sanitize_config:
      act.device.subsystems[c.subsystem].sanitize.allow_deallocate = (value & 1U) != 0;
      return Status::success;
    case FeatureId::write_protection:
      return set_write_protection(act, controller, entry);
    default:
      return Status::invalid_field;
  }
}

Outcome get_value(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
                  const Features& f) {
  const Controller& c = act.controller(controller);
  Outcome outcome;
  switch (static_cast<FeatureId>(entry.cdw10 & 0xFFU)) {
    case FeatureId::arbitration:
      outcome.dw0 = f.arbitration;
      break;
    case FeatureId::power_management:
      outcome.dw0 = f.power;
      break;
    case FeatureId::temperature_threshold: {
      const std::uint32_t sensor = entry.cdw11 >> 16U & 0xFU, kind = entry.cdw11 >> 20U & 3U;
      if (kind > 1 || sensor == 0xF) return Status::invalid_field;
      outcome.dw0 = sensor == 0 ? (kind == 1 ? f.under_temperature : f.over_temperature)
                    : kind == 1 ? 0
                                : 0xFFFF;
      break;
    }
    case FeatureId::error_recovery: {
      std::int64_t ns = -1;
      const Status status =
          find_namespace(act, controller, entry.nsid, Status::invalid_namespace_or_format, ns);
      if (status != Status::success) return status;
      if (&f == &c.features)
        outcome.dw0 = find_active(act.controller(controller), entry.nsid)->error_recovery;
      break;
    }
    case FeatureId::volatile_write_cache:
      outcome.dw0 = f.write_cache;
      break;
    case FeatureId::number_of_queues:
      outcome.dw0 = std::uint32_t{f.queues_cq} << 16U | f.queues_sq;
      break;
    case FeatureId::interrupt_coalescing:
      outcome.dw0 = f.coalescing;
      break;
    case FeatureId::interrupt_vector: {
      const std::uint32_t vector = entry.cdw11 & 0xFFFFU;
      if (vector != 0 && !vector_in_use(act, c, vector)) return Status::invalid_field;
      const bool current = &f == &c.features;
      const bool disabled =
          vector == 0 || (current && (c.coalescing_disabled[vector / 32U] >> (vector % 32U) & 1U) != 0);
      outcome.dw0 = vector | (disabled ? 1U << 16U : 0U);
      break;
    }
    case FeatureId::write_atomicity:
      outcome.dw0 = f.write_atomicity;
      break;
    case FeatureId::async_event:
      outcome.dw0 = f.async_event;
      break;
    case FeatureId::autonomous_power: {
      std::array<std::byte, 256> data{};
      std::memcpy(data.data(), f.autonomous_table.data(), data.size());
      outcome.dw0 = f.autonomous_power;
      outcome.status = copy_out(act, controller, command, entry, data);
      break;
    }
    case FeatureId::thermal_management:
      outcome.dw0 = f.thermal_management;
      break;
    case FeatureId::non_operational_power:
      outcome.dw0 = f.non_operational_power;
      break;
    case FeatureId::software_progress:
      outcome.dw0 = f.software_progress;
      break;
    case FeatureId::keep_alive:
      outcome.dw0 = f.keep_alive_ms;
      break;
    case FeatureId::sanitize_config:
      outcome.dw0 = &f == &c.features && act.device.subsystems[c.subsystem].sanitize.allow_deallocate ? 1 : 0;
      break;
    case FeatureId::timestamp: {
      std::array<std::byte, 8> data{};
      const std::uint64_t value = f.timestamp_base_ms + milliseconds(act);
      std::memcpy(data.data(), &value, 6);
      data[6] = static_cast<std::byte>(f.timestamp_set ? 2 : 0);  // origin 1: set by the host
      outcome.status = copy_out(act, controller, command, entry, data);
      break;
    }
    case FeatureId::host_behavior: {
      std::array<std::byte, 512> data{};
      std::memcpy(data.data(), f.host_behavior.data(), f.host_behavior.size());
      outcome.status = copy_out(act, controller, command, entry, data);
      break;
    }
    case FeatureId::command_set_profile:
      break;
    case FeatureId::write_protection: {  // there is no default of it, and nothing saved
      std::int64_t ns = -1;
      const Status status =
          find_namespace(act, controller, entry.nsid, Status::invalid_namespace_or_format, ns);
      if (status != Status::success) return status;
      if (&f != &c.features) return Status::invalid_field;
      outcome.dw0 = act.device.namespaces[static_cast<std::uint32_t>(ns)].write_protect;
      break;
    }
    default:
      return Status::invalid_field;
  }
  return outcome;
}

}  // namespace

Outcome set_features(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  const auto fid = static_cast<FeatureId>(entry.cdw10 & 0xFFU);
  if (!known(act.profile(), fid)) return Status::invalid_field;
  const bool keep = (entry.cdw10 >> 31U) != 0;
  if (keep && !saveable(act.profile(), fid)) return Status::feature_not_saveable;
  if (of_subsystem(fid) && entry.nsid != 0) return Status::invalid_field;
  if (!of_namespace(fid) && entry.nsid != 0 && entry.nsid != spec::kBroadcastNsid) {
    return classify(act, controller, entry.nsid) == NsidClass::invalid
               ? Status::invalid_namespace_or_format
               : Status::feature_not_namespace_specific;
  }
  const Outcome outcome = set_value(act, controller, command, entry);
  if (keep && outcome.status == Status::success && !act.broken_by(Fault::save_forgotten)) {
    Controller& c = act.controller(controller);
    save(c.features, entry, c.saved);
  }
  return outcome;
}

Outcome get_features(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  const auto fid = static_cast<FeatureId>(entry.cdw10 & 0xFFU);
  if (!known(act.profile(), fid)) return Status::invalid_field;
  if (of_subsystem(fid) && entry.nsid != 0) return Status::invalid_field;
  const Controller& c = act.controller(controller);
  switch (entry.cdw10 >> 8U & 7U) {
    case static_cast<unsigned>(FeatureSelect::current):
      return get_value(act, controller, command, entry, c.features);
    case static_cast<unsigned>(FeatureSelect::saved): {  // never saved: the default
      const Features saved = act.broken_by(Fault::saved_shows_current) ? c.features : c.saved;
      return get_value(act, controller, command, entry, saved);
    }
    case static_cast<unsigned>(FeatureSelect::defaults): {
      const Features defaults = default_features(c);
      return get_value(act, controller, command, entry, defaults);
    }
    case static_cast<unsigned>(FeatureSelect::capabilities): {
      constexpr std::uint32_t kSaveable = 1, kNamespaceSpecific = 2, kChangeable = 4;
      Outcome outcome;
      outcome.dw0 = kChangeable | (of_namespace(fid) ? kNamespaceSpecific : 0) |
                    (saveable(act.profile(), fid) ? kSaveable : 0);
      if (of_namespace(fid) && act.broken_by(Fault::capabilities_scope_wrong)) outcome.dw0 = kChangeable;
      return outcome;
    }
    default:
      return Status::invalid_field;
  }
}

}  // namespace polypath::device::admin

namespace polypath::device {

std::uint32_t feature_effects(const Profile& profile, std::uint8_t fid) {
  const auto feature = static_cast<spec::FeatureId>(fid);
  if (!admin::known(profile, feature)) return 0;
  return spec::feature_effect::supported |
         (admin::of_namespace(feature)   ? spec::feature_effect::of_namespace
          : admin::of_subsystem(feature) ? spec::feature_effect::of_subsystem
                                         : spec::feature_effect::of_controller);
}

}  // namespace polypath::device
