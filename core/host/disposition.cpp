#include "host/disposition.h"

#include <cerrno>

#include "spec/status.h"

namespace polypath::host {

using spec::Status;

Disposition dispose(const Ended& ended) {
  const Status status = spec::status_of(ended.status);
  if (status == Status::success) return Disposition::complete;
  if (ended.no_retry || (ended.status & spec::kStatusDnr) != 0 || ended.retries >= kRetriesMax) {
    return Disposition::complete;
  }
  if (ended.multipath) {
    if (spec::is_path_related(status) || ended.queue_dying) return Disposition::failover;
  } else if (ended.queue_dying) {
    return Disposition::complete;
  }
  return Disposition::retry;
}

engine::Time retry_delay(std::uint16_t status, const std::array<std::uint16_t, 3>& crdt) {
  const unsigned crd = status >> 11U & 3U;
  return crd == 0 ? 0 : crdt[crd - 1] * 100 * engine::kMillisecond;
}

std::int32_t errno_of(std::uint16_t status) {
  switch (spec::status_of(status)) {
    case Status::success:
      return 0;
    case Status::capacity_exceeded:
      return ENOSPC;
    case Status::lba_out_of_range:
    case Status::command_interrupted:
    case Status::namespace_not_ready:
      return EREMOTEIO;
    case Status::conflicting_attributes:
    case Status::invalid_opcode:
    case Status::invalid_field:
    case Status::invalid_namespace_or_format:
      return EOPNOTSUPP;
    case Status::write_fault:
    case Status::unrecovered_read_error:
    case Status::deallocated_block:
    case Status::access_denied:
    case Status::write_to_read_only_range:
    case Status::compare_failure:
      return ENODATA;
    case Status::guard_check_error:
    case Status::application_tag_check_error:
    case Status::reference_tag_check_error:
    case Status::invalid_protection_information:
      return EILSEQ;
    case Status::reservation_conflict:
      return EBADE;
    case Status::host_pathing_error:
      return ENOLINK;
    default:
      return EIO;
  }
}

}  // namespace polypath::host
