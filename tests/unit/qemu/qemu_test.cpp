// How topologies become QEMU's command line, and how an emulator's end is told.
#include "qemu/qemu.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "program/topology.h"
#include "qemu/arguments.h"
#include "qemu/child.h"

namespace polypath::qemu {
namespace {

program::Topology topology(const std::string& more = "") {
  return program::parse_qemu_args(
      "-device nvme-subsys,id=s -device nvme,id=a,serial=x,subsys=s -device nvme,id=b,serial=x,subsys=s "
      "-device nvme-ns,id=n1,nsid=1,size=1MiB,subsys=s -device nvme-ns,id=n2,nsid=2,size=1MiB,bus=b " +
          more,
      {}, nullptr);
}

bool has(const std::vector<std::string>& words, const std::string& part) {
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return word.find(part) != std::string::npos; });
}

TEST(DeviceArguments, SharedNamespacesSitOnTheFirstControllerOfTheirSubsystem) {
  const auto words = device_arguments(topology(), {"/dir/1", "/dir/2"});
  EXPECT_TRUE(has(words, "nvme-ns,id=n1,drive=polypath-drive0,nsid=1,bus=a,shared=on"));
  EXPECT_TRUE(has(words, "nvme-ns,id=n2,drive=polypath-drive1,nsid=2,bus=b,shared=off"));
  EXPECT_TRUE(has(words, "node-name=polypath-file0,filename=/dir/1"));
}

TEST(DeviceArguments, MetadataLieBehindTheDataOfAllBlocks) {
  const std::string more =
      "-device nvme-ns,id=n3,nsid=3,size=1MiB,subsys=s,logical_block_size=4096,ms=16,mset=1,pi=2,pil=1,pif=2";
  const auto protected_one = topology(more);
  const auto words = device_arguments(protected_one, {"/dir/1", "/dir/2", "/dir/3"});
  EXPECT_TRUE(has(words, ",ms=16,mset=1,pi=2,pil=1,pif=2"));
  EXPECT_EQ(media_bytes(protected_one.namespaces[2]), 256U * (4096 + 16));
  EXPECT_TRUE(has(words, "size=1052672"));
  EXPECT_THROW(device_arguments(topology(more + ",sts=16"), {"/1", "/2", "/3"}), program::InputError);
  EXPECT_THROW(device_arguments(topology("-device nvme-ns,bus=a,size=1MiB,ms=16,pi=1,pif=1,sts=16"),
                                {"/1", "/2", "/3"}),
               program::InputError);
}

TEST(DeviceArguments, ANumberingThatTheEmulatorDoesNotHaveIsRefused) {
  EXPECT_THROW(
      device_arguments(topology("-device nvme,id=c,serial=x,subsys=s,cntlid=9"), {"/dir/1", "/dir/2"}),
      program::InputError);
}

TEST(Child, ItsEndIsToldWithItsExitStatusAndWhatItSaid) {
  Child child({"/bin/sh", "-c", "echo broken >&2; exit 3"}, 3);
  std::string answer;
  EXPECT_FALSE(child.ask("hello\n", answer, 10));
  EXPECT_EQ(child.obituary(), "exit status 3: broken");
  EXPECT_FALSE(child.alive());
}

TEST(Child, OneThatDoesNotAnswerIsEnded) {
  Child child({"/bin/sh", "-c", "sleep 100"}, 3);
  std::string answer;
  EXPECT_FALSE(child.ask("hello\n", answer, 1));
  EXPECT_EQ(child.obituary(), "no answer in 1 s to hello");
}

TEST(Child, OutlivesTheThreadThatMadeIt) {
  std::unique_ptr<Child> child;
  std::thread([&] {
    child = std::make_unique<Child>(
        std::vector<std::string>{"/bin/sh", "-c", "read x <&3; echo $x >&3; sleep 100"}, 3);
  }).join();
  std::string answer;
  EXPECT_TRUE(child->ask("hello\n", answer, 10)) << child->obituary();
  EXPECT_EQ(answer, "hello");
}

TEST(Child, HasAProcessGroupOfItsOwnSoThatCtrlCIsOurs) {
  Child child({"/bin/sh", "-c", "read x <&3; echo ready >&3; sleep 100"}, 3);
  std::string answer;
  EXPECT_TRUE(child.ask("hello\n", answer, 10));
  EXPECT_EQ(getpgid(child.pid()), child.pid());
}

TEST(Child, AnswersAreLinesAndInterruptsAreNone) {
  Child child({"/bin/sh", "-c", "read x <&3; printf 'IRQ raise 3\\nOK 0x12\\n' >&3; sleep 100"}, 3);
  std::string answer;
  EXPECT_TRUE(child.ask("readl 0x0\n", answer, 10));
  EXPECT_EQ(answer, "OK 0x12");
}

}  // namespace
}  // namespace polypath::qemu
