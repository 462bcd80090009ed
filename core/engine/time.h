// Virtual time: integer nanoseconds since the world began. Nothing in a world reads another clock.
#pragma once

#include <cstdint>

namespace polypath::engine {

using Time = std::uint64_t;  ///< virtual nanoseconds

inline constexpr Time kMicrosecond = 1000;
inline constexpr Time kMillisecond = 1000 * kMicrosecond;
inline constexpr Time kSecond = 1000 * kMillisecond;
inline constexpr Time kForever = ~Time{0};

}  // namespace polypath::engine
