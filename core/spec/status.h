// Status of a completion: status code type, status code, and the retry bits. Base specification, "Status
// Field".
#pragma once

#include <cstdint>
#include <string>

namespace polypath::spec {

/// Status Code Type (bits 11:9 of the status word).
enum class StatusType : std::uint8_t { generic = 0, command_specific = 1, media = 2, path = 3, vendor = 7 };

/// SCT and SC in one value, `SCT << 8 | SC`, the way the fact sheets write them (1/18 is 0x118).
/// Retry bits are not part of it.
enum class Status : std::uint16_t {
  success = 0x000,
  invalid_opcode = 0x001,
  invalid_field = 0x002,
  command_id_conflict = 0x003,
  data_transfer_error = 0x004,
  aborted_power_loss = 0x005,
  internal_error = 0x006,
  abort_requested = 0x007,
  aborted_sq_deletion = 0x008,
  aborted_failed_fused = 0x009,
  aborted_missing_fused = 0x00A,
  invalid_namespace_or_format = 0x00B,
  command_sequence_error = 0x00C,
  invalid_sgl_segment = 0x00D,
  invalid_sgl_count = 0x00E,
  data_sgl_length_invalid = 0x00F,
  metadata_sgl_length_invalid = 0x010,
  sgl_type_invalid = 0x011,
  invalid_cmb_use = 0x012,
  prp_offset_invalid = 0x013,
  atomic_write_unit_exceeded = 0x014,
  operation_denied = 0x015,
  sgl_offset_invalid = 0x016,
  host_identifier_inconsistent = 0x018,
  keep_alive_expired = 0x019,
  keep_alive_invalid = 0x01A,
  aborted_preempt = 0x01B,
  sanitize_failed = 0x01C,
  sanitize_in_progress = 0x01D,
  sgl_granularity_invalid = 0x01E,
  not_supported_in_cmb = 0x01F,
  namespace_write_protected = 0x020,
  command_interrupted = 0x021,
  transient_transport_error = 0x022,
  prohibited_by_lockdown = 0x023,
  media_not_ready = 0x024,
  lba_out_of_range = 0x080,
  capacity_exceeded = 0x081,
  namespace_not_ready = 0x082,
  reservation_conflict = 0x083,
  format_in_progress = 0x084,

  completion_queue_invalid = 0x100,
  invalid_queue_identifier = 0x101,
  invalid_queue_size = 0x102,
  abort_limit_exceeded = 0x103,
  aer_limit_exceeded = 0x105,
  invalid_firmware_slot = 0x106,
  invalid_firmware_image = 0x107,
  invalid_interrupt_vector = 0x108,
  invalid_log_page = 0x109,
  invalid_format = 0x10A,
  firmware_needs_conventional_reset = 0x10B,
  invalid_queue_deletion = 0x10C,
  feature_not_saveable = 0x10D,
  feature_not_changeable = 0x10E,
  feature_not_namespace_specific = 0x10F,
  firmware_needs_subsystem_reset = 0x110,
  firmware_needs_controller_reset = 0x111,
  firmware_needs_more_time = 0x112,
  firmware_activation_prohibited = 0x113,
  overlapping_range = 0x114,
  namespace_insufficient_capacity = 0x115,
  namespace_id_unavailable = 0x116,
  namespace_already_attached = 0x118,
  namespace_is_private = 0x119,
  namespace_not_attached = 0x11A,
  thin_provisioning_not_supported = 0x11B,
  controller_list_invalid = 0x11C,
  self_test_in_progress = 0x11D,
  ana_group_id_invalid = 0x124,
  ana_attach_failed = 0x125,
  attachment_limit_exceeded = 0x127,
  command_set_not_supported = 0x129,
  command_set_not_enabled = 0x12A,
  command_set_combination_rejected = 0x12B,
  invalid_command_set = 0x12C,
  conflicting_attributes = 0x180,
  invalid_protection_information = 0x181,
  write_to_read_only_range = 0x182,
  command_size_limit_exceeded = 0x183,
  incompatible_namespace_or_format = 0x185,
  fast_copy_not_possible = 0x186,
  overlapping_io_range = 0x187,
  namespace_not_reachable = 0x188,
  insufficient_resources = 0x189,
  invalid_zone_operation = 0x1B6,
  zone_boundary_error = 0x1B8,
  zone_full = 0x1B9,
  zone_read_only = 0x1BA,
  zone_offline = 0x1BB,
  zone_invalid_write = 0x1BC,
  too_many_active_zones = 0x1BD,
  too_many_open_zones = 0x1BE,
  invalid_zone_transition = 0x1BF,

  write_fault = 0x280,
  unrecovered_read_error = 0x281,
  guard_check_error = 0x282,
  application_tag_check_error = 0x283,
  reference_tag_check_error = 0x284,
  compare_failure = 0x285,
  access_denied = 0x286,
  deallocated_block = 0x287,
  storage_tag_check_error = 0x288,

  internal_path_error = 0x300,
  ana_persistent_loss = 0x301,
  ana_inaccessible = 0x302,
  ana_transition = 0x303,
  controller_pathing_error = 0x360,
  host_pathing_error = 0x370,
  aborted_by_host = 0x371,
};

inline constexpr std::uint16_t kStatusDnr = 0x4000;   ///< Do Not Retry, as Linux prints statuses (word >> 1)
inline constexpr std::uint16_t kStatusMore = 0x2000;  ///< More: an Error Information entry tells the rest

/// SCT of a status.
constexpr StatusType type_of(Status s) { return static_cast<StatusType>(static_cast<unsigned>(s) >> 8); }
/// SCT/SC of a 15-bit status as Linux prints it, retry bits dropped.
constexpr Status status_of(unsigned linux_status) { return static_cast<Status>(linux_status & 0x7FF); }
/// True for SCT 3, whatever the code: the path failed, not the command.
constexpr bool is_path_related(Status s) { return type_of(s) == StatusType::path; }

/// The standard's name in snake case ("invalid_field"), or "sct_sc" in hex ("7/c3") when it has none here.
std::string status_name(Status s);
/// The reverse; also takes "SCT/SC" in hex. False when the text names no status.
bool status_from_name(const std::string& text, Status& out);

}  // namespace polypath::spec
