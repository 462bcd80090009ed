// Firmware Image Download, Firmware Commit, the slots of a subsystem, and activation. Base specification,
// "Firmware Update Process"; sheet 04, section 7. What an image looks like is the vendor's affair; here it is
// "PPFW", the kind of reset that activates it (0 any, 1 conventional, 2 of the subsystem), three bytes that
// say nothing, and the revision.
#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

#include "device/act.h"
#include "spec/identify.h"
#include "spec/registers.h"

namespace polypath::device {
namespace {

namespace fw = spec::firmware;
using spec::Status;

constexpr std::string_view kMagic = "PPFW";
constexpr std::size_t kKind = 4, kRevision = 8, kPieceBytes = 4096;
constexpr std::uint8_t kAnyReset = 0, kConventional = 1, kOfSubsystem = 2;

Subsystem& subsystem_of(const Act& act, std::uint32_t controller) {
  return act.device.subsystems[act.controller(controller).subsystem];
}

bool whole(const Download& download) {
  return download.pieces.size() == 2 && download.pieces.front() == 0 && !download.committed;
}

Status waits_for(const Firmware::Slot& slot) {
  switch (slot.reset) {
    case kConventional:
      return Status::firmware_needs_conventional_reset;
    case kOfSubsystem:
      return Status::firmware_needs_subsystem_reset;
    default:
      return Status::success;
  }
}

void activate(Act& act, std::uint32_t controller, std::uint8_t slot) {
  Firmware& firmware = subsystem_of(act, controller).firmware;
  firmware.active = slot;
  firmware.next = 0;
  firmware.former = firmware.running;
  firmware.running = firmware.slots[slot - 1U];
  firmware.activator = controller;
}

// Every controller of the subsystem runs the image: all of them say so first, and process nothing meanwhile.
void activate_now(Act& act, std::uint32_t controller, std::uint8_t slot) {
  activate(act, controller, slot);
  Subsystem& subsystem = subsystem_of(act, controller);
  const engine::Time now = act.world.engine.now();
  const engine::Time most = act.profile().controller.mtfa * 100 * engine::kMillisecond;
  subsystem.firmware.paused_until =
      now + act.world.engine.duration(site::firmware_time, 50 * engine::kMillisecond, most);
  for (const std::uint32_t peer : subsystem.controllers) {
    Controller& c = act.controller(peer);
    if (spec::csts::rdy.get(c.csts) == 0) continue;
    if ((c.features.async_event & spec::oaes::firmware_activation) != 0 ||
        act.broken_by(Fault::firmware_event_unasked)) {
      raise_event(act, peer, spec::EventType::notice, spec::event_info::firmware_activation,
                  spec::LogId::firmware_slot);
    }
    c.csts = static_cast<std::uint32_t>(spec::csts::pp.put(c.csts, 1));
  }
  act.world.engine.schedule(subsystem.firmware.paused_until, static_cast<std::uint16_t>(What::firmware_done),
                            act.controller(controller).subsystem, 0);
}

// A piece is kept in order, and joined with those that it touches. False where it meets another one.
bool insert(std::vector<std::uint32_t>& pieces, std::uint32_t from, std::uint32_t to) {
  std::size_t at = 0;
  while (at < pieces.size() && pieces[at] < from) at += 2;
  const bool meets = (at < pieces.size() && pieces[at] < to) || (at != 0 && pieces[at - 1] > from);
  if (meets) return false;
  pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(at), {from, to});
  for (std::size_t i = 2; i < pieces.size();) {
    if (pieces[i] != pieces[i - 1]) {
      i += 2;
    } else {
      pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(i - 1),
                   pieces.begin() + static_cast<std::ptrdiff_t>(i + 1));
    }
  }
  return true;
}

}  // namespace

Firmware::Slot first_image(const Profile& profile) {
  Firmware::Slot slot;
  slot.revision.fill(' ');
  std::copy_n(profile.firmware.begin(), std::min<std::size_t>(fw::revision_bytes, profile.firmware.size()),
              slot.revision.begin());
  slot.used = true;
  return slot;
}

bool activate_at_reset(Act& act, std::uint32_t controller, ResetReach reach) {
  const Firmware& firmware = subsystem_of(act, controller).firmware;
  if (firmware.next == 0) return false;
  const std::uint8_t kind = firmware.slots[firmware.next - 1U].reset;
  const bool reached = kind == kAnyReset || reach == ResetReach::power ||
                       (kind == kConventional && reach == ResetReach::conventional) ||
                       (kind == kOfSubsystem && reach == ResetReach::subsystem);
  if (!reached || act.broken_by(Fault::firmware_not_activated)) return false;
  activate(act, controller, firmware.next);
  return true;
}

void end_activation(Act& act, std::uint32_t index) {
  const Subsystem& subsystem = act.device.subsystems[index];
  if (act.world.engine.now() < subsystem.firmware.paused_until) return;  // another one began meanwhile
  for (const std::uint32_t peer : subsystem.controllers) {
    Controller& c = act.controller(peer);
    c.csts = static_cast<std::uint32_t>(spec::csts::pp.put(c.csts, 0));
    fetch_all(act, peer);
  }
}

Status activation_pending(const Act& act, std::uint32_t controller) {
  const Firmware& firmware = subsystem_of(act, controller).firmware;
  if (firmware.next == 0) return Status::success;
  const Status status = waits_for(firmware.slots[firmware.next - 1U]);
  return status == Status::success ? Status::firmware_needs_controller_reset : status;
}

std::array<char, fw::revision_bytes> firmware_revision(const Act& act, std::uint32_t controller) {
  const Firmware& firmware = subsystem_of(act, controller).firmware;
  const bool stale =
      controller != firmware.activator && firmware.former.used && act.broken_by(Fault::firmware_on_one_path);
  return stale ? firmware.former.revision : firmware.running.revision;
}

std::vector<std::byte> firmware_log(const Act& act, std::uint32_t controller) {
  const Firmware& firmware = subsystem_of(act, controller).firmware;
  std::vector<std::byte> log(spec::kFirmwareLogBytes);
  log[0] = static_cast<std::byte>(firmware.active | static_cast<unsigned>(firmware.next) << 4U);
  for (std::size_t i = 0; i < firmware.slots.size(); ++i) {
    const Firmware::Slot& slot = firmware.slots[i];
    if (slot.used) std::memcpy(log.data() + fw::revisions + i * fw::revision_bytes, slot.revision.data(), 8);
  }
  return log;
}

namespace admin {

Outcome firmware_download(Act& act, std::uint32_t controller, Handle command,
                          const spec::SubmissionEntry& entry) {
  Download& download = act.controller(controller).download;
  const std::uint64_t bytes = (std::uint64_t{entry.cdw10} + 1) * 4, offset = std::uint64_t{entry.cdw11} * 4;
  const std::uint64_t most = mdts_bytes(act.controller(controller));
  if (bytes % kPieceBytes != 0 || offset % kPieceBytes != 0 || (most != 0 && bytes > most) ||
      offset + bytes > std::uint64_t{std::numeric_limits<std::uint32_t>::max()} * 4)
    return Status::invalid_field;
  std::vector<std::byte> data(bytes);
  const Status copied = copy_in(act, controller, command, entry, data);
  if (copied != Status::success) return copied;
  if (download.committed) download = {};
  const auto from = entry.cdw11, to = static_cast<std::uint32_t>(entry.cdw11 + bytes / 4);
  if (!insert(download.pieces, from, to)) return Status::overlapping_range;
  if (from == 0) std::memcpy(download.header.data(), data.data(), download.header.size());
  return Status::success;
}

Outcome firmware_commit(Act& act, std::uint32_t controller, Handle, const spec::SubmissionEntry& entry) {
  const std::uint8_t frmw = act.profile().controller.frmw;
  Firmware& firmware = subsystem_of(act, controller).firmware;
  Download& download = act.controller(controller).download;
  const std::uint32_t action = fw::action(entry.cdw10);
  if (action > fw::activate_now) return Status::invalid_field;  // boot partitions are not announced
  auto slot = static_cast<std::uint8_t>(fw::slot(entry.cdw10));
  if (slot > fw::slots_of(frmw)) return Status::invalid_firmware_slot;
  const bool stores =
      action == fw::store || action == fw::store_for_reset || (action == fw::activate_now && whole(download));
  if (slot == 0) {
    if (!stores) return Status::invalid_firmware_slot;
    slot = firmware.active == 2 ? 3 : 2;
  }
  if (stores) {
    const bool valid = whole(download) &&
                       std::memcmp(download.header.data(), kMagic.data(), kMagic.size()) == 0 &&
                       download.header[kKind] <= kOfSubsystem;
    if (slot == 1 && !act.broken_by(Fault::firmware_read_only_written)) return Status::invalid_firmware_slot;
    download.committed = true;
    if (!valid) return Status::invalid_firmware_image;
    Firmware::Slot& into = firmware.slots[slot - 1U];
    into.used = true;
    into.reset = download.header[kKind];
    std::memcpy(into.revision.data(), download.header.data() + kRevision, into.revision.size());
  }
  if (action == fw::store) return Status::success;
  const Firmware::Slot& image = firmware.slots[slot - 1U];
  if (!image.used) return Status::invalid_firmware_image;
  const Status status = waits_for(image);
  if (action == fw::activate_now && status == Status::success) {
    activate_now(act, controller, slot);
    return Status::success;
  }
  firmware.next = slot;
  return status;
}

}  // namespace admin
}  // namespace polypath::device
