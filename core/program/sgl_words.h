// The text form of a Scatter Gather List: descriptors with commas between them.
//   block 512        a Data Block over the next 512 bytes of the buffer
//   bucket 512       a Bit Bucket for the next 512 bytes
//   segment          the descriptors that follow lie in another segment
//   raw 0x30 4 16    a descriptor as it is: byte 15 (type and subtype), address, length
//   shift 4          at the beginning only: the buffer begins 4 bytes into its page
// One descriptor alone is SGL1. Otherwise SGL1 leads to the first segment, with Last Segment where it is the
// only one.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace polypath::program {

struct SglWord {
  enum class Kind : std::uint8_t { block, bucket, segment, raw, shift };
  Kind kind = Kind::block;
  std::uint8_t identifier = 0;
  std::uint32_t length = 0;  ///< or what `shift` gives
  std::uint64_t address = 0;
};

inline constexpr std::size_t kMostSglWords = 64;

/// None when the text is no such list.
std::optional<std::vector<SglWord>> parse_sgl(std::string_view text);

}  // namespace polypath::program
