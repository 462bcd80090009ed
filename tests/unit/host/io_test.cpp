// Requests of applications: data, splitting, choice of path, retry, failover, waiting; each ends exactly
// once.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "fake_port.h"
#include "spec/status.h"

namespace polypath::host {
namespace {

using spec::Status;

program::HostSpec host(const std::string& policy, std::uint16_t depth = 64) {
  program::HostSpec spec;
  spec.policy = policy;
  spec.queue_depth = depth;
  return spec;
}
std::uint16_t raw(Status status, bool dnr = false) {
  return static_cast<std::uint16_t>(static_cast<unsigned>(status) | (dnr ? spec::kStatusDnr : 0U));
}

TEST(Io, WhatWasWrittenThroughOnePathIsReadThroughAnother) {
  Lab lab(2, host("round-robin"));
  lab.attach(1, {0, 1});
  lab.bring_up();
  EXPECT_EQ(lab.wait(lab.write(1, 16, 8, std::byte{0xA5})).error, 0);
  const std::uint32_t read = lab.read(1, 16, 8);
  EXPECT_EQ(lab.wait(read).error, 0);
  EXPECT_EQ(lab.data[read], std::vector<std::byte>(4096, std::byte{0xA5}));
  EXPECT_NE(lab.paths_chosen()[0], lab.paths_chosen()[1]);
}

TEST(Io, DataGivenIsWrittenAndTheRestFilled) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.bring_up();
  std::vector<std::byte> data(600, std::byte{1});
  IoSpec io;
  io.opcode = 0x01;
  io.blocks = 2;
  io.data = data;
  io.fill = std::byte{7};
  lab.wait(lab.hosts.submit_io(lab.world(), 0, 0, 1, io));
  const std::uint32_t read = lab.read(1, 0, 2);
  lab.wait(read);
  data.resize(1024, std::byte{7});
  EXPECT_EQ(lab.data[read], data);
}

TEST(Io, BoundaryEventsCarryRequestAndDigests) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.bring_up();
  lab.engine.set_cause({42, 0});
  const std::uint32_t id = lab.write(1, 8, 2, std::byte{3});
  lab.wait(id);
  lab.engine.set_cause({43, 0});
  const std::uint32_t read = lab.read(1, 8, 2);
  lab.wait(read);
  std::vector<trace::BoundaryEvent> events;
  for (const auto& event : lab.trace.events()) {
    if (event.kind == trace::Boundary::app_submit || event.kind == trace::Boundary::app_complete)
      events.push_back(event);
  }
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0].a, id);
  EXPECT_EQ(events[0].b, 0x01U);
  EXPECT_EQ(events[0].c, 8U);
  EXPECT_EQ(events[0].cause, 42U);
  EXPECT_EQ(events[0].controller, trace::kNoController);
  ASSERT_EQ(lab.trace.payload(events[0]).size(), sizeof(trace::AppRequestPart) + 16);
  EXPECT_EQ(events[1].a, id);
  EXPECT_EQ(events[1].b, 0U);
  EXPECT_EQ(events[1].cause, 42U);
  EXPECT_TRUE(lab.trace.payload(events[1]).empty());
  EXPECT_EQ(lab.trace.payload(events[2]).size(), sizeof(trace::AppRequestPart));
  ASSERT_EQ(lab.trace.payload(events[3]).size(), 16U);
  EXPECT_TRUE(std::ranges::equal(lab.trace.payload(events[3]), lab.trace.payload(events[0]).subspan(16)))
      << "the digests of what was read are those of what was written";
}

TEST(Io, LargeRequestIsSplitAtMdtsAndEndsOnce) {
  Lab lab(1);
  lab[0].mdts = 1;  // 8 KiB
  lab.attach(1, {0});
  lab.bring_up();
  EXPECT_EQ(lab.wait(lab.write(1, 100, 40, std::byte{9})).error, 0);
  EXPECT_EQ(lab[0].count(false, 0x01), 3U);
  const std::uint32_t read = lab.read(1, 99, 42);
  EXPECT_EQ(lab.wait(read).error, 0);
  std::vector<std::byte> expected(std::size_t{42} * 512, std::byte{9});
  std::fill_n(expected.begin(), 512, std::byte{});
  std::fill_n(expected.end() - 512, 512, std::byte{});
  EXPECT_EQ(lab.data[read], expected);
}

TEST(Io, NumberOfPartsDoesNotOverflow) {
  Lab lab(1);
  lab.attach(1, {0})->blocks = std::uint64_t{1} << 33U;
  lab.bring_up();
  lab[0].hold_io = true;
  IoSpec io;
  io.opcode = 0x08;
  io.blocks = 0xFFFFFFFF;
  lab.hosts.submit_io(lab.world(), 0, 0, 1, io);
  EXPECT_EQ(lab.head(1).in_progress, 0x10000U);
}

TEST(Io, OneFailedPartFailsTheRequest) {
  Lab lab(1);
  lab[0].mdts = 1;
  lab.attach(1, {0});
  lab.bring_up();
  lab[0].io_statuses = {0, raw(Status::unrecovered_read_error, true), 0};
  const Outcome outcome = lab.wait(lab.read(1, 0, 48));
  EXPECT_EQ(outcome.error, ENODATA);
  EXPECT_EQ(outcome.status, raw(Status::unrecovered_read_error, true));
  EXPECT_EQ(lab.hosts.requests_in_progress(), 0U);
}

TEST(Io, FlushAndWriteZeroesCarryNoData) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.bring_up();
  IoSpec flush;
  flush.opcode = 0x00;
  EXPECT_EQ(lab.wait(lab.hosts.submit_io(lab.world(), 0, 0, 1, flush)).error, 0);
  IoSpec zeroes;
  zeroes.opcode = 0x08;
  zeroes.lba = 5;
  zeroes.blocks = 3;
  EXPECT_EQ(lab.wait(lab.hosts.submit_io(lab.world(), 0, 0, 1, zeroes)).error, 0);
  const auto& seen = lab[0].seen;
  const spec::SubmissionEntry& entry = seen.back().entry;
  EXPECT_EQ(entry.opcode, 0x08);
  EXPECT_EQ(entry.slba(), 5U);
  EXPECT_EQ(entry.block_count(), 3U);
  EXPECT_EQ(entry.prp1, 0U);
  EXPECT_EQ(seen[seen.size() - 2].entry.opcode, 0x00);
}

constexpr std::uint16_t kDoorbellBuffers = 0x108;  // OACS, with Namespace Management

TEST(Doorbells, LieInMemoryWhereTheControllerLooksThere) {
  Lab lab(1);
  lab[0].oacs = kDoorbellBuffers;
  lab.attach(1, {0});
  lab.bring_up();
  ASSERT_EQ(lab[0].count(true, 0x7C), 1U);
  const std::uint64_t page = std::ranges::find_if(lab[0].seen, [](const FakeCommand& command) {
                               return command.qid == 0 && command.entry.opcode == 0x7C;
                             })->entry.prp1;
  for (std::uint32_t i = 1; i <= 100; ++i) EXPECT_EQ(lab.wait(lab.write(1, i, 1, std::byte{1})).error, 0);
  std::uint32_t tails = 0;
  for (std::uint32_t qid = 1; qid <= 4; ++qid) {
    std::uint32_t tail = 0;
    lab.memory.read_value(page + std::uint64_t{qid} * 8, tail);
    tails += tail;
  }
  EXPECT_EQ(tails, 100U % 64) << "one queue of 64 entries";
  EXPECT_EQ(lab[0].count(false, 0x01), 100U) << "and none was lost";
}

TEST(Doorbells, AreRegistersWhereTheConfigurationFailed) {
  Lab lab(1);
  lab[0].oacs = kDoorbellBuffers;
  lab[0].admin_status[0x7C] = raw(Status::invalid_field, true);
  lab.attach(1, {0});
  lab.bring_up();
  const std::uint32_t before = lab[0].sq_doorbells;
  for (std::uint32_t i = 1; i <= 10; ++i) EXPECT_EQ(lab.wait(lab.write(1, i, 1, std::byte{1})).error, 0);
  EXPECT_EQ(lab[0].sq_doorbells - before, 10U);
}

TEST(Doorbells, AreConfiguredAnewAfterAReset) {
  Lab lab(1);
  lab[0].oacs = kDoorbellBuffers;
  lab.attach(1, {0});
  lab.bring_up();
  for (std::uint32_t i = 1; i <= 10; ++i) lab.wait(lab.write(1, i, 1, std::byte{1}));
  lab.wait(lab.hosts.reset(lab.world(), 0));
  EXPECT_EQ(lab[0].count(true, 0x7C), 2U);
  for (std::uint32_t i = 1; i <= 10; ++i) EXPECT_EQ(lab.wait(lab.write(1, i, 1, std::byte{1})).error, 0);
}

// Linux without CONFIG_BLK_DEV_INTEGRITY: PRACT where the metadata are the tuple and nothing else.

TEST(Io, TheControllerMakesAndChecksProtectionInformation) {
  struct Row {
    std::uint8_t type = 0;
    std::uint32_t prinfo = 0, reference = 0;
  };
  constexpr std::uint64_t kLba = 0x1'0000'0005;
  for (const Row row : {Row{1, 0x34000000, 5}, Row{2, 0x34000000, 5}, Row{3, 0x30000000, 0}}) {
    Lab lab(1);
    auto ns = lab.attach(1, {0});
    ns->blocks = kLba + 8;
    ns->metadata_bytes = 8;
    ns->protection_type = row.type;
    lab.bring_up();
    EXPECT_EQ(lab.wait(lab.write(1, kLba, 2, std::byte{1})).error, 0);
    EXPECT_EQ(lab[0].seen.back().entry.cdw12, row.prinfo | 1U);
    EXPECT_EQ(lab[0].seen.back().entry.cdw14, row.reference);
    EXPECT_EQ(lab[0].seen.back().entry.mptr, 0U);
    EXPECT_EQ(lab.wait(lab.read(1, kLba, 2)).error, 0);
    EXPECT_EQ(lab[0].seen.back().entry.cdw12, row.prinfo | 1U);
    EXPECT_EQ(lab[0].seen.back().entry.cdw14, row.reference);
    IoSpec zeroes;
    zeroes.opcode = 0x08;
    zeroes.lba = kLba;
    zeroes.blocks = 1;
    EXPECT_EQ(lab.wait(lab.hosts.submit_io(lab.world(), 0, 0, 1, zeroes)).error, 0);
    EXPECT_EQ(lab[0].seen.back().entry.cdw12, 0x20000000U) << "nothing to check in zeroes";
    EXPECT_EQ(lab[0].seen.back().entry.cdw14, row.reference);
  }
}

TEST(Io, ADiskWithOtherMetadataHasNoBlocks) {
  struct Row {
    std::uint16_t bytes = 0;
    std::uint8_t type = 0;
  };
  for (const Row row : {Row{8, 0}, Row{16, 1}, Row{64, 0}}) {
    Lab lab(1);
    auto ns = lab.attach(1, {0});
    ns->metadata_bytes = row.bytes;
    ns->protection_type = row.type;
    lab.bring_up();
    EXPECT_EQ(lab.wait(lab.write(1, 0, 1, std::byte{1})).error, ENOSPC);
    EXPECT_EQ(lab.wait(lab.read(1, 0, 1)).error, EIO);
    EXPECT_EQ(lab[0].count(false, 0x01) + lab[0].count(false, 0x02), 0U);
  }
}

TEST(Io, CompareOfADiskWithMetadataIsRefused) {
  Lab lab(1);
  auto ns = lab.attach(1, {0});
  ns->metadata_bytes = 8;
  ns->protection_type = 1;
  lab.bring_up();
  IoSpec io;
  io.opcode = 0x05;
  io.blocks = 1;
  EXPECT_EQ(lab.wait(lab.hosts.submit_io(lab.world(), 0, 0, 1, io)).error, EINVAL)
      << "the ioctl wants a buffer";
}

TEST(Io, CompareIsPassthroughAndTellsTheStatus) {
  Lab lab(2);
  lab.attach(1, {0, 1});
  lab.bring_up();
  IoSpec io;
  io.opcode = 0x05;
  io.blocks = 1;
  io.fill = std::byte{1};
  const Outcome outcome = lab.wait(lab.hosts.submit_io(lab.world(), 0, 0, 1, io));
  EXPECT_EQ(outcome.status, raw(Status::compare_failure));
  EXPECT_EQ(outcome.error, ENODATA);
  lab[0].io_statuses = {raw(Status::ana_inaccessible)};
  const Outcome failed = lab.wait(lab.hosts.submit_io(lab.world(), 0, 0, 1, io));
  EXPECT_EQ(failed.error, EIO) << "an ioctl is not failed over";
  EXPECT_EQ(lab.inside(trace::Inside::path_failover), 0U);
}

TEST(Io, RequestsThatNeedNoDeviceFailAtOnce) {
  Lab lab(1);
  lab.attach(1, {0})->blocks = 100;
  lab.bring_up();
  EXPECT_EQ(lab.wait(lab.read(2, 0, 1)).error, ENXIO);
  EXPECT_EQ(lab.wait(lab.read(1, 99, 2)).error, EIO);
  EXPECT_EQ(lab.wait(lab.write(1, 99, 2, std::byte{})).error, ENOSPC);
  EXPECT_EQ(lab.wait(lab.read(1, ~std::uint64_t{0}, 2)).error, EIO);
  EXPECT_EQ(lab.wait(lab.read(1, 0, 0)).error, EINVAL);
  EXPECT_EQ(lab[0].count(false, 0x02), 0U);
  EXPECT_EQ(lab.boundary(trace::Boundary::app_submit), 5U);
  EXPECT_EQ(lab.boundary(trace::Boundary::app_complete), 5U);
}

TEST(Policy, NumaStaysOnOnePath) {
  Lab lab(3, host("numa"));
  lab.attach(1, {0, 1, 2});
  lab.bring_up();
  for (int i = 0; i < 4; ++i) lab.wait(lab.read(1, 0));
  EXPECT_EQ(lab.paths_chosen(), (std::vector<std::uint32_t>{0, 0, 0, 0}));
}

TEST(Policy, RoundRobinTakesTurnsInOrderOfAttachment) {
  Lab lab(3, host("round-robin"));
  lab.attach(1, {0, 1, 2});
  lab.wire({1, 0, 2});
  lab.bring_up();
  for (int i = 0; i < 4; ++i) lab.wait(lab.read(1, 0));
  EXPECT_EQ(lab.paths_chosen(), (std::vector<std::uint32_t>{0, 2, 1, 0}))
      << "the slot held nvme1 since attachment";
}

TEST(Policy, ChangeTakesEffectForTheNextIo) {
  Lab lab(2, host("numa"));
  lab.attach(1, {0, 1});
  lab.bring_up();
  lab.wait(lab.read(1, 0));
  lab.hosts.set_policy(lab.world(), 0, Policy::round_robin);
  for (int i = 0; i < 3; ++i) lab.wait(lab.read(1, 0));
  EXPECT_EQ(lab.paths_chosen(), (std::vector<std::uint32_t>{0, 0, 1, 0})) << "the change emptied the slot";
}

TEST(Failover, PathErrorGoesToAnotherPathAndTheApplicationSeesSuccess) {
  Lab lab(2);
  lab.attach(1, {0, 1});
  lab.bring_up();
  lab[0].io_statuses = {raw(Status::ana_inaccessible)};
  const Outcome outcome = lab.wait(lab.read(1, 0));
  EXPECT_EQ(outcome.error, 0);
  EXPECT_EQ(lab.inside(trace::Inside::path_failover), 1U);
  EXPECT_EQ(lab.inside(trace::Inside::requeued), 1U);
  EXPECT_EQ(lab.boundary(trace::Boundary::app_complete), 1U);
}

TEST(Failover, EmptiesTheSlotSoThatTheSearchBeginsAtTheFirstPath) {
  Lab lab(3, host("round-robin"));
  lab.attach(1, {0, 1, 2});
  lab.bring_up();
  lab[1].io_statuses = {raw(Status::internal_path_error)};
  EXPECT_EQ(lab.wait(lab.read(1, 0)).error, 0);
  EXPECT_EQ(lab.paths_chosen(), (std::vector<std::uint32_t>{1, 0}));
}

TEST(Failover, IsNotCountedAsARetry) {
  Lab lab(2);
  lab.attach(1, {0, 1});
  lab.bring_up();
  lab[0].io_statuses.assign(20, raw(Status::internal_path_error));
  lab[1].io_statuses.assign(20, raw(Status::internal_path_error));
  EXPECT_EQ(lab.wait(lab.read(1, 0)).error, 0);
  EXPECT_GE(lab.inside(trace::Inside::path_failover), 20U);
}

TEST(Retry, HappensOnTheSamePath) {
  Lab lab(2, host("round-robin"));
  lab.attach(1, {0, 1});
  lab.bring_up();
  lab[0].io_statuses.assign(2, raw(Status::namespace_not_ready));
  lab[1].io_statuses.assign(2, raw(Status::namespace_not_ready));
  EXPECT_EQ(lab.wait(lab.read(1, 0)).error, 0);
  EXPECT_EQ(lab.paths_chosen().size(), 1U);
  EXPECT_EQ(lab[lab.paths_chosen()[0]].count(false, 0x02), 3U);
}

TEST(Retry, EndsAfterFiveWithTheErrnoOfTheStatus) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.bring_up();
  lab[0].io_statuses.assign(50, raw(Status::namespace_not_ready));
  EXPECT_EQ(lab.wait(lab.read(1, 0)).error, EREMOTEIO);
  EXPECT_EQ(lab[0].count(false, 0x02), 6U);
}

TEST(Retry, WaitsAsLongAsCrdSays) {
  Lab lab(1);
  lab[0].crdt = {0, 5, 0};
  lab.attach(1, {0});
  lab.bring_up();
  lab[0].io_statuses = {static_cast<std::uint16_t>(raw(Status::command_interrupted) | 2U << 11U)};
  const Time before = lab.engine.now();
  EXPECT_EQ(lab.wait(lab.read(1, 0)).error, 0);
  EXPECT_GE(lab.engine.now() - before, 500 * engine::kMillisecond);
  EXPECT_LT(lab.engine.now() - before, 501 * engine::kMillisecond);
}

TEST(Retry, DnrIsTheApplicationsErrorEvenWithAnotherGoodPath) {
  Lab lab(2);
  lab.attach(1, {0, 1});
  lab.bring_up();
  lab[0].namespaces.erase(1);  // detached, and the host does not know it yet
  const Outcome outcome = lab.wait(lab.read(1, 0));
  EXPECT_EQ(outcome.error, EOPNOTSUPP);
  EXPECT_EQ(outcome.status, 0x4002);
  EXPECT_TRUE(outcome.answered);
}

TEST(Queue, RequestsBeyondItsRoomWaitInOrder) {
  Lab lab(1, host("numa", 4));
  lab.attach(1, {0});
  lab.bring_up();
  lab[0].hold_io = true;
  std::vector<std::uint32_t> ids;
  for (std::uint32_t i = 0; i < 10; ++i) ids.push_back(lab.read(1, i * 8));
  EXPECT_EQ(lab[0].held(), 3U) << "one entry of a ring stays free";
  lab[0].hold_io = false;
  lab[0].release_held();
  for (const std::uint32_t id : ids) EXPECT_EQ(lab.wait(id).error, 0);
  std::vector<std::uint64_t> order;
  for (const FakeCommand& command : lab[0].seen) {
    if (command.qid == 1) order.push_back(command.entry.slba());
  }
  EXPECT_TRUE(std::ranges::is_sorted(order));
  EXPECT_EQ(lab[0].illegal_doorbells, 0U);
}

TEST(Queue, TagsAreUniqueInFlightAndRestBeforeTheyAreUsedAgain) {
  Lab lab(1, host("numa", 8));
  lab.attach(1, {0});
  lab.bring_up();
  std::vector<std::uint16_t> tags;
  for (int i = 0; i < 8; ++i) lab.wait(lab.read(1, 0));
  for (const FakeCommand& command : lab[0].seen) {
    if (command.qid == 1) tags.push_back(command.entry.cid);
  }
  EXPECT_EQ(tags, (std::vector<std::uint16_t>{0, 1, 2, 3, 4, 5, 6, 0}));
}

TEST(Queue, RingsWrapManyTimes) {
  Lab lab(1, host("numa", 4));
  lab.attach(1, {0});
  lab.bring_up();
  for (std::uint64_t i = 0; i < 50; ++i) {
    ASSERT_EQ(lab.wait(lab.write(1, i, 1, static_cast<std::byte>(i))).error, 0);
    const std::uint32_t read = lab.read(1, i, 1);
    ASSERT_EQ(lab.wait(read).error, 0);
    ASSERT_EQ(lab.data[read].front(), static_cast<std::byte>(i));
  }
  EXPECT_EQ(lab[0].illegal_doorbells, 0U);
}

TEST(Queue, CpuChoosesTheQueue) {
  program::HostSpec spec;
  spec.queues = 2;
  Lab lab(1, spec);
  lab.attach(1, {0});
  lab.bring_up();
  IoSpec io;
  io.blocks = 1;
  for (std::uint16_t cpu = 0; cpu < 4; ++cpu) {
    io.cpu = cpu;
    EXPECT_EQ(lab.wait(lab.hosts.submit_io(lab.world(), 0, 0, 1, io)).error, 0);
    EXPECT_EQ(lab[0].seen.back().qid, 1 + cpu % 2);
  }
}

TEST(ExactlyOnce, SecondCompletionEntryOfACommandIsIgnored) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.bring_up();
  lab[0].duplicate_completions = 3;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(lab.wait(lab.read(1, 0)).error, 0);
  EXPECT_EQ(lab.hosts.driver(0)->spurious, 3U);
  EXPECT_EQ(lab.boundary(trace::Boundary::app_complete), 5U);
}

TEST(ExactlyOnce, MemoryDoesNotGrowWithIo) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.bring_up();
  lab.wait(lab.read(1, 0, 64));
  const std::uint64_t before = lab.memory.allocate(0);
  for (int i = 0; i < 100; ++i) lab.wait(lab.read(1, 0, 64));
  EXPECT_EQ(lab.memory.allocate(0), before);
}

}  // namespace
}  // namespace polypath::host
