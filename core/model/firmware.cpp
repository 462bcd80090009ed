#include "model/firmware.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/hash.h"
#include "model/admin.h"
#include "model/format.h"
#include "model/registers.h"
#include "model/status.h"
#include "spec/log_feature_event.h"

namespace polypath::model {
namespace {

namespace fw = spec::firmware;
using spec::Status;

constexpr std::uint8_t kUnknown = 0xFF;

Firmware& firmware_of(const Scene& scene) { return scene.s.subsystems[scene.c().subsystem].firmware; }

std::uint32_t action_of(const Command& command) { return fw::action(command.entry.cdw10); }
std::uint8_t slot_of(const Command& command) {
  return static_cast<std::uint8_t>(fw::slot(command.entry.cdw10));
}

/// The image is committed, and such a reset activates it.
bool waits(Status status) {
  return status == Status::firmware_needs_conventional_reset ||
         status == Status::firmware_needs_subsystem_reset ||
         status == Status::firmware_needs_controller_reset;
}

std::uint64_t digest(std::span<const char> revision) {
  if (std::all_of(revision.begin(), revision.end(), [](char c) { return c == 0; })) return 0;
  return engine::hash_bytes(revision.data(), revision.size()) | 1U;
}

void forget(Firmware& firmware) {
  firmware.active = firmware.next = kUnknown;
  firmware.revision_known = 0;
  firmware.running_known = firmware.stored = false;
  firmware.resetting = 0xFFFF;
}

bool quiet_since(const Firmware& firmware, Seq since) {
  return firmware.open == 0 && firmware.changed < since && firmware.resetting == 0xFFFF;
}

/// A new image may lie in this slot, 0: in any.
void store_into(Firmware& firmware, std::uint8_t slot) {
  firmware.revision_known =
      slot == 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(firmware.revision_known & ~(1U << (slot - 1U)));
  if (slot == 0 || slot == firmware.active || firmware.active == kUnknown) firmware.stored = false;
  // The image that waits there may be this one now, and want another kind of reset.
  if (slot == 0 || slot == firmware.next) firmware.by_any_reset = false;
}

void run_slot(const Scene& scene, Firmware& firmware, std::uint8_t slot) {
  firmware.active = slot == 0 ? kUnknown : slot;
  firmware.running_known = false;
  firmware.stored = true;  // what runs is what lies in its slot
  firmware.changed = scene.now;
}

}  // namespace

bool may_be_pending(const Firmware& firmware, Seq since) {
  return firmware.next != 0 || firmware.pending_until >= since || firmware.open != 0;
}

void begin_commit(const Scene& scene, const Command& command) {
  Firmware& firmware = firmware_of(scene);
  ++firmware.open;
  firmware.resetting = 0xFFFF;
  if (action_of(command) != fw::activate_now && !command.no_tail) return;
  ++firmware.now_open;
  for (const auto controller : scene.s.subsystems[scene.c().subsystem].controllers) {
    Controller& c = scene.s.controllers[controller];
    if (c.activation_from == 0) c.activation_from = command.submitted;
  }
}

void end_commit(const Scene& scene, const Command& command, End end, const Completion* completion) {
  Firmware& firmware = firmware_of(scene);
  const bool alone =
      --firmware.open == 0 && firmware.changed < command.submitted && firmware.reset_seen < command.submitted;
  const bool now = action_of(command) == fw::activate_now || command.no_tail;
  if (now) --firmware.now_open;
  const Status status = completion == nullptr ? Status::internal_error : completion->status();
  const bool refused = end == End::refused && completion != nullptr && !waits(status);
  if (now) {
    for (const auto controller : scene.s.subsystems[scene.c().subsystem].controllers) {
      Controller& c = scene.s.controllers[controller];
      if (!refused && c.firmware_events.possible_since(true, command.submitted)) ++c.activations;
      if (c.activations == 0 && firmware.now_open == 0) c.activation_from = 0;
    }
  }
  if (refused && status != Status::firmware_needs_more_time &&
      status != Status::firmware_activation_prohibited && status != Status::invalid_firmware_image)
    return;
  firmware.changed = scene.now;
  if (refused || end == End::dropped || !alone || command.no_tail) {
    forget(firmware);
    return;
  }
  const std::uint8_t slot = slot_of(command);
  const std::uint32_t action = action_of(command);
  if (action != fw::activate_at_reset) store_into(firmware, slot);
  if (action == fw::store) return;
  if (action == fw::activate_now && status == Status::success) {
    run_slot(scene, firmware, slot);
    firmware.next = kUnknown;
    return;
  }
  firmware.next = slot == 0 ? kUnknown : slot;
  firmware.by_any_reset = status == Status::success || status == Status::firmware_needs_controller_reset;
}

void begin_reset_firmware(const Scene& scene) {
  Firmware& firmware = firmware_of(scene);
  firmware.reset_seen = scene.now;
  if (firmware.next == 0 || firmware.resetting != 0xFFFF) return;
  const bool sure = firmware.next != kUnknown && firmware.by_any_reset && firmware.open == 0;
  firmware.pending_until = scene.now;
  firmware.promised = sure ? firmware.next : std::uint8_t{0};
  firmware.resetting = scene.index;
  firmware.active = firmware.next = kUnknown;
  firmware.running_known = firmware.stored = false;
}

void reset_firmware(const Scene& scene) {
  Firmware& firmware = firmware_of(scene);
  firmware.reset_seen = scene.now;
  scene.c().activations = 0;
  if (firmware.now_open == 0) scene.c().activation_from = 0;
  if (firmware.resetting != scene.index) return;
  firmware.resetting = 0xFFFF;
  firmware.changed = scene.now;
  if (firmware.promised == 0) return;
  run_slot(scene, firmware, firmware.promised);
  firmware.next = 0;
}

void allow_download(const Scene& scene, const Command& command, Allowed& allowed) {
  const auto& announced = scene.c().announced;
  const auto& entry = command.entry;
  if (command.no_tail) {
    allowed.anything();
    return;
  }
  allow_during_format(scene, command, allowed);
  allowed.may(Status::overlapping_range);
  const std::uint64_t bytes = (std::uint64_t{entry.cdw10} + 1) * 4, offset = std::uint64_t{entry.cdw11} * 4;
  const std::uint64_t unit = std::uint64_t{announced.fwug} * 4096;
  const bool aligned =
      announced.known && (announced.fwug == 0xFF || (unit != 0 && bytes % unit == 0 && offset % unit == 0));
  // Where nobody says how long an image may be, a piece far behind its begin may be too far.
  if (!aligned || offset + bytes > (std::uint64_t{1} << 30U)) allowed.may(Status::invalid_field);
  if (exceeds_mdts(scene.c(), bytes)) allowed.must(Rule::q33, {Status::invalid_field});
  if (!announced.known) allowed.may(Status::invalid_field);
}

void allow_commit(const Scene& scene, const Command& command, Allowed& allowed) {
  const auto& announced = scene.c().announced;
  const std::uint32_t cdw10 = command.entry.cdw10, action = action_of(command);
  const std::uint8_t slot = slot_of(command);
  if (command.no_tail || !announced.known) {
    allowed.anything();
    return;
  }
  allow_during_format(scene, command, allowed);
  if (cdw10 >> 6U != 0) allowed.may(Status::invalid_field);
  if (action == 4 || action == 5) allowed.must(Rule::q33, {Status::invalid_field});
  if (action > fw::activate_now) {
    allowed.may({Status::invalid_field, Status::invalid_firmware_slot, Status::invalid_firmware_image});
    return;
  }
  const unsigned slots = fw::slots_of(announced.frmw);
  allowed.may({Status::invalid_firmware_image, Status::overlapping_range});
  if (slot == 0) allowed.may(Status::invalid_firmware_slot);
  if (slot > slots) allowed.must(Rule::q33, {Status::invalid_firmware_slot});
  const bool read_only = slot == 1 && (announced.frmw & fw::slot1_read_only) != 0;
  if (read_only && action <= fw::store_for_reset) allowed.must(Rule::q33, {Status::invalid_firmware_slot});
  if (read_only) allowed.may(Status::invalid_firmware_slot);
  if (action == fw::store) return;
  allowed.may({Status::firmware_needs_conventional_reset, Status::firmware_needs_subsystem_reset,
               Status::firmware_needs_controller_reset, Status::firmware_needs_more_time,
               Status::firmware_activation_prohibited});
  if (action == fw::activate_now && (announced.frmw & fw::without_reset) == 0)
    allowed.may(Status::invalid_field);
  const Firmware& firmware = firmware_of(scene);
  const bool empty = slot != 0 && slot <= fw::slots && (firmware.revision_known >> (slot - 1U) & 1U) != 0 &&
                     firmware.revision[slot - 1U] == 0;
  if (action == fw::activate_at_reset && empty && quiet_since(firmware, command.submitted) == false) return;
  if (action == fw::activate_at_reset && empty && firmware.open == 1 && firmware.changed < command.submitted)
    allowed.must(Rule::q33, {Status::invalid_firmware_image, Status::invalid_firmware_slot});
}

void check_firmware_log(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  Firmware& firmware = firmware_of(scene);
  constexpr std::size_t kUsed = fw::revisions + fw::slots * fw::revision_bytes;
  const auto& announced = scene.c().announced;
  const bool whole = command.entry.cdw12 == 0 && command.entry.cdw13 == 0 && data.size() >= kUsed;
  if (!whole || !announced.known) return;
  const auto say = [&](const char* what, std::string allowed, std::string seen) {
    violation(scene, Rule::fw01, fmt::format("{}: {}", text_of(scene, command), what), std::move(allowed),
              std::move(seen), {firmware.changed, command.submitted});
  };
  exercised(scene, Rule::fw01);
  const auto afi = std::to_integer<unsigned>(data[0]);
  const auto active = static_cast<std::uint8_t>(afi & 7U), next = static_cast<std::uint8_t>(afi >> 4U & 7U);
  const unsigned slots = fw::slots_of(announced.frmw);
  if (active == 0 || active > slots || next > slots) {
    say("a slot that there is not", fmt::format("active 1 to {}, next 0 to {}", slots, slots),
        fmt::format("active {}, next {}", active, next));
    return;
  }
  std::array<std::uint64_t, fw::slots> revision{};
  for (std::size_t i = 0; i < fw::slots; ++i) {
    std::array<char, fw::revision_bytes> text{};
    std::memcpy(text.data(), data.data() + fw::revisions + i * fw::revision_bytes, text.size());
    revision[i] = digest(text);
  }
  if (revision[active - 1U] == 0)
    say("the active slot is empty", "its revision", fmt::format("slot {}", active));
  if (!quiet_since(firmware, command.submitted)) return;
  if (firmware.active != kUnknown && firmware.active != active)
    say("another slot is active", fmt::format("slot {}", firmware.active), fmt::format("slot {}", active));
  if (firmware.next != kUnknown && firmware.next != next)
    say("another slot is active after the next reset", fmt::format("slot {}", firmware.next),
        fmt::format("slot {}", next));
  for (std::size_t i = 0; i < fw::slots; ++i) {
    const bool known = (firmware.revision_known >> i & 1U) != 0;
    if (known && firmware.revision[i] != revision[i])
      say("a slot changed without a commit", "the revision of before", fmt::format("slot {}", i + 1));
  }
  if (firmware.stored && firmware.running_known && firmware.running != revision[active - 1U])
    say("the active slot shows another revision than Identify Controller", "the same revision",
        fmt::format("slot {}", active));
  if (firmware.next == kUnknown) firmware.by_any_reset = false;
  firmware.active = active;
  firmware.next = next;
  firmware.revision = revision;
  firmware.revision_known = (1U << fw::slots) - 1U;
}

void check_revision(const Scene& scene, const Command& command, std::span<const char> text) {
  Firmware& firmware = firmware_of(scene);
  if (!quiet_since(firmware, command.submitted)) return;
  const std::uint64_t shown = digest(text);
  exercised(scene, Rule::fw02);
  const bool slot_known = firmware.stored && firmware.active != kUnknown &&
                          (firmware.revision_known >> (firmware.active - 1U) & 1U) != 0;
  const bool other = (firmware.running_known && firmware.running != shown) ||
                     (slot_known && firmware.revision[firmware.active - 1U] != shown);
  if (other)
    violation(scene, Rule::fw02,
              fmt::format("{}: another firmware revision than the one that runs", text_of(scene, command)),
              "the revision of the active slot, as on every controller",
              std::string(text.data(), text.size()), {firmware.changed, command.submitted});
  firmware.running_known = true;
  firmware.running = shown;
}

void judge_firmware_event(const Scene& scene) {
  Controller& c = scene.c();
  const Firmware& firmware = firmware_of(scene);
  if (!c.initial_known || !firmware.known) return;
  exercised(scene, Rule::fw03);
  const bool caused = firmware.now_open != 0 || c.activations != 0;
  const bool off = c.firmware_events.surely_since(false, std::max<Seq>(c.activation_from, 1));
  if (c.activations != 0 && --c.activations == 0 && firmware.now_open == 0) c.activation_from = 0;
  if (caused && !off) return;
  violation(scene, Rule::fw03,
            fmt::format("{} reports that an activation starts{}", name_of(scene, scene.index),
                        caused ? ", though the event is switched off" : " and none does"),
            "the event where it is switched on, for an activation without a reset", "an event",
            {firmware.changed});
}

void judge_pause(const Scene& scene) {
  const Firmware& firmware = firmware_of(scene);
  const Controller& c = scene.c();
  if (!c.initial_known || !firmware.known || c.power != Power::ready) return;
  exercised(scene, Rule::fw03);
  if (firmware.now_open != 0 || c.activations != 0 || firmware.changed != 0) return;
  violation(scene, Rule::fw03, fmt::format("{} pauses for no reason", name_of(scene, scene.index)), "PP 0",
            "PP 1");
}

}  // namespace polypath::model
