#include "device/media.h"

#include <algorithm>
#include <cstring>
#include <fstream>

namespace polypath::device {

// A piece never leaves its chunk; `f(offset, at, count)` gets the place in the media and in the caller's
// data.
template <class F>
static void for_each_piece(std::uint64_t offset, std::uint64_t bytes, F&& f) {
  for (std::uint64_t at = 0; at < bytes;) {
    const std::uint64_t here = std::min(bytes - at, Media::kChunkBytes - (offset + at) % Media::kChunkBytes);
    f(offset + at, at, here);
    at += here;
  }
}

void Media::load(std::uint64_t key, std::span<std::byte> out) const {
  std::fill(out.begin(), out.end(), std::byte{0});
  if (drive_.empty()) return;
  std::ifstream file(drive_, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(key * kChunkBytes));
  file.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
}

Media::Chunk& Media::edit(std::uint64_t key) {
  const bool fresh = chunks_.find(key) == nullptr;
  Chunk& chunk = chunks_.edit(key);
  if (fresh && !drive_.empty()) load(key, chunk.bytes);
  return chunk;
}

Media::Marks Media::marks(std::uint64_t offset, std::uint64_t bytes) {
  const std::uint64_t first = offset % kChunkBytes / kStampBytes;
  return static_cast<Marks>(((1U << bytes / kStampBytes) - 1U) << first);
}

void Media::spoil(std::uint64_t offset, std::uint64_t bytes) {
  ++writes_;
  for_each_piece(offset, bytes, [&](std::uint64_t at, std::uint64_t, std::uint64_t count) {
    Marks& mark = spoilt_.edit(at / kChunkBytes);
    mark = static_cast<Marks>(mark | marks(at, count));
  });
}

bool Media::spoilt(std::uint64_t offset, std::uint64_t bytes) const {
  if (spoilt_.size() == 0) return false;
  bool any = false;
  for_each_piece(offset, bytes, [&](std::uint64_t at, std::uint64_t, std::uint64_t count) {
    const Marks* mark = spoilt_.find(at / kChunkBytes);
    any = any || (mark != nullptr && (*mark & marks(at, count)) != 0);
  });
  return any;
}

std::vector<std::uint64_t> Media::spoilt_places(std::uint64_t from, std::uint64_t to) const {
  std::vector<std::uint64_t> places;
  spoilt_.for_each([&](std::uint64_t key, Marks mark) {
    for (std::uint64_t i = 0; i < kChunkBytes / kStampBytes; ++i) {
      const std::uint64_t at = key * kChunkBytes + i * kStampBytes;
      if ((mark >> i & 1U) != 0 && at >= from && at < to) places.push_back(at);
    }
  });
  std::sort(places.begin(), places.end());
  return places;
}

void Media::mend(std::uint64_t offset, std::uint64_t bytes) {
  if (spoilt_.size() == 0) return;
  for_each_piece(offset, bytes, [&](std::uint64_t at, std::uint64_t, std::uint64_t count) {
    const std::uint64_t key = at / kChunkBytes;
    const Marks* mark = spoilt_.find(key);
    if (mark == nullptr) return;
    const auto left = static_cast<Marks>(*mark & ~marks(at, count));
    if (left == 0) {
      spoilt_.erase(key);
    } else {
      spoilt_.edit(key) = left;
    }
  });
}

void Media::read(std::uint64_t offset, std::span<std::byte> out) const {
  for_each_piece(offset, out.size(), [&](std::uint64_t from, std::uint64_t at, std::uint64_t count) {
    if (const Chunk* chunk = chunks_.find(from / kChunkBytes)) {
      std::memcpy(out.data() + at, chunk->bytes.data() + from % kChunkBytes, count);
    } else if (drive_.empty()) {
      std::memset(out.data() + at, 0, count);
    } else {
      std::array<std::byte, kChunkBytes> bytes;
      load(from / kChunkBytes, bytes);
      std::memcpy(out.data() + at, bytes.data() + from % kChunkBytes, count);
    }
  });
}

Media::Chunk Media::content(std::uint64_t key) const {
  if (const Chunk* chunk = chunks_.find(key)) return *chunk;
  Chunk chunk{};
  if (!drive_.empty()) load(key, chunk.bytes);
  return chunk;
}

// The cache is small: what does not fit is written out.
void Media::before(std::uint64_t offset, std::uint64_t bytes, bool cached) {
  constexpr std::size_t kCacheChunks = 256;
  if (!cached) return;
  if (safe_.size() + bytes / kChunkBytes > kCacheChunks) flush();
  for_each_piece(offset, bytes, [&](std::uint64_t at, std::uint64_t, std::uint64_t) {
    const std::uint64_t key = at / kChunkBytes;
    if (safe_.find(key) == nullptr) safe_.edit(key) = content(key);
  });
}

// A durable write over others that were not: its bytes are safe, theirs are not.
void Media::after(std::uint64_t offset, std::uint64_t bytes, bool cached) {
  if (cached || safe_.size() == 0) return;
  for_each_piece(offset, bytes, [&](std::uint64_t at, std::uint64_t, std::uint64_t count) {
    const std::uint64_t key = at / kChunkBytes;
    if (safe_.find(key) == nullptr) return;
    const Chunk now = content(key);
    Chunk& safe = safe_.edit(key);
    const std::uint64_t inside = at % kChunkBytes;
    std::copy_n(now.bytes.begin() + static_cast<std::ptrdiff_t>(inside), count,
                safe.bytes.begin() + static_cast<std::ptrdiff_t>(inside));
    std::copy_n(now.versions.begin() + static_cast<std::ptrdiff_t>(inside / kStampBytes), count / kStampBytes,
                safe.versions.begin() + static_cast<std::ptrdiff_t>(inside / kStampBytes));
  });
}

std::vector<std::uint64_t> Media::unsafe_blocks(std::uint64_t block_bytes) const {
  std::vector<std::uint64_t> blocks;
  safe_.for_each([&](std::uint64_t key, const Chunk& safe) {
    const Chunk now = content(key);
    const std::uint64_t step = kChunkBytes % block_bytes == 0 ? block_bytes : kStampBytes;
    for (std::uint64_t at = 0; at < kChunkBytes; at += step) {
      const auto first = static_cast<std::ptrdiff_t>(at);
      const auto count = static_cast<std::ptrdiff_t>(step);
      if (std::equal(now.bytes.begin() + first, now.bytes.begin() + first + count,
                     safe.bytes.begin() + first))
        continue;
      const std::uint64_t block = (key * kChunkBytes + at) / block_bytes;
      if (blocks.empty() || blocks.back() != block) blocks.push_back(block);
    }
  });
  return blocks;
}

void Media::undo(std::uint64_t offset, std::uint64_t bytes) {
  ++writes_;
  for_each_piece(offset, bytes, [&](std::uint64_t at, std::uint64_t, std::uint64_t count) {
    const Chunk* safe = safe_.find(at / kChunkBytes);
    if (safe == nullptr) return;
    Chunk& chunk = edit(at / kChunkBytes);
    const auto inside = static_cast<std::ptrdiff_t>(at % kChunkBytes);
    std::copy_n(safe->bytes.begin() + inside, count, chunk.bytes.begin() + inside);
    for (std::uint64_t i = 0; i < count; i += kStampBytes)
      chunk.versions[(at % kChunkBytes + i) / kStampBytes] = writes_;
    chunk.dirty = true;
  });
}

void Media::write(std::uint64_t offset, std::span<const std::byte> data, bool cached) {
  ++writes_;
  cached = cached && !spoilt(offset, data.size());  // marks are durable, so what takes them away is, too
  before(offset, data.size(), cached);
  mend(offset, data.size());
  for_each_piece(offset, data.size(), [&](std::uint64_t to, std::uint64_t at, std::uint64_t count) {
    Chunk& chunk = edit(to / kChunkBytes);
    const std::uint64_t inside = to % kChunkBytes;
    std::memcpy(chunk.bytes.data() + inside, data.data() + at, count);
    for (std::uint64_t i = 0; i < count; i += kStampBytes)
      chunk.versions[(inside + i) / kStampBytes] = writes_;
    chunk.dirty = true;
  });
  after(offset, data.size(), cached);
}

void Media::zero(std::uint64_t offset, std::uint64_t bytes, bool cached) {
  ++writes_;
  cached = cached && !spoilt(offset, bytes);
  before(offset, bytes, cached);
  mend(offset, bytes);
  for_each_piece(offset, bytes, [&](std::uint64_t to, std::uint64_t, std::uint64_t count) {
    const std::uint64_t key = to / kChunkBytes;
    if (drive_.empty() && (count == kChunkBytes || chunks_.find(key) == nullptr)) {
      chunks_.erase(key);  // memory that was never written reads as zeros anyway
      return;
    }
    Chunk& chunk = edit(key);
    const std::uint64_t inside = to % kChunkBytes;
    std::memset(chunk.bytes.data() + inside, 0, count);
    for (std::uint64_t i = 0; i < count; i += kStampBytes)
      chunk.versions[(inside + i) / kStampBytes] = writes_;
    chunk.dirty = true;
  });
  after(offset, bytes, cached);
}

void Media::erase() {
  if (drive_.empty()) {
    *this = {};
  } else {
    zero(0, bytes_);
  }
}

bool Media::equals(std::uint64_t offset, std::span<const std::byte> data) const {
  bool equal = true;
  std::array<std::byte, kChunkBytes> bytes;
  for_each_piece(offset, data.size(), [&](std::uint64_t from, std::uint64_t at, std::uint64_t count) {
    if (!equal) return;
    read(from, std::span(bytes).first(count));
    equal = std::memcmp(bytes.data(), data.data() + at, count) == 0;
  });
  return equal;
}

const std::byte* Media::peek(std::uint64_t offset) const {
  const Chunk* chunk = chunks_.find(offset / kChunkBytes);
  return chunk == nullptr ? nullptr : chunk->bytes.data() + offset % kChunkBytes;
}

std::uint64_t Media::version(std::uint64_t offset) const {
  const Chunk* chunk = chunks_.find(offset / kChunkBytes);
  return chunk == nullptr ? 0 : chunk->versions[offset % kChunkBytes / kStampBytes];
}

bool Media::commit(std::string& error) const {
  if (drive_.empty()) return true;
  bool any = false;
  chunks_.for_each([&](std::uint64_t, const Chunk& chunk) { any = any || chunk.dirty; });
  if (!any) return true;
  std::fstream file(drive_, std::ios::binary | std::ios::in | std::ios::out);
  chunks_.for_each([&](std::uint64_t key, const Chunk& chunk) {
    if (!chunk.dirty) return;
    file.seekp(static_cast<std::streamoff>(key * kChunkBytes));
    const auto count = std::min<std::uint64_t>(kChunkBytes, bytes_ - key * kChunkBytes);
    file.write(reinterpret_cast<const char*>(chunk.bytes.data()), static_cast<std::streamsize>(count));
  });
  file.flush();
  if (file) return true;
  error = "drive " + drive_ + " could not be written; check its permissions and the free space";
  return false;
}

void Media::hash(engine::Hasher& hasher) const {
  hasher.add(writes_);
  chunks_.for_each([&](std::uint64_t key, const Chunk& chunk) {
    hasher.add(key);
    hasher.add_bytes(chunk.bytes.data(), chunk.bytes.size());
    hasher.add_bytes(chunk.versions.data(), sizeof chunk.versions);
  });
  hash_spoilt(hasher);
  hash_unsafe(hasher);
}

void Media::hash_unsafe(engine::Hasher& hasher) const {
  safe_.for_each([&](std::uint64_t key, const Chunk& safe) {
    if (content(key).bytes == safe.bytes) return;
    hasher.add(key ^ safe_.size() << 32U);
    hasher.add_bytes(safe.bytes.data(), safe.bytes.size());
  });
}

void Media::hash_spoilt(engine::Hasher& hasher) const {
  spoilt_.for_each([&](std::uint64_t key, Marks mark) {
    hasher.add(~key);
    hasher.add(mark);
  });
}

void Media::hash_content(engine::Hasher& hasher) const {
  chunks_.for_each([&](std::uint64_t key, const Chunk& chunk) {
    const bool zeros = std::all_of(chunk.bytes.begin(), chunk.bytes.end(),
                                   [](std::byte byte) { return byte == std::byte{0}; });
    if (zeros && drive_.empty()) return;
    hasher.add(key);
    hasher.add_bytes(chunk.bytes.data(), chunk.bytes.size());
  });
  hash_spoilt(hasher);
  hash_unsafe(hasher);
  hasher.add(kStampBytes);  // the end: what follows is no chunk
}

}  // namespace polypath::device
