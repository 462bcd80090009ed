// What a kind of controller announces and how it uses the freedoms that the standard leaves: data, no
// behaviour.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace polypath::device {

struct Profile {
  std::string_view name;
  std::string_view title;
  std::string_view model;     ///< MN
  std::string_view firmware;  ///< FR
  std::uint32_t version;      ///< VS and VER
  std::uint16_t vid, ssvid;
  std::uint8_t rab;
  std::uint8_t aerl, acl, elpe;  ///< 0's based
  std::uint16_t oacs, oncs;
  std::uint8_t lpa, vwc;
  std::uint32_t oaes;
  std::uint32_t nn;  ///< highest valid NSID
  std::uint8_t dlfeat;
  std::uint8_t timeout_500ms;    ///< CAP.TO
  bool cmic_when_alone;          ///< announces several controllers even without a subsystem of its own
  bool serial_per_controller;    ///< waives INV-NS-07 for SN, as the 2021 patch series did
  bool error_entries;            ///< failed commands set M and leave an Error Information entry
  bool nuse_counts_blocks;       ///< NUSE follows writes; otherwise NUSE = NCAP
  std::uint64_t capacity_bytes;  ///< TNVMCAP of a subsystem; 0: not reported and not limited
};

/// All profiles, "spec" first.
const std::vector<Profile>& profiles();
/// Null when no profile has this name.
const Profile* find_profile(std::string_view name);

}  // namespace polypath::device
