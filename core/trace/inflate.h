// Reads files that may be gzip-compressed, and inflates zlib streams, within limits that hostile input cannot
// pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace polypath::trace {

inline constexpr std::uint64_t kRecordingBytesMax = std::uint64_t{256} << 20U;  ///< of text, after inflating

/// Content of a regular file, inflated when it begins as gzip does (several members are one text).
/// ImportError when it cannot be read, is damaged, cut short, or inflates to more than `limit` bytes.
std::string read_text_file(const std::string& path, std::uint64_t limit = kRecordingBytesMax);

/// The same for bytes in memory; `name` is for messages.
std::string inflate_text(std::string bytes, const std::string& name,
                         std::uint64_t limit = kRecordingBytesMax);

/// Deflates to a zlib stream.
std::vector<std::byte> deflate_bytes(std::span<const std::byte> bytes);
/// Inflates a zlib stream that must give exactly `expected` bytes; memory grows with what really comes out,
/// never with what was promised. False when it does not.
bool inflate_bytes(std::span<const std::byte> stream, std::uint64_t expected, std::vector<std::byte>& out);

}  // namespace polypath::trace
