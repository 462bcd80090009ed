// Hosts are a value: a copy restored has the same future, and the hash tells states apart.
#include <gtest/gtest.h>

#include "fake_port.h"

namespace polypath::host {
namespace {

std::uint64_t exact(const Hosts& hosts) {
  engine::Hasher hasher;
  hosts.hash(hasher, engine::HashKind::exact);
  return hasher.value();
}

TEST(Snapshot, ACopyIsIndependentAndEqual) {
  Lab lab(2);
  lab.attach(1, {0, 1});
  lab.bring_up();
  lab[0].hold_io = true;
  lab.read(1, 0);
  const Hosts copy = lab.hosts;
  EXPECT_EQ(exact(copy), exact(lab.hosts));
  const std::uint64_t before = exact(copy);
  lab[0].release_held();
  lab.run_for(engine::kMillisecond);
  EXPECT_NE(exact(lab.hosts), before);
  EXPECT_EQ(exact(copy), before);
  EXPECT_EQ(copy.requests_in_progress(), 1U);
}

TEST(Snapshot, SameRunsGiveTheSameHashes) {
  const auto run = [] {
    Lab lab(3);
    lab.attach(1, {0, 1, 2});
    lab.bring_up();
    lab[1].io_statuses = {0x302, 0x082};
    for (std::uint64_t lba = 0; lba < 20; ++lba) lab.wait(lab.write(1, lba, 1, std::byte{1}));
    lab.wait(lab.hosts.reset(lab.world(), 1));
    return std::pair(exact(lab.hosts), lab.trace.hash());
  };
  EXPECT_EQ(run(), run());
}

TEST(Snapshot, AgeOfACommandIsPartOfTheCanonicalState) {
  const auto canonical = [](Time pause) {
    program::HostSpec spec;
    spec.io_timeout = 10 * engine::kSecond;
    Lab lab(1, spec);
    lab.attach(1, {0});
    lab.bring_up();
    lab[0].hold_io = true;
    lab.read(1, 0);
    lab.run_for(pause);
    lab.read(1, 8);
    engine::Hasher hasher;
    lab.hosts.hash(hasher, engine::HashKind::canonical);
    return hasher.value();
  };
  EXPECT_EQ(canonical(engine::kSecond), canonical(engine::kSecond));
  EXPECT_NE(canonical(engine::kSecond), canonical(2 * engine::kSecond));
}

}  // namespace
}  // namespace polypath::host
