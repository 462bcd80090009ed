#include "qemu/qemu.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "qemu/arguments.h"
#include "qemu/child.h"
#include "qemu/descriptor.h"
#include "spec/registers.h"

namespace polypath::qemu {
namespace {

constexpr int kSocket = 3;                         // the child's file descriptor of its test socket
constexpr std::uint64_t kMemoryBytes = 1U << 30U;  // of the machine; what is not touched takes no room
// Devices that nobody talks to are left out, which makes the start shorter.
constexpr const char* kMachine =
    "q35,accel=tcg,memory-backend=ram0,usb=off,sata=off,smbus=off,hpet=off,vmport=off,smm=off,acpi=off,"
    "graphics=off";
constexpr std::uint64_t kFirstBar = 0xE0000000, kBarStep = 1U << 20U;

std::string line_of(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "";
  std::array<char, 256> buffer{};
  const bool any = std::fgets(buffer.data(), buffer.size(), pipe) != nullptr;
  pclose(pipe);
  return any ? buffer.data() : "";
}

// The machine's memory, mapped here.
class Memory {
 public:
  Memory() : file_(memory_file("memory of the machine", kMemoryBytes)) {
    void* at = mmap(nullptr, kMemoryBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
    if (at == MAP_FAILED) {
      throw program::InputError(
          "qemu", fmt::format("{} of memory cannot be mapped: {}", program::format_size(kMemoryBytes),
                              std::strerror(errno)));
    }
    bytes_ = {static_cast<std::byte*>(at), kMemoryBytes};
  }
  ~Memory() { munmap(bytes_.data(), bytes_.size()); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  std::span<std::byte> bytes() const { return bytes_; }
  const Descriptor& file() const { return file_; }

 private:
  Descriptor file_;
  std::span<std::byte> bytes_;
};

std::vector<std::string> machine_arguments(const Memory& memory) {
  const std::string megabytes = fmt::format("{}M", kMemoryBytes >> 20U);
  return {command(),
          "-nodefaults",
          "-no-user-config",
          "-display",
          "none",
          "-machine",
          kMachine,
          "-m",
          megabytes,
          "-object",
          fmt::format("memory-backend-file,id=ram0,size={},mem-path={},share=on", megabytes,
                      path_of(memory.file())),
          "-S",
          "-chardev",
          fmt::format("socket,id=qtest,fd={}", kSocket),
          "-qtest",
          "chardev:qtest",
          "-qtest-log",
          "none"};
}

void check_emulator() {
  if (!version().empty()) return;
  throw program::InputError("--target qemu",
                            fmt::format("{} cannot be run; install qemu-system-x86, or name the program in "
                                        "POLYPATH_QEMU",
                                        command()));
}

}  // namespace

class Pool::Emulator final : public target::Machine {
 public:
  /// Starts it, and does not wait for it.
  Emulator(const program::Topology& topology, int patience_seconds)
      : controllers_(topology.controllers.size()), patience_seconds_(patience_seconds) {
    std::vector<std::string> paths;
    std::vector<int> inherited{memory_.file().get()};
    for (const auto& ns : topology.namespaces) {
      if (!ns.drive.empty()) {
        paths.push_back(ns.drive);
        continue;
      }
      media_.push_back(memory_file(ns.id, media_bytes(ns)));
      inherited.push_back(media_.back().get());
      paths.push_back(path_of(media_.back()));
    }
    std::vector<std::string> arguments = machine_arguments(memory_);
    for (std::string& word : device_arguments(topology, paths)) arguments.push_back(std::move(word));
    child_.emplace(arguments, kSocket, inherited);
  }

  /// Until its controllers can be reached. False: it ended instead.
  bool open() {
    // Configuration space through its I/O ports: the BAR, its upper half, memory and bus master on.
    for (std::uint32_t k = 0; k < controllers_; ++k) {
      write_config(k, 0x10, static_cast<std::uint32_t>(bar(k)));
      write_config(k, 0x14, 0);
      write_config(k, 0x04, 6);
    }
    return child_->alive();
  }

  std::string name() const override { return "qemu " + version(); }
  std::uint64_t read_register(std::uint32_t controller, std::uint32_t offset, unsigned bytes) override {
    return ask(fmt::format("read{} {:#x}\n", bytes == 8 ? 'q' : 'l', bar(controller) + offset));
  }
  void write_register(std::uint32_t controller, std::uint32_t offset, std::uint64_t value,
                      unsigned bytes) override {
    ask(fmt::format("write{} {:#x} {:#x}\n", bytes == 8 ? 'q' : 'l', bar(controller) + offset, value));
  }
  std::span<std::byte> memory() override { return memory_.bytes(); }
  void turn() override {
    // Each read turns the emulator's main loop once.
    ask(fmt::format("readl {:#x}\n", bar(0) + spec::reg::csts));
    sched_yield();
  }
  std::string obituary() const override { return child_->alive() ? "" : child_->obituary(); }

 private:
  static std::uint64_t bar(std::uint32_t controller) { return kFirstBar + controller * kBarStep; }

  void write_config(std::uint32_t controller, std::uint32_t offset, std::uint32_t value) {
    const std::uint64_t address = 0x80000000U | (kFirstSlot + controller) << 11U | offset;
    ask(fmt::format("outl 0xcf8 {:#x}\n", address));
    ask(fmt::format("outl 0xcfc {:#x}\n", value));
  }

  // The number in "OK 0x12", all ones when it is gone.
  std::uint64_t ask(const std::string& line) {
    std::string answer;
    if (!child_->ask(line, answer, patience_seconds_)) return ~std::uint64_t{0};
    std::uint64_t value = 0;
    if (answer.starts_with("OK 0x")) {
      std::from_chars(answer.data() + 5, answer.data() + answer.size(), value, 16);
    }
    return value;
  }

  std::size_t controllers_;
  int patience_seconds_;
  Memory memory_;
  std::vector<Descriptor> media_;
  std::optional<Child> child_;  // ends before what it uses
};

std::string command() {
  const char* given = std::getenv("POLYPATH_QEMU");
  return given == nullptr || *given == '\0' ? "qemu-system-x86_64" : given;
}

std::string version() {
  static std::mutex mutex;
  static std::map<std::string, std::string> known;  // by program: asking takes as long as half a start
  const std::scoped_lock lock(mutex);
  const auto [at, asked] = known.try_emplace(command());
  if (!asked) return at->second;
  const std::string line = line_of(at->first + " --version 2>/dev/null");
  const std::size_t word = line.find("version ");
  if (word != std::string::npos)
    at->second = line.substr(word + 8, line.find_first_of(" (\n", word + 8) - word - 8);
  return at->second;
}

Pool::Pool(program::Topology topology, std::size_t ahead, int patience_seconds)
    : topology_(std::move(topology)), ahead_(ahead), patience_seconds_(patience_seconds) {
  check_emulator();
}

Pool::~Pool() = default;

std::unique_ptr<target::Machine> Pool::take() {
  while (started_.size() <= ahead_)
    started_.push_back(std::make_unique<Emulator>(topology_, patience_seconds_));
  std::unique_ptr<Emulator> emulator = std::move(started_.front());
  started_.pop_front();
  if (!emulator->open()) {
    throw program::InputError("qemu", "the emulator ended at its start: " + emulator->obituary());
  }
  return emulator;
}

std::unique_ptr<target::Machine> start(const program::Topology& topology, int patience_seconds) {
  return Pool(topology, 0, patience_seconds).take();
}

}  // namespace polypath::qemu
