// Create and Delete I/O queues, Abort. Base specification; sheet 02, sections 5 and 11.
#include <utility>

#include "device/act.h"
#include "spec/registers.h"

namespace polypath::device::admin {
namespace {

using spec::Status;

std::uint16_t low(std::uint32_t dword) { return static_cast<std::uint16_t>(dword); }
std::uint16_t high(std::uint32_t dword) { return static_cast<std::uint16_t>(dword >> 16U); }

// The pages of a queue that is not in one piece. Each page of the list but the last ends with the address of
// the next one.
Status read_list(const Act& act, std::uint32_t controller, std::uint64_t list, std::uint64_t bytes,
                 std::vector<std::uint64_t>& pages) {
  const port::HostMemory& memory = *act.world.functions[controller].memory;
  const std::uint64_t count = (bytes + spec::kPageSize - 1) / spec::kPageSize;
  while (pages.size() < count) {
    std::uint64_t entry = 0;
    if (!memory.read_value(list, entry)) return Status::data_transfer_error;
    if (entry % spec::kPageSize != 0) return Status::prp_offset_invalid;
    const bool next = list % spec::kPageSize == spec::kPageSize - sizeof entry && pages.size() + 1 < count;
    if (next) {
      list = entry;
      continue;
    }
    if (!memory.contains(entry, spec::kPageSize)) return Status::data_transfer_error;
    pages.push_back(entry);
    list += sizeof entry;
  }
  return Status::success;
}

// What Create SQ and Create CQ check alike, and where the queue lies.
Status check_ring(const Act& act, std::uint32_t controller, const spec::SubmissionEntry& entry, bool exists,
                  std::uint16_t allocated_zero_based, unsigned entry_size_log2, unsigned wanted_log2,
                  std::uint64_t entry_bytes, port::RingMemory& memory) {
  const Controller& c = act.controller(controller);
  const std::uint16_t qid = low(entry.cdw10);
  const std::uint16_t size = high(entry.cdw10);
  if (qid == 0 || qid > allocated_zero_based + 1U || exists) return Status::invalid_queue_identifier;
  if (size == 0 || size > c.mqes || entry_size_log2 != wanted_log2) return Status::invalid_queue_size;
  const bool contiguous = (entry.cdw11 & 1U) != 0;
  if (!contiguous && !act.profile().any_queue_memory) return Status::invalid_field;
  if (entry.prp1 % spec::kPageSize != 0) return Status::prp_offset_invalid;
  const std::uint64_t bytes = (std::uint64_t{size} + 1) * entry_bytes;
  memory.base = entry.prp1;
  if (!contiguous) {
    const Status status = read_list(act, controller, entry.prp1, bytes, memory.pages);
    if (status == Status::success && act.broken_by(Fault::queue_pages_in_a_row))
      memory = {memory.pages.front(), {}};
    return status;
  }
  if (!act.world.functions[controller].memory->contains(entry.prp1, bytes))
    return Status::data_transfer_error;
  return Status::success;
}

}  // namespace

Outcome create_cq(Act& act, std::uint32_t controller, Handle, const spec::SubmissionEntry& entry) {
  Controller& c = act.controller(controller);
  const std::uint16_t qid = low(entry.cdw10);
  port::RingMemory memory;
  const Status status =
      check_ring(act, controller, entry, find_cq(act, controller, qid) != nullptr, c.features.queues_cq,
                 static_cast<unsigned>(spec::cc::iocqes.get(c.cc)), 4, sizeof(spec::CompletionEntry), memory);
  if (status != Status::success) return status;
  const bool interrupts = (entry.cdw11 & 2U) != 0;
  const std::uint16_t vector = high(entry.cdw11);
  if (interrupts && vector >= c.vectors) return Status::invalid_interrupt_vector;
  device::create_cq(act, controller, qid, std::move(memory), high(entry.cdw10) + 1U, interrupts, vector);
  c.io_queue_created = true;
  return Status::success;
}

Outcome create_sq(Act& act, std::uint32_t controller, Handle, const spec::SubmissionEntry& entry) {
  Controller& c = act.controller(controller);
  const std::uint16_t qid = low(entry.cdw10);
  const bool exists = find_sq(act, controller, qid) != nullptr;
  if (exists && act.broken_by(Fault::duplicate_queue_accepted)) return Status::success;
  port::RingMemory memory;
  const Status status =
      check_ring(act, controller, entry, exists, c.features.queues_sq,
                 static_cast<unsigned>(spec::cc::iosqes.get(c.cc)), 6, sizeof(spec::SubmissionEntry), memory);
  if (status != Status::success) return status;
  const std::uint16_t cqid = high(entry.cdw11);
  if (cqid == 0 || cqid > c.features.queues_cq + 1U) return Status::invalid_queue_identifier;
  if (find_cq(act, controller, cqid) == nullptr) return Status::completion_queue_invalid;
  device::create_sq(act, controller, qid, std::move(memory), high(entry.cdw10) + 1U, c.cq[cqid],
                    static_cast<std::uint8_t>(entry.cdw11 >> 1U & 3U));
  c.io_queue_created = true;
  return Status::success;
}

Outcome delete_sq(Act& act, std::uint32_t controller, Handle, const spec::SubmissionEntry& entry) {
  const std::uint16_t qid = low(entry.cdw10);
  if (qid == 0 || find_sq(act, controller, qid) == nullptr) return Status::invalid_queue_identifier;
  device::delete_sq(act, act.controller(controller).sq[qid]);
  return Status::success;
}

Outcome delete_cq(Act& act, std::uint32_t controller, Handle, const spec::SubmissionEntry& entry) {
  const std::uint16_t qid = low(entry.cdw10);
  const CompletionQueue* cq = qid == 0 ? nullptr : find_cq(act, controller, qid);
  if (cq == nullptr) return Status::invalid_queue_identifier;
  if (cq->users != 0) {
    if (!act.fault(Fault::delete_cq_in_use)) return Status::invalid_queue_deletion;
    act.fired(Fault::delete_cq_in_use);
    for (const Handle sq : std::vector<Handle>(act.controller(controller).sq)) {
      const SubmissionQueue* row = act.device.sqs.get(sq);
      if (row != nullptr && row->cq == act.controller(controller).cq[qid]) device::delete_sq(act, sq);
    }
  }
  device::delete_cq(act, act.controller(controller).cq[qid]);
  return Status::success;
}

Outcome abort(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  constexpr std::uint32_t kNotAborted = 1;  // IANP
  Outcome outcome;
  outcome.dw0 = kNotAborted;
  const Handle victim = find_command(act, controller, low(entry.cdw10), high(entry.cdw10));
  const Command* row = act.device.commands.get(victim);
  if (row == nullptr || victim == command) return outcome;
  if (row->phase != Phase::waiting && row->phase != Phase::parked) return outcome;  // too late
  if (row->phase == Phase::waiting && act.broken_by(Fault::abort_ignored)) {
    outcome.dw0 = 0;
    return outcome;
  }
  act.world.engine.cancel(row->ticket);
  if (row->phase == Phase::parked) std::erase(act.controller(controller).event_requests, victim);
  const Handle partner = row->partner;
  finish(act, victim, Status::abort_requested);
  // One half of a fused operation is never done without the other. Base: Fused Operations.
  if (const Command* other = act.device.commands.get(partner);
      other != nullptr && other->phase == Phase::waiting) {
    act.world.engine.cancel(other->ticket);
    finish(act, partner, Status::aborted_failed_fused);
  }
  outcome.dw0 = 0;
  return outcome;
}

}  // namespace polypath::device::admin
