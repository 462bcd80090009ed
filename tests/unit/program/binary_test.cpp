// The binary form: any bytes are a program, programs come back as they were, and a fuzzer's byte goes a long
// way.
#include <gtest/gtest.h>

#include <algorithm>

#include "program/order.h"
#include "program/program.h"
#include "program/wire.h"
#include "random_programs.h"

namespace polypath::program {
namespace {

std::vector<std::byte> bytes(std::initializer_list<unsigned> values) {
  std::vector<std::byte> out;
  for (const unsigned v : values) out.push_back(static_cast<std::byte>(v));
  return out;
}

TEST(Decode, NoBytesAreTheSmallestWorld) {
  const Program p = decode({});
  EXPECT_EQ(p.topology.controllers.size(), 1U);
  EXPECT_EQ(p.topology.namespaces.size(), 1U);
  ASSERT_EQ(p.hosts.size(), 1U);
  EXPECT_EQ(p.hosts[0].paths, std::vector<std::string>{"nvme0"});
  EXPECT_TRUE(p.steps.empty());
}

TEST(Decode, AFewBytesAreAWorldAndAStep) {
  // version, world: 3 controllers, 2 namespaces; ns1 shared 1 MiB, ns2 private to nvme2; one host; seed 5;
  // write ns1 B
  const Program p = decode(bytes({1, 0x0A, 0x00, 0x09, 0x01, 5, 1, 0x11, 0x00, 1}));
  EXPECT_EQ(p.topology.controllers.size(), 3U);
  ASSERT_EQ(p.topology.namespaces.size(), 2U);
  EXPECT_TRUE(p.topology.namespaces[0].shared);
  EXPECT_EQ(p.topology.namespaces[1].bus, 2);
  EXPECT_EQ(p.hosts[0].policy, "round-robin");
  EXPECT_EQ(p.seed, 5U);
  ASSERT_EQ(p.steps.size(), 1U);
  EXPECT_EQ(p.steps[0].kind, StepKind::write);
  EXPECT_EQ(p.steps[0].find(Field::ns)->text, "ns1");
  EXPECT_EQ(p.steps[0].find(Field::tag)->text, "B");
  EXPECT_EQ(p.steps[0].find(Field::host)->text, "host0");  // required, so it is there
}

TEST(Decode, UnknownStepsAreNoOps) {
  const Program p = decode(bytes({1, 0, 0, 0, 0, 60, 63, 200, 40, 1, 0x05}));
  ASSERT_EQ(p.steps.size(), 1U);
  EXPECT_EQ(p.steps[0].kind, StepKind::wait);
  EXPECT_EQ(p.steps[0].number(Field::duration), 5U);
}

TEST(Decode, AnOutcomeOfAnEarlierStepIsNamedByItsNumber) {
  // create (bit 7: options; as n4), then delete the first outcome
  const Program p = decode(bytes({1, 0, 0, 0, 0, 12 | 0x80, 32, 4, 0, 13, 2, 0x80}));
  ASSERT_EQ(p.steps.size(), 2U);
  EXPECT_EQ(p.steps[0].as, "n4");
  EXPECT_EQ(p.steps[1].find(Field::ns)->form, Form::name);
  EXPECT_EQ(p.steps[1].find(Field::ns)->text, "n4");
}

TEST(Decode, OpcodesAreRowsOfTheCommandTable) {
  const Program p = decode(bytes({1, 0, 0, 0, 0, 20, 3, 0, 6}));
  ASSERT_EQ(p.steps.size(), 1U);
  EXPECT_EQ(p.steps[0].kind, StepKind::admin);
  EXPECT_EQ(p.steps[0].number(Field::opcode), 0x06U);  // row 6: Identify
}

TEST(Decode, EveryByteStringIsAProgramWhoseCanonicalBytesAreAFixedPoint) {
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    Dice dice(seed);
    const auto input = random_bytes(dice, 120);
    const Program p = decode(input);
    ASSERT_EQ(canonical(p), p) << seed;
    const auto again = encode(p);
    ASSERT_EQ(decode(again), p) << seed;
    ASSERT_EQ(encode(decode(again)), again) << seed;
  }
}

TEST(Decode, EveryShortByteStringIsAProgram) {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; second += 17) {
      const Program p = decode(bytes({1, first, 0, 0, 0, second, 0xFF, 0x7F, 0xFF, 0xFF}));
      ASSERT_FALSE(p.topology.controllers.empty());
      ASSERT_EQ(decode(encode(p)), p);
    }
  }
}

TEST(Decode, CountsThatLieCostNothing) {
  // An explicit world whose counts claim 2^64 words, hosts and steps.
  std::vector<std::byte> lies = bytes({1, 0xFF});
  for (int i = 0; i < 200; ++i) lies.push_back(std::byte{0xFF});
  const Program p = decode(lies);
  EXPECT_EQ(p.topology.controllers.size(), 1U);
  EXPECT_EQ(decode(encode(p)), p);
}

TEST(Decode, WordsThatAreNoTopologyGiveTheSmallestWorld) {
  std::vector<std::byte> input = bytes({1, 0xFF, 0, 1, 4, 'o', 'o', 'p', 's'});
  EXPECT_EQ(decode(input).topology, decode({}).topology);
}

TEST(Encode, RandomProgramsComeBackCanonical) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Program p = canonical(random_program(seed));
    ASSERT_EQ(canonical(p), p) << seed;
    ASSERT_EQ(decode(encode(p)), p) << seed;
  }
}

TEST(Encode, ASimpleWorldIsAFewBytes) {
  Program p;
  p.topology = parse_topology(
      {"nvme-subsys,id=subsys0", "nvme,id=nvme0,serial=shared,subsys=subsys0",
       "nvme,id=nvme1,serial=shared,subsys=subsys0", "nvme-ns,id=ns1,size=4MiB,subsys=subsys0"},
      {}, {});
  HostSpec host;
  host.id = "host0";
  host.paths = {"nvme1", "nvme0"};
  p.hosts.push_back(host);
  EXPECT_EQ(encode(p).size(), 5U);
  EXPECT_EQ(decode(encode(p)), canonical(p));
}

TEST(Encode, AnyTopologyHasItsWords) {
  Program p;
  p.profile = "spec";
  p.topology = parse_topology({"nvme-subsys,id=left", "nvme,id=a,serial=x,subsys=left,cntlid=9,mdts=3",
                               "nvme-ns,id=n,nsid=200,size=3MiB,bus=a,uuid=00112233445566778899aabbccddeeff"},
                              {}, {});
  EXPECT_EQ(decode(encode(p)), canonical(p));
}

TEST(Canonical, DuplicateAndMissingIdsAreRenumberedTheOthersStay) {
  Program p = decode({});
  for (const std::uint32_t id : {7U, 0U, 7U, 1U}) {
    Step step;
    step.kind = StepKind::wait;
    step.id = id;
    p.steps.push_back(step);
  }
  p = canonical(p);
  std::vector<std::uint32_t> ids;
  for (const Step& step : p.steps) ids.push_back(step.id);
  EXPECT_EQ(ids, (std::vector<std::uint32_t>{7, 2, 3, 1}));
}

TEST(Canonical, StepsThatWaitForThemselvesAreCut) {
  Program p = decode({});
  const auto add = [&](const char* actor, const char* label, const char* after) {
    Step step;
    step.kind = StepKind::wait;
    step.actor = actor;
    step.label = label;
    step.after = after;
    p.steps.push_back(step);
  };
  add("a", "one", "two");  // waits for its actor's own next step
  add("a", "two", "");
  add("b", "three", "four");  // a circle of two actors
  add("c", "four", "three");
  add("d", "five", "five");  // itself
  add("e", "six", "one");    // no circle: stays
  EXPECT_EQ(circular_steps(p), (std::vector<std::size_t>{0, 2, 4}));
  p = canonical(p);
  EXPECT_EQ(p.steps[0].after, "");
  EXPECT_EQ(p.steps[3].after, "three");
  EXPECT_EQ(p.steps[5].after, "one");
  EXPECT_TRUE(circular_steps(p).empty());
}

TEST(Canonical, ADanglingReferenceStaysAsWritten) {
  Program p = decode({});
  Step step;
  step.kind = StepKind::delete_ns;
  step.operands = {{Field::via, {Form::name, 0, "nvme0", {}}}, {Field::ns, {Form::name, 0, "gone", {}}}};
  p.steps.push_back(step);
  p = decode(encode(p));
  EXPECT_EQ(p.steps[0].find(Field::ns)->text, "gone");
}

TEST(Wire, NumbersTakeTheFewestBytes) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (const std::uint64_t value : {std::uint64_t{1} << bit, (std::uint64_t{1} << bit) - 1}) {
      WireWriter out;
      out.number(value);
      out.duration(value);
      out.size(value);
      out.mask(value >> 1U);
      const auto written = out.take();
      WireReader in(written);
      EXPECT_EQ(in.number(), value);
      EXPECT_EQ(in.duration(), value);
      EXPECT_EQ(in.size(), value);
      EXPECT_EQ(in.mask(), value >> 1U);
      EXPECT_TRUE(in.at_end());
    }
  }
  WireWriter out;
  out.number(247);
  out.duration(5'000'000);
  out.size(128U << 20U);
  EXPECT_EQ(out.take().size(), 3U);
}

}  // namespace
}  // namespace polypath::program
