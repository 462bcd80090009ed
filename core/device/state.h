// The simulated subsystems' whole state: flat tables of plain rows. A copy is a snapshot.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "device/faults.h"
#include "device/media.h"
#include "device/profile.h"
#include "engine/engine.h"
#include "engine/table.h"
#include "port/ring_memory.h"
#include "spec/doorbell_buffer.h"
#include "spec/log_feature_event.h"
#include "spec/protection.h"
#include "spec/queue_entry.h"
#include "spec/status.h"
#include "spec/zones.h"

namespace polypath::device {

using engine::Handle;

/// Where a command is between its fetch and its completion entry.
enum class Phase : std::uint8_t {
  waiting,   ///< fetched, no effect yet
  executed,  ///< effect done, result known, entry not posted
  held,      ///< as executed, and its completion queue is full
  parked     ///< an Asynchronous Event Request that waits for an event
};

struct Command {
  spec::SubmissionEntry entry;
  Handle sq;
  std::uint32_t controller = 0;
  Phase phase = Phase::waiting;
  spec::Status status = spec::Status::success;
  bool dnr = false, more = false;
  bool orphaned = false;  ///< its namespace was detached or deleted since it was fetched
  std::uint32_t dw0 = 0, dw1 = 0;
  Handle partner;         ///< the other half of its fused operation, once both are fetched
  engine::Ticket ticket;  ///< of its pending event; a fused pair has one, the first's
  engine::Cause cause;

  template <class V>
  void fields(V&& v) const {
    v("opcode", entry.opcode), v("flags", entry.flags), v("cid", entry.cid), v("nsid", entry.nsid);
    v("prp1", entry.prp1), v("prp2", entry.prp2), v("cdw10", entry.cdw10), v("cdw11", entry.cdw11);
    v("cdw12", entry.cdw12), v("cdw13", entry.cdw13), v("sq", sq), v("controller", controller),
        v("phase", phase);
    v("status", status), v("dnr", dnr), v("more", more), v("dw0", dw0), v("dw1", dw1), v("cause", cause.id);
    v("orphaned", orphaned), v("partner", partner);
  }
};

struct SubmissionQueue {
  std::uint32_t controller = 0;
  std::uint16_t qid = 0;
  port::RingMemory memory;
  std::uint32_t entries = 0;
  std::uint32_t head = 0, tail = 0;
  std::uint32_t shadow = 0;  ///< its entry in the Shadow Doorbell buffer as it was seen last
  Handle cq;
  std::uint8_t priority = 0;   ///< QPRIO: 0 urgent, 1 high, 2 medium, 3 low
  bool frozen = false;         ///< an invalid tail was written: nothing more is fetched until it is deleted
  bool fetch_pending = false;  ///< a fetch is in the ready set
  bool after_first = false;    ///< the entry fetched last is the first of a fused pair
  Handle fused_first;          ///< that command
  std::vector<std::uint32_t> command_of_cid;  ///< CID to command index plus 1

  template <class V>
  void fields(V&& v) const {
    v("controller", controller), v("qid", qid), v("base", memory.base), v("entries", entries),
        v("head", head);
    v("tail", tail), v("cq", cq), v("priority", priority), v("frozen", frozen),
        v("fetch_pending", fetch_pending);
    v("after_first", after_first), v("fused_first", fused_first), v("shadow", shadow);
    for (const std::uint64_t page : memory.pages) v("page", page);
  }
};

struct CompletionQueue {
  std::uint32_t controller = 0;
  std::uint16_t qid = 0;
  port::RingMemory memory;
  std::uint32_t entries = 0;
  std::uint32_t head = 0, tail = 0;
  bool phase = true;
  bool interrupts = false;
  std::uint16_t vector = 0;
  std::uint32_t shadow = 0;  ///< as that of a submission queue
  std::uint32_t users = 0;   ///< submission queues that post here
  std::vector<Handle> held;  ///< commands whose entries wait for room, oldest first
  std::uint32_t held_head = 0;

  template <class V>
  void fields(V&& v) const {
    v("controller", controller), v("qid", qid), v("base", memory.base), v("entries", entries),
        v("head", head);
    v("tail", tail), v("phase", phase), v("interrupts", interrupts), v("vector", vector), v("users", users);
    v("held", held), v("held_head", held_head), v("shadow", shadow);
    for (const std::uint64_t page : memory.pages) v("page", page);
  }
};

/// An asynchronous event that waits for a request, or for its type to be unmasked.
struct PendingEvent {
  spec::EventType type{};
  std::uint8_t info = 0;
  spec::LogId log{};
  std::uint32_t nsid = 0;  ///< of a zone event, which names its namespace in dword 1

  template <class V>
  void fields(V&& v) const {
    v("type", type), v("info", info), v("log", log), v("nsid", nsid);
  }
};

/// The Changed Zone List of a controller for one namespace.
struct ChangedZones {
  std::uint32_t nsid = 0;
  std::vector<std::uint64_t> zslba;  ///< each at most once

  template <class V>
  void fields(V&& v) const {
    v("nsid", nsid), v("zslba", zslba);
  }
};

struct Active {
  std::uint32_t nsid = 0;
  std::uint32_t ns = 0;              ///< index in Device::namespaces
  std::uint32_t error_recovery = 0;  ///< the feature: TLER (DULBE cannot be set)

  template <class V>
  void fields(V&& v) const {
    v("nsid", nsid), v("ns", ns);
    if (error_recovery != 0) v("error_recovery", error_recovery);
  }
};

/// Values of the features that the profiles know, of controller scope unless said.
struct Features {
  std::uint32_t arbitration = 0x07;  ///< AB 7: no limit
  std::uint32_t power = 0;
  std::uint16_t over_temperature = 0, under_temperature = 0;
  std::uint32_t write_cache = 1;
  std::uint16_t queues_sq = 0, queues_cq = 0;  ///< NSQA, NCQA, 0's based
  std::uint32_t coalescing = 0;
  std::uint32_t write_atomicity = 0;
  std::uint32_t async_event = 0;
  std::uint32_t autonomous_power = 0;
  std::array<std::uint8_t, 256> autonomous_table{};  ///< idle transition of each power state
  std::uint32_t thermal_management = 0, non_operational_power = 0, software_progress = 0;
  std::uint64_t timestamp_base_ms = 0;  ///< host's value minus the clock at that moment
  bool timestamp_set = false;
  std::uint32_t keep_alive_ms = 0;              ///< KATO rounded up to KAS, 0 off
  std::array<std::uint8_t, 8> host_behavior{};  ///< the first bytes; the rest of the 512 is reserved

  template <class V>
  void fields(V&& v) const {
    v("arbitration", arbitration), v("power", power), v("over_temperature", over_temperature);
    v("under_temperature", under_temperature), v("write_cache", write_cache), v("queues_sq", queues_sq);
    v("queues_cq", queues_cq), v("coalescing", coalescing), v("write_atomicity", write_atomicity);
    v("async_event", async_event), v("autonomous_power", autonomous_power);
    for (const std::uint8_t byte : autonomous_table) v("autonomous_table", byte);
    v("thermal_management", thermal_management), v("non_operational_power", non_operational_power);
    v("software_progress", software_progress), v("timestamp_base_ms", timestamp_base_ms),
        v("timestamp_set", timestamp_set), v("keep_alive_ms", keep_alive_ms);
    for (const std::uint8_t byte : host_behavior) v("host_behavior", byte);
  }
};

struct ErrorEntry {
  std::uint64_t count = 0;
  std::uint16_t sqid = 0, cid = 0, status = 0, parameter = 0;
  std::uint32_t nsid = 0;
  std::uint8_t opcode = 0;
  std::uint64_t command_specific = 0;

  template <class V>
  void fields(V&& v) const {
    v("count", count), v("sqid", sqid), v("cid", cid), v("status", status), v("parameter", parameter);
    v("nsid", nsid), v("opcode", opcode), v("command_specific", command_specific);
  }
};

/// Completions of a vector that no message has told of yet, because feature 08h gathers them.
struct Gathered {
  std::uint32_t entries = 0;
  engine::Ticket ticket;  ///< of the end of their time

  template <class V>
  void fields(V&& v) const {
    v("entries", entries);
  }
};

/// Whose turn it is under weighted round robin.
struct Turn {
  std::uint16_t qid = 0;    ///< fetched from last
  std::uint32_t burst = 0;  ///< commands that its turn still has
  std::array<std::uint16_t, 3>
      credits{};  ///< commands that the high, medium and low class still have in this round
  std::array<std::uint16_t, 5> last{};  ///< by class: the queue that had the last turn

  template <class V>
  void fields(V&& v) const {
    v("qid", qid), v("burst", burst);
    for (const std::uint16_t credit : credits) v("credits", credit);
    for (const std::uint16_t one : last) v("last", one);
  }
};

/// What Firmware Image Download brought so far through one controller.
struct Download {
  std::array<std::uint8_t, 16> header{};  ///< of the image
  std::vector<std::uint32_t> pieces;      ///< pairs: first dword of a piece, and the one behind it; ascending
  bool committed = false;                 ///< the next piece begins another image

  template <class V>
  void fields(V&& v) const {
    for (const std::uint8_t byte : header) v("header", byte);
    for (const std::uint32_t dword : pieces) v("pieces", dword);
    v("committed", committed);
  }
};

struct Controller {
  std::string name, serial;
  std::uint32_t subsystem = 0;
  std::uint16_t cntlid = 0;
  std::uint8_t zasl = 0;
  bool auto_close = true;  ///< of implicitly opened zones, where others need to be open
  std::uint16_t max_io_queues = 64;
  std::uint16_t vectors = 65;
  std::uint16_t mqes = 2047;
  std::uint8_t mdts = 7;

  // properties
  std::uint32_t cc = 0, csts = 0, aqa = 0, intm = 0;
  std::uint64_t asq = 0, acq = 0;

  std::uint32_t resets =
      0;  ///< number of Controller Level Resets: events of an earlier life carry an older number
  std::vector<Handle> sq, cq;  ///< by queue identifier
  bool stopping = false;       ///< a Controller Reset goes on
  bool io_queue_created = false;
  Features features;
  Features
      saved;  ///< as Set Features with SV left them, defaults at first; no reset and no power cycle clears it
  std::vector<std::uint32_t> coalescing_disabled;  ///< bit per vector (FID 09h)
  std::vector<std::uint8_t> vector_masked, vector_pending;
  std::vector<Gathered> gathered;  ///< by vector, as far as one was used so
  Turn turn;
  std::uint8_t dstrd = 0;
  spec::DoorbellBuffer doorbell_buffer;
  bool pin = false;  ///< INTx: one vector, which INTMS and INTMC mask

  std::vector<Handle> event_requests;  ///< parked Asynchronous Event Requests, oldest first
  std::vector<PendingEvent> events;
  std::uint32_t masked_types = 0;          ///< bit per event type: reported and not yet cleared
  std::array<spec::LogId, 8> masked_by{};  ///< log of the event that did so
  std::vector<std::uint32_t> changed;      ///< NSIDs of the Changed Namespace List, ascending
  bool changed_overflow = false;
  std::vector<ChangedZones> changed_zones;
  std::vector<ErrorEntry> errors;  ///< newest last
  std::uint64_t error_count = 0;

  std::vector<Active> active;               ///< attached namespaces, ascending by NSID
  std::vector<std::uint32_t> attach_order;  ///< NSIDs as they were attached (a planted fault reports them so)
  std::vector<std::uint32_t> was_active;    ///< NSIDs once attached (a planted fault still answers for them)

  engine::Ticket keep_alive;  ///< of the Keep Alive timer's end

  std::uint8_t self_test = 0;  ///< code of the test in progress, 0 none
  std::uint32_t self_test_nsid = 0;
  engine::Time self_test_from = 0;
  engine::Ticket self_test_end;
  std::vector<std::uint8_t> self_tests;  ///< code and result of those that ended, newest first

  Download download;

  std::uint8_t captures = 0;            ///< generation of its telemetry for hosts
  std::vector<std::uint64_t> captured;  ///< counters at the last capture

  std::uint64_t reads = 0, writes = 0, units_read = 0, units_written = 0;  ///< units of 512 bytes

  template <class V>
  void fields(V&& v) const {
    v("name", name), v("subsystem", subsystem), v("cntlid", cntlid), v("cc", cc), v("csts", csts),
        v("aqa", aqa);
    v("intm", intm), v("asq", asq), v("acq", acq), v("sq", sq), v("cq", cq),
        v("doorbell_buffer", doorbell_buffer), v("io_queue_created", io_queue_created),
        v("stopping", stopping);
    v("features", features), v("saved", saved), v("coalescing_disabled", coalescing_disabled),
        v("vector_masked", vector_masked);
    v("gathered", gathered), v("turn", turn), v("vector_pending", vector_pending),
        v("event_requests", event_requests), v("events", events);
    for (const spec::LogId log : masked_by) v("masked_by", log);
    v("masked_types", masked_types), v("changed", changed), v("changed_overflow", changed_overflow),
        v("changed_zones", changed_zones);
    v("errors", errors), v("error_count", error_count), v("active", active), v("reads", reads),
        v("writes", writes);
    v("units_read", units_read), v("units_written", units_written), v("self_test", self_test),
        v("self_test_nsid", self_test_nsid), v("self_test_from", self_test_from);
    for (const std::uint8_t ended : self_tests) v("self_tests", ended);
    download.fields(v);
    v("captures", captures);
    for (const std::uint64_t counter : captured) v("captured", counter);
  }
};

/// One zone. Its place in the vector is its number.
struct Zone {
  spec::ZoneState state = spec::ZoneState::empty;
  std::uint8_t attributes = 0;
  std::uint64_t wp = 0;      ///< blocks from its start
  std::uint64_t opened = 0;  ///< the how-many-th implicit open made it open
  std::array<std::uint8_t, spec::kZoneExtensionUnit> extension{};

  template <class V>
  void fields(V&& v) const {
    v("state", state), v("attributes", attributes), v("wp", wp), v("opened", opened);
    for (const std::uint8_t byte : extension) v("extension", byte);
  }
};

/// Of a namespace, whichever controller it is reached through.
struct Zones {
  std::uint64_t size = 0, capacity = 0;        ///< bytes of each; 0: the namespace has none
  std::uint32_t max_active = 0, max_open = 0;  ///< 0: no limit
  bool cross_read = false, extension = false;
  std::uint64_t openings = 0;
  std::vector<Zone> zones;
  std::vector<Zone> former;   ///< before the last Zone Management Send (a planted fault shows them elsewhere)
  std::uint16_t manager = 0;  ///< controller of that command

  template <class V>
  void fields(V&& v) const {
    v("size", size), v("capacity", capacity), v("max_active", max_active), v("max_open", max_open);
    v("cross_read", cross_read), v("extension", extension), v("openings", openings), v("zones", zones);
  }
};

struct Namespace {
  std::uint32_t subsystem = 0;
  std::uint32_t nsid = 0;
  std::uint64_t blocks = 0;
  std::uint8_t block_shift = 9;  ///< block size is 1 << block_shift bytes
  bool shared = true;
  std::array<std::uint8_t, 16> uuid{}, nguid{};
  std::array<std::uint8_t, 8> eui64{};
  std::vector<std::uint16_t>
      controllers;                 ///< indices of the controllers it is attached to, ascending by CNTLID
  std::uint32_t media = 0;         ///< index in Device::media
  std::uint32_t last_writer = 0;   ///< controller of the last write
  std::uint8_t former_shift = 0;   ///< before the last Format (a planted fault shows it on other paths)
  std::uint16_t formatter = 0;     ///< controller of the last Format
  std::uint8_t write_protect = 0;  ///< spec::protection, the same for all controllers
  std::uint16_t protector = 0;     ///< controller that set it (a planted fault spares the others)

  Zones zones;

  spec::MetadataFormat metadata;
  std::uint64_t storage_mask = ~std::uint64_t{0};  ///< LBSTM: bits of the storage tag that are checked

  std::uint64_t bytes() const { return blocks << block_shift; }  ///< of data
  /// Where a block, or so many of them, lies on the media. Its metadata lie behind it, in 512 bytes.
  std::uint64_t place(std::uint64_t block) const {
    return (block << block_shift) + (metadata.bytes != 0 ? block * Media::kStampBytes : 0);
  }
  bool zoned() const { return zones.size != 0; }

  template <class V>
  void fields(V&& v) const {
    v("subsystem", subsystem), v("nsid", nsid), v("blocks", blocks), v("block_shift", block_shift);
    v("shared", shared), v("controllers", controllers), v("media", media);
    if (write_protect != 0) v("write_protect", write_protect);
    if (metadata.bytes != 0) {
      v("metadata", metadata.bytes), v("extended", metadata.extended), v("type", metadata.type);
      v("first", metadata.first), v("guard", metadata.guard), v("storage_bits", metadata.storage_bits);
      v("storage_mask", storage_mask);
    }
    for (const std::uint8_t byte : uuid) v("uuid", byte);
    if (zoned()) v("zones", zones);
  }
};

/// Images of a subsystem, and the one that runs.
struct Firmware {
  struct Slot {
    std::array<char, spec::firmware::revision_bytes> revision{};
    std::uint8_t reset = 0;  ///< that activates it: 0 any, 1 a conventional one, 2 of the subsystem
    bool used = false;
  };
  std::array<Slot, spec::firmware::slots> slots{};
  std::uint8_t active = 1, next = 0;
  Slot running;                 ///< the slot may hold another image meanwhile
  Slot former;                  ///< what ran before (a planted fault shows it on other paths)
  std::uint32_t activator = 0;  ///< controller whose command or reset made it run
  engine::Time paused_until = 0;

  template <class V>
  void fields(V&& v) const {
    v("active", active), v("next", next), v("paused_until", paused_until);
    for (const Slot& slot : slots) {
      for (const char c : slot.revision) v("revision", c);
      v("reset", slot.reset), v("used", slot.used);
    }
    for (const char c : running.revision) v("running", c);
  }
};

/// A sanitize operation: the one that goes on, or how the last one ended. No reset and no power loss ends it.
struct Sanitize {
  spec::sanitize::State state = spec::sanitize::State::idle;
  spec::sanitize::Outcome outcome = spec::sanitize::Outcome::never;
  bool erased = false;            ///< nothing was written since it succeeded
  bool fails = false;             ///< the one that goes on will
  bool allow_deallocate = false;  ///< feature 17h, NODRM
  std::uint32_t cdw10 = 0;
  std::uint32_t controller = 0;  ///< that took the command
  engine::Time from = 0, length = 0;
  engine::Ticket end;

  template <class V>
  void fields(V&& v) const {
    v("state", state), v("outcome", outcome), v("erased", erased), v("fails", fails),
        v("allow_deallocate", allow_deallocate), v("cdw10", cdw10), v("controller", controller),
        v("from", from), v("length", length);
  }
};

struct Subsystem {
  std::string nqn;
  std::vector<std::uint32_t> controllers;  ///< indices, ascending by CNTLID
  std::vector<std::uint32_t> ns_of_nsid;   ///< NSID to index in Device::namespaces plus 1
  std::uint64_t allocated_bytes = 0;
  std::uint32_t created = 0;  ///< namespaces ever created: makes identifiers unique
  Sanitize sanitize;
  Firmware firmware;

  template <class V>
  void fields(V&& v) const {
    v("nqn", nqn), v("controllers", controllers), v("ns_of_nsid", ns_of_nsid),
        v("allocated_bytes", allocated_bytes);
    v("created", created);
    sanitize.fields(v);
    firmware.fields(v);
  }
};

struct Device {
  const Profile* profile = nullptr;  ///< static data
  FaultSet faults;
  engine::Table<Subsystem> subsystems;
  engine::Table<Controller> controllers;  ///< row k is controller k of the topology
  engine::Table<Namespace> namespaces;
  engine::Table<SubmissionQueue> sqs;
  engine::Table<CompletionQueue> cqs;
  engine::Table<Command> commands;
  std::vector<Media> media;
  std::vector<Media> old_media;  ///< per namespace media before its last write (a planted fault reads it)

  void hash(engine::Hasher& hasher, engine::HashKind kind) const;
};

}  // namespace polypath::device
