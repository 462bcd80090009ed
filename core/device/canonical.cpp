#include "device/canonical.h"

#include <array>
#include <string_view>

#include "device/device.h"

namespace polypath::device {
namespace {

using engine::mix;

// Addresses and slots.
constexpr std::array<std::string_view, 10> kDropped{"asq",  "acq",       "base",  "prp1",        "prp2",
                                                    "held", "held_head", "media", "controllers", "ns"};

std::uint64_t word(std::uint64_t high, std::uint64_t low) { return high << 32U | low; }

// The place of a command: a queue has one at a time with a CID, but for planted faults.
std::uint64_t place_of(const Device& device, const Command& command) {
  const SubmissionQueue* sq = device.sqs.get(command.sq);
  const std::uint64_t qid = sq == nullptr ? 0xFFFF : sq->qid;
  return mix(mix(word(command.controller, qid), command.entry.cid), command.cause.id);
}

std::uint64_t content_of(const Device& device, const Command& command) {
  engine::Hasher hasher;
  engine::HashCanonicalFields fields{hasher, kDropped};
  hasher.add(place_of(device, command));
  command.fields(fields);
  return hasher.value();
}

std::uint64_t name_of(const Device& device, Handle handle) {
  const Command* command = device.commands.get(handle);
  return command == nullptr ? 0 : place_of(device, *command);
}

}  // namespace

std::uint64_t name_of(const Device& device, const engine::Event& event) {
  const Handle handle{event.whom, static_cast<std::uint32_t>(event.arg)};
  std::uint64_t about = 0;
  switch (static_cast<What>(event.what)) {
    case What::enabled:
    case What::disabled:
    case What::shutdown_done:
    case What::report:
    case What::keep_alive:
      if (device.controllers[event.whom].resets != event.arg) return 0;
      about = event.whom;
      break;
    case What::fetch: {
      const SubmissionQueue* sq = device.sqs.get(handle);
      if (sq == nullptr) return 0;
      about = word(sq->controller, sq->qid);
      break;
    }
    case What::execute:
    case What::post:
      about = name_of(device, handle);
      if (about == 0) return 0;
      break;
    case What::self_test_done:
    case What::sanitize_done:
    case What::firmware_done:
      about = event.whom;
      break;
    case What::coalesced:
      if (device.controllers[event.whom].resets != event.arg >> 16U) return 0;
      about = word(event.whom, event.arg & 0xFFFFU);
      break;
    case What::message:
      about = word(event.whom, event.arg);
      break;
  }
  // Two interrupt messages of a vector are one, whatever caused them.
  const bool caused = static_cast<What>(event.what) != What::message;
  return mix(mix(event.what, about), caused ? event.cause : 0) | 1U;
}

void hash_canonical(const Device& device, engine::Hasher& hasher) {
  engine::HashCanonicalFields fields{hasher, kDropped};
  for (const std::uint64_t word : device.faults.words()) hasher.add(word);
  device.subsystems.for_each([&](std::uint32_t, const Subsystem& s) {
    hasher.add(s.allocated_bytes);
    hasher.add(s.created);
    s.sanitize.fields(fields);
    s.firmware.fields(fields);
    for (const std::uint32_t row : s.ns_of_nsid) {
      if (row == 0) {
        hasher.add(0);
        continue;
      }
      const Namespace& ns = device.namespaces[row - 1];
      ns.fields(fields);
      for (const std::uint16_t controller : ns.controllers) hasher.add(controller);
      device.media[ns.media].hash_content(hasher);
      if (device.faults.none()) continue;  // planted faults alone look at these
      hasher.add(ns.last_writer);
      hasher.add(ns.former_shift);
      hasher.add(ns.formatter);
      if (ns.media < device.old_media.size()) device.old_media[ns.media].hash_content(hasher);
    }
  });
  device.controllers.for_each([&](std::uint32_t, const Controller& c) {
    c.fields(fields);
    for (const Active& a : c.active) hasher.add(a.nsid);
    for (const Handle request : c.event_requests) hasher.add(name_of(device, request));
    for (const Handle handle : c.sq) {
      if (const SubmissionQueue* sq = device.sqs.get(handle)) sq->fields(fields);
    }
    for (const Handle handle : c.cq) {
      const CompletionQueue* cq = device.cqs.get(handle);
      if (cq == nullptr) continue;
      cq->fields(fields);
      for (std::size_t i = cq->held_head; i < cq->held.size(); ++i) {
        hasher.add(name_of(device, cq->held[i]));
      }
    }
    if (device.faults.none()) return;
    for (const std::uint32_t nsid : c.attach_order) hasher.add(nsid);
    for (const std::uint32_t nsid : c.was_active) hasher.add(nsid);
  });
  std::uint64_t commands = 0;  // a sum has no order
  device.commands.for_each(
      [&](std::uint32_t, const Command& command) { commands += content_of(device, command); });
  hasher.add(device.commands.size());
  hasher.add(commands);
}

}  // namespace polypath::device
