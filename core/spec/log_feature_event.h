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
  telemetry_host = 0x07,
  telemetry_controller = 0x08,
  ana = 0x0C,
  feature_effects = 0x12,
  mi_effects = 0x13,
  sanitize = 0x81,
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
  sanitize_config = 0x17,
  software_progress = 0x80,
  write_protection = 0x84,
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
inline constexpr std::uint8_t ns_attribute_changed = 0, firmware_activation = 1, ana_change = 3,
                              zone_changed = 0xEF;                               // type notice
inline constexpr std::uint8_t sanitize_completed = 1, sanitize_deallocated = 2;  // type I/O set
}  // namespace event_info

/// CQE DW0 of an Asynchronous Event Request: type 2:0, information 15:8, log 23:16.
constexpr std::uint32_t event_dword(EventType type, std::uint8_t info, LogId log) {
  return static_cast<std::uint32_t>(type) | std::uint32_t{info} << 8U |
         static_cast<std::uint32_t>(log) << 16U;
}

/// Fields of a dword of the Feature Identifiers Supported and Effects log (12h).
namespace feature_effect {
inline constexpr std::uint32_t supported = 1U << 0, of_namespace = 1U << 20, of_controller = 1U << 21,
                               of_subsystem = 1U << 25, scopes = 0xFFFU << 20;
}
/// LPA bit 5: logs 00h, 12h and 13h, and scopes.
inline constexpr std::uint8_t kLpaSmartPerNamespace = 1U << 0, kLpaTelemetry = 1U << 3,
                              kLpaSupportedLogs = 1U << 5;

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
                              aborted_by_format = 4, aborted_by_sanitize = 9, unused = 0xF;
inline constexpr std::uint8_t nsid_valid = 1;
inline constexpr std::size_t results = 20, first = 4, entry_bytes = 28;
inline constexpr std::size_t log_bytes = first + results * entry_bytes;
}  // namespace self_test

/// Namespace Write Protection Config (84h): states in CDW11 2:0, bits of NWPC, and NSATTR of a namespace.
namespace protection {
inline constexpr std::uint32_t none = 0, protect = 1, until_power_cycle = 2, permanent = 3, states = 4;
inline constexpr std::uint8_t announced = 1U << 0, can_until_power_cycle = 1U << 1, can_permanent = 1U << 2;
inline constexpr std::uint8_t nsattr = 1U << 0;
}  // namespace protection

/// Telemetry logs (07h, 08h): a header and blocks. CDW10 bit 8 of the read asks for a new capture of the
/// host's.
namespace telemetry {
inline constexpr std::uint32_t create = 1U << 8;
inline constexpr std::size_t block_bytes = 512;
inline constexpr std::size_t ieee = 5, areas = 8, scope = 380, host_generation = 381, available = 382,
                             controller_generation = 383;
inline constexpr std::uint8_t of_controller = 1;  // THS
}  // namespace telemetry

/// Get LBA Status: ATYPE (CDW13 31:24), and what the list says of itself.
namespace lba_status {
inline constexpr std::uint8_t allocated = 0x02, scan = 0x10, tracked = 0x11;
inline constexpr std::uint8_t buffer_full = 1, range_done = 2;  // CMPC
inline constexpr std::uint8_t by_write_uncorrectable = 1U << 1;
inline constexpr std::size_t header_bytes = 8, entry_bytes = 16, completion = 4, blocks = 8, status = 13;
}  // namespace lba_status

/// Firmware Commit: action (CDW10 5:3); slots and FRMW; and the Firmware Slot log (03h).
namespace firmware {
inline constexpr std::uint32_t store = 0, store_for_reset = 1, activate_at_reset = 2, activate_now = 3;
inline constexpr std::uint8_t slot1_read_only = 1U << 0, without_reset = 1U << 4;
inline constexpr std::size_t slots = 7, revision_bytes = 8, revisions = 8;
constexpr unsigned slots_of(std::uint8_t frmw) { return frmw >> 1U & 7U; }
constexpr std::uint32_t slot(std::uint32_t cdw10) { return cdw10 & 7U; }
constexpr std::uint32_t action(std::uint32_t cdw10) { return cdw10 >> 3U & 7U; }
}  // namespace firmware

/// Sanitize: the command's action (CDW10 2:0) and flags, SANICAP, and the Sanitize Status log (81h).
namespace sanitize {
inline constexpr std::uint32_t exit_failure = 1, block_erase = 2, overwrite = 3, crypto_erase = 4,
                               exit_verification = 5;
inline constexpr std::uint32_t unrestricted = 1U << 3, no_deallocate = 1U << 9, verification = 1U << 10;
inline constexpr std::uint32_t can_crypto = 1U << 0, can_block = 1U << 1, can_overwrite = 1U << 2,
                               can_verify = 1U << 3, inhibits_no_deallocate = 1U << 29,
                               not_modified = 1U << 30;
/// SSI bits 3:0.
enum class State : std::uint8_t {
  idle = 0,
  restricted_processing = 1,
  restricted_failure = 2,
  unrestricted_processing = 3,
  unrestricted_failure = 4
};
/// SSTAT bits 2:0.
enum class Outcome : std::uint8_t { never = 0, done = 1, in_progress = 2, failed = 3, deallocated = 4 };
inline constexpr std::uint16_t no_progress = 0xFFFF;
inline constexpr std::size_t log_bytes = 512;
/// Passes of an overwrite, OWPASS of the command.
constexpr std::uint32_t passes(std::uint32_t cdw10) {
  return (cdw10 >> 4U & 0xFU) == 0 ? 16 : cdw10 >> 4U & 0xFU;
}
constexpr std::uint32_t action(std::uint32_t cdw10) { return cdw10 & 7U; }
}  // namespace sanitize

}  // namespace polypath::spec
