#include "program/pci_address.h"

#include <fmt/format.h>

#include <charconv>

namespace polypath::program {
namespace {

constexpr std::uint32_t kDevices = 32, kBuses = 256;
constexpr std::uint32_t kFirstSlot = 6;  // the seed's first controller

bool take_hex(std::string_view& text, std::uint32_t most, std::uint32_t& out) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  if (read.ec != std::errc{} || out > most) return false;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<PciAddress> parse_pci_address(std::string_view text) {
  std::uint32_t domain = 0, bus = 0, device = 0, function = 0;
  if (text.find(':') != std::string_view::npos) {
    if (!take_hex(text, 0xFFFF, domain) || !take(text, ':') || !take_hex(text, 0xFF, bus) ||
        !take(text, ':')) {
      return std::nullopt;
    }
  } else if (text.starts_with("0x")) {
    text.remove_prefix(2);
  }
  if (!take_hex(text, kDevices - 1, device)) return std::nullopt;
  if (take(text, '.') && !take_hex(text, 7, function)) return std::nullopt;
  if (!text.empty()) return std::nullopt;
  return PciAddress{static_cast<std::uint16_t>(domain), static_cast<std::uint8_t>(bus),
                    static_cast<std::uint8_t>(device), static_cast<std::uint8_t>(function)};
}

std::string format_pci_address(const PciAddress& address) {
  return fmt::format("{:04x}:{:02x}:{:02x}.{:x}", address.domain, address.bus, address.device,
                     address.function);
}

PciAddress default_address(std::uint32_t n) {
  const std::uint32_t slot = n + kFirstSlot;
  return {static_cast<std::uint16_t>(slot / kDevices / kBuses),
          static_cast<std::uint8_t>(slot / kDevices % kBuses), static_cast<std::uint8_t>(slot % kDevices), 0};
}

PciAddress root_port_address(std::uint32_t n) {
  const std::uint32_t bus = n + 1;
  return {static_cast<std::uint16_t>(bus / kBuses), static_cast<std::uint8_t>(bus % kBuses), 0, 0};
}

}  // namespace polypath::program
