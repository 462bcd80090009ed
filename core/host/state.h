// The hosts' whole state: flat tables of plain rows that refer to each other by handle. A copy is a snapshot.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/table.h"
#include "host/buffers.h"
#include "host/policy.h"
#include "spec/doorbell_buffer.h"
#include "spec/queue_entry.h"

namespace polypath::host {

using engine::Handle;
using engine::Time;

/// What a driver waits for, outside the scan of its namespaces.
enum class Step : std::uint8_t {
  none,
  wait_disabled,  ///< CC.EN was cleared; then: set up
  wait_ready,     ///< CC.EN was set
  identify,       ///< from here on: the completion of the command that the step names
  effects_log,
  number_of_queues,
  create_cq,
  create_sq,
  doorbell_buffer,
  event_configuration,
  wait_torn_down,  ///< CC.EN was cleared by a reset; then: cancel what is in flight, set up again
  wait_released,   ///< CC.EN was cleared for another driver; then: cancel, let go
  drain,           ///< orderly shutdown: I/O in flight ends
  delete_sq,
  delete_cq,
  wait_shutdown  ///< CC.SHN was set
};

enum class ScanStep : std::uint8_t { none, changed_log, active_list, descriptors, identify };

struct HeadKey {
  std::uint32_t subsystem = 0, nsid = 0;
  Handle head;
  template <class V>
  void fields(V&& v) const {
    v("subsystem", subsystem), v("nsid", nsid), v("head", head);
  }
};

struct Host {
  std::string id;
  Policy policy = Policy::numa;
  std::uint16_t queues = 1, queue_depth = 64;
  Time io_timeout = 0;
  std::vector<std::uint32_t> drivers;  ///< in the order in which they are probed
  std::uint32_t probed = 0;            ///< how many have been started
  std::uint32_t probing = 0;           ///< the one whose first scan has not ended: driver + 1, 0 none
  bool started = false;
  std::vector<Handle> subsystems;  ///< sorted by NQN
  std::vector<HeadKey> heads;      ///< live heads, sorted by (subsystem of the topology, NSID)
  BufferPool buffers;

  template <class V>
  void fields(V&& v) const {
    v("policy", policy), v("probed", probed), v("probing", probing), v("started", started);
    v("subsystems", subsystems), v("heads", heads), v("buffers", buffers);
  }
};

/// Identity of a namespace. Base specification, "Namespace Identification Descriptor list".
struct Identity {
  std::array<std::uint8_t, 16> uuid{}, nguid{};
  std::array<std::uint8_t, 8> eui64{};
  std::uint8_t csi = 0;
  bool operator==(const Identity&) const = default;
  bool empty() const;
  template <class V>
  void fields(V&& v) const {
    v("uuid", uuid), v("nguid", nguid), v("eui64", eui64), v("csi", csi);
  }
};

struct Subsystem {
  std::uint32_t host = 0;
  std::string nqn;
  std::uint32_t header_index = 0;  ///< of the trace header, for the events of applications
  std::uint32_t instance = 0;      ///< nvme-subsys<instance>: the first probed controller's number
  Policy policy = Policy::numa;
  std::vector<std::uint32_t> drivers;      ///< in the order in which they joined
  std::vector<Handle> heads;               ///< in order of discovery
  std::vector<std::uint8_t> number_taken;  ///< by head number - 1

  template <class V>
  void fields(V&& v) const {
    v("host", host), v("nqn", nqn), v("instance", instance), v("policy", policy), v("drivers", drivers);
    v("heads", heads), v("number_taken", number_taken);
  }
};

/// What Identify Namespace tells of the metadata of its blocks. The host is a Linux without
/// CONFIG_BLK_DEV_INTEGRITY: it has no metadata of its own, and lets the controller make and check them
/// (PRACT) where they are protection information and nothing else. A disk with other metadata has no blocks.
struct BlockMetadata {
  std::uint16_t bytes = 0;
  std::uint8_t type = 0;  ///< of protection information, 0: none

  bool operator==(const BlockMetadata&) const = default;
  /// PRACT keeps them out of the host's buffers.
  [[nodiscard]] bool made_by_controller() const {
    constexpr std::uint16_t kTuple = 8;
    return type != 0 && bytes == kTuple;
  }
  [[nodiscard]] bool usable() const { return bytes == 0 || made_by_controller(); }

  template <class V>
  void fields(V&& v) const {
    v("bytes", bytes), v("type", type);
  }
};

/// One namespace identity of a subsystem: the disk that applications use.
struct Head {
  std::uint32_t host = 0;
  Handle subsystem;
  std::uint32_t nsid = 0;
  std::uint32_t number = 1;  ///< nvme<instance>n<number>
  Identity identity;
  bool shared = false;
  bool multipath = false;  ///< a multipath disk; else the one path's own disk
  bool live = false;       ///< I/O may wait for a path; cleared when the last path goes
  std::uint32_t block_bytes = 512;
  BlockMetadata metadata;
  std::uint64_t blocks = 0;
  std::uint32_t transfer_bytes_max = 0;  ///< per command: least of its paths'
  std::vector<PathRecord> records;       ///< in order of attachment
  std::vector<Handle> paths;             ///< parallel to records
  std::int32_t current = kNoPath;        ///< the slot of (the only) NUMA node
  std::uint32_t first = 0, last = 0;     ///< requeue list: I/O index + 1, 0 none
  bool kicked = false;                   ///< its requeue work is pending
  std::uint32_t in_progress = 0;         ///< I/O accepted and not ended

  template <class V>
  void fields(V&& v) const {
    v("host", host), v("subsystem", subsystem), v("nsid", nsid), v("number", number), v("identity", identity);
    v("shared", shared), v("multipath", multipath), v("live", live), v("block_bytes", block_bytes);
    v("metadata", metadata);
    v("blocks", blocks), v("transfer_bytes_max", transfer_bytes_max), v("records", records),
        v("paths", paths);
    v("current", current), v("first", first), v("last", last), v("kicked", kicked);
    v("in_progress", in_progress);
  }
};

/// A namespace as one controller shows it.
struct Path {
  std::uint32_t driver = 0;
  Handle head;
  std::uint32_t nsid = 0;
  Identity identity;
  std::uint64_t blocks = 0, used_blocks = 0;
  std::uint32_t block_bytes = 512;
  BlockMetadata metadata;

  template <class V>
  void fields(V&& v) const {
    v("driver", driver), v("head", head), v("nsid", nsid), v("identity", identity), v("blocks", blocks);
    v("used_blocks", used_blocks), v("block_bytes", block_bytes), v("metadata", metadata);
  }
};

struct Queue {
  std::uint16_t qid = 0, vector = 0;
  bool exists = false;  ///< the controller has it
  std::uint64_t sq = 0, cq = 0;
  std::uint32_t entries = 0;
  std::uint32_t tail = 0, cq_head = 0;
  bool phase = true;
  std::uint32_t tags = 0, next_tag = 0, in_flight = 0;
  std::vector<std::uint64_t> free_tags;               ///< bit set: free
  std::vector<std::uint32_t> command_of_tag;          ///< command index + 1, 0 none
  std::uint32_t first_waiting = 0, last_waiting = 0;  ///< commands without a tag: index + 1, 0 none
  Time deadline = engine::kForever;                   ///< when its one timer fires, kForever: not armed

  template <class V>
  void fields(V&& v) const {
    v("qid", qid), v("vector", vector), v("exists", exists), v("sq", sq), v("cq", cq), v("entries", entries);
    v("tail", tail), v("cq_head", cq_head), v("phase", phase), v("tags", tags), v("next_tag", next_tag);
    v("in_flight", in_flight), v("command_of_tag", command_of_tag), v("first_waiting", first_waiting);
    v("last_waiting", last_waiting);
  }
};

/// A request that waits for the end of the n-th scan of a driver.
struct ScanWaiter {
  Handle request;
  std::uint32_t scan = 0;
  template <class V>
  void fields(V&& v) const {
    v("request", request), v("scan", scan);
  }
};

/// What Identify Controller said, as far as the host uses it.
struct ControllerFacts {
  std::string serial, model, firmware, nqn;  ///< without the padding
  std::uint16_t cntlid = 0, oacs = 0, oncs = 0;
  std::uint32_t oaes = 0, ctratt = 0;
  std::uint8_t cmic = 0, mdts = 0, lpa = 0, acl = 0;
  std::array<std::uint16_t, 3> crdt{};
  template <class V>
  void fields(V&& v) const {
    v("serial", serial), v("model", model), v("firmware", firmware), v("nqn", nqn), v("cntlid", cntlid);
    v("oacs", oacs), v("oncs", oncs), v("oaes", oaes), v("ctratt", ctratt), v("cmic", cmic), v("mdts", mdts);
    v("lpa", lpa), v("acl", acl), v("crdt", crdt);
  }
};

/// The driver of one controller.
struct Driver {
  std::uint32_t host = 0;
  std::uint32_t controller = 0;  ///< index in the topology, and its Linux number
  std::string name, address;

  ControllerState state = ControllerState::unbound;
  Step step = Step::none;
  std::uint32_t epoch = 0;  ///< counts set-ups and tear-downs: older events are stale
  Time give_up_at = 0;      ///< when a wait for CSTS ends without success
  bool lost = false;        ///< registers read all ones: the function is gone
  std::uint64_t cap = 0;
  ControllerFacts facts;
  std::array<std::uint32_t, 256>
      effects{};  ///< of admin commands, from the Commands Supported and Effects log
  Handle subsystem;
  std::uint64_t page = 0;          ///< for the data of the driver's own commands
  Handle own;                      ///< the driver's own command that set-up, shutdown or scan waits for
  std::vector<Queue> queues;       ///< by queue identifier; 0 is the Admin queue
  spec::DoorbellBuffer doorbells;  ///< pages for doorbells in memory, made once
  bool doorbells_on = false;       ///< the controller looks at them
  std::uint16_t io_queues = 0;
  std::uint16_t at_queue = 0;  ///< the I/O queue that is being made or deleted
  std::uint32_t aborts_left = 0;
  std::uint32_t io_commands = 0;  ///< on I/O queues or waiting for a tag there

  ScanStep scan = ScanStep::none;
  bool scan_wanted = false, scan_scheduled = false;
  bool changed_log_wanted = false;    ///< a namespace event came since the log was read
  std::uint32_t scans = 0;            ///< begun so far
  std::uint32_t previous_nsid = 0;    ///< everything up to here is dealt with
  std::vector<std::uint32_t> listed;  ///< NSIDs of the page of the active list that is being dealt with
  std::uint32_t at_listed = 0;
  Identity found;             ///< descriptors of the namespace that is being identified
  std::vector<Handle> paths;  ///< sorted by NSID

  std::vector<ScanWaiter> scan_waiters;
  std::vector<Handle> live_waiters;  ///< requests that end when the controller is live again, or dead
  std::vector<Handle> gone_waiters;  ///< ... when the driver has let go of it
  bool abrupt = false;               ///< the shutdown in progress

  std::uint64_t spurious = 0;  ///< completion entries that name no command in flight

  template <class V>
  void fields(V&& v) const {
    v("host", host), v("controller", controller), v("state", state), v("step", step), v("lost", lost);
    v("cap", cap), v("facts", facts), v("effects", effects), v("subsystem", subsystem), v("page", page);
    v("doorbells", doorbells), v("doorbells_on", doorbells_on);
    v("own", own), v("queues", queues), v("io_queues", io_queues), v("at_queue", at_queue),
        v("aborts_left", aborts_left);
    v("io_commands", io_commands), v("scan", scan), v("scan_wanted", scan_wanted);
    v("scan_scheduled", scan_scheduled), v("changed_log_wanted", changed_log_wanted);
    v("previous_nsid", previous_nsid), v("listed", listed), v("at_listed", at_listed), v("found", found);
    v("paths", paths), v("scan_waiters", scan_waiters), v("live_waiters", live_waiters);
    v("gone_waiters", gone_waiters), v("abrupt", abrupt);
  }
};

enum class RequestKind : std::uint8_t { application, passthrough, control };

/// Something that was asked of a host and has not ended.
struct Request {
  std::uint32_t id = 0;
  RequestKind kind = RequestKind::application;
  std::uint32_t host = 0;
  std::uint32_t driver = 0;  ///< passthrough, control
  std::uint8_t opcode = 0;
  bool to_host = false;  ///< its data goes from controller to host
  std::uint64_t buffer = 0;
  std::uint32_t bytes = 0;  ///< of data
  std::uint32_t parts = 0;  ///< I/O of it that has not ended
  std::int32_t error = 0;   ///< the first errno
  std::uint16_t status = 0;
  bool answered = false;
  std::uint32_t dw0 = 0, dw1 = 0;
  engine::Cause cause;

  template <class V>
  void fields(V&& v) const {
    v("id", id), v("kind", kind), v("host", host), v("driver", driver), v("opcode", opcode);
    v("to_host", to_host), v("buffer", buffer), v("bytes", bytes), v("parts", parts), v("error", error);
    v("status", status), v("answered", answered), v("dw0", dw0), v("dw1", dw1), v("cause", cause.id);
  }
};

/// One command's worth of an application's request (Linux's bio), from the head to its end, retries included.
struct Io {
  Handle request, head, path;
  std::uint64_t slba = 0;
  std::uint32_t blocks = 0;
  std::uint32_t block_bytes = 0;  ///< what slba and blocks count
  std::uint32_t offset = 0;       ///< in the request's buffer
  std::uint8_t opcode = 0;
  std::uint8_t retries = 0;
  std::uint16_t cpu = 0;
  bool passthrough = false;  ///< as an ioctl on the disk: never retried, never failed over
  bool delayed = false;      ///< waits for its retry
  std::uint32_t next = 0;    ///< in the head's requeue list: index + 1

  template <class V>
  void fields(V&& v) const {
    v("request", request), v("head", head), v("path", path), v("slba", slba), v("blocks", blocks);
    v("block_bytes", block_bytes), v("offset", offset), v("opcode", opcode), v("retries", retries),
        v("cpu", cpu);
    v("passthrough", passthrough), v("delayed", delayed), v("next", next);
  }
};

enum class CommandKind : std::uint8_t { io, passthrough, own, abort, event_request };

/// A command of a driver: on a queue, or waiting for room there.
struct Command {
  spec::SubmissionEntry entry;
  CommandKind kind = CommandKind::io;
  std::uint32_t driver = 0;
  std::uint16_t qid = 0;
  bool submitted = false;
  bool abort_sent = false;
  Handle owner;  ///< Io or Request
  std::uint64_t list = 0;
  std::uint32_t list_bytes = 0;  ///< PRP list, 0 none
  std::uint32_t next = 0;        ///< in the queue's wait list: index + 1
  Time started = 0;
  engine::Cause cause;

  template <class V>
  void fields(V&& v) const {
    v("opcode", entry.opcode), v("cid", entry.cid), v("nsid", entry.nsid), v("prp1", entry.prp1);
    v("prp2", entry.prp2), v("cdw10", entry.cdw10), v("cdw11", entry.cdw11), v("cdw12", entry.cdw12);
    v("kind", kind), v("driver", driver), v("qid", qid), v("submitted", submitted);
    v("abort_sent", abort_sent), v("owner", owner), v("list", list), v("next", next), v("cause", cause.id);
  }
};

/// How a request ended.
struct Outcome {
  std::uint32_t request = 0;
  std::uint32_t host = 0;
  std::int32_t error = 0;    ///< errno as Linux gives it; 0 success, or (passthrough) a completion entry came
  std::uint16_t status = 0;  ///< of the command, 15 bits as Linux prints it; 0x371 when the host cancelled it
  bool answered = false;     ///< a completion entry came
  std::uint32_t dw0 = 0, dw1 = 0;
  std::uint64_t buffer = 0;  ///< its data in the host's memory, until clear_outcomes()
  std::uint32_t bytes = 0;
  template <class V>
  void fields(V&& v) const {
    v("request", request), v("error", error), v("status", status), v("buffer", buffer), v("bytes", bytes);
  }
};

struct State {
  std::vector<Host> hosts;
  std::vector<Driver> drivers;
  std::vector<std::uint32_t> driver_of_controller;  ///< index + 1, 0: no host has it
  engine::Table<Subsystem> subsystems;
  engine::Table<Head> heads;
  engine::Table<Path> paths;
  engine::Table<Request> requests;
  engine::Table<Io> ios;
  engine::Table<Command> commands;
  std::vector<Outcome> outcomes;
  std::uint32_t next_request = 1;

  void hash(engine::Hasher& hasher, engine::HashKind kind) const;
};

}  // namespace polypath::host
