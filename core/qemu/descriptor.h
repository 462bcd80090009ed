// File descriptors that close themselves, and memory that has no name in any directory: whoever ends, however
// it ends, nothing is left behind.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace polypath::qemu {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

/// A file of `bytes` zeros in memory, as large as what is written to it. Its number is high, out of the way
/// of numbers that a child gives to other things. Throws program::InputError when there is none to be had.
Descriptor memory_file(const std::string& name, std::uint64_t bytes);

/// Where the child that inherits a descriptor finds it as a file.
std::string path_of(const Descriptor& descriptor);

}  // namespace polypath::qemu
