// Doorbells in host memory (Doorbell Buffer Config): where they lie, and when the register has to be written
// too. Base specification, "Updating Controller Doorbell Properties using a Shadow Doorbell Buffer"; sheet
// 02, section 12.
#pragma once

#include <cstdint>

namespace polypath::spec {

/// Addresses of the Shadow Doorbell buffer and of the EventIdx buffer, one page of CC.MPS each; 0: none.
struct DoorbellBuffer {
  std::uint64_t doorbells = 0, event_indexes = 0;

  bool operator==(const DoorbellBuffer&) const = default;
  explicit operator bool() const { return doorbells != 0; }
  template <class V>
  void fields(V&& v) const {
    v("doorbells", doorbells), v("event_indexes", event_indexes);
  }
};

/// Bytes from the beginning of both buffers to the entry of a queue: the layout of the doorbell registers.
constexpr std::uint32_t doorbell_offset(std::uint32_t qid, bool completion, unsigned dstrd) {
  return (2 * qid + (completion ? 1U : 0U)) * (4U << dstrd);
}

/// Has the host to write the register, after it moved the entry from `before` to `now`? EventIdx lies
/// between.
constexpr bool must_ring(std::uint32_t before, std::uint32_t now, std::uint32_t event_index) {
  return static_cast<std::uint16_t>(now - event_index - 1) < static_cast<std::uint16_t>(now - before);
}

}  // namespace polypath::spec
