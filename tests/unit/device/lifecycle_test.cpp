// Keep Alive, Format NVM, Device Self-test: sheet 04 section 7, sheet 01 section 9, sheet 07 section 3.
#include "lone_host.h"
#include "spec/commands.h"

namespace polypath::device {
namespace {

using spec::Cns;
using spec::Status;

class Lifecycle : public LoneHost {
 protected:
  void SetUp() override {
    build();
    for (std::uint32_t c = 0; c < 3; ++c) enable(c);
  }
  spec::IdentifyNamespace ns(std::uint32_t c, std::uint32_t nsid, Cns cns = Cns::ns) {
    spec::IdentifyNamespace id{};
    const Result result = identify(c, cns, nsid);
    std::memcpy(&id, result.data.data(), sizeof id);
    return id;
  }
  Status format(std::uint32_t c, std::uint32_t nsid, std::uint32_t cdw10) {
    return admin(c, 0x80, nsid, cdw10).status();
  }
};

TEST_F(Lifecycle, AFormatGivesANamespaceTheSizeOfBlocksThatItAskedForOnEveryPath) {
  ASSERT_EQ(ns(1, 1).nsze, 2048U);
  EXPECT_EQ(format(0, 1, 1), Status::success);
  for (std::uint32_t c = 0; c < 3; ++c) {
    EXPECT_EQ(ns(c, 1).flbas & 0xFU, 1U);
    EXPECT_EQ(ns(c, 1).nsze, 256U);
  }
  EXPECT_EQ(format(2, 1, 0), Status::success);
  EXPECT_EQ(ns(0, 1).nsze, 2048U);
}

TEST_F(Lifecycle, AFormatOfAllMeetsWhatIsAttachedToItsControllerAlone) {
  EXPECT_EQ(format(0, 0xFFFFFFFF, 1), Status::success);
  EXPECT_EQ(ns(0, 1).flbas & 0xFU, 1U);
  EXPECT_EQ(ns(2, 2).flbas & 0xFU, 0U);
  EXPECT_EQ(ns(0, 4, Cns::allocated_ns).flbas & 0xFU, 0U);
}

TEST_F(Lifecycle, WhereTheWholeSubsystemIsFormattedTheNsidIsNotLookedAt) {
  Profile all = *device_.profile;
  all.controller.fna = spec::fna::format_all;
  device_.profile = &all;
  EXPECT_EQ(format(0, 1, 1), Status::success);
  EXPECT_EQ(ns(2, 2).flbas & 0xFU, 1U);
  EXPECT_EQ(ns(0, 4, Cns::allocated_ns).flbas & 0xFU, 1U);
  EXPECT_EQ(format(0, 1, 0x200), Status::success) << "erased one by one: the scope of that is another bit";
  EXPECT_EQ(ns(2, 2).flbas & 0xFU, 1U);
  EXPECT_EQ(ns(2, 1).flbas & 0xFU, 0U);
  device_.profile = find_profile("spec");
}

TEST_F(Lifecycle, AFormatThatIsNoneIsRefused) {
  EXPECT_EQ(format(0, 1, 2), Status::invalid_format);
  EXPECT_EQ(format(0, 1, 0x10), Status::invalid_format) << "metadata";
  EXPECT_EQ(format(0, 1, 0x20), Status::invalid_format) << "protection information";
  EXPECT_EQ(format(0, 1, 0x600), Status::invalid_field) << "reserved erase";
  EXPECT_EQ(format(0, 0, 0), Status::invalid_namespace_or_format);
  EXPECT_EQ(format(0, 9, 0), Status::invalid_field) << "not allocated";
  EXPECT_EQ(format(0, 4, 0), Status::success) << "attached to nobody";
}

TEST_F(Lifecycle, ASilentHostIsNoticedAfterTheRoundedTimeout) {
  const engine::Time before = engine_.now();
  EXPECT_EQ(admin(0, 0x09, 0, 0x0F, 150).status(), Status::success);  // the world settles: time runs out
  EXPECT_EQ(device_.controllers[0].features.keep_alive_ms, 200U);
  EXPECT_EQ(csts(0) & 2U, 2U);
  EXPECT_EQ(csts(1) & 2U, 0U);
  EXPECT_GE(engine_.now(), before + 200 * engine::kMillisecond);
  write(0, spec::reg::cc, 0);
  run();
  EXPECT_EQ(device_.controllers[0].features.keep_alive_ms, 0U);
}

TEST_F(Lifecycle, AShutdownStopsTheKeepAliveTimer) {
  auto entry = command(0x09, 0, 0x0F, 1000);
  entry.cid = next_cid_++;
  put(0, 0, entry);
  ring(0, 0);
  run(engine_.now() + 10 * engine::kMillisecond);
  write(0, spec::reg::cc, 0x00464001);
  run();
  EXPECT_EQ(csts(0) & 2U, 0U);
}

TEST_F(Lifecycle, ASelfTestThatNobodyDisturbsPasses) {
  EXPECT_EQ(admin(0, 0x14, 0, 1).status(), Status::success);
  EXPECT_EQ(admin(0, 0x14, 1, 2).status(), Status::success);
  EXPECT_EQ(device_.controllers[0].self_tests, (std::vector<std::uint8_t>{0x20, 0x10}));
  EXPECT_EQ(admin(0, 0x14, 0, 0xF).status(), Status::success) << "none to abort";
  EXPECT_EQ(device_.controllers[0].self_tests.size(), 2U);
}

TEST_F(Lifecycle, AnExtendedSelfTestOutlivesAResetAndAShortOneDoesNot) {
  for (const std::uint32_t c : {0U, 1U}) {
    auto entry = command(0x14, 0, c + 1);
    entry.cid = next_cid_++;
    put(c, 0, entry);
    ring(c, 0);
  }
  run(engine_.now() + 10 * engine::kMillisecond);
  ASSERT_EQ(device_.controllers[0].self_test, 1);
  ASSERT_EQ(device_.controllers[1].self_test, 2);
  for (const std::uint32_t c : {0U, 1U}) write(c, spec::reg::cc, 0);
  EXPECT_EQ(device_.controllers[0].self_tests, std::vector<std::uint8_t>{0x12});
  EXPECT_EQ(device_.controllers[1].self_test, 2);
  run();
  EXPECT_EQ(device_.controllers[1].self_tests, std::vector<std::uint8_t>{0x20});
}

TEST_F(Lifecycle, ASanitizeRefusesOthersUntilItsTimeIsOverAndErasesEverything) {
  device_.media[1].write(0, std::vector<std::byte>(512, std::byte{1}));
  put(0, 0, command(0x84, 0, 2));
  ring(0, 0);
  run(engine_.now() + 100 * engine::kMillisecond);
  const Sanitize& s = device_.subsystems[0].sanitize;
  ASSERT_EQ(s.state, spec::sanitize::State::restricted_processing);
  put(1, 0, command(0x80, 1, 0));
  ring(1, 0);
  write(0, spec::reg::cc, 0);
  run(engine_.now() + 100 * engine::kMillisecond);
  EXPECT_EQ(take(1, 0)->status(), Status::sanitize_in_progress);
  EXPECT_EQ(s.state, spec::sanitize::State::restricted_processing) << "a reset does not end it";
  run();
  EXPECT_EQ(s.state, spec::sanitize::State::idle);
  EXPECT_EQ(s.outcome, spec::sanitize::Outcome::done);
  EXPECT_TRUE(s.erased);
  EXPECT_EQ(device_.media[1].version(0), 0U);
}

TEST_F(Lifecycle, ASanitizeThatIsNoneIsRefused) {
  EXPECT_EQ(admin(0, 0x84, 0, 0).status(), Status::invalid_field);
  EXPECT_EQ(admin(0, 0x84, 0, 5).status(), Status::invalid_field) << "no media verification";
  EXPECT_EQ(admin(0, 0x84, 0, 0x204).status(), Status::invalid_field) << "NDAS is inhibited";
  EXPECT_EQ(admin(1, 0x09, 0, 0x17, 1).status(), Status::success);
  EXPECT_EQ(admin(0, 0x84, 0, 0x204).status(), Status::success);
  EXPECT_EQ(device_.subsystems[0].sanitize.outcome, spec::sanitize::Outcome::deallocated);
}

TEST_F(Lifecycle, AFailedSanitizeLeavesWhatItsKindAllows) {
  Sanitize& s = device_.subsystems[0].sanitize;
  s.state = spec::sanitize::State::restricted_failure;
  EXPECT_EQ(admin(0, 0x84, 0, 1).status(), Status::sanitize_failed);
  EXPECT_EQ(admin(0, 0x84, 0, 0xC).status(), Status::sanitize_failed);
  EXPECT_EQ(admin(0, 0x80, 1, 0).status(), Status::sanitize_failed);
  EXPECT_EQ(admin(0, 0x84, 0, 4).status(), Status::success);
  EXPECT_EQ(s.state, spec::sanitize::State::idle);
  s.state = spec::sanitize::State::unrestricted_failure;
  EXPECT_EQ(admin(0, 0x84, 0, 1).status(), Status::success);
  EXPECT_EQ(s.state, spec::sanitize::State::idle);
}

std::vector<std::byte> image(std::uint8_t kind, const char* revision) {
  std::vector<std::byte> out(4096);
  std::memcpy(out.data(), "PPFW", 4);
  out[4] = std::byte{kind};
  std::memcpy(out.data() + 8, revision, 8);
  return out;
}

TEST_F(Lifecycle, AnImageIsActivatedByAResetOfAnyControllerOrByTheKindThatItNeeds) {
  const Firmware& firmware = device_.subsystems[0].firmware;
  EXPECT_EQ(submit(0, 0, command(0x11, 0, 1023), image(0, "NEW     ")).status(), Status::success);
  EXPECT_EQ(admin(0, 0x10, 0, 2U | 1U << 3U).status(), Status::success);
  EXPECT_EQ(firmware.next, 2);
  write(2, spec::reg::cc, 0);
  EXPECT_EQ(firmware.active, 2);
  EXPECT_EQ(firmware.next, 0);
  EXPECT_EQ(submit(0, 0, command(0x11, 0, 1023), image(2, "NEWER   ")).status(), Status::success);
  EXPECT_EQ(admin(0, 0x10, 0, 3U | 1U << 3U).status(), Status::firmware_needs_subsystem_reset);
  EXPECT_EQ(admin(1, 0x84, 0, 4).status(), Status::firmware_needs_subsystem_reset)
      << "Sanitize waits as well";
  write(1, spec::reg::cc, 0);
  EXPECT_EQ(firmware.active, 2);
  write(0, spec::reg::nssr, spec::kSubsystemReset);
  EXPECT_EQ(firmware.active, 3);
  EXPECT_EQ(csts(0) >> 4U & 1U, 0U) << "NSSRO tells of a reset that activated nothing";
}

TEST_F(Lifecycle, PiecesComeInAnyOrderAndOnce) {
  EXPECT_EQ(submit(0, 0, command(0x11, 0, 1023, 1024), std::vector<std::byte>(4096)).status(),
            Status::success);
  EXPECT_EQ(submit(0, 0, command(0x11, 0, 1023, 1024), std::vector<std::byte>(4096)).status(),
            Status::overlapping_range);
  EXPECT_EQ(submit(0, 0, command(0x11, 0, 1022, 0), std::vector<std::byte>(4096)).status(),
            Status::invalid_field);
  EXPECT_EQ(admin(0, 0x10, 0, 2).status(), Status::invalid_firmware_image) << "its begin is missing";
  EXPECT_EQ(submit(0, 0, command(0x11, 0, 1023, 1024), std::vector<std::byte>(4096)).status(),
            Status::success)
      << "another image";
  EXPECT_EQ(submit(0, 0, command(0x11, 0, 1023, 0), image(0, "NEW     ")).status(), Status::success);
  EXPECT_EQ(admin(0, 0x10, 0, 1).status(), Status::invalid_firmware_slot) << "read only";
  EXPECT_EQ(admin(0, 0x10, 0, 0).status(), Status::success);
  EXPECT_EQ(device_.subsystems[0].firmware.slots[1].revision[0], 'N') << "a slot of the controller's choice";
}

TEST_F(Lifecycle, AnActivationWithoutAResetPausesEveryController) {
  EXPECT_EQ(submit(0, 0, command(0x11, 0, 1023), image(0, "NEW     ")).status(), Status::success);
  put(0, 0, command(0x10, 0, 2U | 3U << 3U));
  ring(0, 0);
  run(engine_.now() + engine::kMillisecond);
  EXPECT_EQ(csts(1) >> 5U & 1U, 1U);
  put(1, 0, command(0x06, 0, 1));
  ring(1, 0);
  run(engine_.now() + engine::kMillisecond);
  EXPECT_FALSE(take(1, 0).has_value()) << "nothing is processed meanwhile";
  run();
  EXPECT_EQ(csts(1) >> 5U & 1U, 0U);
  EXPECT_TRUE(take(1, 0).has_value());
}

}  // namespace
}  // namespace polypath::device
