// Namespace events: armed again at once, the log read, the list looked at; paths come and go under I/O.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "fake_port.h"
#include "spec/status.h"

namespace polypath::host {
namespace {

void settle(Lab& lab) {
  do {
    if (!lab.step()) break;
  } while (!lab.hosts.settled(0));
}

std::vector<std::string> log_since(const FakeController& controller, std::size_t first) {
  const auto log = controller.admin_log();
  return {log.begin() + static_cast<std::ptrdiff_t>(first), log.end()};
}

TEST(NamespaceEvent, ArmsAgainReadsTheLogThenTheList) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.bring_up();
  const std::size_t first = lab[0].seen.size();
  ASSERT_TRUE(lab[0].raise(kNamespaceEvent));
  lab.run_for(engine::kMillisecond);
  EXPECT_EQ(log_since(lab[0], first),
            (std::vector<std::string>{"event_request", "get_log lid=4 bytes=4096", "identify cns=2 nsid=0",
                                      "identify cns=3 nsid=1", "identify cns=0 nsid=1"}));
  EXPECT_TRUE(lab[0].event_request_waits());
  const auto& seen = lab[0].seen;
  const auto log =
      std::find_if(seen.rbegin(), seen.rend(), [](const auto& c) { return c.entry.opcode == 0x02; });
  EXPECT_EQ(log->entry.cdw10 >> 15U & 1U, 0U) << "RAE 0: the read re-enables the event";
  EXPECT_EQ(log->entry.nsid, spec::kBroadcastNsid);
}

TEST(NamespaceEvent, OtherEventsAreOnlyArmedAgain) {
  Lab lab(1);
  lab.bring_up();
  const std::size_t first = lab[0].seen.size();
  ASSERT_TRUE(lab[0].raise(0x00010000));  // error, write to invalid doorbell
  lab.run_for(engine::kMillisecond);
  EXPECT_EQ(log_since(lab[0], first), (std::vector<std::string>{"event_request"}));
}

TEST(NamespaceEvent, RefusedRequestIsNotRepeatedForEver) {
  Lab lab(1);
  lab[0].admin_status[0x0C] = 0x4105;
  lab.bring_up();
  lab.run_for(engine::kSecond);
  EXPECT_EQ(lab[0].count(true, 0x0C), 1U);
}

TEST(NamespaceEvent, AttachedNamespaceBecomesAPath) {
  Lab lab(2);
  const auto ns = lab.attach(1, {0});
  lab.bring_up();
  lab[1].namespaces[1] = ns;
  lab[1].raise(kNamespaceEvent);
  settle(lab);
  EXPECT_EQ(lab.head(1).paths.size(), 2U);
  EXPECT_EQ(lab.hosts.namespaces_of(1), (std::vector<std::uint32_t>{1}));
}

TEST(NamespaceEvent, DetachedNamespaceLosesItsPathAndIoGoesOn) {
  Lab lab(2);
  lab.attach(1, {0, 1});
  lab.bring_up();
  lab[0].namespaces.erase(1);
  lab[0].raise(kNamespaceEvent);
  settle(lab);
  EXPECT_EQ(lab.head(1).paths.size(), 1U);
  EXPECT_EQ(lab.wait(lab.read(1, 0)).error, 0);
  EXPECT_EQ(lab.paths_chosen(), (std::vector<std::uint32_t>{1}));
}

TEST(NamespaceEvent, RemovalOfAnotherPathKeepsTheTurnOfRoundRobin) {
  program::HostSpec spec;
  spec.policy = "round-robin";
  Lab lab(3, spec);
  lab.attach(1, {0, 1, 2});
  lab.bring_up();
  lab.wait(lab.read(1, 0));
  lab.wait(lab.read(1, 0));  // nvme2's turn was the last
  lab[0].namespaces.erase(1);
  lab[0].raise(kNamespaceEvent);
  settle(lab);
  lab.wait(lab.read(1, 0));
  lab.wait(lab.read(1, 0));
  EXPECT_EQ(lab.paths_chosen(), (std::vector<std::uint32_t>{1, 2, 1, 2}));
}

TEST(NamespaceEvent, IoInFlightOnARemovedPathEndsWithItsOwnStatusOrFailsOver) {
  Lab lab(2);
  const auto ns = lab.attach(1, {0, 1});
  lab.bring_up();
  lab[0].hold_io = true;
  const std::uint32_t good = lab.read(1, 0);
  const std::uint32_t aborted = lab.read(1, 8);
  lab[0].namespaces.erase(1);
  lab[0].raise(kNamespaceEvent);
  settle(lab);
  ASSERT_EQ(lab.head(1).paths.size(), 1U);
  lab[0].namespaces[1] = ns;  // the device finishes the first one yet
  lab[0].io_statuses = {0, static_cast<std::uint16_t>(spec::Status::abort_requested)};
  lab[0].release_held();
  EXPECT_EQ(lab.wait(good).error, 0);
  EXPECT_EQ(lab.wait(aborted).error, 0) << "its queue is gone: another path takes it";
  EXPECT_EQ(lab.inside(trace::Inside::path_failover), 1U);
}

TEST(NamespaceEvent, DuringAScanQueuesAnother) {
  Lab lab(1);
  const auto ns = lab.attach(1, {0});
  lab.bring_up();
  lab[0].raise(kNamespaceEvent);
  while (lab[0].admin_log().back() != "identify cns=3 nsid=1") ASSERT_TRUE(lab.step());
  lab[0].namespaces[2] = lab.attach(2, {0});  // listed already without it
  ASSERT_TRUE(lab[0].raise(kNamespaceEvent));
  settle(lab);
  lab.run_for(engine::kMillisecond);
  EXPECT_EQ(lab.hosts.namespaces_of(0), (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(lab[0].count(true, 0x02), 2U) << "each event's log is read";
}

TEST(LastPath, IoInFlightAndLaterIoFailAndTheDiskGoes) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.bring_up();
  lab[0].hold_io = true;
  const std::uint32_t in_flight = lab.read(1, 0);
  lab[0].namespaces.erase(1);
  lab[0].raise(kNamespaceEvent);
  settle(lab);
  EXPECT_EQ(lab.hosts.head(0, 0, 1), nullptr);
  EXPECT_EQ(lab.hosts.state().heads.size(), 1U) << "the head stays until its I/O has ended";
  lab[0].release_held();
  EXPECT_EQ(lab.wait(in_flight).error, EOPNOTSUPP);
  EXPECT_EQ(lab.hosts.state().heads.size(), 0U);
  EXPECT_EQ(lab.wait(lab.read(1, 0)).error, ENXIO);
}

TEST(LastPath, WaitingIoFailsWhenTheHeadGoes) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.bring_up();
  lab[0].never_disabled = true;  // the reset takes its time, then the controller is dead
  const std::uint32_t reset = lab.hosts.reset(lab.world(), 0);
  const std::uint32_t io = lab.read(1, 0);
  EXPECT_EQ(lab.inside(trace::Inside::requeued), 1U);
  EXPECT_EQ(lab.wait(io).error, EIO);
  EXPECT_EQ(lab.wait(reset).error, EIO);
  EXPECT_EQ(lab.hosts.requests_in_progress(), 0U);
  EXPECT_EQ(lab.hosts.state().heads.size(), 0U);
}

TEST(Rescan, FailedListRemovesNothing) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.bring_up();
  lab[0].namespaces.erase(1);
  lab[0].identify_status[2] = 0x006;
  EXPECT_EQ(lab.wait(lab.hosts.rescan(lab.world(), 0)).error, 0);
  EXPECT_EQ(lab.hosts.namespaces_of(0), (std::vector<std::uint32_t>{1}));
}

TEST(Rescan, FailedDescriptorsKeepThePathOnlyADnrIdentifyRemovesIt) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.bring_up();
  lab[0].identify_status[3] = 0x4002;
  lab.wait(lab.hosts.rescan(lab.world(), 0));
  EXPECT_EQ(lab.hosts.namespaces_of(0).size(), 1U);
  lab[0].identify_status.clear();
  lab[0].identify_status[0] = 0x006;
  lab.wait(lab.hosts.rescan(lab.world(), 0));
  EXPECT_EQ(lab.hosts.namespaces_of(0).size(), 1U);
  lab[0].identify_status[0] = 0x4002;
  lab.wait(lab.hosts.rescan(lab.world(), 0));
  EXPECT_TRUE(lab.hosts.namespaces_of(0).empty());
}

TEST(Rescan, ChangedIdentifiersRemoveThePath) {
  Lab lab(1);
  const auto ns = lab.attach(1, {0});
  lab.bring_up();
  ns->uuid[5] = 9;
  lab.wait(lab.hosts.rescan(lab.world(), 0));
  EXPECT_TRUE(lab.hosts.namespaces_of(0).empty());
}

TEST(Rescan, SiblingOfAnotherSizeIsNotReadyUntilLookedAt) {
  Lab lab(2);
  const auto ns = lab.attach(1, {0, 1});
  lab.bring_up();
  ns->blocks = 4096;
  lab.wait(lab.hosts.rescan(lab.world(), 1));
  EXPECT_EQ(lab.head(1).blocks, 4096U);
  EXPECT_FALSE(lab.head(1).records[0].ready);
  EXPECT_EQ(lab.wait(lab.read(1, 4000)).error, 0);
  EXPECT_EQ(lab.paths_chosen(), (std::vector<std::uint32_t>{1}));
  lab.wait(lab.hosts.rescan(lab.world(), 0));
  EXPECT_TRUE(lab.head(1).records[0].ready);
}

}  // namespace
}  // namespace polypath::host
