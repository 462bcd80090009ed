#include "device/profile.h"

#include "spec/identify.h"
#include "spec/registers.h"

namespace polypath::device {

const std::vector<Profile>& profiles() {
  static const std::vector<Profile> all{
      {.name = "spec",
       .title = "what NVM Express Base 2.1 asks for, every event and log entry included",
       .model = "Polypath NVMe Controller",
       .firmware = "0.1",
       .version = spec::kVersion2_1,
       .vid = 0x1B36,
       .ssvid = 0x1AF4,
       .rab = 6,
       .aerl = 3,
       .acl = 3,
       .elpe = 63,
       .oacs = spec::oacs::ns_management,
       .oncs =
           spec::oncs::compare | spec::oncs::write_zeroes | spec::oncs::save_select | spec::oncs::timestamp,
       .lpa = 0x06,  // effects log, extended data
       .vwc = 0x07,  // cache present, Flush takes the broadcast NSID
       .oaes = spec::oaes::ns_attribute,
       .nn = 256,
       .dlfeat = 0x01,
       .timeout_500ms = 15,
       .cmic_when_alone = false,
       .serial_per_controller = false,
       .error_entries = true,
       .nuse_counts_blocks = false,
       .capacity_bytes = std::uint64_t{16} << 40U},
      {.name = "qemu-2021",
       .title = "QEMU's device as the nvme-subsys patches of 2021 showed it (serials may differ)",
       .model = "QEMU NVMe Ctrl",
       .firmware = "1.0",
       .version = spec::kVersion1_4,
       .vid = 0x1B36,
       .ssvid = 0x1AF4,
       .rab = 6,
       .aerl = 3,
       .acl = 3,
       .elpe = 0,
       .oacs = spec::oacs::ns_management,
       .oncs =
           spec::oncs::compare | spec::oncs::write_zeroes | spec::oncs::save_select | spec::oncs::timestamp,
       .lpa = 0x06,
       .vwc = 0x07,
       .oaes = spec::oaes::ns_attribute,
       .nn = 256,
       .dlfeat = 0x01,
       .timeout_500ms = 15,
       .cmic_when_alone = false,
       .serial_per_controller = true,
       .error_entries = false,
       .nuse_counts_blocks = false,
       .capacity_bytes = 0},
  };
  return all;
}

const Profile* find_profile(std::string_view name) {
  for (const Profile& profile : profiles()) {
    if (profile.name == name) return &profile;
  }
  return nullptr;
}

}  // namespace polypath::device
