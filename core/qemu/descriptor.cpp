#include "qemu/descriptor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "program/topology.h"

namespace polypath::qemu {
namespace {

constexpr int kOutOfTheWay = 64;

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

Descriptor memory_file(const std::string& name, std::uint64_t bytes) {
  const Descriptor made(memfd_create(name.c_str(), MFD_CLOEXEC));
  Descriptor file(made.get() < 0 ? -1 : fcntl(made.get(), F_DUPFD_CLOEXEC, kOutOfTheWay));
  if (file.get() < 0 || ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) {
    throw program::InputError("qemu", fmt::format("no memory for {} ({}): {}", name,
                                                  program::format_size(bytes), std::strerror(errno)));
  }
  return file;
}

std::string path_of(const Descriptor& descriptor) {
  return fmt::format("/proc/self/fd/{}", descriptor.get());
}

}  // namespace polypath::qemu
