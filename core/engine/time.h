// Virtual time: integer nanoseconds since the world began. Nothing in a world reads another clock.
#pragma once

#include <cstdint>

namespace polypath::engine {

using Time = std::uint64_t;  ///< virtual nanoseconds

inline constexpr Time kMicrosecond = 1000;
inline constexpr Time kMillisecond = 1000 * kMicrosecond;
inline constexpr Time kSecond = 1000 * kMillisecond;
inline constexpr Time kForever = ~Time{0};  ///< never: an event at this time does not happen

/// `delay` after `start`; a sum that does not fit is kForever, so that an absurd delay never lies in the
/// past.
constexpr Time after(Time start, Time delay) { return delay > kForever - start ? kForever : start + delay; }

}  // namespace polypath::engine
