// Doorbells in host memory. The controller looks at them before each fetch, and once more after it has
// written to EventIdx that it will look no further: what the host moved meanwhile is not lost. Base
// specification, "Updating Controller Doorbell Properties using a Shadow Doorbell Buffer"; sheet 02,
// section 12.
#include "device/act.h"

namespace polypath::device {
namespace {

using spec::Status;

/// The entry of a queue that exists, as it was when the doorbell was rung or looked at last.
std::uint32_t last_seen(const Act& act, std::uint32_t controller, std::uint16_t qid, bool completion) {
  return completion ? find_cq(act, controller, qid)->shadow : find_sq(act, controller, qid)->shadow;
}

}  // namespace

bool has_shadow(const Act& act, std::uint32_t controller, std::uint16_t qid) {
  const Controller& c = act.controller(controller);
  // Hosts ring the Admin queue's registers alone.
  return c.doorbell_buffer && qid != 0 && spec::doorbell_offset(qid, true, c.dstrd) < spec::kPageSize;
}

std::uint32_t shadow_of(const Act& act, std::uint32_t controller, std::uint16_t qid, bool completion) {
  const Controller& c = act.controller(controller);
  std::uint32_t value = 0;
  act.world.functions[controller].memory->read_value(
      c.doorbell_buffer.doorbells + spec::doorbell_offset(qid, completion, c.dstrd), value);
  return value & 0xFFFFU;
}

void look_at_shadow(Act& act, std::uint32_t controller, std::uint16_t qid, bool completion) {
  if (act.broken_by(Fault::shadow_not_looked_at)) return;
  const std::uint32_t value = shadow_of(act, controller, qid, completion);
  if (last_seen(act, controller, qid, completion) == value) return;
  if (completion) {
    cq_doorbell(act, controller, qid, value);
  } else {
    sq_doorbell(act, controller, qid, value);
  }
}

void publish_event_index(const Act& act, std::uint32_t controller, std::uint16_t qid, bool completion,
                         std::uint32_t value) {
  const Controller& c = act.controller(controller);
  act.world.functions[controller].memory->write_value(
      c.doorbell_buffer.event_indexes + spec::doorbell_offset(qid, completion, c.dstrd), value);
}

namespace admin {

// Queues that exist and queues that are created later have their entries there.
Outcome doorbell_buffer_config(Act& act, std::uint32_t controller, Handle,
                               const spec::SubmissionEntry& entry) {
  const port::HostMemory& memory = *act.world.functions[controller].memory;
  for (const std::uint64_t page : {entry.prp1, entry.prp2}) {
    const bool aligned = page % spec::kPageSize == 0 || act.broken_by(Fault::shadow_offset_ignored);
    if (!aligned || page == 0 || !memory.contains(page, spec::kPageSize)) return Status::invalid_field;
  }
  Controller& c = act.controller(controller);
  c.doorbell_buffer = {entry.prp1, entry.prp2};
  if (act.fault(Fault::shadow_of_peer)) {
    for (const std::uint32_t peer : act.device.subsystems[c.subsystem].controllers) {
      if (peer == controller) continue;
      act.fired(Fault::shadow_of_peer);
      act.controller(peer).doorbell_buffer = c.doorbell_buffer;
    }
  }
  const auto begin = [&](std::uint16_t qid, bool completion, std::uint32_t& seen, std::uint32_t value) {
    if (!has_shadow(act, controller, qid)) return;
    seen = value;
    act.world.functions[controller].memory->write_value(
        c.doorbell_buffer.doorbells + spec::doorbell_offset(qid, completion, c.dstrd), value);
    publish_event_index(act, controller, qid, completion, value);
  };
  for (const Handle handle : c.sq) {
    if (SubmissionQueue* sq = act.device.sqs.get(handle)) begin(sq->qid, false, sq->shadow, sq->tail);
  }
  for (const Handle handle : c.cq) {
    if (CompletionQueue* cq = act.device.cqs.get(handle)) begin(cq->qid, true, cq->shadow, cq->head);
  }
  return Status::success;
}

}  // namespace admin

}  // namespace polypath::device
