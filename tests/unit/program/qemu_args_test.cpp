// Whole QEMU command lines, as people have them.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "program/topology.h"

namespace polypath::program {
namespace {

TopologyOptions memory() {
  TopologyOptions options;
  options.memory_media = true;
  options.default_bytes = 1U << 20U;
  options.source = "args";
  return options;
}

std::string error_of(const std::string& args, const TopologyOptions& options = memory()) {
  try {
    parse_qemu_args(args, options, nullptr);
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

std::string recorded_arguments() {
  std::ifstream file(POLYPATH_TEST_DATA "/recordings/qemu-topology-args.txt");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(QemuArguments, TheRecordedMachineIsUnderstood) {
  TopologyOptions options = memory();
  options.sizes["ns1"] = 128U << 20U;
  const Topology t = parse_qemu_args(recorded_arguments(), options, nullptr);
  ASSERT_EQ(t.controllers.size(), 4U);
  EXPECT_EQ(t.controllers[0].address, "0000:01:00.0");  // as Linux showed
  EXPECT_EQ(t.controllers[3].address, "0000:04:00.0");
  ASSERT_EQ(t.namespaces.size(), 3U);
  EXPECT_TRUE(t.namespaces[0].shared);
  EXPECT_EQ(t.namespaces[0].bytes, 128U << 20U);
  EXPECT_FALSE(t.namespaces[1].shared);
  EXPECT_EQ(t.namespaces[1].bus, 2);
  EXPECT_EQ(parse_topology(t.words, {}, {}), t);
}

TEST(QemuArguments, AShellArrayWithCommentsIsTakenForWhatStandsInIt) {
  const std::string script =
      "# each controller sits behind its own port\nTOPO=(" + recorded_arguments() + ")\n";
  EXPECT_EQ(parse_qemu_args(script, memory(), nullptr),
            parse_qemu_args(recorded_arguments(), memory(), nullptr));
}

TEST(QemuArguments, OtherOptionsAreSkippedAndNamed) {
  std::vector<std::string> ignored;
  const Topology t = parse_qemu_args(
      "qemu-system-x86_64 -nodefaults -m 64M -S \\\n -machine q35,accel=tcg -device virtio-rng-pci "
      "-device 'nvme,id=nvme0,serial=foo' --device \"nvme-ns,bus=nvme0\" -qmp unix:q",
      memory(), &ignored);
  EXPECT_EQ(t.namespaces.size(), 1U);
  const std::vector<std::string> expected{
      "qemu-system-x86_64",     "-nodefaults", "-m 64M", "-S", "-machine q35,accel=tcg",
      "-device virtio-rng-pci", "-qmp unix:q"};
  EXPECT_EQ(ignored, expected);
}

TEST(QemuArguments, DrivesAndBlockLayersResolveToFiles) {
  const std::string path = testing::TempDir() + "polypath-qemu-args.img";
  std::ofstream(path, std::ios::binary) << std::string(4096, 'x');
  const std::string nvme = " -device nvme,id=n,serial=s -device nvme-ns,bus=n,drive=d1";
  const TopologyOptions files;
  EXPECT_EQ(parse_qemu_args("-drive file=" + path + ",if=none,format=raw,id=d1" + nvme, files, nullptr)
                .namespaces[0]
                .drive,
            path);
  const Topology layered =
      parse_qemu_args("-blockdev file,node-name=f1,filename=" + path +
                          ",locking=off -blockdev driver=raw,node-name=d1,file=f1" + nvme,
                      files, nullptr);
  EXPECT_EQ(layered.namespaces[0].drive, path);
  EXPECT_EQ(layered.namespaces[0].bytes, 4096U);
  const Topology null =
      parse_qemu_args("-blockdev null-co,node-name=d1,size=64M,read-zeroes=on" + nvme, files, nullptr);
  EXPECT_EQ(null.namespaces[0].drive, "");
  EXPECT_EQ(null.namespaces[0].bytes, 64U << 20U);
  std::remove(path.c_str());
}

TEST(QemuArguments, MistakesNameLineAndColumn) {
  const TopologyOptions files;
  const struct {
    std::string args, start, part;
    TopologyOptions options;
  } cases[] = {
      {"", "args:1:1:", "no NVMe device", memory()},
      {"-device", "args:1:1:", "nothing after it", memory()},
      {"-m 1\n  -device nvme,id=a", "args:2:11:", "no serial number", memory()},
      {"-device 'nvme,id=a", "args:1:9:", "never closed", memory()},
      {"-device nvme,serial=x -device nvme-ns,bus=nvme0,drive=d",
       "--qemu-args:1:31:", "has no -drive or -blockdev", files},
      {"-blockdev raw,node-name=d,file=d -device nvme,serial=x -device nvme-ns,bus=nvme0,drive=d",
       "--qemu-args:1:11:", "in a circle", files},
      {"-drive if=none,id=d -device nvme,serial=x,drive=d", "--qemu-args:1:8:", "names no file", files},
      {"-drive id=d,file=x -drive id=d,file=y -device nvme,serial=x",
       "args:1:27:", "already used at args:1:8", memory()},
      {"-blockdev raw,file=x -device nvme,serial=x", "args:1:11:", "no node-name", memory()},
      {"-device {\"driver\":\"nvme\"}", "args:1:9:", "JSON form", memory()},
      {std::string("-device nvme,serial=x\0", 22), "args:1:22:", "NUL byte", memory()},
      {"-device nvme,serial=\xff", "args:1:21:", "no UTF-8", memory()},
      {"-device nvmee,serial=x", "args:1:9:", "did you mean 'nvme'?", memory()},
  };
  for (const auto& one : cases) {
    const std::string message = error_of(one.args, one.options);
    EXPECT_TRUE(message.starts_with(one.start)) << one.args << " gives " << message;
    EXPECT_NE(message.find(one.part), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace polypath::program
