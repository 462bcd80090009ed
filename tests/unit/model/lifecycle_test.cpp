// Format NVM beside other commands, and the Keep Alive timer beside silence: what the model must allow, and
// what it must not.
#include <gtest/gtest.h>

#include "history.h"
#include "spec/registers.h"

namespace polypath::model {
namespace {

using spec::Status;

spec::SubmissionEntry format_entry(std::uint32_t nsid, std::uint32_t cdw10 = 0) {
  return admin_entry(0x80, nsid, cdw10);
}

/// Two controllers that announce Format, and a namespace of two formats.
History formatting() {
  History h;
  for (std::uint16_t c = 0; c < 2; ++c) {
    h.ready(c);
    h.identify(c, [](spec::IdentifyController& id) { id.oacs |= spec::oacs::format; });
    h.identify_ns(c, 1, [](spec::IdentifyNamespace& id) {
      id.nlbaf = 1;
      id.lbaf[1] = 12U << 16U;
    });
  }
  h.write(0, 1, 0, 5);
  return h;
}

bool finds(const History& h, Rule rule) {
  const Monitor monitor = h.judge(h.now() + 30 * engine::kSecond);
  for (const auto& finding : monitor.findings()) {
    if (finding.rule == rule) return true;
  }
  return false;
}

TEST(FormatBesideOthers, AReadMeetsTheOldDataOrNone) {
  for (const std::uint64_t value : {0U, 5U}) {
    History h = formatting();
    const auto format = h.start(0, 0, format_entry(1));
    h.read(1, 1, 0, value);
    h.complete(format);
    EXPECT_TRUE(h.judge().findings().empty()) << value;
  }
}

TEST(FormatBesideOthers, AWriteIsKeptOrLost) {
  for (const std::uint64_t value : {0U, 7U}) {
    History h = formatting();
    const auto format = h.start(0, 0, format_entry(1));
    h.write(1, 1, 0, 7);
    h.complete(format);
    h.read(1, 1, 0, value);
    EXPECT_TRUE(h.judge().findings().empty()) << value;
  }
}

TEST(FormatBesideOthers, WhatWasRefusedChangesNothing) {
  History h = formatting();
  h.run(0, 0, format_entry(1, 7), {.status = Status::invalid_format, .dnr = true});
  h.read(1, 1, 0, 5);
  EXPECT_TRUE(h.judge().findings().empty());
  h.read(1, 1, 0, 0);
  EXPECT_FALSE(h.judge().findings().empty());
}

TEST(FormatBesideOthers, FormatInProgressIsForCommandsBesideAFormatAlone) {
  History h = formatting();
  const auto format = h.start(0, 0, format_entry(1));
  h.complete(h.start_read(1, 1, 0), {.status = Status::format_in_progress});
  h.complete(format);
  EXPECT_TRUE(h.judge().findings().empty());
  h.complete(h.start_read(1, 1, 0), {.status = Status::format_in_progress});
  EXPECT_TRUE(finds(h, Rule::q33));
}

TEST(FormatBesideOthers, AnotherSizeOfBlocksIsAnEventForOthersAndTheSameSizeNeedNotBe) {
  for (const std::uint32_t index : {0U, 1U}) {
    History h = formatting();
    h.arm(1);
    h.run(0, 0, format_entry(1, index));
    EXPECT_EQ(finds(h, Rule::ae08), index == 1);
  }
}

TEST(FormatBesideOthers, ANamespaceThatIsNotNamedKeepsItsData) {
  History h = formatting();
  h.run(0, 0, format_entry(4));
  h.read(1, 1, 0, 5);
  EXPECT_TRUE(h.judge().findings().empty());
}

TEST(KeepAliveTimer, ASilentControllerMayStopWithoutItsCommands) {
  History h;
  h.ready(0);
  h.identify(0, [](spec::IdentifyController& id) { id.kas = 1; });
  h.set_feature(0, 0x0F, 200);
  h.wait(250 * kMs);
  h.start_read(0, 1, 0);
  EXPECT_TRUE(h.judge(h.now() + 60 * engine::kSecond).findings().empty());
}

TEST(KeepAliveTimer, OneThatIsOffExcusesNothing) {
  History h;
  h.ready(0);
  h.identify(0, [](spec::IdentifyController& id) { id.kas = 1; });
  h.set_feature(0, 0x0F, 200);
  h.set_feature(0, 0x0F, 0);
  h.wait(250 * kMs);
  h.start_read(0, 1, 0);
  EXPECT_TRUE(finds(h, Rule::liv01));
}

TEST(KeepAliveTimer, AResetSwitchesItOff) {
  History h;
  h.ready(0);
  h.identify(0, [](spec::IdentifyController& id) { id.kas = 1; });
  h.set_feature(0, 0x0F, 200);
  h.disable(0);
  h.enable(0);
  h.wait(5 * engine::kSecond);
  h.read_register(0, spec::reg::csts, 1);
  EXPECT_TRUE(h.judge().findings().empty());
}

}  // namespace
}  // namespace polypath::model
