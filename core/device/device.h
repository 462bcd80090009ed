// The simulated device, as the world drives it. State is device/state.h; behaviour is one file per command
// family.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "device/state.h"
#include "engine/engine.h"
#include "port/host_memory.h"
#include "port/observer.h"
#include "program/topology.h"
#include "trace/trace.h"

namespace polypath::device {

/// Event kinds that the device puts into the engine (the host uses 100 and up).
enum class What : std::uint16_t {
  enabled = 1,        ///< CSTS.RDY becomes 1; whom: controller, arg: its reset count
  disabled = 2,       ///< CSTS.RDY becomes 0
  shutdown_done = 3,  ///< CSTS.SHST becomes complete
  fetch = 4,          ///< whom: SQ index, arg: its generation
  execute = 5,        ///< whom: command index, arg: its generation
  post = 6,           ///< the same: its completion entry is written
  report = 7,         ///< an event is reported; whom: controller, arg: its reset count
  message =
      8,  ///< an interrupt message arrives at the host; whom: controller, arg: vector (handled by the world)
  keep_alive = 9,       ///< the Keep Alive timer ends; whom: controller, arg: its reset count
  self_test_done = 10,  ///< whom: controller
  sanitize_done = 11,   ///< whom: subsystem
  firmware_done = 12,   ///< whom: subsystem
  coalesced = 20        ///< whom: controller, arg: its reset count << 16 | vector
};

/// Decision sites of the device. Permanent: recordings override them by number.
namespace site {
inline constexpr engine::Site execute_delay = 1;  ///< fetch to effect, ns
inline constexpr engine::Site post_delay = 2;     ///< effect to completion entry, ns
inline constexpr engine::Site report_delay = 3;   ///< event to its completion entry, ns
inline constexpr engine::Site message_delay = 4;  ///< completion entry to interrupt, ns
inline constexpr engine::Site enable_delay = 5, disable_delay = 6, shutdown_delay = 7;
inline constexpr engine::Site deallocate =
    8;  ///< a range of Dataset Management: 0 deallocated, 1 left as it is
inline constexpr engine::Site power_loss = 9;         ///< a block that is not durable: 0 kept, 1 lost
inline constexpr engine::Site sanitize_time = 10;     ///< start to end of a sanitize operation, ns
inline constexpr engine::Site firmware_time = 12;     ///< activation without a reset, ns
inline constexpr engine::Site sanitize_failure = 11;  ///< how it ends: 3 with a failure, others well
}  // namespace site

/// What lies beyond a controller: the memory of the host that holds it, and the observer in between.
struct Function {
  port::HostMemory* memory = nullptr;
  port::Observer* observer = nullptr;
  port::BlockSizes* blocks = nullptr;  ///< of its subsystem, as the observers learned them
};

/// What the device needs of the world, given at each call.
struct Surroundings {
  engine::Engine& engine;
  trace::Trace& trace;
  std::span<const Function> functions;  ///< by controller index

  port::Observer::Scene scene(std::uint32_t controller) const {
    return {trace, engine, *functions[controller].memory, *functions[controller].blocks};
  }
};

/// Builds the subsystems of a topology under a profile.
Device make_device(const program::Topology& topology, const Profile& profile);

/// Register access, as the port passes it on (the observer has seen it already).
std::uint64_t read_register(const Device& device, std::uint32_t controller, std::uint32_t offset,
                            unsigned bytes);
void write_register(Device& device, const Surroundings& world, std::uint32_t controller, std::uint32_t offset,
                    std::uint64_t value, unsigned bytes);
void mask_vector(Device& device, const Surroundings& world, std::uint32_t controller, std::uint16_t vector,
                 bool masked);

/// A reset from outside of one controller's function: everything of its life is gone at once, and nothing
/// completes. What is kept over which reset: sheet 01, section 9.
void reset_function(Device& device, const Surroundings& world, std::uint32_t controller,
                    trace::FunctionEvent what);
/// The controller meets an error that it can report no other way: CSTS.CFS, until a reset.
void fail(Device& device, const Surroundings& world, std::uint32_t controller);

/// Media of the zone of a block wear out: it can be written no more, or not even be read. False: there is no
/// such zone.
bool wear_zone(Device& device, const Surroundings& world, std::uint32_t subsystem, std::uint32_t nsid,
               std::uint64_t lba, bool offline);

/// Power is gone from a subsystem, and back: what its volatile write cache held may be lost, block by block.
void lose_power(Device& device, const Surroundings& world, std::uint32_t subsystem);

/// Handles an event of kind What, `message` excepted.
void handle(Device& device, const Surroundings& world, const engine::Event& event);

/// Writes changed blocks back to the files of namespaces with `drive=`. False with `error` filled when one
/// fails.
bool commit_drives(const Device& device, std::string& error);

}  // namespace polypath::device
