#include "device/device.h"

#include <algorithm>
#include <string_view>

#include "device/act.h"

namespace polypath::device {
namespace {

// "0123456789abcdef" with or without separators to bytes; false when it is no such text.
template <std::size_t N>
bool parse_hex_bytes(std::string_view text, std::array<std::uint8_t, N>& out) {
  std::size_t digits = 0;
  out = {};
  for (const char c : text) {
    if (c == '-' || c == ':') continue;
    constexpr std::string_view kLower = "0123456789abcdef", kUpper = "0123456789ABCDEF";
    const std::size_t value = std::min(kLower.find(c), kUpper.find(c));
    if (value == std::string_view::npos || digits >= 2 * N) return false;
    out[digits / 2] = static_cast<std::uint8_t>(unsigned{out[digits / 2]} << 4U | value);
    ++digits;
  }
  return digits == 2 * N;
}

}  // namespace

void make_identifiers(Namespace& ns, const Subsystem& subsystem) {
  // From the subsystem's name and a number that counts creations: unique for ever, equal on every run.
  const std::uint64_t seed = engine::hash_bytes(subsystem.nqn.data(), subsystem.nqn.size());
  std::uint64_t word = engine::mix(seed, subsystem.created + std::uint64_t{1});
  for (std::size_t i = 0; i < ns.uuid.size(); ++i) {
    if (i % 8 == 0) word = engine::mix(word, i);
    ns.uuid[i] = static_cast<std::uint8_t>(word >> (i % 8 * 8U));
  }
  ns.uuid[6] = static_cast<std::uint8_t>((ns.uuid[6] & 0x0FU) | 0x40U);  // version 4, RFC variant
  ns.uuid[8] = static_cast<std::uint8_t>((ns.uuid[8] & 0x3FU) | 0x80U);
}

Device make_device(const program::Topology& topology, const Profile& profile) {
  Device device;
  device.profile = &profile;
  for (const auto& spec : topology.subsystems) {
    Subsystem row;
    row.nqn = spec.nqn;
    row.ns_of_nsid.resize(profile.controller.nn + std::size_t{1}, 0);
    row.firmware.slots[0] = row.firmware.running = first_image(profile);
    device.subsystems.insert(row);
  }
  for (std::uint32_t index = 0; index < topology.controllers.size(); ++index) {
    const auto& spec = topology.controllers[index];
    Controller row;
    row.name = spec.id;
    row.serial = spec.serial;
    row.subsystem = spec.subsystem;
    row.cntlid = spec.cntlid;
    row.max_io_queues = spec.max_ioqpairs;
    row.vectors = spec.pin ? std::uint16_t{1} : spec.msix_vectors;
    row.pin = spec.pin;
    row.dstrd = spec.dstrd;
    row.mqes = spec.mqes;
    row.mdts = spec.mdts;
    row.zasl = spec.zasl;
    row.auto_close = spec.auto_close;
    row.features = row.saved = default_features(row);
    row.coalescing_disabled.assign((row.vectors + 31U) / 32U, 0);
    row.vector_masked.assign(row.vectors, 0);
    row.vector_pending.assign(row.vectors, 0);
    device.controllers.insert(row);
    device.subsystems[spec.subsystem].controllers.push_back(index);
  }
  device.subsystems.for_each([&](std::uint32_t, Subsystem& subsystem) {
    std::sort(subsystem.controllers.begin(), subsystem.controllers.end(),
              [&](std::uint32_t a, std::uint32_t b) {
                return device.controllers[a].cntlid < device.controllers[b].cntlid;
              });
  });
  for (const auto& spec : topology.namespaces) {
    Namespace row;
    row.subsystem = spec.subsystem;
    row.nsid = spec.nsid;
    row.block_shift = 9;
    while ((1U << row.block_shift) < spec.block_bytes) ++row.block_shift;
    row.blocks = spec.bytes >> row.block_shift;
    row.shared = spec.shared;
    row.metadata = spec.metadata;
    if (spec.zones.size != 0) {
      Zones zones;
      zones.size = spec.zones.size;
      zones.capacity = spec.zones.capacity;
      zones.max_active = spec.zones.max_active;
      zones.max_open = spec.zones.max_open;
      zones.cross_read = spec.zones.cross_read;
      zones.extension = spec.zones.extension;
      make_zones(row, zones);
    }
    if (!parse_hex_bytes(spec.uuid, row.uuid)) make_identifiers(row, device.subsystems[spec.subsystem]);
    parse_hex_bytes(spec.nguid, row.nguid);
    parse_hex_bytes(spec.eui64, row.eui64);
    const std::uint32_t ns = add_namespace(device, spec.subsystem, row, Media(spec.drive, spec.bytes));
    if (spec.detached) continue;
    for (const std::uint32_t controller : device.subsystems[spec.subsystem].controllers) {
      if (!spec.shared && spec.bus != static_cast<std::int32_t>(controller)) continue;
      Controller& c = device.controllers[controller];
      const auto at = std::lower_bound(c.active.begin(), c.active.end(), row.nsid,
                                       [](const Active& a, std::uint32_t nsid) { return a.nsid < nsid; });
      c.active.insert(at, {row.nsid, ns});
      c.attach_order.push_back(row.nsid);
      device.namespaces[ns].controllers.push_back(static_cast<std::uint16_t>(controller));
    }
  }
  device.old_media.resize(device.media.size());
  return device;
}

void handle(Device& device, const Surroundings& world, const engine::Event& event) {
  Act act{device, world};
  const auto generation = static_cast<std::uint32_t>(event.arg);
  const Handle named{event.whom, generation};
  const auto current_life = [&] { return act.controller(event.whom).resets == generation; };
  switch (static_cast<What>(event.what)) {
    case What::enabled:
      if (current_life()) became_enabled(act, event.whom);
      break;
    case What::disabled:
      if (current_life()) became_disabled(act, event.whom);
      break;
    case What::shutdown_done:
      if (current_life()) shutdown_complete(act, event.whom);
      break;
    case What::fetch:
      fetch(act, named);
      break;
    case What::execute:
      execute(act, named);
      break;
    case What::post:
      post(act, named);
      break;
    case What::report:
      if (current_life()) report_events(act, event.whom);
      break;
    case What::keep_alive:
      if (current_life()) keep_alive_expired(act, event.whom);
      break;
    case What::self_test_done:
      end_self_test(act, event.whom, spec::self_test::passed);
      break;
    case What::sanitize_done:
      end_sanitize(act, event.whom);
      break;
    case What::firmware_done:
      end_activation(act, event.whom);
      break;
    case What::coalesced:
      if (act.controller(event.whom).resets == event.arg >> 16U)
        coalescing_over(act, event.whom, static_cast<std::uint16_t>(event.arg));
      break;
    case What::message:
      break;
  }
}

void mask_vector(Device& device, const Surroundings& world, std::uint32_t controller, std::uint16_t vector,
                 bool masked) {
  Act act{device, world};
  if (!device.controllers[controller].pin) mask(act, controller, vector, masked);
}

bool commit_drives(const Device& device, std::string& error) {
  for (const Media& media : device.media) {
    if (!media.commit(error)) return false;
  }
  return true;
}

void Act::fired(Fault f) const {
  trace::InsideEvent note;
  note.time = world.engine.now();
  note.kind = trace::Inside::fault_fired;
  note.a = static_cast<std::uint32_t>(f);
  world.trace.annotate(note);
}

void Device::hash(engine::Hasher& hasher, engine::HashKind kind) const {
  hasher.add(profile->name);
  for (const std::uint64_t word : faults.words()) hasher.add(word);
  subsystems.hash(hasher);
  controllers.hash(hasher);
  namespaces.hash(hasher);
  sqs.hash(hasher);
  cqs.hash(hasher);
  commands.hash(hasher);
  namespaces.for_each([&](std::uint32_t index, const Namespace&) { media[index].hash(hasher); });
  if (kind == engine::HashKind::exact) {
    controllers.for_each([&](std::uint32_t, const Controller& c) { hasher.add(c.resets); });
  }
}

}  // namespace polypath::device
