// Zones: sheet 05b, sections 4 to 8. They are of the namespace, whichever controller a command comes through.
#include "spec/zones.h"
#include "device/act.h"
#include "lone_host.h"

namespace polypath::device {
namespace {

using spec::Status;
using spec::ZoneState;

class Zones : public LoneHost {
 protected:
  static constexpr std::uint64_t kSize = 32, kCapacity = 24;

  void SetUp() override {
    program::Topology topology;
    topology.subsystems.push_back({"subsys0", "nqn.2019-08.org.qemu:subsys0", false});
    for (std::uint16_t k = 0; k < 3; ++k) {
      program::ControllerSpec c;
      c.id = "nvme" + std::to_string(k);
      c.serial = "foo";
      c.cntlid = k;
      topology.controllers.push_back(c);
    }
    program::NamespaceSpec n;
    n.id = "ns1";
    n.nsid = 1;
    n.bytes = 8 * kSize * 512;
    n.zones = {.size = kSize * 512, .capacity = kCapacity * 512, .max_active = 3, .max_open = 2};
    n.zones.extension = true;
    topology.namespaces.push_back(n);
    build("spec-zoned", topology);
    for (std::uint32_t c = 0; c < 2; ++c) {
      enable(c, 16, 0x00460061);
      queue_pair(c);
    }
  }
  Result append(std::uint32_t c, std::uint64_t zone, std::uint32_t blocks) {
    auto entry = command(0x7D, 1);
    entry.cdw10 = static_cast<std::uint32_t>(zone * kSize);
    entry.cdw12 = blocks - 1;
    return submit(c, 1, entry, std::vector<std::byte>(std::size_t{blocks} * 512, std::byte{1}));
  }
  Result send(std::uint32_t c, std::uint64_t zone, std::uint32_t cdw13) {
    auto entry = command(0x79, 1);
    entry.cdw10 = static_cast<std::uint32_t>(zone * kSize);
    entry.cdw13 = cdw13;
    return submit(c, 1, entry, std::vector<std::byte>(64, std::byte{7}));
  }
  spec::ZoneDescriptor shown(std::uint32_t c, std::uint64_t zone) {
    auto entry = command(0x7A, 1);
    entry.cdw10 = static_cast<std::uint32_t>(zone * kSize);
    entry.cdw12 = 255;
    const Result result = submit(c, 1, entry, {}, 1024);
    EXPECT_EQ(result.status(), Status::success);
    spec::ZoneDescriptor out{};
    std::memcpy(&out, result.data.data() + sizeof(spec::ZoneReportHeader), sizeof out);
    return out;
  }
  ZoneState state(std::uint32_t c, std::uint64_t zone) {
    return static_cast<ZoneState>(shown(c, zone).state >> 4U);
  }
};

TEST_F(Zones, AppendsOfTwoControllersFollowEachOther) {
  EXPECT_EQ(append(0, 1, 4).entry.dw0, kSize);
  EXPECT_EQ(append(1, 1, 3).entry.dw0, kSize + 4);
  EXPECT_EQ(shown(0, 1).wp, kSize + 7);
  EXPECT_EQ(state(1, 1), ZoneState::implicitly_open);
}

TEST_F(Zones, AZoneIsFullAtItsCapacityAndAnAppendIsNotSplit) {
  EXPECT_EQ(append(0, 0, 16).status(), Status::success);
  EXPECT_EQ(append(1, 0, 9).status(), Status::zone_boundary_error);
  EXPECT_EQ(append(1, 0, 8).status(), Status::success);
  EXPECT_EQ(state(0, 0), ZoneState::full);
  EXPECT_EQ(append(0, 0, 1).status(), Status::zone_full);
}

TEST_F(Zones, TheLongestImplicitlyOpenedOneIsClosedToMakeRoom) {
  append(0, 0, 1);
  append(0, 1, 1);
  append(1, 0, 1);  // zone 0 is still the one that was opened first
  append(1, 2, 1);
  EXPECT_EQ(state(0, 0), ZoneState::closed);
  EXPECT_EQ(state(0, 1), ZoneState::implicitly_open);
  EXPECT_EQ(state(0, 2), ZoneState::implicitly_open);
  EXPECT_EQ(append(0, 3, 1).status(), Status::too_many_active_zones);
}

TEST_F(Zones, ExplicitlyOpenedOnesAreNeverClosedToMakeRoom) {
  EXPECT_EQ(send(0, 0, 3).status(), Status::success);
  EXPECT_EQ(send(1, 1, 3).status(), Status::success);
  EXPECT_EQ(append(0, 2, 1).status(), Status::too_many_open_zones);
  EXPECT_EQ(state(0, 2), ZoneState::empty);
}

TEST_F(Zones, AnOpenOfAllThatLacksResourcesOpensNone) {
  for (std::uint64_t zone = 0; zone < 3; ++zone) {
    EXPECT_EQ(send(0, zone, 0x10).status(), Status::success);
  }
  EXPECT_EQ(send(1, 0, 0x103).status(), Status::too_many_open_zones);
  for (std::uint64_t zone = 0; zone < 3; ++zone) EXPECT_EQ(state(0, zone), ZoneState::closed);
}

TEST_F(Zones, AResetOfAControllerChangesNoneAndOneOfTheSubsystemClosesThem) {
  send(0, 0, 3);
  append(0, 1, 2);
  write(0, spec::reg::cc, 0x00460060);
  run();
  EXPECT_EQ(state(1, 0), ZoneState::explicitly_open);
  EXPECT_EQ(state(1, 1), ZoneState::implicitly_open);
  write(0, spec::reg::nssr, spec::kSubsystemReset);
  run();
  enable(1, 16, 0x00460061);
  queue_pair(1);
  EXPECT_EQ(state(1, 0), ZoneState::empty);
  EXPECT_EQ(state(1, 1), ZoneState::closed);
}

TEST_F(Zones, WhatAPowerLossTookMovesTheWritePointerBack) {
  append(0, 0, 6);
  const std::uint64_t lost[] = {4};
  zones_lost(device_, 0, lost);
  EXPECT_EQ(shown(1, 0).wp, 4U);
}

TEST_F(Zones, AnExtensionIsValidUntilReset) {
  send(0, 0, 0x10);
  EXPECT_EQ(shown(1, 0).attributes, spec::zone_attribute::extension);
  EXPECT_EQ(send(1, 0, 0x10).status(), Status::invalid_zone_transition);
  send(1, 0, 4);
  EXPECT_EQ(shown(0, 0).attributes, 0);
}

TEST_F(Zones, CommandsOfTheSetHaveHandlers) {
  for (const std::uint8_t opcode : {std::uint8_t{0x79}, std::uint8_t{0x7A}, std::uint8_t{0x7D}}) {
    EXPECT_NE(submit(0, 1, command(opcode, 1), {}, 4096).status(), Status::invalid_opcode);
  }
}

}  // namespace
}  // namespace polypath::device
