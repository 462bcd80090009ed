// Planted faults: deliberate defects behind run-time switches, so that every check can be seen to fail.
// One row each; compiled into every preset but `dist`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace polypath::device {

/// Numbers are permanent: programs name faults by id text, traces by number.
enum class Fault : std::uint8_t {
  detached_ns_answers = 0,
  detach_hits_neighbour,
  event_on_wrong_controller,
  event_missing,
  event_repeats_masked,
  changed_list_keeps_entries,
  active_list_unsorted,
  attach_private_twice,
  phase_not_inverted,
  sqhd_stuck,
  completion_twice,
  interrupt_before_entry,
  interrupt_lost,
  stale_read_on_other_path,
  write_zeroes_short,
  reset_hits_peer,
  reset_keeps_queues,
  delete_cq_in_use,
  compare_always_equal,
  dma_past_end,
  abort_ignored,
  attach_hits_sender,
  attach_unallocated_accepted,
  attached_controllers_short,
  reset_restores_attachment,
  delete_event_missing,
  heir_reads_old_data,
  event_requests_unlimited,
  feature_on_all_controllers,
  log_read_clears_peer,
  duplicate_queue_accepted,
  write_last_block_lost,
  full_queue_overrun,
  shutdown_hangs,
  cntlid_repeated,
  detach_drops_commands,
  doorbell_value_wraps,
  event_survives_reset,
  retain_ignored,
  event_ignores_mask,
  lba_range_unchecked,
  identifier_differs_by_path,
  attach_lost_while_enabling,
  subsystem_reset_spares_peers,
  flr_keeps_admin_queue,
  nssro_survives_write,
  fatal_goes_on,
  disable_keeps_cc,
  feature_survives_reset,
  save_forgotten,
  saved_shows_current,
  capabilities_scope_wrong,
  thermal_limits_unchecked,
  uncorrectable_on_one_path,
  uncorrectable_survives_write,
  uncorrectable_short,
  verify_reads_nothing,
  supported_logs_short,
  feature_effects_scope_wrong,
  unknown_log_accepted,
  log_offset_unchecked,
  error_entries_oldest_first,
  error_count_restarts,
  health_counters_restart,
  independent_says_private,
  deallocate_one_more,
  deallocated_on_one_path,
  fused_write_goes_on,
  fused_not_atomic,
  fused_second_alone,
  copy_last_range_lost,
  copy_index_too_far,
  flush_does_nothing,
  fua_ignored,
  shutdown_forgets_cache,
  reset_drops_cache,
  keep_alive_never_expires,
  keep_alive_restarts_peer,
  keep_alive_ignored,
  keep_alive_survives_reset,
  format_keeps_data,
  format_on_one_path,
  format_event_missing,
  format_hits_neighbour,
  format_index_unchecked,
  self_test_restarts,
  self_test_survives_reset,
  self_test_leaves_no_result,
  zone_write_anywhere,
  append_address_of_zone,
  zone_never_full,
  zone_reset_keeps_data,
  zone_state_on_one_path,
  active_limit_ignored,
  open_limit_ignored,
  reset_closes_zones,
  subsystem_reset_keeps_zones_open,
  report_counts_buffer,
  finish_leaves_open,
  open_all_half_done,
  zone_transition_unchecked,
  zone_read_crosses,
  failed_append_moves,
  format_keeps_zones,
  zone_reset_keeps_extension,
  sanitize_spares_peers,
  sanitize_spares_unattached,
  sanitize_event_everywhere,
  sanitize_event_missing,
  sanitize_ends_at_reset,
  sanitize_failure_forgotten,
  sanitize_never_ends,
  firmware_not_activated,
  firmware_on_one_path,
  firmware_read_only_written,
  firmware_event_unasked,
  lba_status_on_one_path,
  lba_status_beyond_range,
  short_list_accepted,
  bit_bucket_keeps_place,
  list_type_unchecked,
  list_segment_unchecked,
  admin_takes_sgl,
  telemetry_generation_stuck,
  telemetry_on_all_controllers,
  zone_event_ignores_mask,
  changed_zones_short,
  protection_of_one_path,
  protection_misses_zeroes,
  protection_ends_at_reset,
  protection_outlives_power,
  protection_event_missing,
  coalescing_without_time,
  pin_not_masked,
  classes_ignored,
  large_blocks_overlap,
  guard_unchecked,
  reference_tag_stands_still,
  protection_escape_ignored,
  application_mask_ignored,
  storage_tag_unchecked,
  metadata_not_returned,
  metadata_of_other_write,
  copy_leaves_metadata,
  shadow_not_looked_at,
  shadow_offset_ignored,
  shadow_of_peer,
  shadow_survives_reset,
  queue_pages_in_a_row,
  count
};

struct FaultRow {
  Fault fault;
  std::string_view id;      ///< "detached-ns-answers"
  std::string_view what;    ///< what the device then does
  std::string_view origin;  ///< where the idea comes from
  std::string_view rule;    ///< the rule that should notice
};

std::span<const FaultRow> faults();
const FaultRow* find_fault(std::string_view id);

/// The switches of one world. A value: snapshots keep it.
class FaultSet {
 public:
  void set(Fault fault, bool on) {
    const auto number = static_cast<unsigned>(fault);
    const std::uint64_t bit = std::uint64_t{1} << number % 64U;
    std::uint64_t& word = words_[number / 64U];
    word = on ? word | bit : word & ~bit;
  }
  bool on([[maybe_unused]] Fault fault) const {
#ifdef POLYPATH_FAULTS
    const auto number = static_cast<unsigned>(fault);
    return (words_[number / 64U] >> number % 64U & 1U) != 0;
#else
    return false;
#endif
  }
  bool none() const { return words_ == decltype(words_){}; }
  const auto& words() const { return words_; }

 private:
  std::array<std::uint64_t, (static_cast<std::size_t>(Fault::count) + 63) / 64> words_{};
};

/// False in the `dist` preset: no fault can fire.
constexpr bool faults_compiled_in() {
#ifdef POLYPATH_FAULTS
  return true;
#else
  return false;
#endif
}

}  // namespace polypath::device
