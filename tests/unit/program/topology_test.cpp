// Device words: what the seed asks for, what each property means, what is refused and how the message helps.
#include <gtest/gtest.h>

#include <fstream>

#include "program/pci_address.h"
#include "program/program.h"

namespace polypath::program {
namespace {

using Words = std::vector<std::string>;

const Words kSeed{"nvme-subsys,id=subsys0",
                  "nvme,serial=foo,id=nvme0,subsys=subsys0",
                  "nvme,serial=bar,id=nvme1,subsys=subsys0",
                  "nvme,serial=baz,id=nvme2,subsys=subsys0",
                  "nvme-ns,id=ns1,nsid=1,size=128MiB,subsys=subsys0",
                  "nvme-ns,id=ns2,nsid=2,size=256MiB,bus=nvme2",
                  "nvme,serial=qux,id=nvme3",
                  "nvme-ns,id=ns3,nsid=3,size=256MiB,bus=nvme3"};

Topology parse(const Words& words, TopologyOptions options = {}) {
  options.serial_per_controller = true;
  return parse_topology(words, {}, options);
}

// The message of the error that these words give, empty when they are accepted.
std::string error_of(const Words& words, const TopologyOptions& options = {}) {
  std::vector<std::string> places;
  for (std::size_t i = 0; i < words.size(); ++i) places.push_back("t.yaml:" + std::to_string(i + 1) + ":3");
  try {
    parse_topology(words, places, options);
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

void expect_error(const Words& words, const std::string& place, const std::string& part) {
  const std::string message = error_of(words);
  EXPECT_TRUE(message.starts_with(place + ":")) << message;
  EXPECT_NE(message.find(part), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

const Words kPair{"nvme-subsys,id=s", "nvme,id=a,serial=x,subsys=s", "nvme,id=b,serial=x,subsys=s"};

Words with(Words words, const std::string& word) {
  words.push_back(word);
  return words;
}

TEST(SeedTopology, SubsystemOwnsItsNqnAndAControllerAloneGetsOneFromItsSerial) {
  const Topology t = parse(kSeed);
  ASSERT_EQ(t.subsystems.size(), 2U);
  EXPECT_EQ(t.subsystems[0].nqn, "nqn.2019-08.org.qemu:subsys0");
  EXPECT_FALSE(t.subsystems[0].implicit);
  EXPECT_EQ(t.subsystems[1].nqn, "nqn.2019-08.org.qemu:qux");
  EXPECT_EQ(t.subsystems[1].id, "nvme3");
  EXPECT_TRUE(t.subsystems[1].implicit);
}

TEST(SeedTopology, ControllersGetIdentifiersAndAddressesInOrder) {
  const Topology t = parse(kSeed);
  ASSERT_EQ(t.controllers.size(), 4U);
  EXPECT_EQ(t.controllers[0].address, "0000:00:06.0");
  EXPECT_EQ(t.controllers[3].address, "0000:00:09.0");
  EXPECT_EQ(t.controllers[2].cntlid, 2U);
  EXPECT_EQ(t.controllers[3].cntlid, 0U);
  EXPECT_EQ(t.controllers[3].subsystem, 1U);
}

TEST(SeedTopology, SubsysMeansSharedAndBusMeansPrivate) {
  const Topology t = parse(kSeed);
  ASSERT_EQ(t.namespaces.size(), 3U);
  EXPECT_TRUE(t.namespaces[0].shared);
  EXPECT_EQ(t.namespaces[0].bus, -1);
  EXPECT_FALSE(t.namespaces[1].shared);
  EXPECT_EQ(t.namespaces[1].bus, 2);
  EXPECT_EQ(t.namespaces[1].bytes, 268435456U);
  EXPECT_EQ(t.namespaces[2].subsystem, 1U);
  EXPECT_FALSE(t.namespaces[0].detached);
}

TEST(SeedTopology, SerialsDifferOnlyUnderTheProfileThatWaivesIt) {
  const std::string message = error_of(kSeed);
  EXPECT_NE(message.find("t.yaml:3:3: serial='bar' differs from serial='foo'"), std::string::npos) << message;
  EXPECT_NE(message.find("qemu-2021"), std::string::npos) << message;
  TopologyOptions options;
  options.serial_per_controller = true;
  EXPECT_EQ(error_of(kSeed, options), "");
}

TEST(TopologyWords, CanonicalWordsGiveTheSameTopology) {
  const Topology seed = parse(kSeed);
  EXPECT_EQ(parse(seed.words), seed);
  const Topology rich =
      parse({"nvme-subsys,id=s,nqn=a,,b", "nvme,id=c2,serial=x,,y,subsys=s,cntlid=7,addr=0x1f.7,mdts=0",
             "nvme,id=c3,serial=z,subsys=s,mqes=63,max_ioqpairs=2,msix_qsize=3",
             "nvme,id=c4,serial=z,subsys=s,cntlid=1", "nvme,id=alone,serial=w,num_queues=5,addr=0x7",
             "nvme-ns,size=1MiB,bus=c3,shared=on,detached=on,logical_block_size=4096",
             "nvme-ns,id=o,size=2MiB,bus=alone,shared=on,uuid=00112233-4455-6677-8899-AABBCCDDEEFF",
             "nvme-ns,id=p,nsid=9,size=512,bus=c2,eui64=0x5254000000000001,detached",
             "nvme-ns,id=q,size=4k,subsys=s,nguid=000102030405060708090a0b0c0d0e0f",
             "nvme-ns,id=m,size=4k,subsys=s,ms=64,mset=1",
             "nvme-ns,id=t,size=4k,subsys=s,ms=16,pi=2,pil=1,pif=2,sts=16"});
  EXPECT_EQ(parse(rich.words), rich);
  EXPECT_EQ(rich.subsystems[0].nqn, "nqn.2019-08.org.qemu:a,b");
  EXPECT_EQ(rich.controllers[0].serial, "x,y");
  EXPECT_EQ(rich.controllers[3].max_ioqpairs, 4U);
  EXPECT_EQ(rich.namespaces[1].uuid, "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(rich.namespaces[2].eui64, "5254000000000001");
  EXPECT_EQ(rich.namespaces[4].metadata, (spec::MetadataFormat{.bytes = 64, .extended = true}));
  EXPECT_EQ(rich.namespaces[5].metadata,
            (spec::MetadataFormat{
                .bytes = 16, .type = 2, .first = true, .guard = spec::Guard::bits64, .storage_bits = 16}));
}

TEST(TopologyWords, OrderInTheTextIsFree) {
  Words backwards(kSeed.rbegin(), kSeed.rend());
  const Topology t = parse(backwards);
  EXPECT_EQ(t.controllers[0].id, "nvme3");
  EXPECT_EQ(t.namespaces[1].bus, 1);  // nvme2 is the second controller now
}

TEST(Controllers, IdentifiersAreTheLowestFreeOnesOfTheSubsystem) {
  const Topology t = parse({"nvme-subsys,id=s", "nvme,serial=x,subsys=s", "nvme,serial=x,subsys=s,cntlid=0",
                            "nvme,serial=x,subsys=s", "nvme,serial=x,subsys=s,cntlid=2"});
  EXPECT_EQ(t.controllers[0].cntlid, 1U);
  EXPECT_EQ(t.controllers[2].cntlid, 3U);
  EXPECT_EQ(t.controllers[0].id, "nvme0");
  EXPECT_EQ(parse(t.words), t);
}

TEST(Controllers, AddressesTakeQemusFormsAndLinuxs) {
  EXPECT_EQ(format_pci_address(*parse_pci_address("0x10")), "0000:00:10.0");
  EXPECT_EQ(format_pci_address(*parse_pci_address("10.0")), "0000:00:10.0");
  EXPECT_EQ(format_pci_address(*parse_pci_address("1f.7")), "0000:00:1f.7");
  EXPECT_EQ(format_pci_address(*parse_pci_address("0001:02:03.4")), "0001:02:03.4");
  for (const char* text : {"", "20", "1.8", "1.", "g", "0:1", "-1", "1.0 ", "00:00:01.0:2"}) {
    EXPECT_FALSE(parse_pci_address(text).has_value()) << text;
  }
}

TEST(Controllers, DefaultAddressesGoOnBeyondOneBusAndAvoidTakenOnes) {
  EXPECT_EQ(format_pci_address(default_address(25)), "0000:00:1f.0");
  EXPECT_EQ(format_pci_address(default_address(26)), "0000:01:00.0");
  EXPECT_EQ(format_pci_address(default_address(10000)), "0001:38:16.0");
  const Topology t =
      parse({"nvme,serial=a,addr=7", "nvme,serial=b,addr=8", "nvme,serial=c", "nvme,serial=d"});
  EXPECT_EQ(t.controllers[2].address, "0000:00:09.0");
  EXPECT_EQ(t.controllers[3].address, "0000:00:0a.0");
  EXPECT_EQ(parse(t.words), t);
}

TEST(Controllers, BehindARootPortEachHasABusOfItsOwn) {
  const Topology t = parse({"pcie-root-port,id=rp0,chassis=1,slot=1", "pcie-root-port,id=rp1,chassis=2",
                            "nvme,serial=a,bus=rp1", "nvme,serial=b,bus=rp0", "nvme,serial=c,bus=pcie.0"});
  EXPECT_EQ(t.controllers[0].address, "0000:02:00.0");
  EXPECT_EQ(t.controllers[1].address, "0000:01:00.0");
  EXPECT_EQ(t.controllers[2].address, "0000:00:08.0");
  EXPECT_EQ(parse(t.words), t);
}

TEST(Controllers, DriveOfAControllerIsTheNamespaceOfOldCommandLines) {
  TopologyOptions options;
  options.memory_media = true;
  options.default_bytes = 1U << 20U;
  const Topology t = parse({"nvme,id=nvme0,serial=foo,drive=d1"}, options);
  ASSERT_EQ(t.namespaces.size(), 1U);
  EXPECT_EQ(t.namespaces[0].nsid, 1U);
  EXPECT_EQ(t.namespaces[0].id, "nvme0-ns1");
  EXPECT_EQ(t.namespaces[0].bus, 0);
}

TEST(Namespaces, BusWithSharedOnIsSharedInThatSubsystem) {
  const Topology t = parse(with(kPair, "nvme-ns,size=1MiB,bus=b,shared=on"));
  EXPECT_TRUE(t.namespaces[0].shared);
  EXPECT_EQ(t.namespaces[0].bus, -1);
  EXPECT_EQ(t.namespaces[0].subsystem, 0U);
}

TEST(Namespaces, NsidsAreGivenOrTheLowestFreeOnes) {
  Words words = with(kPair, "nvme-ns,size=1MiB,subsys=s");
  words.push_back("nvme-ns,size=1MiB,subsys=s,nsid=1");
  words.push_back("nvme-ns,size=1MiB,subsys=s");
  const Topology t = parse(words);
  EXPECT_EQ(t.namespaces[0].nsid, 2U);
  EXPECT_EQ(t.namespaces[0].id, "ns2");
  EXPECT_EQ(t.namespaces[2].nsid, 3U);
}

TEST(Namespaces, EachSubsystemHasNsidsOfItsOwnUpTo256) {
  Words words{"nvme,id=a,serial=x", "nvme,id=b,serial=y"};
  for (int i = 0; i < 256; ++i) words.push_back("nvme-ns,size=4KiB,bus=a,id=m" + std::to_string(i));
  words.push_back("nvme-ns,size=4KiB,bus=b,nsid=256");
  EXPECT_EQ(error_of(words), "");
  expect_error(with(words, "nvme-ns,size=4KiB,bus=a,id=more"), "t.yaml:260:3", "more than 256 namespaces");
  expect_error(with(kPair, "nvme-ns,size=4KiB,bus=a,nsid=257"), "t.yaml:4:3", "from 1 to 256");
}

TEST(Media, SizesOfTheCommandLineWinAndDefaultsFillIn) {
  TopologyOptions options;
  options.memory_media = true;
  options.sizes["ns1"] = 4096;
  options.default_bytes = 8192;
  const Topology t = parse(with(kPair, "nvme-ns,id=ns1,size=1MiB,bus=a"), options);
  EXPECT_EQ(t.namespaces[0].bytes, 4096U);
  EXPECT_EQ(parse(with(kPair, "nvme-ns,id=ns2,drive=none,bus=a"), options).namespaces[0].bytes, 8192U);
  EXPECT_EQ(parse(with(kPair, "nvme-ns,id=ns2,drive=none,bus=a"), options).namespaces[0].drive, "");
}

TEST(Media, ADriveGivesItsFileAndItsSize) {
  const std::string path = testing::TempDir() + "polypath-drive,comma.img";
  std::ofstream(path, std::ios::binary) << std::string(10000, 'x');
  std::string escaped;
  for (const char c : path) escaped += c == ',' ? ",," : std::string(1, c);
  const Topology t = parse(with(kPair, "nvme-ns,id=ns1,bus=a,drive=" + escaped));
  EXPECT_EQ(t.namespaces[0].drive, path);
  EXPECT_EQ(t.namespaces[0].bytes, 9728U);  // 19 whole blocks
  EXPECT_EQ(parse(t.words), t);
  expect_error(with(kPair, "nvme-ns,bus=a,size=1MiB,drive=" + escaped), "t.yaml:4:3",
               "more than the 10000 bytes");
  Topology memory = t;
  use_memory_media(memory);
  EXPECT_EQ(memory.words.back(), "nvme-ns,id=ns1,nsid=1,size=9728,bus=a");
  std::remove(path.c_str());
  expect_error(with(kPair, "nvme-ns,bus=a,drive=" + escaped), "t.yaml:4:3", "no regular file");
  expect_error(with(kPair, "nvme-ns,bus=a,drive=/dev/null"), "t.yaml:4:3", "no regular file");
}

TEST(BadWords, AnUnknownPropertyIsNamedWithTheKnownOnes) {
  expect_error({"nvme,id=a,serail=x"}, "t.yaml:1:3",
               "unknown property 'serail' of nvme; did you mean 'serial'? known: id, ");
  expect_error({"nvme-nss,id=a"}, "t.yaml:1:3",
               "unknown device 'nvme-nss'; did you mean 'nvme-ns'? known: nvme-subsys");
  expect_error({"nvme-ns,bsu=a"}, "t.yaml:1:3", "did you mean 'bus'?");
}

TEST(BadWords, WhatIsNotSupportedYetIsRefusedUnlessItIsOff) {
  expect_error(with(kPair, "nvme-ns,size=1MiB,bus=a,zoned=on"), "t.yaml:4:3",
               "zoned=on needs a profile with the Zoned command set");
  EXPECT_EQ(error_of(with(kPair, "nvme-ns,size=1MiB,bus=a,zoned=off,ms=0,ana-group=0")), "");
  expect_error({"nvme,serial=x,cmb_size_mb=64"}, "t.yaml:1:3", "controller memory buffer: not supported yet");
  EXPECT_EQ(error_of({"nvme,serial=x,use-intel-id=on,bootindex=1"}), "");
}

TEST(BadWords, EveryMistakeNamesItsPlaceAndTheRemedy) {
  const struct {
    Words words;
    std::string place, part;
  } cases[] = {
      {{""}, "t.yaml:1:3", "empty word"},
      {{"id=nvme0,serial=x"}, "t.yaml:1:3", "the driver comes first"},
      {{"nvme,,id=a"}, "t.yaml:1:3", "begins with property 'nvme,id'"},
      {{"nvme,id=a,,serial=x"}, "t.yaml:1:3", "id='a,serial=x'"},
      {{"nvme,id=a,"}, "t.yaml:1:3", "empty property"},
      {{"nvme,id=a,id=b,serial=x"}, "t.yaml:1:3", "'id' is given twice"},
      {{"nvme,id=9,serial=x"}, "t.yaml:1:3", "a name is a letter"},
      {{"nvme,id=a"}, "t.yaml:1:3", "no serial number"},
      {{"nvme,id=a,serial=123456789012345678901"}, "t.yaml:1:3", "at most 20"},
      {{"nvme,id=a,serial=x", "nvme,id=a,serial=y"}, "t.yaml:2:3", "already used at t.yaml:1:3"},
      {{"nvme,id=a,serial=x", "nvme,id=b,serial=x"},
       "t.yaml:2:3",
       "already belongs to the subsystem at t.yaml:1:3"},
      {{"nvme,id=a,serial=x,subsys=s"}, "t.yaml:1:3", "subsys='s' is no nvme-subsys; there is none"},
      {{"nvme-subsys,id=subsys0", "nvme,id=a,serial=x,subsys=subsys1"},
       "t.yaml:2:3",
       "did you mean 'subsys0'?"},
      {{"nvme-subsys"}, "t.yaml:1:3", "no id"},
      {{"nvme-subsys,id=s,nqn=" + std::string(220, 'n')}, "t.yaml:1:3", "223 are the limit"},
      {{"nvme,id=a,serial=x,cntlid=65520"}, "t.yaml:1:3", "from 0 to 65519"},
      {with(kPair, "nvme,id=c,serial=x,subsys=s,cntlid=1"), "", ""},  // the others make room
      {with({"nvme-subsys,id=s", "nvme,serial=x,subsys=s,cntlid=1"}, "nvme,serial=x,subsys=s,cntlid=1"),
       "t.yaml:3:3", "cntlid=1 is taken"},
      {with(kPair, "nvme-ns,size=1MiB"), "t.yaml:4:3", "has neither"},
      {with(kPair, "nvme-ns,size=1MiB,subsys=s,bus=a"), "t.yaml:4:3", "has both"},
      {with(kPair, "nvme-ns,size=1MiB,subsys=s,shared=off"), "t.yaml:4:3", "use bus="},
      {with(kPair, "nvme-ns,size=1MiB,bus=c"), "t.yaml:4:3", "bus='c' is no controller"},
      {with(kPair, "nvme-ns,bus=a"), "t.yaml:4:3", "has no size"},
      {with(kPair, "nvme-ns,bus=a,size=1MB"), "t.yaml:4:3", "is no size"},
      {with(kPair, "nvme-ns,bus=a,size=1000"), "t.yaml:4:3", "multiple of the 512-byte block"},
      {with(kPair, "nvme-ns,bus=a,size=15EiB"), "t.yaml:4:3", "to 1EiB"},
      {with(kPair, "nvme-ns,bus=a,size=99999999999999999999"), "t.yaml:4:3", "is no size"},
      {with(kPair, "nvme-ns,bus=a,size=1MiB,shared=maybe"), "t.yaml:4:3", "write on or off"},
      {with(kPair, "nvme-ns,bus=a,size=1MiB,logical_block_size=1000"), "t.yaml:4:3", "no power of two"},
      {with(kPair, "nvme-ns,bus=a,size=1MiB,logical_block_size=131072"), "t.yaml:4:3", "from 512 to 65536"},
      {with(kPair, "nvme-ns,bus=a,size=1MiB,uuid=1234"), "t.yaml:4:3", "32 hexadecimal digits"},
      {with(kPair, "nvme-ns,bus=a,size=1MiB,eui64=zz"), "t.yaml:4:3", "16 hexadecimal digits"},
      {with(kPair, "nvme-ns,bus=a,size=1MiB,ms=65"), "t.yaml:4:3", "from 0 to 64"},
      {with(kPair, "nvme-ns,bus=a,size=1MiB,pi=1"), "t.yaml:4:3", "add ms=8"},
      {with(kPair, "nvme-ns,bus=a,size=1MiB,ms=8,pil=1"), "t.yaml:4:3", "add pi=1"},
      {with(kPair, "nvme-ns,bus=a,size=1MiB,ms=8,pi=4"), "t.yaml:4:3", "from 0 to 3"},
      {with(kPair, "nvme-ns,bus=a,size=1MiB,ms=8,pi=1,pif=2"), "t.yaml:4:3", "others need ms=16"},
      {with(kPair, "nvme-ns,bus=a,size=1MiB,ms=8,pi=1,sts=33"), "t.yaml:4:3", "sts=0 to 32"},
      {with(with(kPair, "nvme-ns,bus=a,size=1MiB,nsid=1"), "nvme-ns,id=z,bus=b,size=1MiB,nsid=1"),
       "t.yaml:5:3", "taken by the namespace at t.yaml:4:3"},
      {{"nvme,serial=x,addr=0x20"}, "t.yaml:1:3", "no PCI address"},
      {{"nvme,serial=x,addr=5", "nvme,serial=y,addr=05.0"},
       "t.yaml:2:3",
       "taken by the controller at t.yaml:1:3"},
      {{"nvme,serial=x,bus=rp0"}, "t.yaml:1:3", "no pcie-root-port"},
      {{"pcie-root-port,id=rp0", "nvme,serial=x,bus=rp0,addr=3"}, "t.yaml:2:3", "the one slot 0"},
      {{"pcie-root-port,id=rp0", "nvme,serial=x,bus=rp0", "nvme,serial=y,bus=rp0"}, "t.yaml:3:3", "is taken"},
      {{"nvme,serial=x,num_queues=4,max_ioqpairs=3"}, "t.yaml:1:3", "say the same"},
      {{"{\"driver\":\"nvme\"}"}, "t.yaml:1:3", "JSON form"},
      {{"nvme,serial=\x01"}, "t.yaml:1:3", "no text"},
      {{"nvme," + std::string(9000, 'x')}, "t.yaml:1:3", "8192 is the limit"},
  };
  for (const auto& one : cases) {
    if (one.part.empty()) {
      EXPECT_EQ(error_of(one.words), "");
    } else {
      expect_error(one.words, one.place, one.part);
    }
  }
}

TEST(Scale, TenThousandControllersAreANormalTopology) {
  Words words{"nvme-subsys,id=s"};
  for (int i = 0; i < 10000; ++i) words.push_back("nvme,serial=x,subsys=s");
  for (int i = 0; i < 256; ++i) words.push_back("nvme-ns,size=1GiB,subsys=s");
  const Topology t = parse(words);
  EXPECT_EQ(t.controllers.back().cntlid, 9999U);
  EXPECT_EQ(parse(t.words), t);
}

}  // namespace
}  // namespace polypath::program
