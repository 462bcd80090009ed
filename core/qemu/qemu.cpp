#include "qemu/qemu.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "qemu/child.h"
#include "spec/registers.h"

namespace polypath::qemu {
namespace {

constexpr int kSocket = 3;                          // the child's file descriptor of its test socket
constexpr std::uint64_t kMemoryBytes = 64U << 20U;  // of the machine
constexpr std::uint64_t kFirstBar = 0xE0000000, kBarStep = 1U << 20U;
constexpr std::uint32_t kFirstSlot = 0x10, kSlots = 0x20 - kFirstSlot;

std::string line_of(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "";
  std::array<char, 256> buffer{};
  const bool any = std::fgets(buffer.data(), buffer.size(), pipe) != nullptr;
  pclose(pipe);
  return any ? buffer.data() : "";
}

class Emulator final : public target::Machine {
 public:
  explicit Emulator(const program::Topology& topology) : controllers_(topology.controllers.size()) {
    std::string pattern = (std::filesystem::temp_directory_path() / "polypath-qemu-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw program::InputError("qemu", "no temporary directory");
    directory_ = pattern;
    try {
      make_files(topology);
      open_machine(topology);
    } catch (...) {
      child_.reset();
      std::filesystem::remove_all(directory_);
      throw;
    }
  }
  ~Emulator() override {
    child_.reset();
    if (memory_ != nullptr) munmap(memory_, kMemoryBytes);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::string name() const override { return "qemu " + version(); }

  std::uint64_t read_register(std::uint32_t controller, std::uint32_t offset, unsigned bytes) override {
    return ask(fmt::format("read{} {:#x}\n", bytes == 8 ? 'q' : 'l', bar(controller) + offset));
  }
  void write_register(std::uint32_t controller, std::uint32_t offset, std::uint64_t value,
                      unsigned bytes) override {
    ask(fmt::format("write{} {:#x} {:#x}\n", bytes == 8 ? 'q' : 'l', bar(controller) + offset, value));
  }
  std::span<std::byte> memory() override { return {static_cast<std::byte*>(memory_), kMemoryBytes}; }
  void turn() override {
    // Each read turns the emulator's main loop once.
    ask(fmt::format("readl {:#x}\n", bar(0) + spec::reg::csts));
    sched_yield();
  }
  std::string obituary() const override { return child_->alive() ? "" : child_->obituary(); }

 private:
  std::uint64_t bar(std::uint32_t controller) const { return kFirstBar + controller * kBarStep; }

  void make_files(const program::Topology& topology) {
    const auto make = [&](const std::string& name, std::uint64_t bytes) {
      const std::string path = directory_ + "/" + name;
      const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
      const bool good = file >= 0 && ftruncate(file, static_cast<off_t>(bytes)) == 0;
      if (file >= 0) close(file);
      if (!good) throw program::InputError(path, "cannot be made; is there room in the temporary directory?");
    };
    make("ram", kMemoryBytes);
    for (const auto& ns : topology.namespaces) make(ns.id + ".raw", ns.bytes);
    const int file = open((directory_ + "/ram").c_str(), O_RDWR | O_CLOEXEC);
    memory_ = mmap(nullptr, kMemoryBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory_ == MAP_FAILED) {
      memory_ = nullptr;
      throw program::InputError(directory_, "its memory file cannot be mapped");
    }
  }

  void open_machine(const program::Topology& topology) {
    std::vector<std::string> arguments{
        command(),
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-machine",
        "q35,accel=tcg,memory-backend=ram0",
        "-m",
        fmt::format("{}M", kMemoryBytes >> 20U),
        "-object",
        fmt::format("memory-backend-file,id=ram0,size={}M,mem-path={}/ram,share=on", kMemoryBytes >> 20U,
                    directory_),
        "-S",
        "-chardev",
        fmt::format("socket,id=qtest,fd={}", kSocket),
        "-qtest",
        "chardev:qtest",
        "-qtest-log",
        "none"};
    for (std::string& word : device_arguments(topology, directory_)) arguments.push_back(std::move(word));
    child_ = std::make_unique<Child>(arguments, kSocket, directory_ + "/errors");
    for (std::uint32_t k = 0; k < controllers_; ++k) {
      // Configuration space through its I/O ports: the BAR, its upper half, memory and bus master on.
      write_config(k, 0x10, static_cast<std::uint32_t>(bar(k)));
      write_config(k, 0x14, 0);
      write_config(k, 0x04, 6);
    }
    if (!child_->alive()) {
      throw program::InputError("qemu", "the emulator ended at its start: " + child_->obituary());
    }
  }

  void write_config(std::uint32_t controller, std::uint32_t offset, std::uint32_t value) {
    const std::uint32_t address = 0x80000000U | (kFirstSlot + controller) << 11U | offset;
    ask(fmt::format("outl 0xcf8 {:#x}\n", address));
    ask(fmt::format("outl 0xcfc {:#x}\n", value));
  }

  // The number in "OK 0x12", all ones when it is gone.
  std::uint64_t ask(const std::string& line) {
    std::string answer;
    if (!child_->ask(line, answer)) return ~std::uint64_t{0};
    std::uint64_t value = 0;
    if (answer.starts_with("OK 0x")) {
      std::from_chars(answer.data() + 5, answer.data() + answer.size(), value, 16);
    }
    return value;
  }

  std::size_t controllers_;
  std::string directory_;
  void* memory_ = nullptr;
  std::unique_ptr<Child> child_;
};

// Words of Polypath's own, and of QEMU's device, that this emulator has no place for.
void check_words(const program::Topology& topology) {
  if (topology.controllers.size() > kSlots) {
    throw program::InputError("qemu", fmt::format("{} controllers; the emulated bus has places for {}",
                                                  topology.controllers.size(), kSlots));
  }
  for (const auto& controller : topology.controllers) {
    std::uint16_t expected = 0;
    for (const auto& other : topology.controllers) {
      if (&other == &controller) break;
      if (other.subsystem == controller.subsystem) ++expected;
    }
    if (controller.cntlid != expected) {
      throw program::InputError("qemu",
                                fmt::format("{}: cntlid={}: this emulator numbers controllers itself; leave "
                                            "cntlid out",
                                            controller.id, controller.cntlid));
    }
  }
}

}  // namespace

std::string command() {
  const char* given = std::getenv("POLYPATH_QEMU");
  return given == nullptr || *given == '\0' ? "qemu-system-x86_64" : given;
}

std::string version() {
  static const std::string found = [] {
    const std::string line = line_of(command() + " --version 2>/dev/null");
    const std::size_t at = line.find("version ");
    if (at == std::string::npos) return std::string();
    return line.substr(at + 8, line.find_first_of(" (\n", at + 8) - at - 8);
  }();
  return found;
}

std::vector<std::string> device_arguments(const program::Topology& topology, const std::string& directory) {
  check_words(topology);
  std::vector<std::string> out;
  const auto device = [&](std::string words) {
    out.emplace_back("-device");
    out.push_back(std::move(words));
  };
  std::vector<std::string> serials(topology.subsystems.size());
  for (std::size_t s = 0; s < topology.subsystems.size(); ++s) {
    device(fmt::format("nvme-subsys,id=polypath-subsys{},nqn=polypath-subsys{}", s, s));
  }
  for (std::size_t k = 0; k < topology.controllers.size(); ++k) {
    const auto& controller = topology.controllers[k];
    // Controllers of a subsystem must have one serial number here.
    std::string& serial = serials[controller.subsystem];
    if (serial.empty()) serial = controller.serial;
    device(fmt::format(
        "nvme,id={},serial={},subsys=polypath-subsys{},addr={:#x},max_ioqpairs={},msix_qsize={},mdts={}",
        controller.id, serial, controller.subsystem, kFirstSlot + k, controller.max_ioqpairs,
        controller.msix_vectors, controller.mdts));
  }
  for (const auto& ns : topology.namespaces) {
    std::size_t bus = topology.controllers.size();
    if (ns.bus >= 0) bus = static_cast<std::size_t>(ns.bus);
    for (std::size_t k = 0; bus == topology.controllers.size() && k < topology.controllers.size(); ++k) {
      if (topology.controllers[k].subsystem == ns.subsystem) bus = k;
    }
    if (bus >= topology.controllers.size()) continue;
    out.emplace_back("-blockdev");
    out.push_back(
        fmt::format("file,node-name={}-file,filename={}/{}.raw,locking=off", ns.id, directory, ns.id));
    out.emplace_back("-blockdev");
    out.push_back(fmt::format("raw,node-name={}-drive,file={}-file", ns.id, ns.id));
    std::string words = fmt::format(
        "nvme-ns,id={},drive={}-drive,nsid={},bus={},shared={},logical_block_size={},physical_block_size={}",
        ns.id, ns.id, ns.nsid, topology.controllers[bus].id, ns.shared ? "on" : "off", ns.block_bytes,
        ns.block_bytes);
    if (ns.detached) words += ",detached=on";
    words += fmt::format(",uuid={},eui64={:#x}",
                         ns.uuid.empty() ? fmt::format("00000000-0000-4000-8000-{:012x}", ns.nsid) : ns.uuid,
                         0x525400F000000000ULL | std::uint64_t{ns.subsystem} << 16U | ns.nsid);
    device(std::move(words));
  }
  return out;
}

std::unique_ptr<target::Machine> start(const program::Topology& topology) {
  if (version().empty()) {
    throw program::InputError("--target qemu",
                              fmt::format("{} cannot be run; install qemu-system-x86, or name the program in "
                                          "POLYPATH_QEMU",
                                          command()));
  }
  return std::make_unique<Emulator>(topology);
}

}  // namespace polypath::qemu
