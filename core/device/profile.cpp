#include "device/profile.h"

#include <array>

#include "spec/log_feature_event.h"
#include "spec/registers.h"

namespace polypath::device {
namespace {

constexpr unsigned kFormats = 16;  // FLBAS bits 3:0

// What both profiles of this project's own device announce.
constexpr spec::IdentifyController own_controller(std::uint32_t version) {
  spec::IdentifyController id{};
  id.vid = 0x1B36;
  id.ssvid = 0x1AF4;
  id.rab = 6;
  id.ieee = {0x00, 0x54, 0x52};
  id.ver = version;
  id.oaes = spec::oaes::ns_attribute;
  id.cntrltype = 1;
  id.oacs = spec::oacs::ns_management;
  id.acl = 3;
  id.aerl = 3;
  id.frmw = 0x03;  // one slot, read only
  id.lpa = 0x06;   // effects log, extended data
  id.wctemp = 343;
  id.cctemp = 373;
  id.sqes = 0x66;
  id.cqes = 0x44;
  id.nn = 256;
  id.oncs = spec::oncs::compare | spec::oncs::write_zeroes | spec::oncs::save_select | spec::oncs::timestamp;
  id.vwc = 0x07;                                         // cache present, Flush takes the broadcast NSID
  id.power_states[0] = 0xC4, id.power_states[1] = 0x09;  // MP: 25 W
  return id;
}

struct PowerState {
  std::uint16_t hundredth_watts = 0;
  bool non_operational = false;
  std::uint32_t entry_us = 0, exit_us = 0;
  std::uint8_t rank = 0;  ///< among the states: throughput and latency of reads and of writes
};

constexpr void power_state(spec::IdentifyController& id, std::size_t number, const PowerState& state) {
  constexpr std::size_t kBytes = 32, kFlags = 3, kEntry = 4, kExit = 8, kRanks = 12;
  const std::size_t at = number * kBytes;
  const auto put = [&](std::size_t offset, std::uint32_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) {
      id.power_states[at + offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
  };
  put(0, state.hundredth_watts, 2);
  put(kFlags, state.non_operational ? 2 : 0, 1);
  put(kEntry, state.entry_us, 4);
  put(kExit, state.exit_us, 4);
  for (std::size_t i = 0; i < 4; ++i) put(kRanks + i, state.rank, 1);
}

constexpr spec::IdentifyController spec_controller() {
  spec::IdentifyController id = own_controller(spec::kVersion2_1);
  id.elpe = 63;
  id.lpa |= spec::kLpaSupportedLogs | spec::kLpaTelemetry;
  id.ctratt = spec::ctratt::non_operational_permissive;
  id.npss = 2;
  power_state(id, 1, {.hundredth_watts = 1500, .rank = 1});
  power_state(id, 2,
              {.hundredth_watts = 5, .non_operational = true, .entry_us = 5000, .exit_us = 10000, .rank = 2});
  id.apsta = 1;
  id.hctma = 1;
  id.mntmt = 323;
  id.mxtmt = 363;
  id.oncs |= spec::oncs::verify | spec::oncs::write_uncorrectable | spec::oncs::dsm | spec::oncs::copy;
  id.ocfs = 1;  // Copy descriptors of format 0
  id.oacs |= spec::oacs::format | spec::oacs::self_test;
  id.oacs |= spec::oacs::firmware | spec::oacs::get_lba_status;
  id.oaes |= spec::oaes::firmware_activation;
  id.frmw = spec::firmware::slot1_read_only | 3U << 1U | spec::firmware::without_reset;
  id.fwug = 1;   // pieces of 4 KiB
  id.mtfa = 10;  // a second
  id.sanicap = spec::sanitize::can_crypto | spec::sanitize::can_block | spec::sanitize::can_overwrite |
               spec::sanitize::inhibits_no_deallocate | spec::sanitize::not_modified;
  id.fna = spec::fna::crypto;  // one namespace at a time, unless all attached ones are named
  id.edstt = 1;                // minutes
  id.kas = 1;
  id.fuses = 1;  // Compare and Write
  id.nwpc =
      spec::protection::announced | spec::protection::can_until_power_cycle | spec::protection::can_permanent;
  id.acwu = 7;  // up to 8 blocks
  // Any alignment; a list may be longer than the data.
  id.sgls = 1 | spec::sgls::bit_bucket | spec::sgls::longer;
  return id;
}

// Doorbells in memory are for controllers without hardware of their own: profile `spec` is a drive.
constexpr spec::IdentifyController emulated_controller() {
  spec::IdentifyController id = spec_controller();
  id.oacs |= spec::oacs::doorbell_buffer;
  return id;
}

constexpr spec::IdentifyController zoned_controller() {
  spec::IdentifyController id = emulated_controller();
  id.oaes |= spec::oaes::zone_descriptor;
  return id;
}

// Nothing that a controller is free to leave out.
constexpr spec::IdentifyController minimal_controller() {
  spec::IdentifyController id = own_controller(spec::kVersion2_1);
  id.oaes = 0;
  id.oacs = 0;
  id.oncs = 0;
  id.acl = 0;
  id.aerl = 0;
  id.lpa = 0;
  id.vwc = 0;
  return id;
}

// QEMU 7.2 as it was recorded, less what this device does not do; docs/profiles.md lists each difference.
constexpr spec::IdentifyController qemu_controller() {
  spec::IdentifyController id = own_controller(spec::kVersion1_4);
  id.ieee = {0x00, 0x54, 0x52};
  id.lpa |= spec::kLpaSmartPerNamespace;
  id.ctratt = spec::ctratt::extended_formats;
  id.oacs |= spec::oacs::format | spec::oacs::doorbell_buffer;
  id.oncs |= spec::oncs::dsm | spec::oncs::copy;
  id.ocfs = 3;  // Copy descriptors of formats 0 and 1
  id.sgls = 1;
  power_state(id, 0, {.hundredth_watts = 2500, .entry_us = 16, .exit_us = 4});
  return id;
}

// The target of Linux 6.1, likewise: what a host sees of it on PCIe, without fabrics and without ANA.
constexpr spec::IdentifyController nvmet_controller() {
  spec::IdentifyController id{};
  id.rab = 6;
  id.cmic = spec::cmic::several_ports;
  id.ver = spec::kVersion1_3;
  id.oaes = spec::oaes::ns_attribute;
  id.cntrltype = 1;
  id.acl = 3;
  id.aerl = 3;
  id.frmw = 0x03;
  id.lpa = 0x06 | spec::kLpaSmartPerNamespace;
  id.kas = 10;  // of 100 ms
  id.nwpc = spec::protection::announced;
  id.elpe = 127;
  id.sqes = 0x66;
  id.cqes = 0x44;
  id.maxcmd = 1024;
  id.nn = 1024;
  id.mnan = 1024;
  id.oncs = spec::oncs::dsm | spec::oncs::write_zeroes;
  id.vwc = 0x01;
  id.sgls = 1;
  power_state(id, 0, {.hundredth_watts = 2500, .entry_us = 16, .exit_us = 4});
  return id;
}

constexpr spec::IdentifyNamespace own_ns() {
  spec::IdentifyNamespace id{};
  id.nlbaf = 1;
  id.lbaf[0] = 9U << 16U;  // LBADS: 512 bytes
  id.lbaf[1] = 12U << 16U;
  id.dlfeat = 0x01;  // deallocated blocks read as zeros
  return id;
}

constexpr spec::IdentifyNamespace spec_ns() {
  spec::IdentifyNamespace id = own_ns();
  id.mssrl = 64;
  id.mcl = 128;
  id.msrc = 7;
  return id;
}

// Every size from 512 bytes to 64 KiB; the first two formats are those of profile `spec`.
constexpr spec::IdentifyNamespace large_block_ns() {
  spec::IdentifyNamespace id = spec_ns();
  constexpr std::array<std::uint32_t, 6> kMore{10, 11, 13, 14, 15, 16};
  for (const std::uint32_t shift : kMore) id.lbaf[++id.nlbaf] = shift << 16U;
  return id;
}

// The guard of a format and the bits of its storage tags, as ELBAF has them.
constexpr std::uint32_t elbaf(spec::Guard guard, std::uint32_t storage_bits) {
  return static_cast<std::uint32_t>(guard) << 7U | storage_bits;
}

constexpr std::array<std::uint32_t, kFormats> kProtectedElbaf{0,
                                                              0,
                                                              0,
                                                              0,
                                                              0,
                                                              0,
                                                              elbaf(spec::Guard::bits64, 16),
                                                              elbaf(spec::Guard::bits32, 32),
                                                              elbaf(spec::Guard::bits16, 16),
                                                              elbaf(spec::Guard::bits64, 0)};

// Blocks with metadata; the first two formats are those of profile `spec`, and the last four are for hosts
// that enabled extended LBA formats.
constexpr spec::IdentifyNamespace protected_ns() {
  spec::IdentifyNamespace id = spec_ns();
  constexpr std::uint32_t k512 = 9U << 16U, k4096 = 12U << 16U;
  constexpr std::array<std::uint32_t, 8> kMore{k512 | 8,   k4096 | 8,  k512 | 16, k4096 | 64,
                                               k4096 | 16, k4096 | 16, k512 | 8,  k512 | 64};
  for (const std::uint32_t format : kMore) id.lbaf[++id.nlbaf] = format;
  id.mc = spec::mc::extended | spec::mc::separate;
  id.dpc = spec::dpc::types | spec::dpc::first | spec::dpc::last;
  return id;
}

constexpr spec::IdentifyController protected_controller() {
  spec::IdentifyController id = emulated_controller();
  id.ocfs |= 2;  // Copy descriptors of format 1
  id.ctratt |= spec::ctratt::extended_formats;
  id.sgls |= spec::sgls::mptr_segment;
  return id;
}

constexpr spec::IdentifyNamespace qemu_ns() {
  spec::IdentifyNamespace id{};
  id.nsfeat = spec::nsfeat::preferred_sizes;
  id.npdg = id.npda = 7;
  constexpr std::array<std::uint32_t, 4> kMetadata{0, 8, 16, 64};
  id.nlbaf = 7;
  for (std::size_t i = 0; i < kMetadata.size(); ++i) {
    id.lbaf[i] = 9U << 16U | kMetadata[i];
    id.lbaf[i + 4] = 12U << 16U | kMetadata[i];
  }
  id.mc = spec::mc::extended | spec::mc::separate;
  id.dpc = spec::dpc::types | spec::dpc::first | spec::dpc::last;
  id.mssrl = 128;
  id.mcl = 128;
  id.msrc = 127;
  id.dlfeat = 0x01;
  return id;
}

constexpr spec::IdentifyNamespace nvmet_ns() {
  spec::IdentifyNamespace id{};
  id.nsfeat = spec::nsfeat::own_atomic_units | spec::nsfeat::preferred_sizes;
  id.lbaf[0] = 9U << 16U;
  return id;
}

}  // namespace

const std::vector<Profile>& profiles() {
  static const std::vector<Profile> all{
      {.name = "spec",
       .title = "what NVM Express Base 2.1 asks for, every event and log entry included",
       .controller = spec_controller(),
       .ns = spec_ns(),
       .model = "Polypath NVMe Controller",
       .firmware = "0.1",
       .timeout_500ms = 15,
       .cmic_when_alone = false,
       .serial_per_controller = false,
       .subsystem_reset = true,
       .error_entries = true,
       .capacity_bytes = std::uint64_t{16} << 40U,
       .any_queue_memory = true,
       .weighted_round_robin = true,
       .saves_features = true},
      {.name = "spec-zoned",
       .title = "profile spec with the Zoned command set: namespaces may have zones",
       .controller = zoned_controller(),
       .ns = spec_ns(),
       .model = "Polypath NVMe Controller",
       .firmware = "0.1",
       .timeout_500ms = 15,
       .cmic_when_alone = false,
       .serial_per_controller = false,
       .subsystem_reset = true,
       .error_entries = true,
       .capacity_bytes = std::uint64_t{16} << 40U,
       .zoned = true,
       .any_queue_memory = true,
       .weighted_round_robin = true,
       .saves_features = true},
      {.name = "spec-blocks",
       .title = "profile spec with blocks of 512 bytes to 64 KiB",
       .controller = emulated_controller(),
       .ns = large_block_ns(),
       .model = "Polypath NVMe Controller",
       .firmware = "0.1",
       .timeout_500ms = 15,
       .cmic_when_alone = false,
       .serial_per_controller = false,
       .subsystem_reset = true,
       .error_entries = true,
       .capacity_bytes = std::uint64_t{16} << 40U,
       .any_queue_memory = true,
       .weighted_round_robin = true,
       .saves_features = true},
      {.name = "spec-pi",
       .title = "profile spec with metadata and protection information: guards of 16, 32 and 64 bits",
       .controller = protected_controller(),
       .ns = protected_ns(),
       .model = "Polypath NVMe Controller",
       .firmware = "0.1",
       .timeout_500ms = 15,
       .cmic_when_alone = false,
       .serial_per_controller = false,
       .subsystem_reset = true,
       .error_entries = true,
       .capacity_bytes = std::uint64_t{16} << 40U,
       .any_queue_memory = true,
       .weighted_round_robin = true,
       .saves_features = true,
       .elbaf = kProtectedElbaf,
       .pic = spec::nvm_ns::storage_with_guard16},
      {.name = "qemu-2021",
       .title = "QEMU's device as the nvme-subsys patches of 2021 showed it (serials may differ)",
       .controller = own_controller(spec::kVersion1_4),
       .ns = own_ns(),
       .model = "QEMU NVMe Ctrl",
       .firmware = "1.0",
       .timeout_500ms = 15,
       .cmic_when_alone = false,
       .serial_per_controller = true,
       .subsystem_reset = false,
       .error_entries = false,
       .capacity_bytes = 0},
      {.name = "minimal",
       .title = "the least that NVM Express Base 2.1 lets a controller have",
       .controller = minimal_controller(),
       .ns = own_ns(),
       .model = "Polypath Minimal",
       .firmware = "0.1",
       .timeout_500ms = 15,
       .cmic_when_alone = false,
       .serial_per_controller = false,
       .subsystem_reset = false,
       .error_entries = true,
       .capacity_bytes = 0},
      {.name = "qemu-7.2",
       .title = "QEMU 7.2 as recorded, less what is not simulated (docs/profiles.md)",
       .controller = qemu_controller(),
       .ns = qemu_ns(),
       .model = "QEMU NVMe Ctrl",
       .firmware = "7.2.22",
       .timeout_500ms = 15,
       .cmic_when_alone = false,
       .serial_per_controller = false,
       .subsystem_reset = false,
       .error_entries = false,
       .capacity_bytes = 0},
      {.name = "linux-nvmet",
       .title = "the NVMe target of Linux 6.1 as recorded, without fabrics and ANA (docs/profiles.md)",
       .controller = nvmet_controller(),
       .ns = nvmet_ns(),
       .model = "Linux",
       .firmware = "6.1.0-56",
       .timeout_500ms = 15,
       .cmic_when_alone = true,
       .serial_per_controller = false,
       .subsystem_reset = false,
       .error_entries = true,
       .capacity_bytes = 0},
  };
  return all;
}

std::optional<std::uint8_t> format_of(const Profile& profile, std::uint32_t block_bytes,
                                      const spec::MetadataFormat& metadata) {
  for (unsigned format = 0; format <= profile.ns.nlbaf && format < kFormats; ++format) {
    const std::uint8_t shift = block_shift_of(profile, format);
    const spec::MetadataFormat there = metadata_of(profile, format);
    const bool same = there.bytes == metadata.bytes && there.guard == metadata.guard &&
                      there.storage_bits == metadata.storage_bits;
    if (shift != 0 && std::uint32_t{1} << shift == block_bytes && same)
      return static_cast<std::uint8_t>(format);
  }
  return std::nullopt;
}

spec::MetadataFormat metadata_of(const Profile& profile, unsigned format) {
  constexpr std::uint32_t kStorageBits = 0x7F;
  spec::MetadataFormat metadata;
  if (format > profile.ns.nlbaf || format >= kFormats) return metadata;
  metadata.bytes = static_cast<std::uint16_t>(profile.ns.lbaf[format]);
  metadata.storage_bits = static_cast<std::uint8_t>(profile.elbaf[format] & kStorageBits);
  metadata.guard = static_cast<spec::Guard>(profile.elbaf[format] >> 7U & 3U);
  return metadata;
}

bool needs_extended_formats(const spec::MetadataFormat& format) {
  return format.guard != spec::Guard::bits16 || format.storage_bits != 0;
}

bool takes_settings(const Profile& profile, const spec::MetadataFormat& format) {
  const std::uint8_t where = format.extended ? spec::mc::extended : spec::mc::separate;
  if (format.bytes != 0 && (profile.ns.mc & where) == 0) return false;
  if (format.type == 0) return true;
  const std::uint8_t place = format.first ? spec::dpc::first : spec::dpc::last;
  return format.possible() && (profile.ns.dpc >> (format.type - 1U) & 1U) != 0 &&
         (profile.ns.dpc & place) != 0;
}

std::uint8_t block_shift_of(const Profile& profile, unsigned format) {
  if (format > profile.ns.nlbaf || format >= kFormats) return 0;
  return static_cast<std::uint8_t>(profile.ns.lbaf[format] >> 16U & 0xFFU);
}

bool announces(const Profile& profile, const spec::CommandRow& row) {
  switch (row.announced) {
    case spec::Announced::mandatory:
      return true;
    case spec::Announced::oacs:
      return (profile.controller.oacs >> row.bit & 1U) != 0;
    case spec::Announced::oncs:
      return (profile.controller.oncs >> row.bit & 1U) != 0;
    case spec::Announced::kas:
      return profile.controller.kas != 0;
    case spec::Announced::sanicap:
      return (profile.controller.sanicap & 7U) != 0;
    case spec::Announced::zoned:
      return profile.zoned;
  }
  return false;
}

const Profile* find_profile(std::string_view name) {
  for (const Profile& profile : profiles()) {
    if (profile.name == name) return &profile;
  }
  return nullptr;
}

}  // namespace polypath::device
