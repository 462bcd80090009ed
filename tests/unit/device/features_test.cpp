// Current, default and saved values of features, and what may be saved. Sheet 04, section 3.
#include <gtest/gtest.h>

#include "lone_host.h"

namespace polypath::device {
namespace {

using spec::Status;

constexpr std::uint32_t kSave = 1U << 31U, kDefault = 1U << 8U, kSaved = 2U << 8U, kCapabilities = 3U << 8U;

class FeatureValues : public LoneHost {
 protected:
  Result set(std::uint32_t cdw10, std::uint32_t value, const std::vector<std::byte>& data = {}) {
    spec::SubmissionEntry entry;
    entry.opcode = 0x09;
    entry.cdw10 = cdw10;
    entry.cdw11 = value;
    return submit(0, 0, entry, data);
  }
  std::uint32_t get(std::uint32_t cdw10) {
    spec::SubmissionEntry entry;
    entry.opcode = 0x0A;
    entry.cdw10 = cdw10;
    return submit(0, 0, entry, {}, 4096).entry.dw0;
  }
  void reset() {
    write(0, spec::reg::cc, 0);
    run();
    enable(0);
  }
};

TEST_F(FeatureValues, ASavedValueComesBackAfterAResetAndOthersGiveWayToTheDefault) {
  enable(0);
  EXPECT_EQ(set(0x06 | kSave, 0).status(), Status::success);
  EXPECT_EQ(set(0x0A, 1).status(), Status::success);
  EXPECT_EQ(get(0x0A), 1U);
  reset();
  EXPECT_EQ(get(0x06), 0U);
  EXPECT_EQ(get(0x0A), 0U);
}

TEST_F(FeatureValues, SelectTellsCurrentDefaultAndSavedApart) {
  enable(0);
  EXPECT_EQ(get(0x80 | kSaved), 0U) << "nothing saved: the default";
  set(0x80 | kSave, 3);
  set(0x80, 4);
  EXPECT_EQ(get(0x80), 4U);
  EXPECT_EQ(get(0x80 | kDefault), 0U);
  EXPECT_EQ(get(0x80 | kSaved), 3U);
}

TEST_F(FeatureValues, SaveIsRefusedWhereTheCapabilitiesDoNotNameIt) {
  enable(0);
  EXPECT_EQ(get(0x0A | kCapabilities) & 1U, 1U);
  EXPECT_EQ(get(0x16 | kCapabilities) & 1U, 0U);
  EXPECT_EQ(set(0x16 | kSave, 0, std::vector<std::byte>(512)).status(), Status::feature_not_saveable);
}

class FeaturesOf2021 : public FeatureValues {
 protected:
  void SetUp() override { build("qemu-2021"); }
};

TEST_F(FeaturesOf2021, NothingCanBeSaved) {
  enable(0);
  EXPECT_EQ(get(0x0A | kCapabilities) & 1U, 0U);
  EXPECT_EQ(set(0x0A | kSave, 1).status(), Status::feature_not_saveable);
  EXPECT_EQ(set(0x80, 1).status(), Status::invalid_field);
}

TEST_F(FeatureValues, OneTemperatureThresholdIsSavedWithoutTheOther) {
  enable(0);
  constexpr std::uint32_t kUnder = 1U << 20U;
  set(0x04, 350);
  set(0x04 | kSave, kUnder | 280);
  reset();
  spec::SubmissionEntry entry;
  entry.opcode = 0x0A;
  entry.cdw10 = 0x04;
  EXPECT_EQ(submit(0, 0, entry).entry.dw0, 343U);
  entry.cdw11 = kUnder;
  EXPECT_EQ(submit(0, 0, entry).entry.dw0, 280U);
}

TEST_F(FeatureValues, PowerStatesBeyondTheLastAreRefused) {
  enable(0);
  EXPECT_EQ(set(0x02, 2).status(), Status::success);
  EXPECT_EQ(get(0x02), 2U);
  EXPECT_EQ(set(0x02, 3).status(), Status::invalid_field);
  std::vector<std::byte> table(256);
  table[0] = std::byte{2U << 3U};
  EXPECT_EQ(set(0x0C, 1, table).status(), Status::success);
  table[0] = std::byte{3U << 3U};
  EXPECT_EQ(set(0x0C, 1, table).status(), Status::invalid_field);
}

TEST_F(FeatureValues, ThermalManagementTemperaturesLieInTheAnnouncedRangeAndInOrder) {
  enable(0);
  const auto limits = [](std::uint32_t first, std::uint32_t second) { return first << 16U | second; };
  EXPECT_EQ(set(0x10, limits(330, 340)).status(), Status::success);
  EXPECT_EQ(set(0x10, limits(0, 340)).status(), Status::success);
  EXPECT_EQ(set(0x10, limits(340, 340)).status(), Status::invalid_field);
  EXPECT_EQ(set(0x10, limits(322, 340)).status(), Status::invalid_field);
  EXPECT_EQ(set(0x10, limits(330, 364)).status(), Status::invalid_field);
  EXPECT_EQ(get(0x10), 340U);
}

}  // namespace
}  // namespace polypath::device
