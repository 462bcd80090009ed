// What becomes of a completed I/O, in Linux's order of questions.
#include "host/disposition.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "spec/status.h"

namespace polypath::host {
namespace {

using spec::Status;

constexpr std::uint16_t raw(Status status, bool dnr = false) {
  return static_cast<std::uint16_t>(static_cast<unsigned>(status) | (dnr ? spec::kStatusDnr : 0U));
}
Ended ended(Status status, bool dnr = false) {
  Ended e;
  e.status = raw(status, dnr);
  return e;
}

TEST(Disposition, SuccessCompletes) {
  Ended e = ended(Status::success);
  e.queue_dying = true;
  EXPECT_EQ(dispose(e), Disposition::complete);
}

TEST(Disposition, DoNotRetryCompletesEvenForAPathError) {
  EXPECT_EQ(dispose(ended(Status::invalid_field, true)), Disposition::complete);
  EXPECT_EQ(dispose(ended(Status::ana_inaccessible, true)), Disposition::complete);
}

TEST(Disposition, PassthroughIsNeverRetriedNorFailedOver) {
  for (const Status status :
       {Status::namespace_not_ready, Status::ana_inaccessible, Status::aborted_by_host}) {
    Ended e = ended(status);
    e.no_retry = true;
    EXPECT_EQ(dispose(e), Disposition::complete);
  }
}

TEST(Disposition, AnyPathRelatedStatusFailsOver) {
  for (const Status status :
       {Status::internal_path_error, Status::ana_persistent_loss, Status::ana_inaccessible,
        Status::ana_transition, Status::controller_pathing_error, Status::host_pathing_error,
        Status::aborted_by_host, static_cast<Status>(0x3C5)}) {
    EXPECT_EQ(dispose(ended(status)), Disposition::failover);
  }
}

TEST(Disposition, RemovedPathFailsOverWhateverTheStatus) {
  Ended e = ended(Status::abort_requested);
  e.queue_dying = true;
  EXPECT_EQ(dispose(e), Disposition::failover);
  e.multipath = false;
  EXPECT_EQ(dispose(e), Disposition::complete) << "without a multipath head there is nowhere to go";
}

TEST(Disposition, OtherErrorsAreRetriedOnTheSamePathFiveTimes) {
  Ended e = ended(Status::namespace_not_ready);
  for (e.retries = 0; e.retries < 5; ++e.retries) EXPECT_EQ(dispose(e), Disposition::retry);
  EXPECT_EQ(dispose(e), Disposition::complete);
}

TEST(Disposition, WithoutMultipathAPathErrorIsRetriedInPlace) {
  Ended e = ended(Status::aborted_by_host);
  e.multipath = false;
  EXPECT_EQ(dispose(e), Disposition::retry);
}

TEST(RetryDelay, CrdSelectsOneOfThreeTimes) {
  const std::array<std::uint16_t, 3> crdt{1, 20, 300};
  EXPECT_EQ(retry_delay(0x082, crdt), 0U);
  EXPECT_EQ(retry_delay(0x082 | 1U << 11U, crdt), 100 * engine::kMillisecond);
  EXPECT_EQ(retry_delay(0x082 | 2U << 11U, crdt), 2 * engine::kSecond);
  EXPECT_EQ(retry_delay(0x082 | 3U << 11U, crdt), 30 * engine::kSecond);
}

TEST(Errno, IsWhatApplicationsSeeOnLinux) {
  EXPECT_EQ(errno_of(raw(Status::success)), 0);
  EXPECT_EQ(errno_of(raw(Status::invalid_field, true)), EOPNOTSUPP)
      << "a read of a detached namespace, as recorded";
  EXPECT_EQ(errno_of(raw(Status::invalid_namespace_or_format)), EOPNOTSUPP);
  EXPECT_EQ(errno_of(raw(Status::capacity_exceeded)), ENOSPC);
  EXPECT_EQ(errno_of(raw(Status::lba_out_of_range)), EREMOTEIO);
  EXPECT_EQ(errno_of(raw(Status::unrecovered_read_error)), ENODATA);
  EXPECT_EQ(errno_of(raw(Status::guard_check_error)), EILSEQ);
  EXPECT_EQ(errno_of(raw(Status::reservation_conflict)), EBADE);
  EXPECT_EQ(errno_of(raw(Status::host_pathing_error)), ENOLINK);
  EXPECT_EQ(errno_of(raw(Status::ana_inaccessible)), EIO);
  EXPECT_EQ(errno_of(raw(Status::internal_error)), EIO);
}

}  // namespace
}  // namespace polypath::host
