// Identify pages of the profiles that are made after something recorded: equal to the recording, byte for
// byte, apart from a list of fields with reasons. docs/profiles.md shows the same list.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "lone_host.h"

namespace polypath::device {
namespace {

using Page = std::vector<std::byte>;

struct Difference {
  const char* profile;
  spec::Cns cns;
  std::size_t at, bytes;
  const char* field;
  const char* reason;
};

constexpr auto kController = spec::Cns::controller;
constexpr auto kNs = spec::Cns::ns;
constexpr const char* kNoAna = "asymmetric access is not simulated";

// What the device does not do is not announced. A row whose bytes are equal makes the test fail.
constexpr Difference kDifferences[] = {
    {"qemu-7.2", kNs, 24, 1, "NSFEAT", "bit 2: errors for deallocated blocks (DULBE) are not simulated"},
    {"linux-nvmet", kController, 76, 1, "CMIC", kNoAna},
    {"linux-nvmet", kController, 92, 4, "OAES", "bit 11: asymmetric access is not simulated"},
    {"linux-nvmet", kController, 96, 4, "CTRATT",
     "bit 0: Host Identifier is not simulated; bit 6: Keep Alive counts commands of its own alone"},
    {"linux-nvmet", kController, 342, 1, "ANATT", kNoAna},
    {"linux-nvmet", kController, 343, 1, "ANACAP", kNoAna},
    {"linux-nvmet", kController, 344, 4, "ANAGRPMAX", kNoAna},
    {"linux-nvmet", kController, 348, 4, "NANAGRPID", kNoAna},
    {"linux-nvmet", kController, 536, 4, "SGLS", "bit 20: offsets are of fabrics, which are not simulated"},
    {"linux-nvmet", kController, 1792, 4, "IOCCSZ", "of fabrics, which are not simulated"},
    {"linux-nvmet", kController, 1796, 4, "IORCSZ", "of fabrics, which are not simulated"},
    {"linux-nvmet", kController, 1803, 1, "MSDBD", "of fabrics, which are not simulated"},
    {"linux-nvmet", kNs, 92, 4, "ANAGRPID", kNoAna},
};

Page read_binary(const std::string& name) {
  std::ifstream in(POLYPATH_TEST_DATA "/identify/" + name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  Page page(text.size());
  std::memcpy(page.data(), text.data(), text.size());
  return page;
}

// Of this one only the text of `nvme id-ns` was recorded.
Page read_printed_namespace(const std::string& name) {
  struct Place {
    const char* field;
    std::size_t at, bytes;
  };
  constexpr Place kPlaces[] = {
      {"nsze", 0, 8},      {"ncap", 8, 8},    {"nuse", 16, 8},      {"nsfeat", 24, 1}, {"nlbaf", 25, 1},
      {"flbas", 26, 1},    {"mc", 27, 1},     {"dpc", 28, 1},       {"dps", 29, 1},    {"nmic", 30, 1},
      {"rescap", 31, 1},   {"fpi", 32, 1},    {"dlfeat", 33, 1},    {"nawun", 34, 2},  {"nawupf", 36, 2},
      {"nacwu", 38, 2},    {"nabsn", 40, 2},  {"nabo", 42, 2},      {"nabspf", 44, 2}, {"noiob", 46, 2},
      {"nvmcap", 48, 8},   {"npwg", 64, 2},   {"npwa", 66, 2},      {"npdg", 68, 2},   {"npda", 70, 2},
      {"nows", 72, 2},     {"mssrl", 74, 2},  {"mcl", 76, 4},       {"msrc", 80, 1},   {"nulbaf", 81, 1},
      {"anagrpid", 92, 4}, {"nsattr", 99, 1}, {"nvmsetid", 100, 2}, {"endgid", 102, 2}};
  Page page(spec::kIdentifyBytes);
  std::ifstream in(POLYPATH_TEST_DATA "/identify/" + name);
  std::size_t found = 0;
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string field = line.substr(0, line.find_first_of(" \t:"));
    if (field == "LBA") {
      unsigned number = 0, metadata = 0, size = 0;
      if (std::sscanf(line.c_str(), "LBA Format %u : Metadata Size: %u bytes - Data Size: %u", &number,
                      &metadata, &size) != 3) {
        continue;
      }
      const std::uint32_t format = metadata | static_cast<std::uint32_t>(std::countr_zero(size)) << 16U;
      std::memcpy(page.data() + 128 + std::size_t{4} * number, &format, sizeof format);
      ++found;
    }
    for (const Place& place : kPlaces) {
      if (field != place.field) continue;
      const std::uint64_t value = std::strtoull(line.c_str() + colon + 1, nullptr, 0);
      std::memcpy(page.data() + place.at, &value, place.bytes);
      ++found;
    }
  }
  EXPECT_EQ(found, std::size(kPlaces) + 1);
  return page;
}

std::string hexadecimal(const Page& page, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, page.data() + at, bytes);
  return fmt::format("{:X}h", value);
}

class Profiles : public LoneHost {
 protected:
  void build_recorded(const std::string& profile) {
    const bool linux_target = profile == "linux-nvmet";
    program::Topology topology;
    topology.subsystems.push_back(
        {"subsys0", linux_target ? "nqn.2014-08.org.nvmexpress:lab" : "nqn.2019-08.org.qemu:subsys0", false});
    for (std::uint16_t k = 0; k < 3; ++k) {
      program::ControllerSpec c;
      c.id = "nvme" + std::to_string(k);
      c.serial = linux_target ? "LAB0001" : "foo";
      c.cntlid = static_cast<std::uint16_t>(linux_target ? k + 1 : k);
      c.mdts = linux_target ? 0 : 7;
      topology.controllers.push_back(c);
    }
    program::NamespaceSpec ns;
    ns.id = "ns1";
    ns.nsid = 1;
    ns.bytes = std::uint64_t{128} << 20U;
    topology.namespaces.push_back(ns);
    build(profile.c_str(), topology);
    enable(0);
  }
  Page shown(spec::Cns cns) { return identify(0, cns, cns == spec::Cns::ns ? 1 : 0).data; }
  static Page recorded(const std::string& profile, spec::Cns cns) {
    if (cns == spec::Cns::controller) return read_binary(profile + "-controller.bin");
    return profile == "linux-nvmet" ? read_printed_namespace(profile + "-namespace.txt")
                                    : read_binary(profile + "-namespace.bin");
  }
};

TEST_F(Profiles, ShowWhatWasRecordedApartFromTheListedFields) {
  for (const char* profile : {"qemu-7.2", "linux-nvmet"}) {
    build_recorded(profile);
    for (const spec::Cns cns : {kController, kNs}) {
      const Page now = shown(cns), then = recorded(profile, cns);
      ASSERT_EQ(now.size(), then.size());
      std::vector<bool> listed(now.size());
      for (const Difference& d : kDifferences) {
        if (d.cns != cns || std::string_view(d.profile) != profile) continue;
        std::fill_n(listed.begin() + static_cast<std::ptrdiff_t>(d.at), d.bytes, true);
        EXPECT_NE(hexadecimal(now, d.at, d.bytes), hexadecimal(then, d.at, d.bytes))
            << profile << ": " << d.field << " is equal; take it off the list";
      }
      for (std::size_t i = 0; i < now.size(); ++i) {
        if (!listed[i]) {
          EXPECT_EQ(now[i], then[i]) << profile << ", CNS " << static_cast<int>(cns) << ", byte " << i;
        }
      }
    }
  }
}

// To bring the document up to date: POLYPATH_WRITE_DOCS=1 device_test --gtest_filter='Profiles.*'
TEST_F(Profiles, TheDocumentShowsTheListedFields) {
  std::string table;
  for (const char* profile : {"qemu-7.2", "linux-nvmet"}) {
    build_recorded(profile);
    table += fmt::format(
        "\n### Profile `{}`\n\n| CNS | byte | field | recorded | here | why |\n"
        "|---|---|---|---|---|---|\n",
        profile);
    for (const Difference& d : kDifferences) {
      if (std::string_view(d.profile) != profile) continue;
      table += fmt::format("| {:02X}h | {} | {} | {} | {} | {} |\n", static_cast<int>(d.cns), d.at, d.field,
                           hexadecimal(recorded(profile, d.cns), d.at, d.bytes),
                           hexadecimal(shown(d.cns), d.at, d.bytes), d.reason);
    }
  }
  table += "\n";
  const std::string begin = "<!-- generated by Profiles -->\n", end = "<!-- end of the generated part -->\n";
  std::ifstream file(POLYPATH_SOURCE_DIR "/docs/profiles.md");
  std::stringstream held;
  held << file.rdbuf();
  std::string text = held.str();
  const std::size_t from = text.find(begin), to = text.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  if (std::getenv("POLYPATH_WRITE_DOCS") != nullptr) {
    text.replace(from + begin.size(), to - from - begin.size(), table);
    std::ofstream(POLYPATH_SOURCE_DIR "/docs/profiles.md") << text;
    return;
  }
  EXPECT_EQ(text.substr(from + begin.size(), to - from - begin.size()), table);
}

TEST_F(Profiles, TheDocumentNamesEveryProfile) {
  std::ifstream file(POLYPATH_SOURCE_DIR "/docs/profiles.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const Profile& profile : profiles())
    EXPECT_NE(text.find(fmt::format("| `{}` | ", profile.name)), std::string::npos) << profile.name;
}

TEST_F(Profiles, FormatsThatAreNotAvailableMakeNoNamespace) {
  build_recorded("qemu-7.2");
  for (unsigned format = 0; format < 16; ++format) {
    spec::IdentifyNamespace wanted{};
    wanted.nsze = wanted.ncap = 256;
    wanted.flbas = static_cast<std::uint8_t>(format);
    std::vector<std::byte> data(spec::kIdentifyBytes);
    std::memcpy(data.data(), &wanted, sizeof wanted);
    const auto status = admin(0, 0x0D, 0, 0, 0, data).status();
    EXPECT_EQ(status, format < 8 ? spec::Status::success : spec::Status::invalid_format) << format;
  }
  EXPECT_EQ(format_of(*find_profile("qemu-7.2"), 4096), 4);
  EXPECT_EQ(format_of(*find_profile("spec"), 4096), 1);
  EXPECT_EQ(format_of(*find_profile("linux-nvmet"), 4096), std::nullopt);
}

TEST_F(Profiles, SmartOfANamespaceIsThatOfTheControllerWhereItIsAnnounced) {
  build_recorded("qemu-7.2");
  const std::uint32_t cdw10 = 0x7F0002;
  EXPECT_EQ(admin(0, 0x02, 1, cdw10).data, admin(0, 0x02, spec::kBroadcastNsid, cdw10).data);
  EXPECT_EQ(admin(0, 0x02, 9, cdw10).status(), spec::Status::invalid_field);
  EXPECT_EQ(admin(0, 0x02, 257, cdw10).status(), spec::Status::invalid_namespace_or_format);
}

}  // namespace
}  // namespace polypath::device
