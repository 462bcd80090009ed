// The table of `nvme list -v`, from what the host has read.
#include "host/list.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "fake_port.h"

namespace polypath::host {
namespace {

std::string file(const std::string& name) {
  std::ifstream in(std::string(POLYPATH_TEST_DATA) + "/" + name);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class SeedTest : public ::testing::Test {
 protected:
  SeedTest() : lab_(4) {
    const char* const serials[] = {"foo", "bar", "baz", "qux"};
    for (std::size_t k = 0; k < 4; ++k) lab_[k].serial = serials[k];
    lab_[3].nqn = "nqn.2019-08.org.qemu:qux";
    lab_[3].cmic = 0;
    lab_.trace.header.controllers.resize(4);
    lab_.trace.header.controllers[3].subsystem = 1;
    size(lab_.attach(1, {0, 1, 2}), 128);
    size(lab_.attach(2, {2}, false), 256);
    size(lab_.attach(3, {3}, false), 256);
    lab_.wire({1, 0, 2, 3});
    lab_.bring_up();
  }
  static void size(const std::shared_ptr<FakeNamespace>& ns, std::uint64_t mebibytes) {
    ns->blocks = ns->used = mebibytes * 2048;
  }
  Lab lab_;
};

TEST_F(SeedTest, TableIsTheOneOfTheExample) {
  EXPECT_EQ(print_verbose(list(lab_.hosts, 0)), file("seed/nvme-list-v.txt"));
}

TEST_F(SeedTest, NamespacesOfAControllerAreItsOwnPathsOnly) {
  const Listing listing = list(lab_.hosts, 0);
  ASSERT_EQ(listing.controllers.size(), 4U);
  EXPECT_EQ(listing.controllers[0].namespaces, (std::vector<std::string>{"nvme1n1"}));
  EXPECT_EQ(listing.controllers[2].namespaces, (std::vector<std::string>{"nvme1n1", "nvme1n2"}));
  EXPECT_EQ(listing.controllers[3].namespaces, (std::vector<std::string>{"nvme3n1"}));
  ASSERT_EQ(listing.namespaces.size(), 3U);
  EXPECT_EQ(listing.namespaces[1].controllers, (std::vector<std::string>{"nvme2"}));
}

TEST_F(SeedTest, ControllerThatIsShutDownIsNotListed) {
  lab_.wait(lab_.hosts.shutdown(lab_.world(), 0, false));
  const Listing listing = list(lab_.hosts, 0);
  ASSERT_EQ(listing.controllers.size(), 3U);
  EXPECT_EQ(listing.subsystems[0].controllers, (std::vector<std::string>{"nvme1", "nvme2"}));
  EXPECT_EQ(listing.subsystems[0].name, "nvme-subsys1");
}

TEST_F(SeedTest, NoLineEndsInABlank) {
  lab_[0].namespaces.clear();
  lab_.wait(lab_.hosts.rescan(lab_.world(), 0));
  const std::string text = print_verbose(list(lab_.hosts, 0));
  EXPECT_EQ(text.find(" \n"), std::string::npos);
  EXPECT_NE(
      text.find("nvme0    foo                  QEMU NVMe Ctrl                           1.0      pcie   "
                "0000:00:06.0   nvme-subsys1\n"),
      std::string::npos);
}

TEST(ListFormat, UnitsAreThoseOfNvmeCli) {
  Listing listing;
  ListedNamespace row;
  row.name = "nvme0n1";
  row.nsid = 0x1A;
  row.blocks = 2'000'000'000;
  row.used_blocks = 1;
  row.block_bytes = 4096;
  row.metadata_bytes = 8;
  row.controllers = {"nvme0"};
  listing.namespaces.push_back(row);
  const std::string text = print_verbose(listing);
  EXPECT_NE(text.find("nvme0n1      1a         4.10  kB /   8.19  TB      4 KiB +  8 B   nvme0\n"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace polypath::host
