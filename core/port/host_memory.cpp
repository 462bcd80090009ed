#include "port/host_memory.h"

#include <algorithm>
#include <stdexcept>

namespace polypath::port {

bool HostMemory::read(std::uint64_t address, std::span<std::byte> out) const {
  if (!contains(address, out.size())) return false;
  while (!out.empty()) {
    const auto chunk = std::min<std::size_t>(out.size(), kPageBytes - address % kPageBytes);
    if (const std::byte* from = peek(address)) {
      std::memcpy(out.data(), from, chunk);
    } else {
      std::memset(out.data(), 0, chunk);
    }
    out = out.subspan(chunk);
    address += chunk;
  }
  return true;
}

bool HostMemory::write(std::uint64_t address, std::span<const std::byte> data) {
  if (!contains(address, data.size())) return false;
  while (!data.empty()) {
    const auto chunk = std::min<std::size_t>(data.size(), kPageBytes - address % kPageBytes);
    std::memcpy(poke(address), data.data(), chunk);
    data = data.subspan(chunk);
    address += chunk;
  }
  return true;
}

const std::byte* HostMemory::peek(std::uint64_t address) const {
  if (mapped_ != nullptr) return contains(address, 1) ? mapped_ + address : nullptr;
  const Page* page = pages_.find(address / kPageBytes);
  return page == nullptr ? nullptr : page->bytes.data() + address % kPageBytes;
}

std::byte* HostMemory::poke(std::uint64_t address) {
  if (mapped_ != nullptr) return mapped_ + address;
  return pages_.edit(address / kPageBytes).bytes.data() + address % kPageBytes;
}

std::uint64_t HostMemory::allocate(std::uint64_t bytes) {
  const std::uint64_t address = next_free_;
  if (!contains(address, bytes)) throw std::length_error("the memory of the machine is used up");
  next_free_ += (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  return address;
}

void HostMemory::hash(engine::Hasher& hasher) const {
  hasher.add(next_free_);
  pages_.for_each([&](std::uint64_t key, const Page& page) {
    hasher.add(key);
    hasher.add_bytes(page.bytes.data(), page.bytes.size());
  });
}

}  // namespace polypath::port
