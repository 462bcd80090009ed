// QEMU's NVMe device as a target, without a guest: its processors stand still, and its test socket and a
// shared memory file play the host. What was found out by trying is in docs/qemu.md.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "program/topology.h"
#include "target/machine.h"

namespace polypath::qemu {

/// The emulator's name: POLYPATH_QEMU, else qemu-system-x86_64.
std::string command();
/// "7.2.22", empty when there is no such program.
std::string version();

/// How long an emulator may take for one answer before it is taken for stuck and ended.
inline constexpr int kPatienceSeconds = 10;

/// Starts an emulator of its own. Namespaces in memory live in files that have no name and go with it;
/// `drive=` files are used as they are, and written. Throws InputError when there is none or it refuses the
/// topology.
std::unique_ptr<target::Machine> start(const program::Topology& topology,
                                       int patience_seconds = kPatienceSeconds);

/// Fresh emulators of one topology, started ahead of their use so that nobody waits for them.
class Pool {
 public:
  /// Throws InputError when there is no emulator.
  explicit Pool(program::Topology topology, std::size_t ahead = 2, int patience_seconds = kPatienceSeconds);
  ~Pool();
  /// One that nobody used. Throws InputError when it refuses the topology.
  std::unique_ptr<target::Machine> take();

 private:
  class Emulator;

  program::Topology topology_;
  std::size_t ahead_;
  int patience_seconds_;
  std::deque<std::unique_ptr<Emulator>> started_;
};

}  // namespace polypath::qemu
