// Attachment, management, lists, events: sheet 04 sections 5 and 6, sheet 06 sections 1 and 2.
#include "lone_host.h"
#include "spec/commands.h"

namespace polypath::device {
namespace {

using spec::Cns;
using spec::Status;
using Nsids = std::vector<std::uint32_t>;

class Namespaces : public LoneHost {
 protected:
  void SetUp() override {
    build();
    for (std::uint32_t c = 0; c < 3; ++c) enable(c);
  }
  Result create(std::uint64_t blocks, bool shared, std::uint32_t c = 0) {
    spec::IdentifyNamespace wanted{};
    wanted.nsze = wanted.ncap = blocks;
    wanted.nmic = shared ? 1 : 0;
    std::vector<std::byte> data(4096);
    std::memcpy(data.data(), &wanted, sizeof wanted);
    return admin(c, 0x0D, 0, 0, 0, data);
  }
};

TEST_F(Namespaces, TheListsOfTheNvmCommandSetAreTheWholeListsOfAControllerThatHasNoOther) {
  for (std::uint32_t c = 0; c < 3; ++c) {
    EXPECT_EQ(list(c, Cns::csi_active_list), list(c));
    EXPECT_EQ(list(c, Cns::csi_allocated_list), list(c, Cns::allocated_list));
  }
}

TEST_F(Namespaces, TheIndependentStructureAgreesWithTheOneOfTheCommandSet) {
  for (const std::uint32_t nsid : {1U, 2U}) {
    const auto independent = identify(2, Cns::independent_ns, nsid).data;
    EXPECT_EQ(independent[1], identify(2, Cns::ns, nsid).data[30]) << "NMIC of " << nsid;
    EXPECT_EQ(independent[14], std::byte{1}) << "ready";
  }
  EXPECT_EQ(identify(0, Cns::independent_ns, 2).data, std::vector<std::byte>(4096)) << "not attached here";
  EXPECT_EQ(identify(0, Cns::independent_ns, 0).status(), Status::invalid_namespace_or_format);
}

TEST_F(Namespaces, EachControllerListsWhatIsAttachedToIt) {
  EXPECT_EQ(list(0), (Nsids{1}));
  EXPECT_EQ(list(2), (Nsids{1, 2}));
  EXPECT_EQ(list(2, Cns::active_list, 1), (Nsids{2}));
  EXPECT_EQ(list(0, Cns::allocated_list), (Nsids{1, 2, 4}));
}

TEST_F(Namespaces, DetachTakesEffectOnTheNamedControllersOnly) {
  EXPECT_EQ(attachment(1, 1, 1, {0}).status(), Status::success);
  EXPECT_EQ(list(0), Nsids{});
  EXPECT_EQ(list(1), (Nsids{1}));
  EXPECT_EQ(list(2), (Nsids{1, 2}));
}

TEST_F(Namespaces, ControllersAttachedToANamespaceAgreeWithTheirLists) {
  attachment(1, 1, 1, {1});
  const Result result = identify(0, Cns::attached_controllers, 1);
  std::uint16_t words[3];
  std::memcpy(words, result.data.data(), sizeof words);
  EXPECT_EQ(words[0], 2);
  EXPECT_EQ(words[1], 0);
  EXPECT_EQ(words[2], 2);
}

TEST_F(Namespaces, AttachmentErrorsAreTheSheetsOnes) {
  EXPECT_EQ(attachment(0, 1, 0, {0}).status(), Status::namespace_already_attached);
  EXPECT_EQ(attachment(0, 2, 0, {0}).status(), Status::namespace_is_private);
  EXPECT_EQ(attachment(0, 4, 1, {0}).status(), Status::namespace_not_attached);
  EXPECT_EQ(attachment(0, 4, 0, {}).status(), Status::controller_list_invalid);
  EXPECT_EQ(attachment(0, 4, 0, {1, 0}).status(), Status::controller_list_invalid);
  EXPECT_EQ(attachment(0, 4, 0, {0, 0}).status(), Status::controller_list_invalid);
  EXPECT_EQ(attachment(0, 4, 0, {9}).status(), Status::controller_list_invalid);
  EXPECT_EQ(attachment(0, 0, 0, {0}).status(), Status::invalid_namespace_or_format);
  EXPECT_EQ(attachment(0, 257, 0, {0}).status(), Status::invalid_namespace_or_format);
  EXPECT_EQ(attachment(0, 7, 0, {0}).status(), Status::invalid_field);
  EXPECT_EQ(attachment(0, spec::kBroadcastNsid, 0, {0}).status(), Status::invalid_field);
  EXPECT_EQ(attachment(0, 4, 2, {0}).status(), Status::invalid_field);
}

TEST_F(Namespaces, AListStopsAtItsFirstFailingEntryAndTheErrorLogNamesIt) {
  attachment(0, 4, 0, {1});
  const Result result = attachment(0, 4, 0, {0, 1, 2});
  EXPECT_EQ(result.status(), Status::namespace_already_attached);
  EXPECT_TRUE(result.entry.more());
  EXPECT_EQ(list(0), (Nsids{1, 4}));
  EXPECT_EQ(list(2), (Nsids{1, 2}));
  const Result log = admin(0, 0x02, 0, 15U << 16U | 1U);
  spec::ErrorLogEntry entry{};
  std::memcpy(&entry, log.data.data(), sizeof entry);
  EXPECT_EQ(entry.count, 1U);
  EXPECT_EQ(entry.command_specific, 4U) << "byte offset of the second identifier";
}

TEST_F(Namespaces, EventAndChangedListAppearOnExactlyTheControllersWhoseListChanged) {
  for (std::uint32_t c = 0; c < 3; ++c) arm(c);
  attachment(1, 1, 1, {0, 2});
  EXPECT_EQ(events(0), (Nsids{0x040002}));
  EXPECT_EQ(events(1), Nsids{});
  EXPECT_EQ(events(2), (Nsids{0x040002}));
  EXPECT_EQ(changed(0), (Nsids{1}));
  EXPECT_EQ(changed(1), Nsids{});
  EXPECT_EQ(changed(2), (Nsids{1}));
}

TEST_F(Namespaces, NoEventWithoutItsBitInTheAsynchronousEventConfiguration) {
  arm(0, 1, 0);
  attachment(1, 1, 1, {0});
  EXPECT_EQ(events(0), Nsids{});
  EXPECT_EQ(changed(0), (Nsids{1}));
}

TEST_F(Namespaces, AReportedEventStaysMaskedUntilItsLogIsReadWithoutRetain) {
  arm(0, 3);
  attachment(1, 1, 1, {0});
  EXPECT_EQ(events(0).size(), 1U);
  attachment(1, 1, 0, {0});
  EXPECT_EQ(events(0).size(), 0U);
  EXPECT_EQ(changed(0, true), (Nsids{1}));
  EXPECT_EQ(events(0).size(), 0U);
  EXPECT_EQ(changed(0), (Nsids{1}));
  EXPECT_EQ(events(0).size(), 0U) << "what was read is not reported again";
  EXPECT_EQ(changed(0), Nsids{});
  attachment(1, 1, 1, {0});
  EXPECT_EQ(events(0).size(), 1U);
}

TEST_F(Namespaces, AnEventWaitsForARequest) {
  admin(0, 0x09, 0, 0x0B, 0x100);
  attachment(1, 1, 1, {0});
  EXPECT_EQ(events(0).size(), 0U);
  put(0, 0, command(0x0C));
  ring(0, 0);
  EXPECT_EQ(events(0), (Nsids{0x040002}));
}

TEST_F(Namespaces, OneRequestTooManyIsRefused) {
  arm(0, 4);
  auto fifth = command(0x0C);
  EXPECT_EQ(submit(0, 0, fifth).status(), Status::aer_limit_exceeded);
}

TEST_F(Namespaces, CreateGivesTheLowestFreeNsidAndAttachesToNobody) {
  const Result result = create(2048, true);
  EXPECT_EQ(result.status(), Status::success);
  EXPECT_EQ(result.entry.dw0, 3U);
  EXPECT_EQ(list(0), (Nsids{1}));
  EXPECT_EQ(list(1, Cns::allocated_list), (Nsids{1, 2, 3, 4}));
}

TEST_F(Namespaces, ProfileSpecBlocksHasEveryBlockSizeFrom512BytesTo64KiB) {
  build("spec-blocks");
  enable(0);
  constexpr std::array<unsigned, 8> kShifts{9, 12, 10, 11, 13, 14, 15, 16};
  for (std::uint32_t format = 0; format < kShifts.size(); ++format) {
    EXPECT_EQ(admin(0, 0x80, 1, format).status(), Status::success);
    const Result shown = identify(0, Cns::ns, 1);
    spec::IdentifyNamespace id{};
    std::memcpy(&id, shown.data.data(), sizeof id);
    EXPECT_EQ(id.flbas, format);
    EXPECT_EQ(id.lbaf[format], std::uint32_t{kShifts[format]} << 16U);
    EXPECT_EQ(id.nsze, std::uint64_t{1} << (20 - kShifts[format]));
  }
  EXPECT_EQ(admin(0, 0x80, 1, 8).status(), Status::invalid_format);
}

TEST_F(Namespaces, DeleteTellsEveryOtherControllerThatHadIt) {
  for (std::uint32_t c = 0; c < 3; ++c) arm(c);
  EXPECT_EQ(admin(0, 0x0D, 1, 1).status(), Status::success);
  EXPECT_EQ(events(0), Nsids{}) << "the controller that processes the delete sends none";
  EXPECT_EQ(events(1), (Nsids{0x040002}));
  EXPECT_EQ(events(2), (Nsids{0x040002}));
  EXPECT_EQ(list(2), (Nsids{2}));
  EXPECT_EQ(admin(0, 0x0D, 1, 1).status(), Status::invalid_field);
  EXPECT_EQ(admin(0, 0x0D, 300, 1).status(), Status::invalid_namespace_or_format);
}

TEST_F(Namespaces, DeleteOfAllLeavesNothing) {
  EXPECT_EQ(admin(1, 0x0D, spec::kBroadcastNsid, 1).status(), Status::success);
  EXPECT_EQ(list(2), Nsids{});
  EXPECT_EQ(list(0, Cns::allocated_list), Nsids{});
}

TEST_F(Namespaces, CreateErrorsAreTheSheetsOnes) {
  EXPECT_EQ(create(0, true).status(), Status::invalid_field);
  EXPECT_EQ(create(std::uint64_t{1} << 40U, true).status(), Status::namespace_insufficient_capacity);
  EXPECT_EQ(admin(0, 0x0D, 0, 5).status(), Status::invalid_field);
}

TEST_F(Namespaces, ANewNamespaceWithAnOldNumberHasNoneOfItsData) {
  for (std::uint32_t c = 0; c < 2; ++c) queue_pair(c);
  ASSERT_EQ(io(0, 0x01, 1, 0, 1, bytes_of(0xAA, 512)).status(), Status::success);
  admin(0, 0x0D, 1, 1);
  ASSERT_EQ(create(2048, true).entry.dw0, 1U);
  attachment(0, 1, 0, {1});
  EXPECT_EQ(io(1, 0x02, 1, 0, 1).data, bytes_of(0, 512));
}

TEST_F(Namespaces, IdentifyFollowsTheClassesOfNsid) {
  EXPECT_EQ(identify(0, Cns::ns, 0).status(), Status::invalid_namespace_or_format);
  EXPECT_EQ(identify(0, Cns::ns, 257).status(), Status::invalid_namespace_or_format);
  EXPECT_EQ(identify(0, Cns::ns, 2).data, bytes_of(0, 4096)) << "inactive: zero-filled";
  EXPECT_NE(identify(0, Cns::allocated_ns, 2).data, bytes_of(0, 4096));
  EXPECT_EQ(identify(0, Cns::allocated_ns, 9).data, bytes_of(0, 4096));
  EXPECT_EQ(identify(0, Cns::ns_descriptors, 2).status(), Status::invalid_field);
  EXPECT_EQ(identify(0, Cns::active_list, 0xFFFFFFFE).status(), Status::invalid_namespace_or_format);
  EXPECT_EQ(identify(0, static_cast<Cns>(0x7F)).status(), Status::invalid_field);
}

TEST_F(Namespaces, ASharedNamespaceIsTheSameThroughEveryController) {
  EXPECT_EQ(identify(0, Cns::ns, 1).data, identify(2, Cns::ns, 1).data);
  EXPECT_EQ(identify(0, Cns::ns_descriptors, 1).data, identify(1, Cns::ns_descriptors, 1).data);
  EXPECT_NE(identify(2, Cns::ns_descriptors, 1).data, identify(2, Cns::ns_descriptors, 2).data);
}

TEST_F(Namespaces, IoToANamespaceThatIsNotAttachedHasTheStatusOfItsClass) {
  queue_pair(0);
  EXPECT_EQ(io(0, 0x02, 2, 0, 1).status(), Status::invalid_field);
  EXPECT_EQ(io(0, 0x02, 9, 0, 1).status(), Status::invalid_field);
  EXPECT_EQ(io(0, 0x02, 0, 0, 1).status(), Status::invalid_namespace_or_format);
  EXPECT_EQ(io(0, 0x02, 500, 0, 1).status(), Status::invalid_namespace_or_format);
  const Result detached = io(0, 0x01, 4, 0, 1, bytes_of(1, 512));
  EXPECT_EQ(detached.entry.linux_status(), 0x4002) << "as Linux prints it, do-not-retry set";
}

TEST_F(Namespaces, AWriteIsSeenThroughEveryPath) {
  for (std::uint32_t c = 0; c < 3; ++c) queue_pair(c);
  ASSERT_EQ(io(0, 0x01, 1, 100, 8, bytes_of(0x5A, 4096)).status(), Status::success);
  EXPECT_EQ(io(1, 0x02, 1, 100, 8).data, bytes_of(0x5A, 4096));
  EXPECT_EQ(io(2, 0x05, 1, 100, 8, bytes_of(0x5A, 4096)).status(), Status::success);
  EXPECT_EQ(io(2, 0x05, 1, 100, 8, bytes_of(0x5B, 4096)).status(), Status::compare_failure);
  EXPECT_EQ(io(1, 0x08, 1, 103, 2).status(), Status::success);
  const auto data = io(2, 0x02, 1, 102, 4).data;
  EXPECT_EQ(data[0], std::byte{0x5A});
  EXPECT_EQ(data[512], std::byte{0});
  EXPECT_EQ(data[1024], std::byte{0});
  EXPECT_EQ(data[1536], std::byte{0x5A});
}

TEST_F(Namespaces, RangesBeyondTheNamespaceAreRefusedAndChangeNothing) {
  queue_pair(0);
  EXPECT_EQ(io(0, 0x02, 1, 2048, 1).status(), Status::lba_out_of_range);
  EXPECT_EQ(io(0, 0x01, 1, 2047, 2, bytes_of(1, 1024)).status(), Status::lba_out_of_range);
  EXPECT_EQ(io(0, 0x02, 1, ~std::uint64_t{0}, 1).status(), Status::lba_out_of_range);
  EXPECT_EQ(io(0, 0x08, 1, 2040, 9).status(), Status::lba_out_of_range);
  EXPECT_EQ(io(0, 0x02, 1, 2047, 1).data, bytes_of(0, 512));
}

TEST_F(Namespaces, LogOffsetsAndLengthsBeyondThePageAreSafe) {
  auto entry = command(0x02, 0, 1023U << 16U | 4U);
  entry.cdw12 = 4096;
  EXPECT_EQ(submit(0, 0, entry, {}, 4096).status(), Status::success);
  entry.cdw12 = 4100;
  EXPECT_EQ(submit(0, 0, entry, {}, 4096).status(), Status::invalid_field);
  entry.cdw12 = 2;
  EXPECT_EQ(submit(0, 0, entry, {}, 4096).status(), Status::invalid_field);
  EXPECT_EQ(admin(0, 0x02, 0, 0x77).status(), Status::invalid_log_page);
}

TEST_F(Namespaces, ADataPointerOutsideMemoryIsATransferError) {
  queue_pair(0);
  auto entry = command(0x02, 1);
  entry.prp1 = std::uint64_t{1} << 50U;
  EXPECT_EQ(submit(0, 1, entry).status(), Status::data_transfer_error);
  entry.prp1 = 0x900001;
  EXPECT_EQ(submit(0, 1, entry).status(), Status::prp_offset_invalid);
}

TEST_F(Namespaces, EveryImplementedRowOfTheCommandTableHasAHandlerAndNoOtherHas) {
  build("spec-blocks");
  enable(0);
  queue_pair(0);
  for (const auto& row : spec::commands()) {
    if (row.name == "async_event_request") continue;        // waits: tested above
    if (row.announced == spec::Announced::zoned) continue;  // another profile: zones_test.cpp
    const std::uint16_t qid = row.set == spec::CommandSet::admin ? 0 : 1;
    const Result result = submit(0, qid, command(row.opcode, 0, 0xFF), {}, 4096);
    EXPECT_EQ(result.status() != Status::invalid_opcode, row.implemented) << row.name;
  }
}

}  // namespace
}  // namespace polypath::device
