// What the blocks of a write contain: made from a tag, so that a read can be checked against it, and
// different in each 512 bytes, so that no two writes of a run look alike.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace polypath::target {

/// Number of a tag: the text's hash.
std::uint64_t tag_number(std::string_view tag);

/// Fills `out` (a multiple of 512 bytes) with the content of blocks that begin at byte `offset` of a
/// namespace.
void fill_pattern(std::uint64_t tag, std::uint64_t offset, std::span<std::byte> out);

/// Byte position of the first difference between `data` and the pattern, or data.size() when there is none.
std::size_t first_difference(std::uint64_t tag, std::uint64_t offset, std::span<const std::byte> data);

}  // namespace polypath::target
