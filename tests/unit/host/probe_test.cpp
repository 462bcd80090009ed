// From CC.EN to a scanned controller: the order of what the driver does, and what it does when something
// fails.
#include <gtest/gtest.h>

#include "fake_port.h"
#include "spec/identify.h"
#include "spec/registers.h"

namespace polypath::host {
namespace {

TEST(Probe, ProgramsTheAdminQueueBeforeItEnables) {
  Lab lab(1);
  lab.bring_up();
  const auto& writes = lab[0].writes;
  ASSERT_EQ(writes.size(), 5U);
  EXPECT_EQ(writes[0].first, spec::reg::cc);
  EXPECT_EQ(writes[0].second & 1U, 0U) << "whatever was left is disabled first";
  EXPECT_EQ(writes[1], (std::pair<std::uint32_t, std::uint64_t>{spec::reg::aqa, 31U << 16U | 31U}));
  EXPECT_EQ(writes[2].first, spec::reg::asq);
  EXPECT_EQ(writes[3].first, spec::reg::acq);
  EXPECT_EQ(writes[2].second % 4096, 0U);
  EXPECT_EQ(writes[3].second % 4096, 0U);
  EXPECT_EQ(writes[4].first, spec::reg::cc);
  EXPECT_EQ(writes[4].second, 4U << 20U | 6U << 16U | 1U);
  EXPECT_EQ(lab[0].illegal_doorbells, 0U);
}

TEST(Probe, SendsLinuxsAdminCommandsInOrder) {
  program::HostSpec spec;
  spec.queues = 2;
  Lab lab(1, spec);
  lab.attach(1, {0});
  lab.attach(7, {0});
  lab.bring_up();
  EXPECT_EQ(lab[0].admin_log(), (std::vector<std::string>{
                                    "identify cns=1 nsid=0", "set_features fid=0x7 cdw11=0x10001",
                                    "create_cq 1 vector=1", "create_sq 1 cq=1", "create_cq 2 vector=2",
                                    "create_sq 2 cq=2", "set_features fid=0xb cdw11=0x100", "event_request",
                                    "identify cns=2 nsid=0", "identify cns=3 nsid=1", "identify cns=0 nsid=1",
                                    "identify cns=3 nsid=7", "identify cns=0 nsid=7"}));
  EXPECT_EQ(lab.hosts.namespaces_of(0), (std::vector<std::uint32_t>{1, 7}));
}

TEST(Probe, QueuesAreLimitedByWhatIsGrantedByVectorsAndByMqes) {
  program::HostSpec spec;
  spec.queues = 8;
  spec.queue_depth = 1024;
  Lab lab(3, spec);
  lab[0].granted_queues = 3;
  lab[1].table_vectors = 3;
  lab[2].table_vectors = 1;
  lab.bring_up();
  EXPECT_EQ(lab.hosts.driver(0)->io_queues, 3);
  EXPECT_EQ(lab.hosts.driver(1)->io_queues, 2);
  EXPECT_EQ(lab.hosts.driver(2)->io_queues, 1);
  EXPECT_EQ(lab.hosts.driver(2)->queues[1].vector, 0) << "a single vector is shared with the Admin queue";
  EXPECT_EQ(lab.hosts.driver(0)->queues[1].entries, 64U);
}

TEST(Probe, SingleVectorStillCompletesIo) {
  Lab lab(1);
  lab[0].table_vectors = 1;
  lab.attach(1, {0});
  lab.bring_up();
  EXPECT_EQ(lab.wait(lab.read(1, 0)).error, 0);
}

TEST(Probe, NoEventsAreRequestedFromAControllerThatHasNone) {
  Lab lab(1);
  lab[0].oaes = 0;
  lab.bring_up();
  EXPECT_EQ(lab[0].count(true, 0x0C), 0U);
  EXPECT_EQ(lab[0].count(true, 0x09), 1U) << "Number of Queues only";
}

TEST(Probe, GoesOnWithTheNextControllerWhenOneIsDead) {
  Lab lab(4);
  lab[0].gone = true;
  lab[1].never_ready = true;
  lab[2].admin_status[0x06] = 0x4006;  // Identify fails
  lab.attach(1, {3});
  lab.bring_up();
  for (const std::uint32_t dead : {0U, 1U, 2U})
    EXPECT_EQ(lab.hosts.driver(dead)->state, ControllerState::dead);
  EXPECT_EQ(lab.hosts.driver(3)->state, ControllerState::live);
  EXPECT_EQ(lab.wait(lab.read(1, 0)).error, 0);
}

TEST(Probe, ReadyTimeoutIsWhatCapAnnounces) {
  Lab lab(1);
  lab[0].never_ready = true;
  lab.wire();
  lab.start();
  lab.run_for(999 * engine::kMillisecond);  // (CAP.TO + 1) * 500 ms, as Linux waits
  EXPECT_FALSE(lab.hosts.settled(0));
  lab.run_for(2 * engine::kMillisecond);
  EXPECT_TRUE(lab.hosts.settled(0));
}

TEST(Probe, ControllerWithoutIoQueuesServesAdminCommandsOnly) {
  Lab lab(1);
  lab[0].admin_status[0x05] = 0x4102;  // Create I/O CQ fails
  lab.attach(1, {0});
  lab.bring_up();
  EXPECT_EQ(lab.hosts.driver(0)->state, ControllerState::live);
  EXPECT_EQ(lab.hosts.driver(0)->io_queues, 0);
  EXPECT_TRUE(lab.hosts.namespaces_of(0).empty());
  spec::SubmissionEntry identify;
  identify.opcode = 0x06;
  identify.cdw10 = 1;
  const Outcome outcome = lab.wait(lab.hosts.submit_admin(lab.world(), 0, identify, {}, 4096));
  EXPECT_TRUE(outcome.answered);
  EXPECT_EQ(outcome.status, 0);
}

TEST(Probe, SecondControllerOfASubsystemNeedsAnotherIdAndCmic) {
  Lab lab(3);
  lab[1].cntlid = 0;  // the first one's
  lab[2].cmic = 0;
  lab.bring_up();
  EXPECT_EQ(lab.hosts.driver(0)->state, ControllerState::live);
  EXPECT_EQ(lab.hosts.driver(1)->state, ControllerState::dead);
  EXPECT_EQ(lab.hosts.driver(2)->state, ControllerState::dead);
}

TEST(Numbering, SubsystemAndHeadsAreNamedAfterTheFirstProbedController) {
  Lab lab(3);
  lab.attach(1, {0, 1, 2});
  lab.attach(2, {2}, false);
  lab.wire({1, 0, 2});
  lab.bring_up();
  EXPECT_EQ(lab.hosts.head_name(lab.head(1)), "nvme1n1");
  EXPECT_EQ(lab.hosts.head_name(lab.head(2)), "nvme1n2");
}

TEST(Numbering, HeadsAreNumberedInOrderOfDiscoveryNotByNsid) {
  Lab lab(2);
  lab.attach(9, {0});
  lab.attach(4, {1});
  lab.bring_up();
  EXPECT_EQ(lab.hosts.head_name(lab.head(9)), "nvme0n1");
  EXPECT_EQ(lab.hosts.head_name(lab.head(4)), "nvme0n2");
}

TEST(Numbering, LowestFreeNumberIsUsedAgain) {
  Lab lab(1);
  lab.attach(1, {0});
  lab.attach(2, {0});
  lab.bring_up();
  lab[0].namespaces.erase(1);
  lab.wait(lab.hosts.rescan(lab.world(), 0));
  EXPECT_EQ(lab.hosts.head(0, 0, 1), nullptr);
  lab.attach(5, {0});
  lab.wait(lab.hosts.rescan(lab.world(), 0));
  EXPECT_EQ(lab.hosts.head_name(lab.head(5)), "nvme0n1");
  EXPECT_EQ(lab.hosts.head_name(lab.head(2)), "nvme0n2");
}

TEST(Numbering, SubsystemOfAControllerAloneHasItsOwnNumber) {
  Lab lab(2);
  lab.trace.header.controllers.resize(2);
  lab.trace.header.controllers[1].subsystem = 1;
  lab[1].nqn = "nqn.2019-08.org.qemu:alone";
  lab[1].cmic = 0;
  lab.attach(1, {0});
  lab.attach(3, {1});
  lab.bring_up();
  EXPECT_EQ(lab.hosts.head_name(*lab.hosts.head(0, 0, 1)), "nvme0n1");
  EXPECT_EQ(lab.hosts.head_name(*lab.hosts.head(0, 1, 3)), "nvme1n1");
  EXPECT_FALSE(lab.hosts.head(0, 1, 3)->multipath) << "one controller without CMIC: the path's own disk";
}

TEST(Identity, DifferentNamespaceUnderAKnownNsidDoesNotJoin) {
  Lab lab(2);
  lab.attach(1, {0});
  lab.attach(1, {1});  // another UUID
  lab.bring_up();
  EXPECT_EQ(lab.head(1).paths.size(), 1U);
  EXPECT_TRUE(lab.hosts.namespaces_of(1).empty());
}

TEST(Identity, SameIdentifiersUnderAnotherNsidAreRefused) {
  Lab lab(2);
  const auto ns = lab.attach(1, {0});
  lab[1].namespaces[2] = ns;
  lab.bring_up();
  EXPECT_EQ(lab.hosts.head(0, 0, 2), nullptr);
}

TEST(Identity, PrivateNamespaceTakesNoSecondPath) {
  Lab lab(2);
  lab.attach(1, {0, 1}, false);
  lab.bring_up();
  EXPECT_EQ(lab.head(1).paths.size(), 1U);
  EXPECT_EQ(lab.hosts.state().heads.size(), 1U) << "NSIDs are unique here: it is no second disk either";
}

TEST(Identity, PrivateNsidsOfTwoControllersAreTwoDisksWhereNsidsAreNotUnique) {
  Lab lab(2);
  lab[0].oacs = lab[1].oacs =
      0;  // no namespace management, ANA or NVM sets: NSIDs may mean different namespaces
  lab.attach(1, {0}, false);
  lab.attach(1, {1}, false);
  lab.bring_up();
  EXPECT_EQ(lab.hosts.namespaces_of(0), (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(lab.hosts.namespaces_of(1), (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(lab.hosts.state().heads.size(), 2U);
}

TEST(Scan, ActiveListOfMoreThanAPageIsReadOn) {
  Lab lab(1);
  for (std::uint32_t nsid = 1; nsid <= 1030; ++nsid) {
    const auto ns = lab.attach(nsid, {0});
    ns->uuid[2] = static_cast<std::uint8_t>(nsid >> 8U);
  }
  lab.bring_up();
  EXPECT_EQ(lab.hosts.namespaces_of(0).size(), 1030U);
}

}  // namespace
}  // namespace polypath::host
