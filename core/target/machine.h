// Controllers that others made, behind registers and memory: QEMU's device over its test socket, later
// people's own. A World puts ports and observers in front of it, so programs and rules are the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "program/program.h"

namespace polypath::target {

class Machine {
 public:
  virtual ~Machine() = default;

  /// "qemu 7.2.22": goes into the trace header.
  virtual std::string name() const = 0;
  /// Access in BAR0 of a controller, in the order of the topology; `bytes` is 4 or 8. All ones once it died.
  virtual std::uint64_t read_register(std::uint32_t controller, std::uint32_t offset, unsigned bytes) = 0;
  virtual void write_register(std::uint32_t controller, std::uint32_t offset, std::uint64_t value,
                              unsigned bytes) = 0;
  /// Host memory from address 0 on, shared with the controllers.
  virtual std::span<std::byte> memory() = 0;
  /// Lets it work for a moment; what it then completed lies in memory.
  virtual void turn() = 0;
  /// How it ended, for people; empty while it lives.
  virtual std::string obituary() const = 0;
};

/// One line that says what of a program only the simulated device can do, empty when all is well.
std::string find_machine_problem(const program::Program& program);
/// The same of one step, without its number.
std::string find_machine_problem(const program::Step& step);

}  // namespace polypath::target
