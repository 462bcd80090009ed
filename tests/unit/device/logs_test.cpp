// Which logs there are, and what they say of features. Sheet 04, section 4.
#include <gtest/gtest.h>

#include "lone_host.h"
#include "spec/log_feature_event.h"

namespace polypath::device {
namespace {

using spec::Status;

class Logs : public LoneHost {
 protected:
  void SetUp() override {
    build();
    enable(0);
  }
  Result log(std::uint8_t lid, std::uint32_t bytes, std::uint32_t offset = 0) {
    return submit(0, 0, command(0x02, 0, (bytes / 4 - 1) << 16U | lid, 0, offset), {}, bytes);
  }
  std::vector<std::uint32_t> dwords(std::uint8_t lid) {
    const Result result = log(lid, 1024);
    EXPECT_EQ(result.status(), Status::success);
    std::vector<std::uint32_t> all(256);
    std::memcpy(all.data(), result.data.data(), 1024);
    return all;
  }
};

TEST_F(Logs, ALogIsSupportedExactlyWhenItCanBeRead) {
  const auto supported = dwords(0x00);
  for (unsigned lid = 0; lid < 256; ++lid) {
    const bool read = log(static_cast<std::uint8_t>(lid), 512).status() == Status::success;
    EXPECT_EQ(read, (supported[lid] & 1U) != 0) << lid;
  }
}

TEST_F(Logs, AFeatureIsSupportedExactlyWhenItsCapabilitiesCanBeAsked) {
  const auto effects = dwords(0x12);
  for (std::uint32_t fid = 0; fid < 256; ++fid) {
    const Result capabilities = submit(0, 0, command(0x0A, 0, fid | 3U << 8U));
    EXPECT_EQ(capabilities.status() == Status::success, (effects[fid] & 1U) != 0) << fid;
    if (capabilities.status() != Status::success) continue;
    const bool of_namespace = (capabilities.entry.dw0 & 2U) != 0;
    EXPECT_EQ(of_namespace, (effects[fid] & spec::feature_effect::of_namespace) != 0) << fid;
  }
}

TEST_F(Logs, AnOffsetAtTheEndOfALogSucceedsAndOneBeyondItIsRefused) {
  EXPECT_EQ(log(0x12, 4, 1024).status(), Status::success);
  EXPECT_EQ(log(0x12, 4, 1028).status(), Status::invalid_field);
  EXPECT_EQ(log(0x13, 4, 4096).status(), Status::success);
  EXPECT_EQ(log(0x13, 4, 4100).status(), Status::invalid_field);
}

class LogsOf2021 : public Logs {
 protected:
  void SetUp() override {
    build("qemu-2021");
    enable(0);
  }
};

TEST_F(LogsOf2021, WithoutLpaBitFiveThereIsNoLogOfLogs) {
  for (const std::uint8_t lid : {std::uint8_t{0x00}, std::uint8_t{0x12}, std::uint8_t{0x13}})
    EXPECT_EQ(log(lid, 4).status(), Status::invalid_log_page);
}

}  // namespace
}  // namespace polypath::device
