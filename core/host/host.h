// Simulated hosts: a driver for each controller, a multipath head for each namespace identity, applications
// and an administrator on top. Behaviour is Linux's; where it is not, the place says so. A host sees
// controllers through port::Port only.
//
// Where it is simpler than Linux: controllers are probed one after the other; set-up reads no more than it
// uses (no SMART, timestamp, CNS 05, 06, 08); a reset clears CC.EN without deleting queues first; Flush is
// sent even without a volatile write cache; the removal of a path does not wait for its I/O in flight; one
// NUMA node; ANA logs are not read yet (every path is optimized); passthrough with command-set effects
// freezes nothing.
//
// A Hosts is a value: copying it is a snapshot. Everything that takes time ends with an Outcome; nothing is
// called back. Errors are errno values as Linux gives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "host/state.h"
#include "port/port.h"
#include "program/program.h"
#include "spec/queue_entry.h"
#include "trace/trace.h"

namespace polypath::host {

/// Event kinds that hosts put into the engine (100 to 198).
enum class What : std::uint16_t {
  poll = 100,      ///< look at CSTS again; whom: driver, arg: its epoch
  deadline = 101,  ///< a queue's timer; whom: driver, arg: epoch << 16 | queue identifier
  requeue = 102,   ///< a head's requeue work; whom: head index, arg: its generation
  scan = 103,      ///< a driver's scan work; whom: driver, arg: its epoch
  retry = 104,     ///< an I/O goes out again; whom: I/O index, arg: its generation
};

/// What hosts need of the world, given at each call.
struct Surroundings {
  engine::Engine& engine;
  trace::Trace& trace;
  std::span<port::Port* const> ports;  ///< by controller index

  port::Port& port(std::uint32_t controller) const { return *ports[controller]; }
};

/// A request of an application.
struct IoSpec {
  std::uint8_t opcode = 0x02;  ///< NVM command set: flush 00, write 01, read 02, compare 05, write zeroes 08
  std::uint64_t lba = 0;
  std::uint32_t blocks = 0;              ///< 0 for flush
  std::span<const std::byte> data = {};  ///< of write and compare; what is missing is filled with `fill`
  std::byte fill{};
  std::uint16_t cpu = 0;  ///< chooses the I/O queue
};

class Hosts {
 public:
  // --- what there is
  // -------------------------------------------------------------------------------------------
  std::uint32_t add_host(const program::HostSpec& spec);
  /// A controller that this host reaches, in the order of probing. `controller` is its index in the topology
  /// (and in Surroundings::ports); a controller has one host at most.
  void add_path(std::uint32_t host, std::uint32_t controller, const std::string& name,
                const std::string& address);

  // --- the world drives
  // ----------------------------------------------------------------------------------------
  /// Begins to probe the host's controllers, one after the other.
  void start(const Surroundings& world, std::uint32_t host);
  /// Begins without probing: each controller waits for probe().
  void start_unbound(std::uint32_t host);
  /// Nothing of set-up, scan, reset or shutdown is in progress: what the host knows will not change by
  /// itself.
  bool settled(std::uint32_t host) const;
  void handle(const Surroundings& world, const engine::Event& event);
  void on_interrupt(const Surroundings& world, std::uint32_t controller, std::uint16_t vector);

  // --- requests; each returns its id and ends with one Outcome, perhaps at once
  // -------------------------------- A request names a host, or a controller that belongs to one
  // (driver(controller) is not null).
  /// Read, write ... of a namespace: `subsystem` as in the trace header. No such disk: ENXIO.
  std::uint32_t submit_io(const Surroundings& world, std::uint32_t host, std::uint32_t subsystem,
                          std::uint32_t nsid, const IoSpec& io);
  /// Admin passthrough. CID and data pointer are the driver's; `data` goes to the controller, or
  /// `bytes_to_host` come back. The controller is not live: EAGAIN. Cancelled by a reset: EINTR.
  std::uint32_t submit_admin(const Surroundings& world, std::uint32_t controller,
                             const spec::SubmissionEntry& entry, std::span<const std::byte> data,
                             std::uint32_t bytes_to_host);
  std::uint32_t attach(const Surroundings& world, std::uint32_t controller, std::uint32_t nsid,
                       std::span<const std::uint16_t> controller_ids);
  std::uint32_t detach(const Surroundings& world, std::uint32_t controller, std::uint32_t nsid,
                       std::span<const std::uint16_t> controller_ids);
  /// The new NSID is the outcome's dw0.
  std::uint32_t create_namespace(const Surroundings& world, std::uint32_t controller, std::uint64_t blocks,
                                 std::uint8_t lba_format, bool shared);
  std::uint32_t delete_namespace(const Surroundings& world, std::uint32_t controller, std::uint32_t nsid);
  /// Controller reset and set-up again; ends when the controller is live, or EIO when it is dead. Not live:
  /// EBUSY.
  std::uint32_t reset(const Surroundings& world, std::uint32_t controller);
  /// Ends when the shutdown is complete and the driver has let go. Abrupt: nothing is drained.
  std::uint32_t shutdown(const Surroundings& world, std::uint32_t controller, bool abrupt);
  /// Reads the active namespace list again; ends with the scan.
  std::uint32_t rescan(const Surroundings& world, std::uint32_t controller);
  /// The driver disables the controller and lets go of it, so that another driver can have it. Nothing is
  /// drained.
  std::uint32_t release(const Surroundings& world, std::uint32_t controller);
  /// The driver takes an unbound or dead controller and sets it up; ends when it is live and scanned.
  std::uint32_t probe(const Surroundings& world, std::uint32_t controller);
  /// Policy of every subsystem of a host, those that come later included. At once.
  void set_policy(const Surroundings& world, std::uint32_t host, Policy policy);

  /// What ended since the last clear, in order. The buffers stay valid until clear_outcomes().
  std::span<const Outcome> outcomes() const { return state_.outcomes; }
  void clear_outcomes();

  // --- what is known
  // -------------------------------------------------------------------------------------------
  /// Driver of a controller, null when no host has it.
  const Driver* driver(std::uint32_t controller) const;
  /// Head of a namespace, null when the host has none. `subsystem` as in the trace header.
  const Head* head(std::uint32_t host, std::uint32_t subsystem, std::uint32_t nsid) const;
  std::string head_name(const Head& head) const;
  /// NSIDs that a controller's driver shows, ascending.
  std::vector<std::uint32_t> namespaces_of(std::uint32_t controller) const;
  /// CNTLID, as the host has read it (0 before).
  std::uint16_t controller_id(std::uint32_t controller) const;
  std::uint32_t requests_in_progress() const { return static_cast<std::uint32_t>(state_.requests.size()); }

  const State& state() const { return state_; }
  void hash(engine::Hasher& hasher, engine::HashKind kind) const { state_.hash(hasher, kind); }

 private:
  std::uint32_t index_of(std::uint32_t controller) const {
    return state_.driver_of_controller[controller] - 1;
  }
  std::uint32_t attachment(const Surroundings& world, std::uint32_t controller, std::uint32_t nsid,
                           std::span<const std::uint16_t> controller_ids, std::uint32_t select);

  State state_;
};

}  // namespace polypath::host
