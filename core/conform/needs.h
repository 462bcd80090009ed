// What a controller announces, and the names by which cases ask for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace polypath::conform {

/// Of the first controller of a world.
struct Announced {
  std::uint64_t cap = 0;
  std::uint32_t vs = 0;
  std::uint32_t capabilities = 0;   ///< of the feature Temperature Threshold; 0 when it is not told
  std::vector<std::byte> identify;  ///< Identify Controller, 4096 bytes; empty when it did not answer
  std::vector<std::byte> ns;        ///< CNS 00 of NSID 1; empty when it did not answer
  std::vector<std::byte> zoned;     ///< CNS 05 of NSID 1 for zones; empty when it has none
};

bool known_need(std::string_view need);
std::vector<std::string_view> all_needs();

/// Empty when every need is met, else why the case cannot be asked.
std::string unmet_need(const std::vector<std::string>& needs, const Announced& announced);

}  // namespace polypath::conform
