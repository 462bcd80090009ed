// Resets, timeouts, shutdown, and the change of hands between drivers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "fake_port.h"
#include "spec/identify.h"
#include "spec/status.h"

namespace polypath::host {
namespace {

program::HostSpec timeout(Time time) {
  program::HostSpec spec;
  spec.io_timeout = time;
  return spec;
}

TEST(Reset, CancelsInFlightIoToAnotherPathAndSetsUpAgain) {
  Lab lab(2);
  lab.attach(1, {0, 1});
  lab.bring_up();
  lab[0].hold_io = true;
  const std::uint32_t io = lab.read(1, 0);
  const std::uint32_t reset = lab.hosts.reset(lab.world(), 0);
  EXPECT_EQ(lab.outcome(io), nullptr)
      << "nothing is cancelled before the controller says that it is disabled";
  EXPECT_EQ(lab.wait(io).error, 0);
  EXPECT_EQ(lab.inside(trace::Inside::path_failover), 1U);
  EXPECT_EQ(lab[1].count(false, 0x02), 1U);
  EXPECT_EQ(lab.wait(reset).error, 0);
  EXPECT_EQ(lab.hosts.driver(0)->state, ControllerState::live);
  EXPECT_EQ(lab[0].illegal_doorbells, 0U);
  lab.run_for(engine::kMillisecond);
  EXPECT_TRUE(lab[0].event_request_waits())
      << "event requests and configuration are lost with CC.EN, and redone";
  EXPECT_EQ(lab[0].count(true, 0x09), 4U);
  EXPECT_EQ(lab.head(1).paths.size(), 2U);
}

TEST(Reset, PostedButUnreapedCompletionsCount) {
  Lab lab(2);
  lab.attach(1, {0, 1});
  lab.bring_up();
  lab[0].lose_interrupts = true;
  const std::uint32_t io = lab.read(1, 0);
  lab.run_for(engine::kMillisecond);
  ASSERT_EQ(lab.outcome(io), nullptr);
  lab.hosts.reset(lab.world(), 0);
  EXPECT_EQ(lab.wait(io).error, 0);
  EXPECT_EQ(lab.inside(trace::Inside::path_failover), 0U);
  EXPECT_EQ(lab[0].illegal_doorbells, 0U) << "and no doorbell is rung while CC.EN is 0";
}

TEST(Reset, InterruptWhileDisabledRingsNoDoorbell) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.bring_up();
  lab[0].lose_interrupts = true;
  const std::uint32_t io = lab.read(1, 0);
  lab.run_for(engine::kMillisecond);
  lab.hosts.reset(lab.world(), 0);
  lab.hosts.on_interrupt(lab.world(), 0, 1);  // the message was on its way
  EXPECT_EQ(lab[0].illegal_doorbells, 0U);
  EXPECT_EQ(lab.wait(io).error, 0);
}

TEST(Reset, CommandsThatWaitForATagAreNotStartedOnADisabledController) {
  program::HostSpec spec;
  spec.queue_depth = 4;
  Lab lab(2, spec);
  lab.attach(1, {0, 1});
  lab.bring_up();
  lab[0].lose_interrupts = true;
  std::vector<std::uint32_t> ids;
  for (std::uint64_t lba = 0; lba < 10; ++lba) ids.push_back(lab.read(1, lba, 1));
  lab.run_for(engine::kMillisecond);
  lab.hosts.reset(lab.world(), 0);
  for (const std::uint32_t id : ids) EXPECT_EQ(lab.wait(id).error, 0);
  EXPECT_EQ(lab[0].illegal_doorbells, 0U);
  EXPECT_EQ(lab.inside(trace::Inside::path_failover), 7U) << "three had been completed";
}

TEST(Reset, OfTheOnlyPathMakesIoWaitAndTheKickLetsItGo) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.bring_up();
  const std::uint32_t reset = lab.hosts.reset(lab.world(), 0);
  std::vector<std::uint32_t> ids;
  for (std::uint64_t lba = 0; lba < 40; lba += 8) ids.push_back(lab.read(1, lba));
  EXPECT_EQ(lab.inside(trace::Inside::requeued), 5U);
  EXPECT_EQ(lab.wait(reset).error, 0);
  for (const std::uint32_t id : ids) EXPECT_EQ(lab.wait(id).error, 0);
  std::vector<std::uint64_t> order;
  for (const FakeCommand& command : lab[0].seen) {
    if (command.qid == 1) order.push_back(command.entry.slba());
  }
  EXPECT_EQ(order, (std::vector<std::uint64_t>{0, 8, 16, 24, 32})) << "first in, first out";
  const auto& seen = lab[0].seen;
  const auto first_io = std::find_if(seen.begin(), seen.end(), [](const auto& c) { return c.qid == 1; });
  EXPECT_EQ(std::count_if(seen.begin(), first_io, [](const auto& c) { return c.entry.cdw10 == 2; }), 1)
      << "a live controller takes I/O before its namespaces are looked at again";
}

TEST(Reset, DiskWithoutMultipathWaitsForItsOwnController) {
  Lab lab(1);
  lab[0].cmic = 0;
  lab.attach(1, {0}, false);
  lab.bring_up();
  ASSERT_FALSE(lab.head(1).multipath);
  lab[0].hold_io = true;
  const std::uint32_t in_flight = lab.read(1, 0);
  lab.hosts.reset(lab.world(), 0);
  const std::uint32_t later = lab.read(1, 8);
  lab[0].hold_io = false;
  EXPECT_EQ(lab.wait(in_flight).error, 0);
  EXPECT_EQ(lab.wait(later).error, 0);
  EXPECT_EQ(lab.inside(trace::Inside::path_failover), 0U);
}

TEST(Reset, IsRefusedUnlessLive) {
  Lab lab(1);
  lab.bring_up();
  const std::uint32_t first = lab.hosts.reset(lab.world(), 0);
  EXPECT_EQ(lab.wait(lab.hosts.reset(lab.world(), 0)).error, EBUSY);
  EXPECT_EQ(lab.wait(first).error, 0);
}

TEST(Reset, CancelsPassthroughWithEintr) {
  Lab lab(1);
  lab.bring_up();
  spec::SubmissionEntry event_request;  // never answered: a command that is surely in flight
  event_request.opcode = 0x0C;
  const std::uint32_t id = lab.hosts.submit_admin(lab.world(), 0, event_request, {}, 0);
  const std::uint32_t reset = lab.hosts.reset(lab.world(), 0);
  EXPECT_EQ(lab.wait(lab.hosts.submit_admin(lab.world(), 0, event_request, {}, 0)).error, EAGAIN);
  const Outcome outcome = lab.wait(id);
  EXPECT_EQ(outcome.error, EINTR);
  EXPECT_EQ(outcome.status, 0x371);
  EXPECT_FALSE(outcome.answered);
  EXPECT_EQ(lab.wait(reset).error, 0);
}

TEST(Reset, DuringAScanLooksAgainAfterwards) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.bring_up();
  lab[0].raise(kNamespaceEvent);
  lab.attach(2, {0});
  while (lab[0].admin_log().back() != "identify cns=2 nsid=0") ASSERT_TRUE(lab.step());
  lab.wait(lab.hosts.reset(lab.world(), 0));
  lab.run_for(engine::kMillisecond);
  EXPECT_EQ(lab.hosts.namespaces_of(0), (std::vector<std::uint32_t>{1, 2}));
}

TEST(Timeout, FirstAbortsThenResets) {
  Lab lab(2, timeout(3 * engine::kSecond));
  lab.attach(1, {0, 1});
  lab.bring_up();
  lab[0].silent = true;
  lab[0].abort_answers = false;
  const Time start = lab.engine.now();
  const std::uint32_t io = lab.read(1, 0);
  lab.run_for(3 * engine::kSecond + engine::kMillisecond);
  EXPECT_EQ(lab[0].count(true, 0x08), 1U);
  EXPECT_EQ(lab.outcome(io), nullptr);
  EXPECT_EQ(lab.wait(io).error, 0);
  EXPECT_GE(lab.engine.now() - start, 6 * engine::kSecond);
  EXPECT_LT(lab.engine.now() - start, 6 * engine::kSecond + 10 * engine::kMillisecond);
  EXPECT_EQ(lab.inside(trace::Inside::path_failover), 1U);
  EXPECT_EQ(lab[1].count(false, 0x02), 1U);
}

TEST(Timeout, AbortedCommandIsRetriedOnItsPath) {
  Lab lab(1, timeout(engine::kSecond));
  lab.attach(1, {0});
  lab.bring_up();
  lab[0].silent = true;
  const std::uint32_t io = lab.read(1, 0);
  lab.run_for(engine::kSecond - engine::kMillisecond);
  lab[0].silent = false;
  EXPECT_EQ(lab.wait(io).error, 0);
  EXPECT_EQ(lab[0].count(true, 0x08), 1U);
  EXPECT_EQ(lab[0].seen.back().qid, 1);
  const auto& abort = *std::find_if(lab[0].seen.begin(), lab[0].seen.end(),
                                    [](const auto& c) { return c.qid == 0 && c.entry.opcode == 0x08; });
  EXPECT_EQ(abort.entry.cdw10 & 0xFFFFU, 1U) << "SQID";
}

TEST(Timeout, AbortsAreLimitedByAcl) {
  Lab lab(1, timeout(engine::kSecond));
  lab[0].acl = 1;
  lab.attach(1, {0});
  lab.bring_up();
  lab[0].silent = true;
  lab[0].abort_answers = false;
  lab[0].admin_status.clear();
  for (std::uint64_t lba = 0; lba < 5; ++lba) lab.read(1, lba, 1);
  lab.run_for(engine::kSecond);
  EXPECT_EQ(lab[0].count(true, 0x08), 2U);
}

TEST(Timeout, LostInterruptIsNoTimeout) {
  Lab lab(1, timeout(engine::kSecond));
  lab.attach(1, {0});
  lab.bring_up();
  lab[0].lose_interrupts = true;
  EXPECT_EQ(lab.wait(lab.read(1, 0)).error, 0);
  EXPECT_EQ(lab[0].count(true, 0x08), 0U);
}

TEST(Timeout, OneTimerPerQueueHoweverManyCommands) {
  Lab lab(1, timeout(30 * engine::kSecond));
  lab.attach(1, {0});
  lab.bring_up();
  lab.run_for(120 * engine::kSecond);  // the Admin queue's timer has found it idle
  ASSERT_TRUE(lab.engine.idle()) << "an idle controller costs no events";
  lab[0].hold_io = true;
  for (std::uint64_t lba = 0; lba < 20; ++lba) lab.read(1, lba, 1);
  EXPECT_EQ(lab.engine.pending_events(), 1U);
  lab[0].hold_io = false;
  lab[0].release_held();
  lab.run_for(engine::kMillisecond);
  for (int i = 0; i < 100; ++i) lab.wait(lab.read(1, 0));
  EXPECT_EQ(lab.engine.pending_events(), 1U);
  lab.run_for(31 * engine::kSecond);
  EXPECT_TRUE(lab.engine.idle());
}

TEST(Timeout, TimerIsSetAgainForTheOldestCommandThatIsLeft) {
  Lab lab(1, timeout(10 * engine::kSecond));
  lab.attach(1, {0});
  lab.bring_up();
  const Time start = lab.engine.now();
  lab.wait(lab.read(1, 0));
  lab.run_for(6 * engine::kSecond);
  lab[0].silent = true;
  const Time submitted = lab.engine.now();
  lab.read(1, 0);
  lab.run_for(start + 15 * engine::kSecond - lab.engine.now());
  EXPECT_EQ(lab[0].count(true, 0x08), 0U) << "the timer of the first command must not abort the second";
  lab.run_for(submitted + 10 * engine::kSecond - lab.engine.now());
  EXPECT_EQ(lab[0].count(true, 0x08), 1U);
}

TEST(Timeout, LostFunctionFailsOverAndDies) {
  Lab lab(2, timeout(engine::kSecond));
  lab.attach(1, {0, 1});
  lab.bring_up();
  lab[0].silent = true;
  const std::uint32_t io = lab.read(1, 0);
  lab[0].gone = true;
  EXPECT_EQ(lab.wait(io).error, 0);
  EXPECT_EQ(lab.hosts.driver(0)->state, ControllerState::dead);
  EXPECT_EQ(lab.head(1).paths.size(), 1U);
}

TEST(Timeout, AdminTimeoutResets) {
  Lab lab(1);
  lab.bring_up();
  spec::SubmissionEntry entry;
  entry.opcode = 0x0C;
  const std::uint32_t id = lab.hosts.submit_admin(lab.world(), 0, entry, {}, 0);
  EXPECT_EQ(lab.wait(id).error, EINTR);
  EXPECT_GE(lab.engine.now(), 60 * engine::kSecond);
}

TEST(Shutdown, DrainsDeletesQueuesThenShutsDown) {
  program::HostSpec spec;
  spec.queues = 2;
  Lab lab(2, spec);
  lab.attach(1, {0, 1});
  lab.bring_up();
  lab[0].hold_io = true;
  const std::uint32_t io = lab.read(1, 0);
  const std::size_t first = lab[0].seen.size();
  const std::uint32_t shutdown = lab.hosts.shutdown(lab.world(), 0, false);
  lab.run_for(engine::kMillisecond);
  EXPECT_EQ(lab[0].shn_when_written, 0U) << "I/O in flight ends first";
  EXPECT_EQ(lab.head(1).paths.size(), 1U) << "but no new I/O comes";
  lab[0].release_held();
  EXPECT_EQ(lab.wait(io).error, 0);
  EXPECT_EQ(lab.wait(shutdown).error, 0);
  EXPECT_EQ(lab[0].shn_when_written, 1U);
  const auto log = lab[0].admin_log();
  EXPECT_EQ(std::vector<std::string>(log.begin() + static_cast<std::ptrdiff_t>(first) - 1, log.end()),
            (std::vector<std::string>{"delete_sq 2", "delete_sq 1", "delete_cq 2", "delete_cq 1"}));
  EXPECT_EQ(lab.hosts.driver(0)->state, ControllerState::unbound);
  EXPECT_EQ(lab.inside(trace::Inside::path_failover), 0U);
}

TEST(Shutdown, AbruptDrainsNothing) {
  Lab lab(2);
  lab.attach(1, {0, 1});
  lab.bring_up();
  lab[0].hold_io = true;
  const std::uint32_t io = lab.read(1, 0);
  const std::uint32_t shutdown = lab.hosts.shutdown(lab.world(), 0, true);
  EXPECT_EQ(lab[0].shn_when_written, 2U);
  EXPECT_EQ(lab.wait(shutdown).error, 0);
  EXPECT_EQ(lab.wait(io).error, 0) << "failed over";
  EXPECT_EQ(lab[0].count(true, 0x00), 0U);
}

TEST(Shutdown, OfTheLastControllerEndsTheSubsystem) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.bring_up();
  lab.wait(lab.hosts.shutdown(lab.world(), 0, false));
  EXPECT_EQ(lab.hosts.state().subsystems.size(), 0U);
  EXPECT_EQ(lab.hosts.state().heads.size(), 0U);
  EXPECT_EQ(lab.wait(lab.hosts.probe(lab.world(), 0)).error, 0);
  EXPECT_EQ(lab.hosts.head_name(lab.head(1)), "nvme0n1");
  EXPECT_EQ(lab.wait(lab.read(1, 0)).error, 0);
}

TEST(Release, DisablesFailsOverAndLetsGo) {
  Lab lab(2);
  lab.attach(1, {0, 1});
  lab.bring_up();
  lab[0].hold_io = true;
  const std::uint32_t io = lab.read(1, 0);
  const std::uint32_t release = lab.hosts.release(lab.world(), 0);
  EXPECT_EQ(lab.wait(release).error, 0);
  EXPECT_EQ(lab.hosts.driver(0)->state, ControllerState::unbound);
  EXPECT_EQ(lab[0].read_register(0x1C, 4) & 1U, 0U);
  EXPECT_EQ(lab.wait(io).error, 0);
  EXPECT_EQ(lab.wait(lab.hosts.probe(lab.world(), 0)).error, 0);
  EXPECT_EQ(lab.head(1).paths.size(), 2U);
}

TEST(Passthrough, GivesStatusDwordAndDataUnchanged) {
  Lab lab(1);
  lab.attach(3, {0});
  lab.bring_up();
  spec::SubmissionEntry identify;
  identify.opcode = 0x06;
  identify.cdw10 = 2;
  const std::uint32_t id = lab.hosts.submit_admin(lab.world(), 0, identify, {}, 4096);
  const Outcome outcome = lab.wait(id);
  EXPECT_EQ(outcome.error, 0);
  EXPECT_EQ(outcome.status, 0);
  ASSERT_EQ(lab.data[id].size(), 4096U);
  EXPECT_EQ(lab.data[id][0], std::byte{3});
  lab[0].admin_status[0xC0] = 0x4001;
  spec::SubmissionEntry vendor;
  vendor.opcode = 0xC0;
  const Outcome refused = lab.wait(lab.hosts.submit_admin(lab.world(), 0, vendor, {}, 0));
  EXPECT_EQ(refused.error, 0) << "an answer is no errno";
  EXPECT_EQ(refused.status, 0x4001);
  EXPECT_EQ(lab[0].count(true, 0xC0), 1U) << "never retried";
}

TEST(Passthrough, CommandWithNamespaceEffectsReturnsWhenTheHostHasLookedAgain) {
  Lab lab(1);
  lab[0].lpa = 2;
  lab[0].effects[0x0D] = 1U << 3U | 1U;  // NIC
  lab.attach(1, {0});
  lab.bring_up();
  EXPECT_EQ(lab[0].count(true, 0x02), 1U) << "the Commands Supported and Effects log";
  lab[0].namespaces.erase(1);
  EXPECT_EQ(lab.wait(lab.hosts.delete_namespace(lab.world(), 0, 1)).status, 0);
  EXPECT_TRUE(lab.hosts.namespaces_of(0).empty());
  lab.attach(2, {0});
  spec::SubmissionEntry other;
  other.opcode = 0xC1;
  lab.wait(lab.hosts.submit_admin(lab.world(), 0, other, {}, 0));
  lab.run_for(engine::kSecond);
  EXPECT_TRUE(lab.hosts.namespaces_of(0).empty()) << "a command without such effects is followed by no scan";
}

TEST(Passthrough, MoreThanTheAdminQueueHoldsWaits) {
  Lab lab(1);
  lab.bring_up();
  spec::SubmissionEntry identify;
  identify.opcode = 0x06;
  identify.cdw10 = 1;
  std::vector<std::uint32_t> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(lab.hosts.submit_admin(lab.world(), 0, identify, {}, 4096));
  for (const std::uint32_t id : ids) EXPECT_EQ(lab.wait(id).status, 0);
  EXPECT_EQ(lab[0].illegal_doorbells, 0U);
}

TEST(Management, AttachmentCarriesAControllerList) {
  Lab lab(1);
  lab.bring_up();
  const std::array<std::uint16_t, 2> ids{1, 2};
  lab.wait(lab.hosts.detach(lab.world(), 0, 5, ids));
  const spec::SubmissionEntry& entry = lab[0].seen.back().entry;
  EXPECT_EQ(entry.opcode, 0x15);
  EXPECT_EQ(entry.nsid, 5U);
  EXPECT_EQ(entry.cdw10, 1U);
  std::array<std::uint16_t, 4> list{};
  lab.memory.read_value(entry.prp1, list);
  EXPECT_EQ(list, (std::array<std::uint16_t, 4>{2, 1, 2, 0}));
  lab.wait(lab.hosts.create_namespace(lab.world(), 0, 2048, 0, true));
  spec::IdentifyNamespace made;
  lab.memory.read_value(lab[0].seen.back().entry.prp1, made);
  EXPECT_EQ(made.nsze, 2048U);
  EXPECT_EQ(made.ncap, 2048U);
  EXPECT_EQ(made.nmic, 1);
}

}  // namespace
}  // namespace polypath::host
