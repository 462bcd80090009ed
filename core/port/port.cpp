#include "port/port.h"

#include <atomic>

#include "spec/queue_entry.h"
#include "spec/registers.h"

namespace polypath::port {

void Port::ring_sq(std::uint16_t qid, std::uint16_t tail, unsigned dstrd) {
  write_register(spec::sq_doorbell(qid, dstrd), tail, 4);
}

void Port::ring_cq(std::uint16_t qid, std::uint16_t head, unsigned dstrd) {
  write_register(spec::cq_doorbell(qid, dstrd), head, 4);
}

void Port::ring(const spec::DoorbellBuffer& buffer, std::uint16_t qid, bool completion, std::uint32_t before,
                std::uint32_t now, unsigned dstrd) {
  const std::uint32_t at = spec::doorbell_offset(qid, completion, dstrd);
  bool needed = true;
  if (buffer && at < spec::kPageSize) {
    std::uint32_t event_index = 0;
    doorbell_moves();
    memory().write_value(buffer.doorbells + at, now);
    // A controller that runs beside us writes EventIdx first and looks at the doorbell then.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    memory().read_value(buffer.event_indexes + at, event_index);
    doorbell_moved(qid, completion, now, event_index);
    needed = spec::must_ring(before, now, event_index);
  }
  if (needed && completion) ring_cq(qid, static_cast<std::uint16_t>(now), dstrd);
  if (needed && !completion) ring_sq(qid, static_cast<std::uint16_t>(now), dstrd);
}

}  // namespace polypath::port
