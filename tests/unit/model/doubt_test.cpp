// Where the standard or the observation leaves something open, every reading is accepted. Each history here
// is lawful, however odd.
#include <gtest/gtest.h>

#include <cstring>

#include "history.h"
#include "model/rules.h"
#include "spec/registers.h"

namespace polypath::model {
namespace {

using spec::Status;
using How = History::How;
using With = History::With;

constexpr std::uint32_t kPartial = trace::observed::submissions | trace::observed::completions |
                                   trace::observed::async_events | trace::observed::applications;

struct Doubt {
  const char* name;
  void (*story)(History& h);
  Layout layout = {};
  Time observed = 0;
};

std::string findings_text(const Monitor& monitor) {
  std::string out;
  for (const auto& f : monitor.findings()) {
    out += std::string(row_of(f.rule).id) + ": " + f.summary + "\n  allowed " + f.allowed + "\n  seen " +
           f.seen + "\n";
  }
  return out;
}

/// A detach that names controllers 0 and 1, of which 1 does not have the namespace.
History::Open failing_list(History& h) {
  h.ready_all();
  h.detach(2, 1, {1});
  const auto list = controller_list_bytes({0, 1});
  return h.run(2, 0, admin_entry(0x15, 1, 1), With{.data = list},
               {.status = Status::namespace_not_attached, .dnr = true});
}

const std::vector<Doubt>& doubts() {
  static const std::vector<Doubt> kDoubts{
      // Data
      {"ReadDuringAWriteFindsTheOldValue",
       [](History& h) {
         h.ready_all();
         const auto write = h.start_write(0, 1, 0, 5);
         h.read(1, 1, 0, 0);
         h.complete(write);
       }},
      {"ReadDuringAWriteFindsTheNewValue",
       [](History& h) {
         h.ready_all();
         const auto write = h.start_write(0, 1, 0, 5);
         h.read(1, 1, 0, 5);
         h.complete(write);
       }},
      {"ReadBegunBeforeAWriteEndedFindsTheOldValue",
       [](History& h) {
         h.ready_all();
         const auto read = h.start_read(1, 1, 0);
         h.write(0, 1, 0, 5);
         h.write(0, 1, 0, 6);
         h.end_read(read, 0);
       }},
      {"ReadAcrossThreeWritesFindsTheMiddleOne",
       [](History& h) {
         h.ready_all();
         const auto read = h.start_read(1, 1, 0);
         for (const std::uint64_t value : {5U, 6U, 7U}) h.write(0, 1, 0, value);
         h.end_read(read, 6);
       }},
      {"OfTwoWritesTheFirstToCompleteComesLast",
       [](History& h) {
         h.ready_all();
         const auto a = h.start_write(0, 1, 0, 5), b = h.start_write(1, 1, 0, 6);
         h.complete(a);
         h.complete(b);
         h.read(2, 1, 0, 5);
       }},
      {"OfTwoWritesTheLastToCompleteComesLast",
       [](History& h) {
         h.ready_all();
         const auto a = h.start_write(0, 1, 0, 5), b = h.start_write(1, 1, 0, 6);
         h.complete(a);
         h.complete(b);
         h.read(2, 1, 0, 6);
       }},
      {"BlocksOfOneCommandAreTornBetweenTwoWrites",
       [](History& h) {
         h.ready_all();
         const auto write = h.start(0, 1, io_entry(0x01, 1, 0, 2), With{.digests = h.digests(5, 2)});
         h.run(1, 1, io_entry(0x02, 1, 0, 2), {.digests = {History::digest(5), History::digest(0)}});
         h.complete(write);
       }},
      {"WriteDroppedByAResetHadItsEffect",
       [](History& h) {
         h.ready_all();
         h.start_write(0, 1, 0, 5);
         h.disable(0);
         h.read(1, 1, 0, 5);
         h.read(2, 1, 0, 5);
       }},
      {"WriteDroppedByAResetHadNone",
       [](History& h) {
         h.ready_all();
         h.start_write(0, 1, 0, 5);
         h.disable(0);
         h.read(1, 1, 0, 0);
         h.read(2, 1, 0, 0);
       }},
      {"WriteOfAResetTakesEffectUntilRdyIsZero",
       [](History& h) {
         h.ready_all();
         h.start_write(0, 1, 0, 5);
         h.begin_disable(0);
         h.read(1, 1, 0, 0);
         h.read(1, 1, 0, 5);
         h.end_disable(0);
         h.read(1, 1, 0, 5);
       }},
      {"WriteLostInAFunctionResetTakesEffectLate",
       [](History& h) {
         h.ready_all();
         h.start_write(0, 1, 0, 5);
         h.function(0, trace::FunctionEvent::flr);
         h.read(1, 1, 0, 0);
         h.read(1, 1, 0, 5);
       }},
      {"FailedWriteHadItsEffect",
       [](History& h) {
         h.ready_all();
         h.complete(h.start_write(0, 1, 0, 5), {.status = Status::write_fault});
         h.read(1, 1, 0, 5);
       }},
      {"CompareDuringAWriteEndsEitherWay",
       [](History& h) {
         h.ready_all();
         const auto write = h.start_write(0, 1, 0, 5);
         h.run(1, 1, io_entry(0x05, 1, 0), With{.digests = h.digests(5)},
               {.status = Status::compare_failure});
         h.run(1, 1, io_entry(0x05, 1, 0), With{.digests = h.digests(5)}, {});
         h.complete(write);
       }},
      {"WriteZeroesDuringAReadFindsEither",
       [](History& h) {
         h.ready_all();
         h.write(0, 1, 0, 5);
         const auto read = h.start_read(1, 1, 0);
         h.run(0, 1, io_entry(0x08, 1, 0));
         h.end_read(read, 5);
       }},
      {"BufferOfTwoCommandsIsNotJudged",
       [](History& h) {
         h.ready(0);
         h.write(0, 1, 0, 5);
         auto one = io_entry(0x02, 1, 0), other = io_entry(0x02, 1, 1);
         one.prp1 = other.prp1 = h.buffer(512);
         const auto a = h.start(0, 1, one), b = h.start(0, 1, other);
         h.complete(a, {.digests = h.digests(0)});  // what the other read put there
         h.complete(b, {.digests = h.digests(0)});
       }},
      {"DataOfAFileIsWhatItIs",
       [](History& h) {
         h.ready_all();
         h.read(0, 1, 0, 17);
         h.read(1, 1, 0, 17);
         h.write(1, 1, 0, 18);
         h.read(0, 1, 0, 18);
       },
       {.content_zero = false}},

      // Attachment
      {"DetachDuringAReadLetsItSucceed",
       [](History& h) {
         h.ready_all();
         const auto read = h.start_read(0, 1, 0);
         h.detach(1, 1, {0});
         h.end_read(read, 0);
       }},
      {"DetachDuringAReadRefusesIt",
       [](History& h) {
         h.ready_all();
         const auto read = h.start_read(0, 1, 0);
         h.detach(1, 1, {0});
         h.complete(read, {.status = Status::invalid_field, .dnr = true});
       }},
      {"DetachDuringAReadAbortsIt",
       [](History& h) {
         h.ready_all();
         const auto read = h.start_read(0, 1, 0);
         h.detach(1, 1, {0});
         h.complete(read, {.status = Status::abort_requested});
       }},
      {"ReadDuringADetachEndsEitherWay",
       [](History& h) {
         h.ready_all();
         const auto detach = h.start(1, 0, admin_entry(0x15, 1, 1), With{.data = controller_list_bytes({0})});
         h.complete(h.start_read(0, 1, 0), {.status = Status::invalid_field, .dnr = true});
         h.read(0, 1, 0, 0);
         h.complete(detach);
       }},
      {"InactiveNamespaceIsCalledInvalid",
       [](History& h) {
         h.ready_all();
         h.detach(1, 1, {0});
         h.complete(h.start_read(0, 1, 0), {.status = Status::invalid_namespace_or_format, .dnr = true});
       }},
      {"ListDuringADetachShowsOldOrNew",
       [](History& h) {
         h.ready_all();
         const auto detach = h.start(1, 0, admin_entry(0x15, 1, 1), With{.data = controller_list_bytes({0})});
         h.list(0, 2, {});
         h.list(0, 2, {1});
         h.complete(detach);
         h.list(0, 2, {});
       }},
      {"TwoAttachesAtOnceOfWhichOneComesLate",
       [](History& h) {
         h.ready_all();
         const auto list = controller_list_bytes({0});
         const auto a = h.start(1, 0, admin_entry(0x15, 4), With{.data = list});
         const auto b = h.start(2, 0, admin_entry(0x15, 4), With{.data = list});
         h.complete(a, {.status = Status::namespace_already_attached, .dnr = true});
         h.complete(b);
         h.list(0, 2, {1, 4});
       }},
      {"AttachAndDetachAtOnceEndEitherWay",
       [](History& h) {
         h.ready_all();
         const auto list = controller_list_bytes({0});
         const auto a = h.start(1, 0, admin_entry(0x15, 1, 1), With{.data = list});
         const auto b = h.start(2, 0, admin_entry(0x15, 1, 0), With{.data = list});
         h.complete(b);
         h.complete(a);
         h.list(0, 2, {1});  // so the attach came last
         h.list(0, 2, {1});
       }},
      {"FailingListIsDoneUpToTheFailingEntry",
       [](History& h) {
         failing_list(h);
         h.list(0, 2, {});
         h.list(0, 2, {});
       }},
      {"FailingListIsNotDoneAtAll",
       [](History& h) {
         failing_list(h);
         h.list(0, 2, {1});
         h.list(0, 2, {1});
       }},
      {"UnidentifiedControllersMayBeMeant",
       [](History& h) {
         for (std::uint16_t c = 0; c < 3; ++c) h.enable(c);
         h.create_queues(0);
         h.detach(1, 1, {0});  // CNTLID 0: nobody said who that is
         h.complete(h.start_read(0, 1, 0), {.status = Status::invalid_field, .dnr = true});
       }},
      {"ListDuringACreateShowsTheNewNamespace",
       [](History& h) {
         h.ready_all();
         spec::IdentifyNamespace id{};
         id.nsze = id.ncap = 64;
         const auto create = h.start(0, 0, admin_entry(0x0D), With{.data = bytes_of(id)});
         h.list(1, 0x10, {1, 2, 4, 5});
         h.complete(create, {.dw0 = 5});
         h.list(1, 0x10, {1, 2, 4, 5});
       }},
      {"DeleteOfAllLeavesNone",
       [](History& h) {
         h.ready_all();
         h.remove(0, spec::kBroadcastNsid);
         h.list(0, 0x10, {});
         h.list(1, 2, {});
       }},

      // Queues, aborts, resets
      {"CompletionsBetweenDisableAndReady",
       [](History& h) {
         h.ready(0);
         const auto read = h.start_read(0, 1, 0);
         h.begin_disable(0);
         h.complete(
             read, {.digests = h.digests(0), .change = [](auto&, auto& e) { e.slot = trace::kUnknownSlot; }});
         h.read_register(0, spec::reg::csts, 0);
       }},
      {"AbortThatCameTooLate",
       [](History& h) {
         h.ready(0);
         const auto victim = h.start_read(0, 1, 0);
         h.run(0, 0, admin_entry(0x08, 0, 1 | std::uint32_t{victim.cid} << 16U), {.dw0 = 1});
         h.end_read(victim, 0);
       }},
      {"DeferredAbort",
       [](History& h) {
         h.ready(0);
         const auto victim = h.start_read(0, 1, 0);
         h.run(0, 0, admin_entry(0x08, 0, 1 | std::uint32_t{victim.cid} << 16U), {.dw0 = 1});
         h.complete(victim, {.status = Status::abort_requested});
       }},
      {"VictimCompletesBeforeItsAbort",
       [](History& h) {
         h.ready(0);
         const auto victim = h.start_read(0, 1, 0);
         const auto abort = h.start(0, 0, admin_entry(0x08, 0, 1 | std::uint32_t{victim.cid} << 16U));
         h.complete(victim, {.status = Status::abort_requested});
         h.complete(abort, {.dw0 = 0});
       }},
      {"AbortForAQueueThatDoesNotExist",
       [](History& h) {
         h.ready(0);
         h.run(0, 0, admin_entry(0x08, 0, 9), {.status = Status::invalid_field, .dw0 = 1, .dnr = true});
         h.run(0, 0, admin_entry(0x08, 0, 9), {.dw0 = 1});
       }},
      {"ReusedIdentifierIsRefusedOnce",
       [](History& h) {
         h.ready(0);
         auto entry = io_entry(0x02, 1, 0);
         entry.cid = 9;
         const auto first = h.start(0, 1, entry);
         const auto second = h.start(0, 1, entry);
         h.complete(second, {.status = Status::command_id_conflict, .dnr = true});
         h.end_read(first, 0);
       }},
      {"DeletedQueueTakesItsCommandsAlong",
       [](History& h) {
         h.ready(0);
         h.start_read(0, 1, 0);
         const auto settled = h.start_read(0, 1, 0);
         const auto remove = h.start(0, 0, admin_entry(0x00, 0, 1));
         h.complete(settled, {.status = Status::aborted_sq_deletion});
         h.complete(remove);
         h.run(0, 0, admin_entry(0x04, 0, 1));
       },
       {},
       20 * engine::kSecond},
      {"QueueWithAnInvalidDoorbellIsNotServedAnyMore",
       [](History& h) {
         h.ready(0);
         h.submit(0, 1, io_entry(0x02, 1, 0));
         h.doorbell(0, 1, false, 100);
       },
       {},
       20 * engine::kSecond},
      {"QueueWithAnInvalidDoorbellIsServedAllTheSame",
       [](History& h) {
         h.ready(0);
         const auto open = h.submit(0, 1, io_entry(0x02, 1, 0));
         h.doorbell(0, 1, false, 100);
         h.fetch(open);
         h.end_read(open, 0);
       }},
      {"SameDoorbellValueAgainIsReported",
       [](History& h) {
         h.ready(0);
         const auto request = h.arm(0);
         h.read(0, 1, 0, 0);
         h.doorbell(0, 1, false, 1);
         h.event(request, 0x010100);
       }},
      {"SameDoorbellValueAgainIsNotReported",
       [](History& h) {
         h.ready(0);
         h.arm(0);
         h.read(0, 1, 0, 0);
         h.doorbell(0, 1, false, 1);
       },
       {},
       20 * engine::kSecond},
      {"OneInterruptForTwoCompletions",
       [](History& h) {
         h.ready(0);
         const auto a = h.start_read(0, 1, 0), b = h.start_read(0, 1, 0);
         h.complete(a, {.digests = h.digests(0), .interrupt = false, .acknowledge = false});
         h.complete(b, {.digests = h.digests(0), .acknowledge = false});
         h.wait(10 * engine::kSecond);
         h.acknowledge(0, 1);
       }},
      {"InterruptWaitsForItsMask",
       [](History& h) {
         h.ready(0);
         h.mask(0, 1, true);
         h.complete(h.start_read(0, 1, 0),
                    {.digests = h.digests(0), .interrupt = false, .acknowledge = false});
         h.wait(10 * engine::kSecond);
         h.mask(0, 1, false);
         h.interrupt(0, 1);
         h.acknowledge(0, 1);
       }},
      {"InterruptForEachCompletion",
       [](History& h) {
         h.ready(0);
         const auto a = h.start_read(0, 1, 0), b = h.start_read(0, 1, 0);
         h.complete(a, {.digests = h.digests(0), .acknowledge = false});
         h.complete(b, {.digests = h.digests(0), .acknowledge = false});
         h.interrupt(0, 1);
         h.acknowledge(0, 1);
       }},
      {"ShutdownAbortsCommands",
       [](History& h) {
         h.ready(0);
         const auto read = h.start_read(0, 1, 0);
         h.write_register(0, spec::reg::cc, 0x00460001 | 1U << 14U);
         h.complete(read, {.status = Status::aborted_power_loss});
         h.read_register(0, spec::reg::csts, 1U | 2U << 2U);
       }},
      {"FatalControllerNeedNotBecomeReady",
       [](History& h) {
         h.enable(0);
         h.disable(0);
         h.write_register(0, spec::reg::cc, 0x00460001);
         h.wait(60 * engine::kSecond);
         h.read_register(0, spec::reg::csts, 2);  // CFS
       }},

      // Features, events, logs
      {"GetDuringASetFindsEither",
       [](History& h) {
         h.ready(0);
         const auto set = h.start(0, 0, admin_entry(0x09, 0, 0x0A, 1));
         h.run(0, 0, admin_entry(0x0A, 0, 0x0A), {.dw0 = 0});
         h.run(0, 0, admin_entry(0x0A, 0, 0x0A), {.dw0 = 1});
         h.complete(set);
       }},
      {"EventBeforeTheCompletionOfItsCause",
       [](History& h) {
         h.ready_all();
         const auto request = h.arm(0);
         const auto detach = h.start(1, 0, admin_entry(0x15, 1, 1), With{.data = controller_list_bytes({0})});
         h.event(request);
         h.complete(detach);
       },
       {},
       20 * engine::kSecond},
      {"OneEventForTwoChanges",
       [](History& h) {
         h.ready_all();
         const auto request = h.arm(0);
         h.detach(1, 1, {0});
         h.attach(1, 4, {0});
         h.event(request);
         h.changed_log(0, {1, 4});
       },
       {},
       20 * engine::kSecond},
      {"LogReadDuringAChangeShowsItOrNot",
       [](History& h) {
         h.ready_all();
         h.arm(0);
         const auto detach = h.start(1, 0, admin_entry(0x15, 1, 1), With{.data = controller_list_bytes({0})});
         h.changed_log(0, {});
         h.complete(detach);
         h.changed_log(0, {1});
       }},
      {"ReadingTheLogWithRetainEmptiesIt",
       [](History& h) {
         h.ready_all();
         const auto request = h.arm(0);
         h.detach(1, 1, {0});
         h.event(request);
         h.changed_log(0, {1}, true);
         h.changed_log(0, {});
       }},
      {"ReadingTheLogWithRetainKeepsIt",
       [](History& h) {
         h.ready_all();
         const auto request = h.arm(0);
         h.detach(1, 1, {0});
         h.event(request);
         h.changed_log(0, {1}, true);
         h.changed_log(0, {1});
       }},
      {"DeleteOnItsOwnQueueIsNotReportedThere",
       [](History& h) {
         h.ready_all();
         h.arm(0);
         const auto other = h.arm(1);
         h.remove(0, 1);
         h.event(other);
         h.changed_log(0, {});
         h.changed_log(1, {1});
       },
       {},
       20 * engine::kSecond},
      {"DeleteOnItsOwnQueueIsInTheLogThere",
       [](History& h) {
         h.ready_all();
         h.remove(0, 1);
         h.changed_log(0, {1});
       }},
      {"EventIsReadAwayBeforeItIsReported",
       [](History& h) {
         h.ready_all();
         h.set_feature(0, 0x0B, 0x100);
         h.detach(1, 1, {0});
         h.changed_log(0, {1});
         h.start(0, 0, admin_entry(0x0C));
       },
       {},
       20 * engine::kSecond},
      {"SerialPerControllerIsWaivedForTheProfileThatHasIt",
       [](History& h) {
         h.ready(0);
         h.enable(1);
         h.identify(1, [](auto& id) { id.sn[0] = 'b'; });
       },
       {.profile = "qemu-2021"}},

      // Partial observation
      {"RecordingBeginsAmongOpenCommands",
       [](History& h) {
         h.complete({0, 1, 7, 0, io_entry(0x02, 1, 0)},
                    {.dma = false, .interrupt = false, .acknowledge = false});
         const auto read =
             h.submit(0, 1, io_entry(0x02, 1, 0), With{.flags = trace::submitted_part::no_data_pointer});
         h.complete(read,
                    {.dma = false, .interrupt = false, .acknowledge = false, .change = [](auto&, auto& e) {
                       e.b |= trace::completed_part::status_only;
                     }});
       },
       {.observed = kPartial, .known = false}},
      {"RecordedDetachNamesSomebody",
       [](History& h) {
         const auto status_only = [](auto&, auto& e) { e.b |= trace::completed_part::status_only; };
         const auto go = [&](std::uint16_t c, std::uint16_t q, const spec::SubmissionEntry& entry,
                             Status status) {
           h.complete(h.submit(c, q, entry, With{.flags = trace::submitted_part::no_data_pointer}),
                      {.status = status,
                       .dnr = status != Status::success,
                       .dma = false,
                       .interrupt = false,
                       .acknowledge = false,
                       .change = status_only});
         };
         go(0, 1, io_entry(0x02, 1, 0), Status::success);
         go(1, 1, io_entry(0x02, 1, 0), Status::success);
         go(1, 0, admin_entry(0x15, 1, 1), Status::success);
         go(0, 1, io_entry(0x02, 1, 0), Status::invalid_field);
         go(1, 1, io_entry(0x02, 1, 0), Status::success);
       },
       {.observed = kPartial, .known = false}},
  };
  return kDoubts;
}

class InDoubt : public ::testing::TestWithParam<std::size_t> {};

TEST_P(InDoubt, EveryReadingIsAccepted) {
  const Doubt& doubt = doubts()[GetParam()];
  History h(doubt.layout);
  doubt.story(h);
  const Monitor monitor = h.judge(h.now() + doubt.observed);
  EXPECT_TRUE(monitor.findings().empty()) << findings_text(monitor);
  EXPECT_NE(monitor.verdict(), Verdict::violation);
}

INSTANTIATE_TEST_SUITE_P(Table, InDoubt, ::testing::Range<std::size_t>(0, doubts().size()),
                         [](const auto& param) { return std::string(doubts()[param.param].name); });

bool broken(const Monitor& monitor, Rule rule) { return monitor.statistics(rule).violations != 0; }

// The doubt of a history ends where an observation decides it.

TEST(DecidedDoubt, ARecordingThatStillReachesADetachedNamespaceByNobodyElseIsRefused) {
  History h({.observed = kPartial, .known = false});
  const auto status_only = [](auto&, auto& e) { e.b |= trace::completed_part::status_only; };
  const auto go = [&](const spec::SubmissionEntry& entry, Status status) {
    h.complete(
        h.submit(0, 1, entry, With{.flags = trace::submitted_part::no_data_pointer}),
        {.status = status, .dma = false, .interrupt = false, .acknowledge = false, .change = status_only});
  };
  go(io_entry(0x02, 1, 0), Status::success);        // so it is attached
  go(io_entry(0x02, 1, 0), Status::invalid_field);  // and nobody detached it
  EXPECT_TRUE(broken(h.judge(), Rule::ns10));
}

TEST(DecidedDoubt, AFailingListNeverReachesItsFailingEntry) {
  History h;
  failing_list(h);
  h.list(1, 2, {1});
  EXPECT_TRUE(broken(h.judge(), Rule::ns21));
}

TEST(DecidedDoubt, AListThatWasDoneStaysDone) {
  History h;
  failing_list(h);
  h.list(0, 2, {});
  h.list(0, 2, {1});
  EXPECT_EQ(h.judge().findings().size(), 1U);
}

TEST(DecidedDoubt, AWriteThatTookEffectInAResetStays) {
  History h;
  h.ready_all();
  h.start_write(0, 1, 0, 5);
  h.disable(0);
  h.read(1, 1, 0, 5);
  h.read(1, 1, 0, 0);
  EXPECT_EQ(h.judge().verdict(), Verdict::violation);
}

TEST(DecidedDoubt, TheSerialWaiverHoldsForNothingElse) {
  History h({.profile = "qemu-2021"});
  h.ready(0);
  h.enable(1);
  h.identify(1, [](auto& id) {
    id.sn[0] = 'b';
    id.mn[0] = 'b';
  });
  const Monitor monitor = h.judge();
  EXPECT_EQ(monitor.statistics(Rule::ns07).violations, 1U);
  EXPECT_EQ(monitor.statistics(Rule::ns07).waived, 1U);
}

TEST(DecidedDoubt, WithoutTheProfileASerialPerControllerIsAViolation) {
  History h;
  h.ready(0);
  h.enable(1);
  h.identify(1, [](auto& id) { id.sn[0] = 'b'; });
  EXPECT_TRUE(broken(h.judge(), Rule::ns07));
}

TEST(DecidedDoubt, WhatIsAConventionOfOursIsAskedOfNobodyElse) {
  for (const bool ours : {false, true}) {
    History h({.source = ours ? "simulator" : "qemu"});
    h.ready_all();
    const auto write = h.start_write(0, 1, 0, 5);
    h.detach(1, 1, {0});
    h.read(1, 1, 0, 0);
    h.read(1, 1, 0, 5);  // the write took effect after the detach
    h.complete(write);
    EXPECT_EQ(broken(h.judge(), Rule::ns15), ours);
  }
}

// A path turns out to have been good only when a later command shows it.
TEST(Hazard, IsReportedWhenALaterCommandShowsThatThePathWasGood) {
  for (const bool served : {false, true}) {
    History h({.observed = kPartial, .known = false});
    const auto status_only = [](auto&, auto& e) { e.b |= trace::completed_part::status_only; };
    const auto go = [&](std::uint16_t c, std::uint16_t q, const spec::SubmissionEntry& entry, Status status) {
      h.complete(h.submit(c, q, entry, With{.flags = trace::submitted_part::no_data_pointer}),
                 {.status = status,
                  .dnr = status != Status::success,
                  .dma = false,
                  .interrupt = false,
                  .acknowledge = false,
                  .change = status_only});
    };
    go(0, 1, io_entry(0x02, 1, 0), Status::success);
    go(1, 1, io_entry(0x02, 1, 0), Status::success);
    go(1, 0, admin_entry(0x15, 1, 1), Status::success);  // detaches it from somebody
    h.app_submit(1, 0x02, 1, 0);
    go(0, 1, io_entry(0x02, 1, 0), Status::invalid_field);
    h.app_complete(1, 95);
    if (served) go(1, 1, io_entry(0x02, 1, 8), Status::success);
    const Monitor monitor = h.judge();
    EXPECT_EQ(monitor.statistics(Rule::haz01).violations, served ? 1U : 0U);
    EXPECT_EQ(monitor.verdict(), Verdict::pass);  // a hazard breaks nothing
  }
}

}  // namespace
}  // namespace polypath::model
