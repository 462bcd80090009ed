// What a host sees of one controller. The simulator, QEMU and an NVMe/TCP target implement it; host models
// and raw drivers use nothing else. Time and deadlines come from the engine, which every target has.
#pragma once

#include <cstdint>

#include "engine/engine.h"
#include "port/host_memory.h"
#include "spec/doorbell_buffer.h"

namespace polypath::port {

class Port {
 public:
  virtual ~Port() = default;

  /// Register access in BAR0; `bytes` is 4 or 8 (others are undefined in the standard, and read 0 / are
  /// ignored).
  virtual std::uint64_t read_register(std::uint32_t offset, unsigned bytes) = 0;
  virtual void write_register(std::uint32_t offset, std::uint64_t value, unsigned bytes) = 0;

  /// Memory that this host shares with the controller.
  virtual HostMemory& memory() = 0;

  /// Masks or unmasks an MSI-X vector; a message held back is sent on unmask.
  virtual void mask_vector(std::uint16_t vector, bool masked) = 0;
  /// Vectors of the MSI-X table, at least 1.
  virtual std::uint16_t vectors() const = 0;

  /// Moves a queue's entry of the Shadow Doorbell buffer from `before` to `now`, and writes the register too
  /// where EventIdx asks for it (spec::must_ring()). A queue whose entry lies beyond the page has its
  /// register.
  void ring(const spec::DoorbellBuffer& buffer, std::uint16_t qid, bool completion, std::uint32_t before,
            std::uint32_t now, unsigned dstrd);
  /// CAP.DSTRD is read by the host itself; these are conveniences over write_register at stride 0.
  void ring_sq(std::uint16_t qid, std::uint16_t tail, unsigned dstrd = 0);
  void ring_cq(std::uint16_t qid, std::uint16_t head, unsigned dstrd = 0);

 private:
  /// For targets that run beside us: a doorbell in memory is about to move.
  virtual void doorbell_moves() {}
  /// For observers: the host moved a doorbell in memory, and found `event_index` there.
  virtual void doorbell_moved(std::uint16_t, bool /*completion*/, std::uint32_t /*value*/,
                              std::uint32_t /*event_index*/) {}
};

}  // namespace polypath::port
