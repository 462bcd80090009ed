// What a kind of controller announces and how it uses the freedoms that the standard leaves: data, no
// behaviour.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/commands.h"
#include "spec/identify.h"
#include "spec/protection.h"

namespace polypath::device {

struct Profile {
  std::string_view name;
  std::string_view title;
  /// Identify Controller as every controller of this kind shows it. SN, MN, FR, bit 1 of CMIC, MDTS, CNTLID,
  /// the capacities and SUBNQN are filled in when a host asks.
  spec::IdentifyController controller;
  /// Identify Namespace likewise: sizes, FLBAS, NMIC, NVMCAP and identifiers are the namespace's own.
  spec::IdentifyNamespace ns;
  std::string_view model;        ///< MN
  std::string_view firmware;     ///< FR
  std::uint8_t timeout_500ms;    ///< CAP.TO
  bool cmic_when_alone;          ///< announces several controllers even without a subsystem of its own
  bool serial_per_controller;    ///< waives INV-NS-07 for SN, as the 2021 patch series did
  bool subsystem_reset;          ///< CAP.NSSRS
  bool error_entries;            ///< failed commands set M and leave an Error Information entry
  std::uint64_t capacity_bytes;  ///< TNVMCAP of a subsystem; 0: not reported and not limited
  bool zoned = false;            ///< has the Zoned command set, and offers a choice of command sets (CAP.CSS)
  bool any_queue_memory = false;      ///< CAP.CQR is 0: I/O queues may lie in pages apart
  bool weighted_round_robin = false;  ///< CAP.AMS bit 17
  bool saves_features = false;        ///< Set Features with SV keeps what the standard lets be kept
  /// ELBAF (CNS 05h) of each LBA format: STS 6:0, PIF 8:7.
  std::array<std::uint32_t, 16> elbaf{};
  std::uint8_t pic = 0;  ///< of the same structure
};

/// The LBA format (FLBAS 3:0) of blocks of this size, with metadata of this length, guard and space for
/// storage tags; empty when the profile announces none.
std::optional<std::uint8_t> format_of(const Profile& profile, std::uint32_t block_bytes,
                                      const spec::MetadataFormat& metadata = {});
/// Metadata of a format, as it announces them: no settings of a namespace.
spec::MetadataFormat metadata_of(const Profile& profile, unsigned format);
/// Does the format need a host that enabled extended LBA formats (Host Behavior Support, LBAFEE)?
bool needs_extended_formats(const spec::MetadataFormat& format);
/// Does the profile take the settings of a namespace: metadata inside or beside, type and place of its
/// protection information?
bool takes_settings(const Profile& profile, const spec::MetadataFormat& format);
/// Base-2 logarithm of the block size of a format; 0 when the profile does not have it.
std::uint8_t block_shift_of(const Profile& profile, unsigned format);

/// True when Identify Controller announces the command, or it needs no announcement.
bool announces(const Profile& profile, const spec::CommandRow& row);

/// All profiles, "spec" first.
const std::vector<Profile>& profiles();
/// Null when no profile has this name.
const Profile* find_profile(std::string_view name);

}  // namespace polypath::device
