// Properties, enable, reset, shutdown: sheet 01.
#include "lone_host.h"

namespace polypath::device {
namespace {

using spec::Status;
using Registers = LoneHost;

TEST_F(Registers, EnableEndsWithReadyAndNoFatalStatus) {
  enable(0);
  EXPECT_EQ(csts(0), 1U);
}

TEST_F(Registers, EnableWithAQueueOfOneEntryEndsFatalAndNeverReady) {
  write(0, spec::reg::aqa, 0);
  write(0, spec::reg::asq, 0x100000, 8);
  write(0, spec::reg::acq, 0x101000, 8);
  write(0, spec::reg::cc, 0x00460001);
  run();
  EXPECT_EQ(csts(0), 2U);
  write(0, spec::reg::cc, 0x00460000);  // a Controller Reset is the way out
  run();
  EXPECT_EQ(csts(0), 0U);
  enable(0);
  EXPECT_EQ(csts(0), 1U);
}

TEST_F(Registers, ControllerResetClearsCcAndKeepsAdminQueueAttributes) {
  enable(0);
  const auto aqa = read_register(device_, 0, spec::reg::aqa, 4);
  const auto asq = read_register(device_, 0, spec::reg::asq, 8);
  write(0, spec::reg::cc, 0x00460000);
  EXPECT_EQ(read_register(device_, 0, spec::reg::cc, 4), 0U);
  run();
  EXPECT_EQ(csts(0), 0U);
  EXPECT_EQ(read_register(device_, 0, spec::reg::aqa, 4), aqa);
  EXPECT_EQ(read_register(device_, 0, spec::reg::asq, 8), asq);
}

TEST_F(Registers, AdminQueueAttributesDoNotChangeWhileEnabled) {
  enable(0);
  const auto asq = read_register(device_, 0, spec::reg::asq, 8);
  write(0, spec::reg::asq, 0x7000000, 8);
  write(0, spec::reg::aqa, 0);
  EXPECT_EQ(read_register(device_, 0, spec::reg::asq, 8), asq);
  EXPECT_NE(read_register(device_, 0, spec::reg::aqa, 4), 0U);
}

TEST_F(Registers, HalvesOfA64BitRegisterAreWrittenOneByOne) {
  write(0, spec::reg::asq, 0x1000, 4);
  write(0, spec::reg::asq + 4, 0x2, 4);
  EXPECT_EQ(read_register(device_, 0, spec::reg::asq, 8), 0x200001000U);
}

TEST_F(Registers, InterruptMaskSetsAndClearsBits) {
  write(0, spec::reg::intms, 0xF0);
  write(0, spec::reg::intmc, 0x30);
  EXPECT_EQ(read_register(device_, 0, spec::reg::intms, 4), 0xC0U);
  EXPECT_EQ(read_register(device_, 0, spec::reg::intmc, 4), 0xC0U);
}

TEST_F(Registers, ShutdownGoesThroughProcessingToComplete) {
  enable(0);
  write(0, spec::reg::cc, 0x00464001);
  EXPECT_EQ(csts(0) >> 2U & 3U, 1U);
  run();
  EXPECT_EQ(csts(0) >> 2U & 3U, 2U);
  put(0, 0, command(0x06, 0, 1));
  ring(0, 0);
  run();
  EXPECT_FALSE(take(0, 0).has_value()) << "nothing is processed after shutdown";
}

TEST_F(Registers, AfterShutdownAResetAndAnEnableBringTheControllerBack) {
  enable(0);
  write(0, spec::reg::cc, 0x00464001);
  run();
  write(0, spec::reg::cc, 0x00460000);
  run();
  EXPECT_EQ(csts(0), 0U);
  enable(0);
  EXPECT_EQ(identify(0, spec::Cns::controller).status(), Status::success);
}

TEST_F(Registers, ResetOfOneControllerLeavesThePeersQueuesCommandsAndAttachmentsAlone) {
  enable(0);
  enable(1);
  queue_pair(1);
  put(1, 1, command(0x02, 1, 0, 0, 0));
  ring(1, 1);  // on its way while the peer is reset
  write(0, spec::reg::cc, 0x00460000);
  run();
  ASSERT_TRUE(take(1, 1).has_value());
  EXPECT_EQ(list(1), (std::vector<std::uint32_t>{1}));
}

TEST_F(Registers, ResetDropsQueuesEventsAndFeatureValuesButNotAttachments) {
  enable(0);
  queue_pair(0);
  arm(0);
  enable(1);
  attachment(1, 4, 0, {0});
  write(0, spec::reg::cc, 0x00460000);
  run();
  enable(0);
  EXPECT_EQ(admin(0, 0x0A, 0, 0x0B).entry.dw0, 0U);
  EXPECT_TRUE(changed(0).empty());
  EXPECT_EQ(list(0), (std::vector<std::uint32_t>{1, 4}));
  EXPECT_EQ(admin(0, 0x00, 0, 1).status(), Status::invalid_queue_identifier) << "queue 1 is gone";
}

TEST_F(Registers, UnknownOffsetsAndSizesReadZeroAndChangeNothing) {
  engine::Hasher before, after;
  device_.hash(before, engine::HashKind::exact);
  write(0, 0x18, 0xFFFFFFFF);
  write(0, 0x40, 0xFFFFFFFF);
  write(0, spec::reg::cap, 0, 8);
  write(0, spec::reg::cc + 1, 1, 4);
  write(0, spec::reg::cc, 1, 2);
  device_.hash(after, engine::HashKind::exact);
  EXPECT_EQ(before.value(), after.value());
  EXPECT_EQ(read_register(device_, 0, 0x18, 4), 0U);
  EXPECT_EQ(read_register(device_, 0, spec::reg::vs, 8), 0U);
}

}  // namespace
}  // namespace polypath::device
