// Log identifiers, feature identifiers and asynchronous event codes. Base specification, "Get Log Page",
// "Get Features", "Asynchronous Event Request".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace polypath::spec {

enum class LogId : std::uint8_t {
  supported = 0x00,
  error_information = 0x01,
  smart = 0x02,
  firmware_slot = 0x03,
  changed_ns = 0x04,
  effects = 0x05,
  self_test = 0x06,
  ana = 0x0C,
  feature_effects = 0x12,
  mi_effects = 0x13,
  changed_zones = 0xBF,
};

enum class FeatureId : std::uint8_t {
  arbitration = 0x01,
  power_management = 0x02,
  lba_range = 0x03,
  temperature_threshold = 0x04,
  error_recovery = 0x05,
  volatile_write_cache = 0x06,
  number_of_queues = 0x07,
  interrupt_coalescing = 0x08,
  interrupt_vector = 0x09,
  write_atomicity = 0x0A,
  async_event = 0x0B,
  autonomous_power = 0x0C,
  timestamp = 0x0E,
  keep_alive = 0x0F,
  thermal_management = 0x10,
  non_operational_power = 0x11,
  host_behavior = 0x16,
  command_set_profile = 0x19,
  software_progress = 0x80,
};

/// SEL of Get Features.
enum class FeatureSelect : std::uint8_t { current = 0, defaults = 1, saved = 2, capabilities = 3 };

enum class EventType : std::uint8_t {
  error = 0,
  smart = 1,
  notice = 2,
  immediate = 3,
  one_shot = 4,
  io_set = 6
};

namespace event_info {
inline constexpr std::uint8_t invalid_doorbell_register = 0, invalid_doorbell_value = 1;  // type error
inline constexpr std::uint8_t ns_attribute_changed = 0, ana_change = 3,
                              zone_changed = 0xEF;  // type notice
}  // namespace event_info

/// CQE DW0 of an Asynchronous Event Request: type 2:0, information 15:8, log 23:16.
constexpr std::uint32_t event_dword(EventType type, std::uint8_t info, LogId log) {
  return static_cast<std::uint32_t>(type) | std::uint32_t{info} << 8U |
         static_cast<std::uint32_t>(log) << 16U;
}

/// Fields of a dword of the Feature Identifiers Supported and Effects log (12h).
namespace feature_effect {
inline constexpr std::uint32_t supported = 1U << 0, of_namespace = 1U << 20, of_controller = 1U << 21,
                               scopes = 0xFFFU << 20;
}
/// LPA bit 5: logs 00h, 12h and 13h, and scopes.
inline constexpr std::uint8_t kLpaSmartPerNamespace = 1U << 0, kLpaSupportedLogs = 1U << 5;

#pragma pack(push, 1)
/// Entry of the Error Information log (01h).
struct ErrorLogEntry {
  std::uint64_t count;
  std::uint16_t sqid, cid, status, parameter;
  std::uint64_t lba;
  std::uint32_t nsid;
  std::uint8_t vs, trtype;
  std::uint8_t csi, opcode;
  std::uint64_t command_specific;
  std::array<std::uint8_t, 24> reserved40;
};
#pragma pack(pop)
static_assert(sizeof(ErrorLogEntry) == 64 && offsetof(ErrorLogEntry, command_specific) == 32);

inline constexpr std::size_t kSupportedLogBytes = 1024, kFeatureEffectsLogBytes = 1024,
                             kMiEffectsLogBytes = 4096;
inline constexpr std::size_t kSmartLogBytes = 512;
inline constexpr std::size_t kFirmwareLogBytes = 512;
inline constexpr std::size_t kChangedNsLogBytes = 4096;
inline constexpr std::size_t kEffectsLogBytes = 4096;

/// Device Self-test: codes of the command and of the log's entries, results, and the log (06h).
namespace self_test {
inline constexpr std::uint8_t none = 0, brief = 1, extended = 2, abort = 0xF;  // STC and the operation
inline constexpr std::uint8_t passed = 0, aborted_by_command = 1, aborted_by_reset = 2, ns_removed = 3,
                              aborted_by_format = 4, unused = 0xF;
inline constexpr std::uint8_t nsid_valid = 1;
inline constexpr std::size_t results = 20, first = 4, entry_bytes = 28;
inline constexpr std::size_t log_bytes = first + results * entry_bytes;
}  // namespace self_test

}  // namespace polypath::spec
