// Where a controller sits: domain, bus, device, function.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace polypath::program {

struct PciAddress {
  std::uint16_t domain = 0;
  std::uint8_t bus = 0, device = 0, function = 0;
  bool operator==(const PciAddress&) const = default;
};

/// "0x10", "10.0" (QEMU's slot and function, hexadecimal) or "0000:00:10.0". Empty when it is none of them.
std::optional<PciAddress> parse_pci_address(std::string_view text);
/// As Linux prints it.
std::string format_pci_address(const PciAddress& address);
/// Of the n-th controller that asks for none: 0000:00:06.0, 07.0 ... as in the seed's table, then the next
/// buses.
PciAddress default_address(std::uint32_t n);
/// Of what sits behind the n-th root port: a bus of its own, 0000:01:00.0, 0000:02:00.0 ...
PciAddress root_port_address(std::uint32_t n);

}  // namespace polypath::program
