// Ports of a World whose controllers are a machine's.
#pragma once

#include "target/world.h"

namespace polypath::target {

/// Registers go through the observer to the machine. Interrupts are off: completion queues are looked at.
class World::MachinePort final : public port::Port {
 public:
  MachinePort(World& world, std::uint32_t controller) : world_(world), controller_(controller) {}

  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) override;
  void write_register(std::uint32_t offset, std::uint64_t value, unsigned bytes) override;
  port::HostMemory& memory() override { return *world_.functions_[controller_].memory; }
  void mask_vector(std::uint16_t, bool) override {}
  std::uint16_t vectors() const override { return 1; }

 private:
  void doorbell_moves() override {
    world_.take_completions(controller_);
  }  // what was completed belongs before
  void doorbell_moved(std::uint16_t qid, bool completion, std::uint32_t value,
                      std::uint32_t event_index) override;

  World& world_;
  std::uint32_t controller_;
};

/// What of such a world is observed.
void describe_machine(const Machine& machine, trace::TraceHeader& header);

}  // namespace polypath::target
