// What a namespace stores: sparse, copy-on-write, with a version stamp for each 512 bytes. An unwritten block
// costs nothing and reads as zeros, or as what the drive's file holds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/cow_map.h"
#include "engine/hash.h"

namespace polypath::device {

class Media {
 public:
  static constexpr std::size_t kChunkBytes = 4096;
  static constexpr std::size_t kStampBytes = 512;

  Media() = default;
  /// `drive` empty: memory only. The file is read where nothing was written yet; commit() writes back.
  Media(std::string drive, std::uint64_t bytes) : drive_(std::move(drive)), bytes_(bytes) {}

  /// `offset` and the span's size are multiples of 512.
  void read(std::uint64_t offset, std::span<std::byte> out) const;
  /// `cached`: a power loss may undo it until flush().
  void write(std::uint64_t offset, std::span<const std::byte> data, bool cached = false);
  void zero(std::uint64_t offset, std::uint64_t bytes, bool cached = false);
  /// What was written so far is durable.
  void flush() { safe_.clear(); }
  /// Power loss. `lost(i)` decides for the i-th logical block of the media whether what is not durable of it
  /// is gone; asked once for each that has such data, ascending. `block_bytes`: of a block and its metadata.
  template <class F>
  void lose_power(std::uint64_t block_bytes, F&& lost);
  /// Every block as if it had never been written; what a drive's file holds goes as well.
  void erase();
  /// Write Uncorrectable: these bytes cannot be read until they are written again.
  void spoil(std::uint64_t offset, std::uint64_t bytes);
  /// Was any of these bytes spoilt and not written since?
  bool spoilt(std::uint64_t offset, std::uint64_t bytes) const;
  /// Places of 512 bytes between these that are spoilt, ascending.
  std::vector<std::uint64_t> spoilt_places(std::uint64_t from, std::uint64_t to) const;
  /// True when the stored bytes equal `data`.
  bool equals(std::uint64_t offset, std::span<const std::byte> data) const;
  /// Bytes within one chunk, null where nothing was written and no file stands behind.
  const std::byte* peek(std::uint64_t offset) const;
  /// Stamp of the 512 bytes at `offset`: 0 never written, else the how-many-th write to this namespace.
  std::uint64_t version(std::uint64_t offset) const;

  /// Writes what changed to the drive's file. False with `error` filled when that fails; memory media: true.
  bool commit(std::string& error) const;

  void hash(engine::Hasher& hasher) const;
  /// Of the bytes alone: stamps and blocks of zeros do not count.
  void hash_content(engine::Hasher& hasher) const;

 private:
  struct Chunk {
    std::array<std::byte, kChunkBytes> bytes;
    std::array<std::uint64_t, kChunkBytes / kStampBytes> versions;
    bool dirty;
  };
  /// One bit for each 512 bytes of a chunk.
  using Marks = std::uint8_t;
  static Marks marks(std::uint64_t offset, std::uint64_t bytes);
  void mend(std::uint64_t offset, std::uint64_t bytes);
  void hash_spoilt(engine::Hasher& hasher) const;
  void hash_unsafe(engine::Hasher& hasher) const;
  Chunk& edit(std::uint64_t key);
  Chunk content(std::uint64_t key) const;
  void before(std::uint64_t offset, std::uint64_t bytes, bool cached);
  void after(std::uint64_t offset, std::uint64_t bytes, bool cached);
  std::vector<std::uint64_t> unsafe_blocks(std::uint64_t block_bytes) const;
  void undo(std::uint64_t offset, std::uint64_t bytes);
  void load(std::uint64_t key, std::span<std::byte> out) const;

  engine::CowMap<Chunk> chunks_;
  engine::CowMap<Marks> spoilt_;  ///< by chunk; most media have none
  engine::CowMap<Chunk> safe_;    ///< what a power loss leaves of the chunks that were written since a flush
  std::uint64_t writes_ = 0;
  std::string drive_;
  std::uint64_t bytes_ = 0;  ///< of the drive's file, which commit() must not make longer
};

template <class F>
void Media::lose_power(std::uint64_t block_bytes, F&& lost) {
  for (const std::uint64_t block : unsafe_blocks(block_bytes)) {
    if (lost(block)) undo(block * block_bytes, block_bytes);
  }
  flush();
}

}  // namespace polypath::device
