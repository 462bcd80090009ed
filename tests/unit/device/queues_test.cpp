// Rings, doorbells, phase, interrupts, creation and deletion errors, abort: sheet 02.
#include "lone_host.h"

namespace polypath::device {
namespace {

using spec::Status;
class Queues : public LoneHost {
 protected:
  void SetUp() override {
    build();
    enable(0);
  }
};

TEST_F(Queues, PhaseInvertsAtEachWrapAndEntriesFollowOneAnother) {
  for (int lap = 0; lap < 3; ++lap) {
    for (int i = 0; i < 16; ++i) EXPECT_EQ(identify(0, spec::Cns::controller).status(), Status::success);
  }
}

TEST_F(Queues, SqhdSaysThatTheCommandsSlotWasConsumed) {
  const Result first = identify(0, spec::Cns::controller);
  EXPECT_EQ(first.entry.sqhd, 1);
  const Result second = identify(0, spec::Cns::controller);
  EXPECT_EQ(second.entry.sqhd, 2);
}

TEST_F(Queues, CompletionsWaitWhileTheirQueueIsFullAndComeWhenThereIsRoom) {
  ASSERT_EQ(create_cq(0, 1, 4).status(), Status::success);
  ASSERT_EQ(create_sq(0, 2, 16, 1).status(), Status::success);
  for (std::uint16_t cid = 0; cid < 8; ++cid) {
    auto entry = command(0x00, 1);
    entry.cid = cid;
    put(0, 2, entry);
  }
  ring(0, 2);
  run();
  std::vector<std::uint16_t> order;
  while (order.size() < 8) {
    spec::CompletionEntry entry;
    Rings& r = rings_[0][1];
    r.entries = 4;
    memory_.read_value(r.cq + std::uint64_t{16} * r.head, entry);
    ASSERT_EQ(entry.phase(), r.phase) << "after " << order.size();
    r.head = (r.head + 1) % r.entries;
    if (r.head == 0) r.phase = !r.phase;
    order.push_back(entry.cid);
    write(0, spec::cq_doorbell(1, 0), r.head);
    run();
  }
  EXPECT_EQ(order, (std::vector<std::uint16_t>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST_F(Queues, PagesApartAreRefusedWhereCapCqrIs1) {
  build("qemu-2021");
  enable(0);
  auto entry = command(0x05, 0, 15U << 16U | 1U, 2U);
  entry.prp1 = 0x800000;
  EXPECT_EQ(submit(0, 0, entry).status(), Status::invalid_field);
}

TEST_F(Queues, CreationErrorsAreTheSheetsOnes) {
  auto entry = command(0x05, 0, 15U << 16U | 0U, 3U);
  entry.prp1 = 0x800000;
  EXPECT_EQ(submit(0, 0, entry).status(), Status::invalid_queue_identifier) << "QID 0";
  entry.cdw10 = 15U << 16U | 65U;
  EXPECT_EQ(submit(0, 0, entry).status(), Status::invalid_queue_identifier) << "beyond what is allocated";
  entry.cdw10 = 1U;
  EXPECT_EQ(submit(0, 0, entry).status(), Status::invalid_queue_size) << "one entry";
  entry.cdw10 = 2048U << 16U | 1U;
  EXPECT_EQ(submit(0, 0, entry).status(), Status::invalid_queue_size) << "beyond CAP.MQES";
  entry.cdw10 = 15U << 16U | 1U;
  entry.cdw11 = 2U;
  memory_.write_value(entry.prp1, std::uint64_t{0x900008});
  EXPECT_EQ(submit(0, 0, entry).status(), Status::prp_offset_invalid) << "a page of its list";
  entry.cdw11 = 65U << 16U | 3U;
  EXPECT_EQ(submit(0, 0, entry).status(), Status::invalid_interrupt_vector);
  entry.cdw11 = 3U;
  entry.prp1 = 0x800004;
  EXPECT_EQ(submit(0, 0, entry).status(), Status::prp_offset_invalid);
  entry.prp1 = 0x800000;
  EXPECT_EQ(submit(0, 0, entry).status(), Status::success);
  EXPECT_EQ(submit(0, 0, entry).status(), Status::invalid_queue_identifier) << "in use";
  EXPECT_EQ(create_sq(0, 1, 16, 0).status(), Status::invalid_queue_identifier) << "CQID 0";
  EXPECT_EQ(create_sq(0, 1, 16, 9).status(), Status::completion_queue_invalid) << "CQ not created";
}

TEST_F(Queues, ACompletionQueueInUseCannotBeDeleted) {
  queue_pair(0);
  EXPECT_EQ(admin(0, 0x04, 0, 1).status(), Status::invalid_queue_deletion);
  EXPECT_EQ(admin(0, 0x00, 0, 1).status(), Status::success);
  EXPECT_EQ(admin(0, 0x04, 0, 1).status(), Status::success);
  EXPECT_EQ(admin(0, 0x04, 0, 1).status(), Status::invalid_queue_identifier);
}

TEST_F(Queues, DeletingASubmissionQueueSettlesItsCommandsFirst) {
  queue_pair(0);
  auto victim = command(0x02, 1);
  victim.cid = 77;
  victim.prp1 = 0x900000;
  put(0, 1, victim);
  put(0, 0, command(0x00, 0, 1));
  ring(0, 0);
  run(engine_.now() + 5 * engine::kMicrosecond);
  ring(0, 1);
  run();
  const auto entry = take(0, 1);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->cid, 77);
  EXPECT_EQ(entry->status(), Status::aborted_sq_deletion);
}

TEST_F(Queues, NumberOfQueuesIsFixedOnceAnIoQueueExists) {
  EXPECT_EQ(admin(0, 0x09, 0, 0x07, 3U << 16U | 1U).entry.dw0, 3U << 16U | 1U);
  EXPECT_EQ(create_cq(0, 5, 16).status(), Status::invalid_queue_identifier) << "NCQA is 4";
  ASSERT_EQ(create_cq(0, 4, 16).status(), Status::success);
  EXPECT_EQ(admin(0, 0x09, 0, 0x07, 0).status(), Status::command_sequence_error);
  EXPECT_EQ(admin(0, 0x0A, 0, 0x07).entry.dw0, 3U << 16U | 1U);
}

TEST_F(Queues, DoorbellErrorsRaiseTheirEventAndHarmNoOtherQueue) {
  queue_pair(0);
  arm(0, 2);
  write(0, spec::sq_doorbell(9, 0), 1);
  EXPECT_EQ(events(0), (std::vector<std::uint32_t>{0x010000}));
  EXPECT_EQ(admin(0, 0x02, 0, 15U << 16U | 1U).status(), Status::success);  // read the error log: unmask
  write(0, spec::sq_doorbell(1, 0), 16);
  EXPECT_EQ(events(0), (std::vector<std::uint32_t>{0x010100}));
  EXPECT_EQ(identify(0, spec::Cns::controller).status(), Status::success);
}

TEST_F(Queues, AnOverfullTailFreezesThatQueueUntilItIsDeleted) {
  queue_pair(0, 1, 4);
  queue_pair(0, 2, 4);
  put(0, 1, command(0x00, 1));
  ring(0, 1);
  run();
  ASSERT_TRUE(take(0, 1).has_value());
  write(0, spec::sq_doorbell(1, 0), 9);
  put(0, 1, command(0x00, 1));
  ring(0, 1);
  run();
  EXPECT_FALSE(take(0, 1).has_value());
  put(0, 2, command(0x00, 1));
  ring(0, 2);
  run();
  EXPECT_TRUE(take(0, 2).has_value());
}

TEST_F(Queues, DuplicateCommandIdentifierIsAConflict) {
  queue_pair(0);
  for (int i = 0; i < 2; ++i) {
    auto entry = command(0x00, 1);
    entry.cid = 5;
    put(0, 1, entry);
  }
  ring(0, 1);
  run();
  const auto a = take(0, 1), b = take(0, 1);
  ASSERT_TRUE(a && b);
  EXPECT_TRUE((a->status() == Status::command_id_conflict) != (b->status() == Status::command_id_conflict));
}

TEST_F(Queues, AMaskedVectorHoldsItsMessageUntilItIsUnmasked) {
  queue_pair(0);
  mask_vector(device_, world(), 0, 1, true);
  messages_.clear();
  put(0, 1, command(0x00, 1));
  ring(0, 1);
  run();
  for (const auto& [controller, vector] : messages_) EXPECT_NE(vector, 1U);
  mask_vector(device_, world(), 0, 1, false);
  run();
  ASSERT_FALSE(messages_.empty());
  EXPECT_EQ(messages_.back().second, 1U);
}

TEST_F(Queues, AHeldBackMessageGoesWithTheCompletionsThatItWasFor) {
  queue_pair(0);
  mask_vector(device_, world(), 0, 1, true);
  messages_.clear();
  io(0, 0x00, 1, 0, 1);  // takes the completion, too
  mask_vector(device_, world(), 0, 1, false);
  run();
  for (const auto& [controller, vector] : messages_) EXPECT_NE(vector, 1U);
}

TEST_F(Queues, AbortOfAWaitingCommandEndsItAndSaysSo) {
  queue_pair(0);
  auto victim = command(0x02, 1);
  victim.cid = 42;
  victim.prp1 = 0x900000;
  put(0, 1, victim);
  put(0, 0, command(0x08, 0, 42U << 16U | 1U));
  ring(0, 0);
  run(engine_.now() + 5 * engine::kMicrosecond);
  ring(0, 1);
  run();
  const auto aborted = take(0, 1);
  const auto abort = take(0, 0);
  ASSERT_TRUE(aborted && abort);
  EXPECT_EQ(aborted->status(), Status::abort_requested);
  EXPECT_EQ(abort->dw0, 0U);
}

TEST_F(Queues, AbortOfSomethingThatIsNotThereSucceedsAndSaysNotAborted) {
  EXPECT_EQ(admin(0, 0x08, 0, 42U << 16U | 1U).entry.dw0, 1U);
}

// Fused Compare and Write: sheet 02, section 10.
class Fused : public Queues {
 protected:
  void SetUp() override {
    Queues::SetUp();
    enable(1);
    queue_pair(0, 1, 4);
    queue_pair(1, 1, 8);
    ASSERT_EQ(io(0, 0x01, 1, 0, 16, bytes_of(1, 16 * 512)).status(), Status::success);
  }
  spec::SubmissionEntry half(bool first, unsigned content, std::uint32_t lba = 0, std::uint32_t blocks = 1) {
    auto entry = command(first ? 0x05 : 0x01, 1, lba, 0, blocks - 1);
    entry.flags = first ? 1 : 2;
    entry.cid = next_cid_++;
    entry.prp1 = memory_.allocate(std::size_t{blocks} * 512);
    memory_.write(entry.prp1, bytes_of(static_cast<std::uint8_t>(content), std::size_t{blocks} * 512));
    return entry;
  }
  /// Puts these before the controller in one update of the tail, and gives their statuses in that order.
  std::vector<Status> together(std::uint32_t c, const std::vector<spec::SubmissionEntry>& entries) {
    for (const auto& entry : entries) put(c, 1, entry);
    ring(c, 1);
    run();
    std::vector<Status> out(entries.size(), Status::internal_error);
    while (const auto done = take(c, 1)) {
      for (std::size_t i = 0; i < entries.size(); ++i)
        if (entries[i].cid == done->cid) out[i] = done->status();
    }
    return out;
  }
  bool holds(unsigned content, std::uint32_t lba = 0) {
    return io(0, 0x05, 1, lba, 1, bytes_of(static_cast<std::uint8_t>(content), 512)).status() ==
           Status::success;
  }
  using Statuses = std::vector<Status>;
};

TEST_F(Fused, WritesWhenTheComparisonIsTrue) {
  EXPECT_EQ(together(0, {half(true, 1), half(false, 2)}), (Statuses{Status::success, Status::success}));
  EXPECT_TRUE(holds(2));
}

TEST_F(Fused, WritesNothingWhenItIsNot) {
  EXPECT_EQ(together(0, {half(true, 3), half(false, 2)}),
            (Statuses{Status::compare_failure, Status::aborted_failed_fused}));
  EXPECT_TRUE(holds(1));
}

TEST_F(Fused, ThePairMayLieInTheLastSlotAndTheFirst) {
  for (unsigned content = 1; content < 9; ++content) {
    EXPECT_EQ(together(0, {half(true, content), half(false, content + 1)}),
              (Statuses{Status::success, Status::success}));
    if (content % 2 == 0) io(0, 0x00, 1, 0, 1);
  }
  EXPECT_TRUE(holds(9));
}

TEST_F(Fused, AHalfWithoutTheOtherIsAborted) {
  EXPECT_EQ(together(0, {half(true, 1)}), (Statuses{Status::aborted_missing_fused}));
  EXPECT_EQ(together(0, {half(false, 2)}), (Statuses{Status::aborted_missing_fused}));
  auto flush = command(0x00, 1);
  flush.cid = 900;
  EXPECT_EQ(together(0, {half(true, 1), flush, half(false, 2)}),
            (Statuses{Status::aborted_missing_fused, Status::success, Status::aborted_missing_fused}));
  EXPECT_EQ(together(1, {half(true, 1), half(true, 1), half(false, 2)}),
            (Statuses{Status::aborted_missing_fused, Status::success, Status::success}));
  EXPECT_TRUE(holds(2));
}

TEST_F(Fused, HalvesThatDoNotFitAreAborted) {
  const Statuses both{Status::invalid_field, Status::invalid_field};
  EXPECT_EQ(together(0, {half(true, 1), half(false, 2, 1)}), both) << "another block";
  EXPECT_EQ(together(0, {half(true, 1), half(false, 2, 0, 2)}), both) << "another length";
  auto read = half(false, 2);
  read.opcode = 0x02;
  EXPECT_EQ(together(0, {half(true, 1), read}), both) << "no Write";
  EXPECT_TRUE(holds(1));
}

TEST_F(Fused, TheSecondsErrorIsItsOwn) {
  auto write = half(false, 2);
  write.prp1 = std::uint64_t{1} << 60U;
  EXPECT_EQ(together(0, {half(true, 1), write}), (Statuses{Status::success, Status::data_transfer_error}));
  EXPECT_TRUE(holds(1));
}

TEST_F(Fused, BeyondTheAtomicUnitNothingIsDone) {
  EXPECT_EQ(together(0, {half(true, 1, 0, 8), half(false, 2, 0, 8)}),
            (Statuses{Status::success, Status::success}));
  EXPECT_EQ(together(0, {half(true, 2, 0, 9), half(false, 3, 0, 9)}),
            (Statuses{Status::atomic_write_unit_exceeded, Status::aborted_failed_fused}));
}

TEST_F(Fused, AbortOfEitherHalfEndsBoth) {
  for (const bool first : {true, false}) {
    const auto a = half(true, 1), b = half(false, 2);
    put(0, 1, a);
    put(0, 1, b);
    put(0, 0, command(0x08, 0, std::uint32_t{first ? a.cid : b.cid} << 16U | 1U));
    ring(0, 0);
    run(engine_.now() + 5 * engine::kMicrosecond);
    EXPECT_EQ(together(0, {}), Statuses{}) << "rings";
    ASSERT_TRUE(take(0, 0).has_value());
    EXPECT_TRUE(holds(1));
  }
}

TEST_F(Fused, FuseIsRefusedWhereThereAreNoPairs) {
  auto entry = command(0x06, 0, 1);
  entry.flags = 1;
  EXPECT_EQ(submit(0, 0, entry, {}, 4096).status(), Status::invalid_field) << "admin queue";
  auto reserved = half(true, 1);
  reserved.flags = 3;
  EXPECT_EQ(together(0, {reserved}), Statuses{Status::invalid_field});
}

TEST_F(Queues, AnUnknownOpcodeALoneHalfOrAReservedPsdtIsRefused) {
  EXPECT_EQ(admin(0, 0xC1).status(), Status::invalid_opcode);
  queue_pair(0);
  EXPECT_EQ(submit(0, 1, command(0x7F, 1)).status(), Status::invalid_opcode);
  auto fused = command(0x05, 1);
  fused.flags = 1;
  EXPECT_EQ(submit(0, 1, fused, bytes_of(0, 512)).status(), Status::aborted_missing_fused);
  auto listed = command(0x05, 1);
  listed.flags = 0xC0;  // PSDT 11b
  EXPECT_EQ(submit(0, 1, listed, bytes_of(0, 512)).status(), Status::invalid_field);
  auto identify = command(0x06, 0, 1);
  identify.flags = 0x40;
  EXPECT_EQ(submit(0, 0, identify, {}, 4096).status(), Status::invalid_field) << "admin queue";
}

}  // namespace
}  // namespace polypath::device
