#include "spec/status.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace polypath::spec {
namespace {

using Row = std::pair<Status, std::string_view>;
#define POLYPATH_STATUS(name) \
  Row { Status::name, #name }
constexpr std::array kNames{POLYPATH_STATUS(success),
                            POLYPATH_STATUS(invalid_opcode),
                            POLYPATH_STATUS(invalid_field),
                            POLYPATH_STATUS(command_id_conflict),
                            POLYPATH_STATUS(data_transfer_error),
                            POLYPATH_STATUS(aborted_power_loss),
                            POLYPATH_STATUS(internal_error),
                            POLYPATH_STATUS(abort_requested),
                            POLYPATH_STATUS(aborted_sq_deletion),
                            POLYPATH_STATUS(aborted_failed_fused),
                            POLYPATH_STATUS(aborted_missing_fused),
                            POLYPATH_STATUS(invalid_namespace_or_format),
                            POLYPATH_STATUS(command_sequence_error),
                            POLYPATH_STATUS(invalid_sgl_segment),
                            POLYPATH_STATUS(invalid_sgl_count),
                            POLYPATH_STATUS(data_sgl_length_invalid),
                            POLYPATH_STATUS(metadata_sgl_length_invalid),
                            POLYPATH_STATUS(sgl_type_invalid),
                            POLYPATH_STATUS(invalid_cmb_use),
                            POLYPATH_STATUS(prp_offset_invalid),
                            POLYPATH_STATUS(atomic_write_unit_exceeded),
                            POLYPATH_STATUS(operation_denied),
                            POLYPATH_STATUS(sgl_offset_invalid),
                            POLYPATH_STATUS(host_identifier_inconsistent),
                            POLYPATH_STATUS(keep_alive_expired),
                            POLYPATH_STATUS(keep_alive_invalid),
                            POLYPATH_STATUS(aborted_preempt),
                            POLYPATH_STATUS(sanitize_failed),
                            POLYPATH_STATUS(sanitize_in_progress),
                            POLYPATH_STATUS(sgl_granularity_invalid),
                            POLYPATH_STATUS(not_supported_in_cmb),
                            POLYPATH_STATUS(namespace_write_protected),
                            POLYPATH_STATUS(command_interrupted),
                            POLYPATH_STATUS(transient_transport_error),
                            POLYPATH_STATUS(prohibited_by_lockdown),
                            POLYPATH_STATUS(media_not_ready),
                            POLYPATH_STATUS(lba_out_of_range),
                            POLYPATH_STATUS(capacity_exceeded),
                            POLYPATH_STATUS(namespace_not_ready),
                            POLYPATH_STATUS(reservation_conflict),
                            POLYPATH_STATUS(format_in_progress),
                            POLYPATH_STATUS(completion_queue_invalid),
                            POLYPATH_STATUS(invalid_queue_identifier),
                            POLYPATH_STATUS(invalid_queue_size),
                            POLYPATH_STATUS(abort_limit_exceeded),
                            POLYPATH_STATUS(aer_limit_exceeded),
                            POLYPATH_STATUS(invalid_firmware_slot),
                            POLYPATH_STATUS(invalid_firmware_image),
                            POLYPATH_STATUS(invalid_interrupt_vector),
                            POLYPATH_STATUS(invalid_log_page),
                            POLYPATH_STATUS(invalid_format),
                            POLYPATH_STATUS(invalid_queue_deletion),
                            POLYPATH_STATUS(feature_not_saveable),
                            POLYPATH_STATUS(feature_not_changeable),
                            POLYPATH_STATUS(feature_not_namespace_specific),
                            POLYPATH_STATUS(firmware_needs_conventional_reset),
                            POLYPATH_STATUS(firmware_needs_subsystem_reset),
                            POLYPATH_STATUS(firmware_needs_controller_reset),
                            POLYPATH_STATUS(firmware_needs_more_time),
                            POLYPATH_STATUS(firmware_activation_prohibited),
                            POLYPATH_STATUS(overlapping_range),
                            POLYPATH_STATUS(namespace_insufficient_capacity),
                            POLYPATH_STATUS(namespace_id_unavailable),
                            POLYPATH_STATUS(namespace_already_attached),
                            POLYPATH_STATUS(namespace_is_private),
                            POLYPATH_STATUS(namespace_not_attached),
                            POLYPATH_STATUS(thin_provisioning_not_supported),
                            POLYPATH_STATUS(controller_list_invalid),
                            POLYPATH_STATUS(self_test_in_progress),
                            POLYPATH_STATUS(ana_group_id_invalid),
                            POLYPATH_STATUS(ana_attach_failed),
                            POLYPATH_STATUS(attachment_limit_exceeded),
                            POLYPATH_STATUS(command_set_not_supported),
                            POLYPATH_STATUS(command_set_not_enabled),
                            POLYPATH_STATUS(command_set_combination_rejected),
                            POLYPATH_STATUS(invalid_command_set),
                            POLYPATH_STATUS(conflicting_attributes),
                            POLYPATH_STATUS(invalid_protection_information),
                            POLYPATH_STATUS(write_to_read_only_range),
                            POLYPATH_STATUS(command_size_limit_exceeded),
                            POLYPATH_STATUS(incompatible_namespace_or_format),
                            POLYPATH_STATUS(fast_copy_not_possible),
                            POLYPATH_STATUS(overlapping_io_range),
                            POLYPATH_STATUS(namespace_not_reachable),
                            POLYPATH_STATUS(insufficient_resources),
                            POLYPATH_STATUS(invalid_zone_operation),
                            POLYPATH_STATUS(zone_boundary_error),
                            POLYPATH_STATUS(zone_full),
                            POLYPATH_STATUS(zone_read_only),
                            POLYPATH_STATUS(zone_offline),
                            POLYPATH_STATUS(zone_invalid_write),
                            POLYPATH_STATUS(too_many_active_zones),
                            POLYPATH_STATUS(too_many_open_zones),
                            POLYPATH_STATUS(invalid_zone_transition),
                            POLYPATH_STATUS(write_fault),
                            POLYPATH_STATUS(unrecovered_read_error),
                            POLYPATH_STATUS(guard_check_error),
                            POLYPATH_STATUS(application_tag_check_error),
                            POLYPATH_STATUS(reference_tag_check_error),
                            POLYPATH_STATUS(storage_tag_check_error),
                            POLYPATH_STATUS(compare_failure),
                            POLYPATH_STATUS(access_denied),
                            POLYPATH_STATUS(deallocated_block),
                            POLYPATH_STATUS(internal_path_error),
                            POLYPATH_STATUS(ana_persistent_loss),
                            POLYPATH_STATUS(ana_inaccessible),
                            POLYPATH_STATUS(ana_transition),
                            POLYPATH_STATUS(controller_pathing_error),
                            POLYPATH_STATUS(host_pathing_error),
                            POLYPATH_STATUS(aborted_by_host)};
#undef POLYPATH_STATUS

bool parse_hex(std::string_view text, unsigned& out) {
  const auto* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, out, 16);
  return result.ec == std::errc{} && result.ptr == end && !text.empty();
}

}  // namespace

std::string status_name(Status s) {
  for (const auto& [value, name] : kNames) {
    if (value == s) return std::string(name);
  }
  return fmt::format("{:x}/{:02x}", static_cast<unsigned>(s) >> 8U, static_cast<unsigned>(s) & 0xFFU);
}

bool status_from_name(const std::string& text, Status& out) {
  for (const auto& [value, name] : kNames) {
    if (name == text) {
      out = value;
      return true;
    }
  }
  const auto slash = text.find('/');
  if (slash == std::string::npos) return false;
  unsigned sct = 0, sc = 0;
  const std::string_view view(text);
  if (!parse_hex(view.substr(0, slash), sct) || !parse_hex(view.substr(slash + 1), sc)) return false;
  if (sct > 7 || sc > 0xFF) return false;
  out = static_cast<Status>(sct << 8U | sc);
  return true;
}

}  // namespace polypath::spec
