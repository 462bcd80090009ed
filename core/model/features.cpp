#include "model/features.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/admin.h"
#include "model/attachment.h"
#include "model/keep_alive.h"
#include "model/namespaces.h"
#include "model/registers.h"
#include "model/sanitize.h"
#include "model/write_protection.h"
#include "spec/log_feature_event.h"
#include "trace/text.h"

namespace polypath::model {
namespace {

using spec::FeatureId;
using spec::FeatureSelect;
using spec::Status;

constexpr std::uint32_t kSave = 1U << 31U;
constexpr std::uint32_t kNamespaceEvents = 1U << 8U, kFirmwareEvents = 1U << 9U, kZoneEvents = 1U << 27U;

FeatureId fid_of(const Command& command) { return static_cast<FeatureId>(command.entry.cdw10 & 0xFFU); }
FeatureSelect select_of(const Command& command) {
  return static_cast<FeatureSelect>(command.entry.cdw10 >> 8U & 7U);
}

/// How the model follows a feature: which bits of CDW11 are its value (only those that a controller cannot
/// ignore), and which select one of several.
struct Followed {
  std::uint32_t value = 0;  ///< 0: not followed
  std::uint32_t selector = 0;
  bool of_namespace = false;
};

Followed followed(FeatureId fid) {
  switch (fid) {
    case FeatureId::arbitration:
      return {7, 0, false};
    case FeatureId::power_management:
      return {0x1F, 0, false};
    case FeatureId::temperature_threshold:
      return {0xFFFF, 0x003F0000, false};
    case FeatureId::error_recovery:
      return {0xFFFF, 0, true};
    case FeatureId::volatile_write_cache:
      return {1, 0, false};
    case FeatureId::interrupt_coalescing:
      return {0xFFFF, 0, false};
    case FeatureId::interrupt_vector:
      return {0x10000, 0xFFFF, false};
    case FeatureId::write_atomicity:
      return {1, 0, false};
    case FeatureId::async_event:
      return {0x11F, 0, false};
    case FeatureId::autonomous_power:
    case FeatureId::non_operational_power:
      return {1, 0, false};
    case FeatureId::thermal_management:
      return {0xFFFFFFFF, 0, false};
    case FeatureId::software_progress:
      return {0xFF, 0, false};
    case FeatureId::keep_alive:
      return {0xFFFFFFFF, 0, false};
    case FeatureId::write_protection:  // in a room of its own
      return {0, 0, true};
    default:
      return {};
  }
}

bool is_judged(FeatureId fid) {
  switch (fid) {
    case FeatureId::number_of_queues:
    case FeatureId::timestamp:
    case FeatureId::host_behavior:
    case FeatureId::sanitize_config:
    case FeatureId::write_protection:
      return true;
    default:
      return followed(fid).value != 0;
  }
}

/// Features whose value outlives resets where it cannot be saved.
bool persists(FeatureId fid) {
  return fid == FeatureId::thermal_management || fid == FeatureId::software_progress;
}

/// TMT1 and TMT2 each off or between MNTMT and MXTMT, and the first below the second.
bool thermal_limits_valid(const Announced& announced, std::uint32_t value) {
  const std::uint32_t first = value >> 16U, second = value & 0xFFFFU;
  const auto within = [&](std::uint32_t kelvin) {
    return kelvin == 0 || (kelvin >= announced.mntmt && kelvin <= announced.mxtmt);
  };
  return within(first) && within(second) && (first == 0 || second == 0 || first < second);
}

bool optional(FeatureId fid) {
  return fid == FeatureId::timestamp || fid == FeatureId::host_behavior ||
         fid == FeatureId::temperature_threshold || fid == FeatureId::interrupt_vector ||
         fid == FeatureId::interrupt_coalescing;
}

std::uint32_t key_of(const Command& command, const Followed& how) {
  const auto fid = static_cast<std::uint32_t>(fid_of(command)) << 24U;
  const std::uint32_t selected = command.entry.cdw11 & how.selector;
  return fid | (how.selector > 0xFFFF ? selected >> 16U : selected);
}

const Feature* find_feature(const Controller& c, std::uint32_t key, std::uint32_t nsid) {
  const auto at = std::find_if(c.features.begin(), c.features.end(), [&](const Feature& feature) {
    return feature.key == key && feature.nsid == nsid;
  });
  return at == c.features.end() ? nullptr : &*at;
}

Feature* find_feature(Controller& c, std::uint32_t key, std::uint32_t nsid) {
  const auto at = std::find_if(c.features.begin(), c.features.end(), [&](const Feature& feature) {
    return feature.key == key && feature.nsid == nsid;
  });
  return at == c.features.end() ? nullptr : &*at;
}

Feature& edit_feature(Controller& c, std::uint32_t key, std::uint32_t nsid) {
  if (Feature* found = find_feature(c, key, nsid)) return *found;
  Feature fresh;
  fresh.key = key;
  fresh.nsid = nsid;
  c.features.push_back(fresh);
  return c.features.back();
}

std::uint32_t feature_nsid(const Command& command, const Followed& how) {
  return how.of_namespace ? command.entry.nsid : 0;
}

/// Set Features reaching every namespace, or every sensor: what is remembered of the single ones is lost.
bool reaches_all(const Command& command, const Followed& how) {
  const bool sensors =
      fid_of(command) == FeatureId::temperature_threshold && (command.entry.cdw11 >> 16U & 0xFU) == 0xF;
  return sensors || (how.of_namespace && command.entry.nsid == spec::kBroadcastNsid);
}

/// What is remembered of a feature's values for this namespace, or for all, is lost.
void forget_feature(Controller& c, std::uint32_t code, std::uint32_t nsid, Seq now) {
  for (auto& feature : c.features) {
    if (feature.key >> 24U != code || (nsid != spec::kBroadcastNsid && feature.nsid != nsid)) continue;
    feature.known = false;
    feature.saved_known = false;
    feature.touched = now;
  }
}

/// Sanitize Config is of the subsystem: one value for all controllers.
Fact& nodrm_of(const Scene& scene) { return scene.s.subsystems[scene.c().subsystem].sanitize.nodrm; }

void check_sanitize_config(const Scene& scene, const Command& command, FeatureSelect select,
                           std::uint32_t dw0) {
  Sanitize& sanitize = scene.s.subsystems[scene.c().subsystem].sanitize;
  if (select == FeatureSelect::capabilities) sanitize.nodrm_kept = (dw0 & 1U) == 0;
  if (select != FeatureSelect::current) return;
  const bool on = (dw0 & 1U) != 0;
  exercised(scene, Rule::ft01);
  if (sanitize.nodrm.surely_since(!on, command.submitted))
    violation(scene, Rule::ft01,
              fmt::format("{}: another value than the one in force", text_of(scene, command)), on ? "0" : "1",
              on ? "1" : "0", {command.submitted});
  if (sanitize.nodrm.quiet_since(command.submitted)) sanitize.nodrm.decide(on, scene.now);
}

void queue_counts(const Scene& scene, const Command& command, std::uint32_t dw0) {
  Controller& c = scene.c();
  const std::uint32_t sqs = (dw0 & 0xFFFFU) + 1, cqs = (dw0 >> 16U) + 1;
  const bool settled = c.queue_count_known && !queue_counts_doubtful(c, command.submitted) &&
                       (c.io_queue_created != 0 || fid_of(command) == FeatureId::number_of_queues) &&
                       command.entry.opcode == opcode::get_features;
  if (settled) {
    exercised(scene, Rule::q22);
    if (sqs != c.sqs_allocated || cqs != c.cqs_allocated) {
      violation(scene, Rule::q22, fmt::format("{}: the number of queues changed", text_of(scene, command)),
                fmt::format("{} and {}", c.sqs_allocated, c.cqs_allocated),
                fmt::format("{} and {}", sqs, cqs), {command.submitted});
    }
  }
  c.sqs_allocated = sqs;
  c.cqs_allocated = cqs;
  c.queue_count_known = true;
}

}  // namespace

bool queue_counts_doubtful(const Controller& c, Seq since) {
  return c.queue_counts_open != 0 || c.queue_counts_until >= since;
}

void begin_set_features(const Scene& scene, Command& command, std::span<const std::byte> data) {
  Controller& c = scene.c();
  const FeatureId fid = fid_of(command);
  const Followed how = followed(fid);
  command.counted = true;
  if (how.value != 0) ++edit_feature(c, key_of(command, how), feature_nsid(command, how)).pending;
  if (fid == FeatureId::async_event) {
    const bool on = (command.entry.cdw11 & kNamespaceEvents) != 0;
    c.ns_events.begin(on);
    c.firmware_events.begin((command.entry.cdw11 & kFirmwareEvents) != 0);
    c.zone_events.begin((command.entry.cdw11 & kZoneEvents) != 0);
    if (!on) c.due = false;
  }
  if (fid == FeatureId::number_of_queues) ++c.queue_counts_open;
  if (fid == FeatureId::write_protection) begin_protection(scene, command);
  if (fid == FeatureId::sanitize_config) nodrm_of(scene).begin((command.entry.cdw11 & 1U) != 0);
  if (fid == FeatureId::host_behavior) {
    const bool on = !data.empty() && data[0] != std::byte{0};
    edit_detail(scene, command).host_behavior_acre = on;
    c.acre.begin(on);
  }
}

void end_set_features(const Scene& scene, Command& command, End end, const Completion* completion) {
  Controller& c = scene.c();
  const FeatureId fid = fid_of(command);
  const Followed how = followed(fid);
  const auto settle = [&](Fact& fact, bool target) {
    if (end == End::applied) fact.apply(target, command.submitted, scene.now);
    if (end == End::refused) fact.refuse(target, scene.now);
    if (end == End::dropped) fact.drop(target, scene.now);
  };
  if (fid == FeatureId::write_protection) end_protection(scene, command, end);
  if (fid == FeatureId::sanitize_config) settle(nodrm_of(scene), (command.entry.cdw11 & 1U) != 0);
  if (fid == FeatureId::async_event) {
    settle(c.ns_events, (command.entry.cdw11 & kNamespaceEvents) != 0);
    settle(c.firmware_events, (command.entry.cdw11 & kFirmwareEvents) != 0);
    settle(c.zone_events, (command.entry.cdw11 & kZoneEvents) != 0);
  }
  if (fid == FeatureId::host_behavior) settle(c.acre, scene.s.details[command.detail].host_behavior_acre);
  if (fid == FeatureId::number_of_queues) {
    --c.queue_counts_open;
    if (end != End::refused) c.queue_counts_until = scene.now;
    if (end == End::applied && completion != nullptr) queue_counts(scene, command, completion->entry.dw0);
    if (end == End::dropped) c.queue_count_known = false;
  }
  if (how.value == 0) return;
  Feature& feature = edit_feature(c, key_of(command, how), feature_nsid(command, how));
  --feature.pending;
  if (end == End::refused) return;
  const bool overlapped = feature.pending != 0 || feature.touched > command.submitted;
  feature.touched = scene.now;
  feature.after_reset = false;
  feature.known = end == End::applied && !overlapped && !command.no_tail;
  feature.value = command.entry.cdw11 & how.value;
  if (fid == FeatureId::keep_alive && feature.value != 0) {  // rounded, and maybe raised
    feature.value = rounded_keep_alive(scene, feature.value);
    feature.known = feature.known && feature.value != 0;
  }
  if ((command.entry.cdw10 & kSave) != 0) {
    feature.saved_known = feature.known;
    feature.saved_value = feature.value;
  }
  const std::uint32_t code = feature.key >> 24U, nsid = feature.nsid;
  if (how.of_namespace) {  // whether each controller has a value of its own is left open
    for (const auto peer : scene.s.subsystems[c.subsystem].controllers) {
      if (peer != scene.index) forget_feature(scene.s.controllers[peer], code, nsid, scene.now);
    }
  }
  if (reaches_all(command, how)) forget_feature(c, code, spec::kBroadcastNsid, scene.now);
}

void check_get_features(const Scene& scene, const Command& command, const Completion& completion) {
  Controller& c = scene.c();
  const FeatureId fid = fid_of(command);
  const FeatureSelect select = select_of(command);
  const std::uint32_t dw0 = completion.entry.dw0;
  if (fid == FeatureId::number_of_queues && select == FeatureSelect::current) {
    queue_counts(scene, command, dw0);
    return;
  }
  if (fid == FeatureId::sanitize_config) {
    check_sanitize_config(scene, command, select, dw0);
    return;
  }
  if (fid == FeatureId::write_protection) {
    check_protection(scene, command, dw0);
    return;
  }
  const Followed how = followed(fid);
  if (how.value == 0 || (how.of_namespace && command.entry.nsid == spec::kBroadcastNsid)) return;
  Feature& feature = edit_feature(c, key_of(command, how), feature_nsid(command, how));
  // A controller without namespace events may ignore their bit.
  const bool no_events = fid == FeatureId::async_event && (c.announced.oaes & spec::oaes::ns_attribute) == 0;
  const std::uint32_t mask = no_events ? how.value & ~kNamespaceEvents : how.value;
  const std::uint32_t value = dw0 & mask;
  // Nor is it said what an attachment leaves of the value that was set before.
  if (how.of_namespace) {
    const std::uint32_t ns = find_namespace(scene.s, c.subsystem, command.entry.nsid);
    if (ns == kNone || !attachment(scene.s.namespaces[ns], scene.index)
                            .quiet_since(std::max(feature.shown, feature.touched)))
      feature.known = false;
  }
  // A controller need not have the sensor: then it keeps nothing, and need not say so.
  const bool sensor = fid == FeatureId::temperature_threshold && (command.entry.cdw11 >> 16U & 0xFU) != 0;
  if (sensor && select == FeatureSelect::current) return;
  const bool quiet = feature.pending == 0 && feature.touched <= command.submitted;
  switch (select) {
    case FeatureSelect::current: {
      const Rule rule = feature.after_reset ? Rule::r09 : Rule::ft01;
      if (quiet && feature.known) {
        exercised(scene, rule);
        if (value != (feature.value & mask)) {
          const bool by_peer =
              !feature.after_reset && peer_was_reset(scene, std::max(feature.shown, feature.touched));
          violation(scene, by_peer ? Rule::r06 : rule,
                    fmt::format("{}: another value than the one in force", text_of(scene, command)),
                    fmt::format("{:#x}", feature.value), fmt::format("{:#x}", value),
                    {feature.touched, command.submitted});
        }
      }
      if (!quiet) return;
      if (fid == FeatureId::keep_alive) learn_keep_alive(scene, value);
      feature.known = true;
      feature.value = value;
      feature.after_reset = false;
      feature.shown = scene.now;
      return;
    }
    case FeatureSelect::defaults:
      feature.default_known = true;
      feature.default_value = value;
      return;
    case FeatureSelect::saved:
      if (!quiet) return;
      if (feature.saved_known || (feature.saveable_known && !feature.saveable && feature.default_known)) {
        exercised(scene, Rule::ft02);
        const std::uint32_t saved = feature.saved_known ? feature.saved_value : feature.default_value;
        if (value != (saved & mask)) {
          violation(scene, Rule::ft02,
                    fmt::format("{}: another value than the one saved", text_of(scene, command)),
                    fmt::format("{:#x}", saved & mask), fmt::format("{:#x}", value),
                    {feature.touched, command.submitted});
        }
      }
      if (feature.saveable_known &&
          feature.saveable) {  // where none was saved this is the default: kept alike
        feature.saved_known = true;
        feature.saved_value = value;
      }
      return;
    case FeatureSelect::capabilities:
      exercised(scene, Rule::ft03);
      if (((dw0 >> 1U & 1U) != 0) != how.of_namespace) {
        violation(scene, Rule::ft03, fmt::format("{}: another scope", text_of(scene, command)),
                  how.of_namespace ? "namespace specific" : "not namespace specific",
                  fmt::format("capabilities {:#x}", dw0 & 7U), {command.submitted});
      }
      feature.saveable_known = true;
      feature.saveable = (dw0 & 1U) != 0;
      return;
    default:
      return;
  }
}

void check_feature_effects(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  namespace effect = spec::feature_effect;
  exercised(scene, Rule::log03);
  for (std::size_t code = 0; code < 256 && code * 4 + 4 <= data.size(); ++code) {
    const auto fid = static_cast<FeatureId>(code);
    const auto effects = read_as<std::uint32_t>(data.subspan(code * 4));
    const auto say = [&](const char* allowed) {
      violation(
          scene, Rule::log03,
          fmt::format("{}: feature {:02X}h in the feature effects log", name_of(scene, scene.index), code),
          allowed, fmt::format("{:#010x}", effects), {command.submitted});
    };
    const bool mandatory = fid == FeatureId::arbitration || fid == FeatureId::power_management ||
                           fid == FeatureId::number_of_queues || fid == FeatureId::async_event;
    if ((effects & effect::supported) == 0) {
      if (mandatory) return say("bit 0 set: the feature is mandatory");
      continue;
    }
    const std::uint32_t scope = effects & effect::scopes;
    if (!is_judged(fid) || scope == 0) continue;
    const bool of_namespace = followed(fid).of_namespace;
    if (fid == FeatureId::sanitize_config) {
      if (scope != effect::of_subsystem) return say("subsystem scope");
      continue;
    }
    if (scope != (of_namespace ? effect::of_namespace : effect::of_controller))
      return say(of_namespace ? "namespace scope" : "controller scope");
  }
}

void reset_features(const Scene& scene) {
  Controller& c = scene.c();
  for (auto& feature : c.features) {
    feature.pending = 0;
    feature.touched = scene.now;
    const bool kept = feature.known && feature.saveable_known && !feature.saveable &&
                      persists(static_cast<FeatureId>(feature.key >> 24U));
    feature.known = kept;
    feature.after_reset = kept;
    if (kept) continue;
    if (feature.nsid != 0 || !feature.saveable_known) continue;
    if (feature.saveable && feature.saved_known) {
      feature.known = true;
      feature.value = feature.saved_value;
    } else if (!feature.saveable && feature.default_known) {
      feature.known = true;
      feature.value = feature.default_value;
    }
    feature.after_reset = feature.known;
  }
  Sanitize& sanitize = scene.s.subsystems[c.subsystem].sanitize;
  if (!sanitize.nodrm_kept) sanitize.nodrm.forget();
  c.firmware_events = Fact();
  c.ns_events = c.zone_events = Fact();  // the default is the vendor's
  c.acre = Fact(false);
}

void allow_features(const Scene& scene, const Command& command, Allowed& allowed) {
  const Controller& c = scene.c();
  const auto& announced = c.announced;
  const auto& entry = command.entry;
  const FeatureId fid = fid_of(command);
  if (!is_judged(fid) || command.no_tail) {
    allowed.anything();
    return;
  }
  const bool set = entry.opcode == opcode::set_features;
  const Followed how = followed(fid);
  const std::uint32_t nsid = entry.nsid;
  if (optional(fid) || !announced.known) allowed.may(Status::invalid_field);
  if (!announced.known) allowed.may(Status::invalid_namespace_or_format);
  const bool select_save = (announced.oncs & spec::oncs::save_select) != 0;
  if (!set) {
    const auto select = static_cast<unsigned>(select_of(command));
    if (select > 3) {
      allowed.must(Rule::q33, {Status::invalid_field});
    } else if (select != 0 && (!announced.known || !select_save)) {
      allowed.may(Status::invalid_field);
    }
  } else {
    if ((entry.cdw10 & kSave) != 0) {
      const Feature* feature = find_feature(c, key_of(command, how), feature_nsid(command, how));
      const bool told = feature != nullptr && feature->saveable_known;
      if (told) exercised(scene, Rule::ft03);
      if (!told) {
        allowed.may({Status::feature_not_saveable, Status::invalid_field});
      } else if (!feature->saveable) {
        allowed.must(Rule::ft03, {Status::feature_not_saveable, Status::invalid_field});
      }
      if (announced.known && !select_save)
        allowed.must(Rule::q33, {Status::feature_not_saveable, Status::invalid_field});
    }
    if (fid != FeatureId::write_protection) allowed.may(Status::feature_not_changeable);
  }
  // Namespace
  const bool broadcast = nsid == spec::kBroadcastNsid;
  if (how.of_namespace) {
    allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});
    const bool capabilities =
        !set && select_of(command) == FeatureSelect::capabilities;  // of no one namespace
    if (!set && broadcast && !capabilities)
      allowed.must(Rule::q33, {Status::invalid_namespace_or_format, Status::invalid_field});
    if (announced.known && !broadcast && !capabilities && (nsid == 0 || nsid > announced.nn)) {
      allowed.must(Rule::q33, {Status::invalid_namespace_or_format, Status::invalid_field});
    }
  } else if (nsid != 0 && !broadcast) {
    if (set) {
      allowed.must(Rule::q33, {Status::feature_not_namespace_specific, Status::invalid_field,
                               Status::invalid_namespace_or_format});
    } else {
      allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});
    }
  }
  // Values
  const std::uint32_t value = entry.cdw11;
  switch (fid) {
    case FeatureId::number_of_queues:
      if (!set) break;
      if ((value & 0xFFFFU) == 0xFFFF || value >> 16U == 0xFFFF)
        allowed.must(Rule::q33, {Status::invalid_field});
      if (c.io_queue_maybe) exercised(scene, Rule::q22);
      if (c.io_queue_created != 0 && c.io_queue_created < command.submitted) {
        allowed.must(Rule::q22, {Status::command_sequence_error});
      } else if (c.io_queue_maybe || !c.initial_known) {
        allowed.may(Status::command_sequence_error);
      }
      break;
    case FeatureId::power_management:
      if (set && announced.known && (value & 0x1FU) > announced.npss)
        allowed.must(Rule::q33, {Status::invalid_field});
      break;
    case FeatureId::volatile_write_cache:
      if (announced.known && (announced.vwc & 1U) == 0) {
        // Later text refuses it; the earlier did not say.
        allowed.may(Status::invalid_field);
      }
      break;
    case FeatureId::arbitration:
      break;
    case FeatureId::thermal_management:
      allowed.may(Status::invalid_field);
      if (set && announced.known && !thermal_limits_valid(announced, value))
        allowed.must(Rule::q33, {Status::invalid_field});
      break;
    case FeatureId::keep_alive:
      if (!announced.known || announced.kas == 0) allowed.may(Status::invalid_field);
      // The longest timeout is the controller's affair.
      if (set && value != 0 && (!scene.s.simulator || value > 0xFFFFFF00U))
        allowed.may(Status::keep_alive_invalid);
      break;
    case FeatureId::non_operational_power:
      allowed.may(Status::invalid_field);
      if (set && (value & 1U) != 0 && announced.known &&
          (announced.ctratt & spec::ctratt::non_operational_permissive) == 0) {
        allowed.must(Rule::q33, {Status::invalid_field});
      }
      break;
    case FeatureId::write_protection:
      allow_protection(scene, command, set, allowed);
      break;
    default:
      // Sensors, vectors, event bits and structures that the controller may not have.
      allowed.may(Status::invalid_field);
      break;
  }
}

}  // namespace polypath::model
