// A simulated world: engine, device, hosts with their memory, and the observers between them. One world is
// one thread's; everything that can change is in values, so a snapshot is a copy of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "device/device.h"
#include "engine/engine.h"
#include "host/host.h"
#include "port/host_memory.h"
#include "port/observer.h"
#include "port/port.h"
#include "program/program.h"
#include "target/machine.h"
#include "trace/trace.h"

namespace polypath::target {

class World {
 public:
  /// Builds the world of a program: nothing has happened yet, controllers are disabled.
  /// The profile and the planted faults must exist (see find_problem).
  /// With a machine, its controllers are that one's: the device here is but the picture of the topology at
  /// the start, all hosts and raw drivers share the machine's memory, and there are no snapshots.
  explicit World(const program::Program& program, std::unique_ptr<Machine> machine = nullptr);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  engine::Engine& engine() { return state_.engine; }
  device::Device& device() { return state_.device; }
  host::Hosts& hosts() { return state_.hosts; }
  const device::Device& device() const { return state_.device; }
  const host::Hosts& hosts() const { return state_.hosts; }
  trace::Trace& trace() { return trace_; }
  const trace::Trace& trace() const { return trace_; }

  port::Port& port(std::uint32_t controller);
  const Machine* machine() const { return machine_.get(); }
  /// A namespace's blocks as Identify told of them last. Of no bytes: nobody has asked since it was made.
  const spec::BlockFormat& identified_blocks(std::uint32_t subsystem, std::uint32_t nsid) const {
    return state_.block_sizes[subsystem].find(nsid);
  }
  /// How the machine ended, for people; empty while it lives, and when there is none.
  std::string obituary() const;
  std::size_t controllers() const { return ports_.size(); }
  host::Surroundings host_surroundings();

  /// Switches a planted fault; false when this build has none or the name is unknown.
  bool set_fault(const std::string& id, bool on);

  /// A reset from outside of a controller's function; a power cycle takes every controller of its subsystem.
  void reset_function(std::uint32_t controller, trace::FunctionEvent what);
  /// The controller fails: CSTS.CFS, until a reset.
  void fail(std::uint32_t controller);
  /// False: there is no such zone.
  bool wear_zone(std::uint32_t controller, std::uint32_t nsid, std::uint64_t lba, bool offline);

  /// Lets the next event happen (not after `until`). False when there is none.
  /// Events of kind `kWake` and above are the caller's: they come back in `out` with `ours` false.
  bool step(engine::Time until, engine::Event& out, bool& ours);
  static constexpr std::uint16_t kWake = 200;
  /// An interrupt message that no host driver takes (a raw driver's controller) comes back as this.
  static constexpr std::uint16_t kRawInterrupt = 199;

  struct State {
    engine::Engine engine;
    device::Device device;
    host::Hosts hosts;
    std::vector<port::HostMemory> memories;     ///< one per host, then one for controllers that no host has
    std::vector<port::Observer> observers;      ///< by controller
    std::vector<port::BlockSizes> block_sizes;  ///< by subsystem: what the observers learned
    std::vector<std::uint8_t> raw;              ///< by controller: 1 while a raw driver has it
  };
  struct Snapshot {
    State state;
    trace::Trace::Mark mark;
  };
  void snapshot(Snapshot& out) const;
  /// Back to a snapshot of this same world; the trace loses what came after it.
  void restore(const Snapshot& snapshot);

  bool raw(std::uint32_t controller) const { return state_.raw[controller] != 0; }
  void set_raw(std::uint32_t controller, bool raw) { state_.raw[controller] = raw ? 1 : 0; }

  /// Hash of the whole state: engine, device, hosts, memories.
  std::uint64_t hash(engine::HashKind kind) const;
  /// For exploration (canonical.cpp): equal for worlds with equal futures, given equal events between hosts
  /// and controllers so far, whatever slots, numbers and addresses their histories led to.
  void hash_canonical(engine::Hasher& hasher) const;
  /// What a pending event of this world is about, without slots; 0 when it will find nothing any more.
  std::uint64_t name_of(const engine::Event& event) const;
  /// True for events of the device: how long they take is free.
  static bool duration_is_free(const engine::Event& event) {
    using device::What;
    const auto what = static_cast<What>(event.what);
    return event.what < 100 && what != What::keep_alive && what != What::self_test_done &&
           what != What::sanitize_done;
  }
  /// True for an interrupt on its way.
  static bool is_message(const engine::Event& event);

 private:
  class SimulatedPort;
  class MachinePort;
  /// A completion queue of a machine's controller, as far as it was looked at.
  struct Seen {
    std::uint64_t base = 0;
    std::uint32_t head = 0;
    bool phase = true;
  };
  void connect();
  void poll_machine();
  bool take_completions(std::uint32_t controller);
  std::uint32_t take_completions(std::uint32_t controller, std::uint16_t qid, std::uint32_t most);
  std::uint32_t completions_waiting(std::uint32_t controller, std::uint16_t qid);
  bool next_completion(std::uint32_t controller, std::uint16_t qid, Seen& at, std::uint64_t& address,
                       spec::CompletionEntry& entry) const;
  bool owes(std::uint32_t controller) const;
  device::Surroundings device_surroundings() { return {state_.engine, trace_, functions_}; }

  State state_;
  trace::Trace trace_;
  std::vector<std::uint32_t> memory_of_;     ///< by controller
  std::vector<device::Function> functions_;  ///< by controller; points into state_
  std::vector<std::unique_ptr<port::Port>> ports_;
  std::vector<port::Port*> port_pointers_;
  std::unique_ptr<Machine> machine_;
  std::vector<std::vector<Seen>> seen_;  ///< by controller and queue identifier
  std::vector<std::uint8_t> given_up_;   ///< by controller: it owes completions, and nobody waits for them
};

/// The header that describes a program's world to readers of its trace.
trace::TraceHeader make_header(const program::Program& program);

/// One line that says what of the program this target cannot run (unknown profile, fault, policy), empty when
/// all is well.
std::string find_problem(const program::Program& program);

}  // namespace polypath::target
