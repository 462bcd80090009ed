// The errors that an application can see from a multipath head, by the names that Linux gives them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace polypath::program {

/// "EIO" for 5, "none" for 0, the number when it has no name here.
std::string errno_name(std::uint64_t number);
/// The reverse; also takes a number up to 4095.
std::optional<std::uint64_t> errno_from_name(std::string_view name);
/// All names, for messages.
std::vector<std::string_view> errno_names();

}  // namespace polypath::program
