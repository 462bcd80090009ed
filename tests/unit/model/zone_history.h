// Histories of a namespace with zones: namespace 1 has 16 zones of 64 blocks, 48 of them to be written, of
// which two may be active and one open.
#pragma once

#include <cstring>
#include <vector>

#include "history.h"
#include "spec/zones.h"

namespace polypath::model {

inline constexpr std::uint64_t kZoneBlocks = 64, kZoneCapacity = 48;

struct Shown {
  spec::ZoneState state = spec::ZoneState::empty;
  std::uint64_t written = 0;
  std::uint8_t attributes = 0;
};

inline std::vector<std::byte> report_bytes(const std::vector<Shown>& zones, std::uint64_t first = 0,
                                           std::uint64_t count = 0) {
  std::vector<std::byte> out(4096);
  count = count == 0 ? zones.size() : count;
  std::memcpy(out.data(), &count, sizeof count);
  for (std::size_t i = 0; i < zones.size(); ++i) {
    spec::ZoneDescriptor one{};
    one.type = spec::kSequentialWriteRequired;
    one.state = static_cast<std::uint8_t>(static_cast<unsigned>(zones[i].state) << 4U);
    one.attributes = zones[i].attributes;
    one.zcap = kZoneCapacity;
    one.zslba = (first + i) * kZoneBlocks;
    one.wp = one.zslba + zones[i].written;
    std::memcpy(out.data() + 64 + 64 * i, &one, sizeof one);
  }
  return out;
}

/// A report of all zones; those that are not named are empty.
inline void report(History& h, std::uint16_t c, std::vector<Shown> zones, std::uint64_t count = 16) {
  zones.resize(16);
  auto entry = io_entry(0x7A, 1, 0);
  entry.cdw12 = 1023;
  h.run(c, 1, entry, {.data = report_bytes(zones, 0, count)});
}

inline spec::SubmissionEntry send_entry(std::uint64_t zone, std::uint32_t action) {
  auto entry = io_entry(0x79, 1, zone * kZoneBlocks);
  entry.cdw12 = 0;
  entry.cdw13 = action;
  return entry;
}

/// Everybody is ready, and the zones are known: all empty.
inline void ready_zones(History& h) {
  h.ready_all();
  h.identify_ns(0, 1);
  spec::IdentifyZonedNamespace id{};
  id.mar = 1;
  id.lbafe[0].zsze = kZoneBlocks;
  id.lbafe[0].zdes = 1;
  h.run(0, 0, admin_entry(0x06, 1, 0x05, spec::kCsiZoned << 24U), {.data = bytes_of(id)});
  report(h, 0, {});
}

/// Media of the zone of this block can be written no more.
inline void wear(History& h, std::uint64_t lba) {
  auto event = h.make(trace::Boundary::administrator, 0);
  event.a = static_cast<std::uint32_t>(trace::AdminAction::zone_read_only);
  event.b = 1;
  event.c = lba;
  h.trace.add(event);
}

inline void append(History& h, std::uint16_t c, std::uint64_t zone, std::uint64_t value, std::uint64_t at,
                   spec::Status status = spec::Status::success) {
  h.run(c, 1, io_entry(0x7D, 1, zone * kZoneBlocks), {.digests = h.digests(value)},
        {.status = status, .dw0 = static_cast<std::uint32_t>(zone * kZoneBlocks + at)});
}

}  // namespace polypath::model
