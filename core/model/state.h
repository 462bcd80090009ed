// Everything that the model knows, as plain values: what it read of announcements, and what it inferred.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/time.h"
#include "model/blocks.h"
#include "model/buffer_pages.h"
#include "model/cid_table.h"
#include "model/facts.h"
#include "model/findings.h"
#include "model/zone_set.h"
#include "spec/identify.h"
#include "spec/protection.h"
#include "spec/queue_entry.h"
#include "trace/event.h"

namespace polypath::model {

inline constexpr std::uint32_t kNone = 0xFFFFFFFF;
inline constexpr std::uint32_t kAllZones = 0xFFFFFFFE;

/// A piece of host memory, as the payload of `submitted` holds it.
struct Range {
  std::uint64_t address = 0, bytes = 0;
};

struct BlockRange {
  std::uint64_t slba = 0, blocks = 0;
};

/// A controller that a Namespace Attachment names, or may name.
struct Target {
  std::uint16_t controller = 0, place = 0;  ///< place in the list
  bool sure = false;                        ///< it announced this identifier
};

/// What a command's data said, and what its judgment needs later. Pooled: most commands have none.
struct Detail {
  std::vector<std::uint16_t> controllers;  ///< Namespace Attachment: the list, by CNTLID
  std::vector<Target> targets;             ///< whom that list means
  std::vector<std::uint64_t> digests;      ///< Compare: of each logical block
  /// Dataset Management: sorted, none meets another. Copy: its sources as they are listed.
  std::vector<BlockRange> block_ranges;
  std::vector<Range> ranges;                     ///< of long transfers
  std::vector<spec::SglDescriptor> descriptors;  ///< of the segments of its SGL
  std::vector<std::uint32_t> heirs;              ///< create: namespaces whose NSID it may give again
  bool list_malformed = false;                   ///< the controller list breaks a rule of its form
  bool unknown_identifier = false;               ///< it names a controller that nobody is
  std::uint64_t nsze = 0, ncap = 0;              ///< Namespace Management, create
  std::uint8_t flbas = 0, nmic = 0;
  bool host_behavior_acre = false;  ///< Set Features 16h
  // Abort
  Seq victim = 0;             ///< submission of the command that it names, 0: none was open
  bool victims_many = false;  ///< there was another before: which one was aborted is not known
  bool victim_completed = false;
  std::uint16_t victim_status = 0;
};

/// A command between its submission and its completion.
struct Command {
  spec::SubmissionEntry entry;
  Seq submitted = 0;
  Seq fetched = 0;                            ///< 0: not seen
  Time time = 0;                              ///< of the submission
  std::uint64_t position = 0;                 ///< in the queue's life: 0 for its first entry
  std::uint64_t data_bytes = 0;               ///< length of its buffer
  std::uint64_t metadata_at = 0;              ///< address of a buffer for metadata alone, 0 none
  std::uint16_t metadata_each = 0;            ///< bytes of metadata that it moves for each block
  bool metadata_seen = false;                 ///< its blocks have metadata, as the observer knew them
  std::uint8_t tag_failures = 0;              ///< checks of what the host sent that its tags fail
  bool untrusted_tags = false;                ///< another command used the buffer
  std::uint64_t discarded = 0;                ///< of them, what goes to Bit Buckets
  std::uint64_t moved_in = 0, moved_out = 0;  ///< bytes that the controller wrote to, read from the buffer
  std::array<Range, 2> ranges{};
  std::uint32_t range_count = 0;
  std::uint32_t detail = kNone;
  std::uint32_t ns = kNone;  ///< index in State::namespaces
  std::uint32_t incarnation = 0;
  std::uint32_t zone = kNone;  ///< that it may change, kAllZones: any
  std::uint32_t next_same_cid = kNone;
  std::uint16_t sqid = 0;
  std::uint8_t readers = 0;  ///< generation in Readers
  std::uint32_t pair = 0;    ///< number of its FusedPair, 0 none
  bool open = false;
  bool pairing_known : 1 = false;  ///< the entry before it in its queue is known
  bool reused_cid : 1 = false;     ///< another command with its CID was open at some time of its life
  bool no_pointer : 1 = false;     ///< PRPs not observed
  bool no_tail : 1 = false;        ///< dwords that are 0 are unknown
  bool malformed : 1 = false;      ///< its PRPs break a rule
  bool ranges_known : 1 = false;
  bool length_known : 1 = false;     ///< the observer's buffer has the length that the command moves
  bool writing : 1 = false;          ///< blocks have a version of it
  bool reading : 1 = false;          ///< counted among its namespace's readers
  bool aborted_at_once : 1 = false;  ///< an Abort with IANP 0 completed
  bool abort_asked : 1 = false;      ///< an Abort names it
  bool queue_deleting : 1 = false;   ///< Delete SQ of its queue was submitted in its life
  bool too_early : 1 = false;        ///< rung before the controller and the queue were surely there
  bool buffer_shared : 1 = false;    ///< another command used a page of its buffer in its life
  bool buffer_met : 1 = false;       ///< as above, at its submission
  bool null_pointer : 1 = false;     ///< its PRPs name address 0
  bool has_list : 1 = false;         ///< PRP2 names a list, or SGL1 a segment
  bool list_known : 1 = false;       ///< the descriptors of its SGL were observed
  bool wide : 1 = false;             ///< Format: may meet other namespaces than its NSID's
  bool zone_report : 1 = false;      ///< counted among the reports of its namespace's zones
  bool counted : 1 = false;          ///< it began a change of facts, which its end must close
};

/// Two commands whose FUSE says that they are one operation, next to each other in their queue.
struct FusedPair {
  static constexpr std::size_t kFollowed = 8;  ///< blocks, from the first

  std::uint32_t number = 0;
  std::uint32_t ns = kNone, incarnation = 0;
  std::uint64_t slba = 0;
  std::array<Seq, 2> submitted{};
  std::array<std::uint32_t, 2> commands{kNone, kNone};  ///< indices while open
  std::array<std::int32_t, 2> status{-1, -1};           ///< -1: open
  /// Submission of the write whose value the Compare met, where that is sure; kNow where not.
  std::array<Seq, kFollowed> met{};
  std::uint16_t controller = 0;
  bool loose = false;          ///< something may have parted them: not rung together, aborted, CID used twice
  bool wrong_opcodes = false;  ///< not Compare and Write
  bool unlike = false;         ///< their ranges differ
  bool writing = false;        ///< the blocks have a version of the Write
};

/// A write that lost its command to a reset which is not over: it may still take effect.
struct Limbo {
  Seq writer = 0;
  std::uint64_t slba = 0;
  std::uint32_t blocks = 0, ns = kNone, incarnation = 0;
};

struct SubmissionQueue {
  std::uint16_t qid = 0;
  Fact exists{false};
  bool known = false;         ///< size and positions are
  bool ever = false;          ///< existed once, and its reset or deletion is visible
  bool before_reset = false;  ///< it was a reset that ended it
  bool doubtful = false;      ///< rung when the controller may not have listened: nothing can be demanded
  bool frozen = false;        ///< an invalid doorbell value: it need not be served any more
  std::uint32_t entries = 0;
  std::uint16_t cqid = 0;
  std::uint8_t priority = 0;     ///< QPRIO
  Seq waiting_from = 0;          ///< since when it has had entries that were rung and not fetched
  std::uint64_t base = 0;        ///< of its first byte, or of the list of its pages
  std::uint64_t held_bytes = 0;  ///< of memory from there on
  std::uint64_t tail = 0;        ///< entries ever submitted
  std::uint64_t rung = 0;        ///< tail at the last doorbell
  std::uint64_t silent = 0;      ///< that far it moved in memory alone, as EventIdx let the host
  bool in_memory = false;        ///< it moved there last: the register may follow
  std::uint64_t fetched = 0;     ///< entries ever fetched
  std::uint64_t published = 0;   ///< SQHD so far, as a count
  Seq bad_doorbell = 0;
  Seq early_doorbell = 0;              ///< last one while its creation or deletion was under way
  std::vector<std::uint32_t> by_slot;  ///< last command submitted in a slot
  CidTable by_cid;
  std::array<std::uint32_t, 8>
      completed{};  ///< last CIDs that completed, plus 1; bit 16: the CID had been reused
  std::uint32_t completed_at = 0;
};

struct CompletionQueue {
  std::uint16_t qid = 0;
  Fact exists{false};
  bool known = false;
  bool before_reset = false;  ///< it existed before a reset that ended it
  bool interrupts = false;
  bool in_memory = false;      ///< its head moved in memory last: the register may follow
  bool head_doubtful = false;  ///< after an invalid doorbell value
  std::uint32_t entries = 0;
  std::uint16_t vector = 0;
  std::uint64_t base = 0;        ///< of its first byte, or of the list of its pages
  std::uint64_t held_bytes = 0;  ///< of memory from there on
  std::uint64_t posted = 0, released = 0;
  bool full = false;
  Time freed_at = 0;       ///< when it last stopped being full, 0 never
  Seq freed = 0;           ///< the same
  Seq early_doorbell = 0;  ///< last one while its creation or deletion was under way
};

/// Queues by identifier: rows of those that were heard of, found through an index.
template <class Queue>
class QueueTable {
 public:
  Queue* find(std::uint16_t qid) {
    return qid < index_.size() && index_[qid] != 0 ? &rows_[index_[qid] - 1U] : nullptr;
  }
  const Queue* find(std::uint16_t qid) const {
    return qid < index_.size() && index_[qid] != 0 ? &rows_[index_[qid] - 1U] : nullptr;
  }
  /// Makes a row, of a queue that `exists`. Rows move when one is made.
  Queue& edit(std::uint16_t qid, const Fact& exists) {
    if (Queue* found = find(qid)) return *found;
    if (qid >= index_.size()) index_.resize(qid + std::size_t{1}, 0);
    rows_.emplace_back();
    rows_.back().qid = qid;
    rows_.back().exists = exists;
    index_[qid] = static_cast<std::uint32_t>(rows_.size());
    return rows_.back();
  }
  auto begin() { return rows_.begin(); }
  auto end() { return rows_.end(); }
  auto begin() const { return rows_.begin(); }
  auto end() const { return rows_.end(); }

 private:
  std::vector<Queue> rows_;
  std::vector<std::uint32_t> index_;  ///< place in rows_ plus 1
};

/// An interrupt vector, from the completion queues that use it.
struct Vector {
  std::uint64_t waiting = 0;  ///< completions not acknowledged, of queues with interrupts
  std::uint32_t queues = 0;   ///< with interrupts on this vector
  bool doubtful = false;
  bool masked = false;
  Time masked_at = 0, emptied_at = 0;
  Time due_since = engine::kForever;
  Seq last_post = 0, last_interrupt = 0, last_release = 0, filled = 0;
  Seq early = 0;  ///< an interrupt with nothing to announce
  Time early_time = 0;
};

/// What Identify Controller announced.
struct Announced {
  bool known = false;
  std::uint16_t cntlid = 0, oacs = 0, oncs = 0, fuses = 0, acwu = 0, ocfs = 0;
  std::uint8_t acl = 0, aerl = 0, elpe = 0, lpa = 0, mdts = 0, npss = 0, vwc = 0, cmic = 0, cntrltype = 0,
               nwpc = 0, sqes = 0, cqes = 0, anacap = 0;
  std::uint32_t nn = 0, mnan = 0, maxcna = 0, oaes = 0, sgls = 0, anagrpmax = 0, ctratt = 0;
  std::uint32_t endgidmax = 0, nsetidmax = 0;
  std::uint16_t kas = 0, mntmt = 0, mxtmt = 0, edstt = 0;
  std::uint8_t fna = 0, dsto = 0, frmw = 0, fwug = 0;
  std::uint32_t sanicap = 0;
  std::uint64_t maxdna = 0;
  std::array<char, 20> sn{};
  std::array<char, 40> mn{};
  std::array<char, 256> subnqn{};
};

/// A feature of one controller (or namespace on it).
struct Feature {
  std::uint32_t key = 0;  ///< FID << 16 | selector
  std::uint32_t nsid = 0;
  bool known = false;
  std::uint32_t value = 0;
  bool default_known = false, saved_known = false, saveable_known = false, saveable = false;
  std::uint32_t default_value = 0, saved_value = 0;
  std::uint32_t pending = 0;
  Seq touched = 0;           ///< end of the last Set, or of a reset
  bool after_reset = false;  ///< the value follows from a reset
  Seq shown = 0;             ///< last Get that showed it
};

struct Reported {
  std::uint8_t type = 0, info = 0, lid = 0;
  Seq at = 0;         ///< last report, 0 never
  Seq requested = 0;  ///< submission of the request that brought it
  Seq cause = 0;      ///< begin of the oldest command that may have caused it, 0 not known
};

/// An entry of the changed-namespace log as it may be.
struct Changed {
  std::uint32_t nsid = 0;
  Seq from = 0, until = 0;  ///< window of the change: the command that made it; kNow while it is under way
  bool sure = false;        ///< the log must name it
  bool shown = false;       ///< a read within the window may have named it already
};

struct LogReads {
  std::uint32_t open_clearing = 0, open_any = 0;
  Seq cleared_from = 0, cleared_until = 0;  ///< window of the last read with RAE 0
  Seq cleared_before = 0;                   ///< end of the one before it
  Seq read_until = 0;                       ///< end of the last read of either kind
  Seq kept_until = 0;                       ///< end of the last read with RAE 1
};

/// A completion that promised an entry of the error log.
struct MoreSet {
  std::uint16_t sqid = 0, cid = 0;
  Seq at = 0;
};

/// Commands of a kind that has a limit: how many are open, and when there last were too many.
struct Gauge {
  std::uint32_t open = 0;
  Seq over_until = 0;  ///< kNow: at the moment
  void begin(std::uint32_t limit) {
    if (++open > limit) over_until = kNow;
  }
  void end(std::uint32_t limit, Seq now) {
    --open;
    if (open <= limit && over_until == kNow) over_until = now;
  }
};

/// The Keep Alive timer of a controller, as far as completions tell.
struct KeepAlive {
  bool known = true;                         ///< the bounds hold
  std::uint32_t open = 0;                    ///< Set Features under way that change it
  Seq set_at = 0;                            ///< end of the last one
  Time least = 0, most = 0;                  ///< bounds of the timeout in force; 0 off
  Time started_from = 0, started_until = 0;  ///< it began again between these
  Seq restart = 0;                           ///< completion of the command that did so
};

/// A Device Self-test of a controller, and how the one before it ended.
struct SelfTest {
  std::uint8_t code = 0;  ///< of the one in progress, unless it ended by itself; 0 none
  std::uint32_t nsid = 0;
  bool known = true;         ///< code and nsid hold
  std::uint32_t open = 0;    ///< commands under way that change it
  Seq changed = 0;           ///< end of the last change
  std::uint8_t percent = 0;  ///< as last shown
  bool ended_known = false;  ///< the log's newest entry must be of this code, and have one of these results
  std::uint8_t ended_code = 0;
  std::uint32_t ended_results = 0;
};

/// Firmware of a subsystem, as far as commits, resets and its log tell. 0xFF: not known.
struct Firmware {
  bool known = true;                     ///< not known where the recording began in mid-life
  std::uint8_t active = 0xFF, next = 0;  ///< slots: the one that runs, the one that a reset activates, 0 none
  bool by_any_reset = false;             ///< it does not need a certain kind of reset
  std::uint8_t promised = 0;             ///< slot that the reset under way surely activates
  std::uint8_t revision_known = 0;       ///< bit per slot
  std::array<std::uint64_t, 7> revision{};  ///< digests, 0: empty
  bool running_known = false;
  bool stored = true;                    ///< what runs is what lies in its slot
  std::uint64_t running = 0;             ///< digest of the revision that Identify shows
  std::uint32_t open = 0, now_open = 0;  ///< commits under way; those that activate at once
  Seq changed = 0;                       ///< end of the last that may have had an effect, or of such a reset
  Seq pending_until = 0;                 ///< when an image last waited for a reset
  Seq reset_seen = 0;                    ///< begin or end of the last reset of any controller
  std::uint16_t resetting = 0xFFFF;      ///< controller whose reset may activate an image now
};

inline constexpr std::uint16_t kNoTaker = 0xFFFF;

/// The sanitize operation of a subsystem, as far as commands and its log tell. States are bits by SSI.
struct Sanitize {
  bool known = true;                           ///< not known where the recording began in mid-life
  std::uint8_t settled = 1;                    ///< states that are possible now
  std::array<Seq, 5> until{kNow, 0, 0, 0, 0};  ///< last moment at which each was, kNow: it is
  std::uint32_t open = 0, starts_open = 0;     ///< Sanitize commands under way; those that start one
  Seq changed = 0;                             ///< end of the last that may have had an effect
  bool log_known = true;                       ///< what follows holds
  bool ever = false;                           ///< there was an operation
  bool exited = false;                         ///< its failure was left, perhaps
  std::uint32_t cdw10 = 0;                     ///< of the command that started it
  std::uint16_t taker = kNoTaker;              ///< controller that took it
  std::uint16_t progress = 0;                  ///< as last shown
  Seq progress_at = 0, started = 0, started_until = 0;
  Time started_time = 0;
  std::uint32_t writes_open = 0;    ///< commands under way that write blocks
  Seq write_seen = 0, written = 0;  ///< begin or end of the last; end of one since it that succeeded
  Fact nodrm;                       ///< feature 17h
  bool nodrm_kept = false;          ///< it cannot be saved: resets leave it
};

/// Captures of telemetry that hosts asked a controller for.
struct Telemetry {
  bool known = false;  ///< the generation is
  std::uint8_t generation = 0;
  std::uint32_t open = 0;         ///< reads under way that make a capture
  Seq changed = 0, shown_by = 0;  ///< end of the last of them; submission of the one whose data were seen
};

enum class Power : std::uint8_t { off, enabling, ready, disabling, unknown };

struct Controller {
  std::uint32_t subsystem = 0;
  std::uint32_t observed = 0;
  std::uint16_t cntlid = trace::kUnknownCntlid;  ///< as the header or Identify says it
  std::uint16_t host = trace::kUnknownHost;      ///< whose path it is, as the header says it
  Seq written_out = 0;  ///< when the last normal shutdown was asked for that was completed
  bool initial_known = true;
  bool seen = false;  ///< any event
  Power power = Power::off;
  // registers
  std::uint64_t cap = 0, asq = 0, acq = 0;
  std::uint32_t vs = 0, cc = 0, aqa = 0, crto = 0, intm = 0;
  std::uint8_t shst = 0;        ///< as last read
  std::uint8_t cap_halves = 0;  ///< bit 0: low dword known, bit 1: high
  bool vs_known = false, crto_known = false;
  bool cap_written = false, vs_written = false, crto_written = false;
  bool admin_known = true;  ///< AQA, ASQ, ACQ are
  bool admin_kept = false;  ///< a Controller Reset happened since they were written
  bool admin_lost = false;  ///< a stronger reset happened since then: they are 0
  bool rdy_low = true;      ///< RDY = 0 was seen since EN became 0
  /// EN changed before RDY had followed its last change: undefined until a reset that the host waits for.
  bool undefined = false;
  bool shst_may_clear = false;
  bool fatal = false;  ///< CFS was seen, or its cause: nothing need happen until a reset
  Seq fatal_from = 0;
  /// CSTS.NSSRO as it must be, and what made it so.
  enum class Nssro : std::uint8_t { unknown, clear, set } nssro = Nssro::clear;
  Seq nssro_from = 0;
  std::uint32_t cc_enabled = 0;  ///< CC as it was when EN became 1
  bool cc_written = false;       ///< since the last reset
  Seq entry_sizes_from = 0;      ///< when IOSQES or IOCQES last changed
  bool admin_moved = false;      ///< AQA, ASQ or ACQ were written while EN is 1: undefined
  bool cc_tampered = false;      ///< the host changed what it may not while EN is 1: undefined
  bool shutdown_asked = false, shutdown_complete = false;
  bool late = false;  ///< LIV-03, LIV-04 or LIV-05 was reported for this transition
  Time enabled_at = 0, disabled_at = 0, shutdown_at = 0;
  Seq ready_seen = 0;   ///< last read with RDY = 1
  Seq ready_from = 0;   ///< the first one since it was enabled
  Seq reset_from = 0;   ///< begin of the last Controller Level Reset
  Seq reset_until = 0;  ///< its end: RDY = 0 visible. kNow while it goes on
  Seq shutdown_from = 0;
  // queues and commands
  QueueTable<SubmissionQueue> sqs;
  QueueTable<CompletionQueue> cqs;
  std::vector<Vector> vectors;
  std::uint16_t fetched_from = 0;              ///< the submission queue that was fetched from last
  Seq fetched_last = 0;                        ///< and when
  Seq other_fetched = 0;                       ///< when another one was, last before that
  std::vector<std::uint16_t> stray_doorbells;  ///< the last submission queues rung that do not exist
  std::vector<Command> commands;
  std::vector<std::uint32_t> free_commands;
  std::vector<Limbo> limbo;
  BufferPages pages;
  std::uint32_t open_commands = 0;
  std::uint32_t lists_open = 0;  ///< of them, those with a list of PRPs
  Gauge aborts, aers;
  Seq io_queue_created = 0;  ///< when that was seen first since the last reset, 0: not surely
  bool io_queue_maybe = false;
  bool queue_count_known = false;
  std::uint32_t queue_counts_open = 0;  ///< Set Features of it under way
  Seq queue_counts_until = 0;           ///< when the last one ended
  std::uint32_t sqs_allocated = 0, cqs_allocated = 0;
  Seq life = 0;  ///< last command that completed without error
  // announcements and features
  Announced announced;
  struct {
    bool known = false;
    std::uint64_t bytes = 0;  ///< 0: as MDTS
  } append_limit;             ///< of Zone Append: ZASL
  std::vector<Feature> features;
  Fact ns_events;                 ///< FID 0Bh bit 8
  Fact firmware_events;           ///< FID 0Bh bit 9
  std::uint32_t activations = 0;  ///< without a reset, that it may have to report
  Seq activation_from = 0;        ///< submission of the first of them, 0 none
  Fact zone_events;               ///< FID 0Bh bit 27
  Fact acre{false};
  KeepAlive keep_alive;
  SelfTest self_test;
  Telemetry telemetry;
  std::uint32_t sanitizes_open = 0;   ///< Sanitize commands of its own under way
  std::uint32_t sanitize_events = 0;  ///< operations that it started and whose end it may yet report
  Seq sanitize_due = 0;               ///< when that became due, 0: it is not
  Time sanitize_due_time = 0;
  // events
  std::vector<Reported> reported;
  std::vector<Changed> changed;
  LogReads log04, log01, log02, log03, log81;
  std::uint32_t zone_logs_open = 0;  ///< reads of logs of changed zones
  Seq zone_log_until = 0;            ///< end of the last one
  std::uint32_t cause_pending = 0;
  Seq cause_from = 0;                            ///< begin of the oldest cause since the event was cleared
  Seq read_cause = 0;                            ///< begin of the oldest cause that a read of the log settled
  Seq read_cause_until = 0;                      ///< end of the newest of them
  Seq cause_until = 0;                           ///< end of the last possible cause of a namespace event
  Seq old_cause = 0;                             ///< the same, before the last reset
  bool cause_unknown = false;                    ///< recording began in mid-life
  std::array<std::uint32_t, 2> bad_doorbells{};  ///< writes to no queue, of wrong values, not reported yet
  bool due = false;
  bool due_waits = false;   ///< no event request is open for it
  bool due_waited = false;  ///< none was when it became due
  Time due_time = 0;
  Seq due_seq = 0;
  std::uint32_t due_nsid = 0;
  Seq log04_emptied = 0;
  std::uint64_t error_count = 0;         ///< highest seen in the error log
  std::array<std::uint64_t, 4> smart{};  ///< highest seen in the health log
  Seq errors_at = 0, smart_at = 0;       ///< end of the last read of either log
  std::vector<MoreSet> more_set;         ///< completions with M = 1 since the reset
  std::uint64_t effects_known = 0;
  std::array<std::uint8_t, 64> commands_announced{};  ///< by opcode, admin then NVM bits; see logs.cpp
  // Identify
  std::vector<std::uint16_t> scratch;
};

struct Attachment {
  std::uint16_t controller = 0;
  Fact fact;
  Seq confirmed = 0;                  ///< last moment at which an observation or a command showed the value
  Seq changed = 0;                    ///< end of the last change
  std::uint16_t changed_by = 0xFFFF;  ///< controller that processed it
  std::uint32_t proven_blocks = 0;    ///< of the longest I/O command that succeeded
  Seq flushed = 0;                    ///< submission of the last Flush through it that succeeded
};

/// A delete command under way.
struct Deleting {
  Seq from = 0;
  std::uint16_t controller = 0;  ///< that processes it
};

/// What Identify said of the zones of a namespace, and what they may be.
struct Zoned {
  static constexpr std::size_t kFormats = 16;

  bool announced = false;
  std::uint16_t zoc = 0, ozcs = 0;
  std::uint32_t mar = 0, mor = 0;  ///< 0's based, all ones: no limit
  std::array<std::uint64_t, kFormats> sizes{};
  std::array<std::uint8_t, kFormats> extensions{};
  std::uint8_t format = 0;
  std::uint64_t size = 0;  ///< blocks of a zone; 0: not followed
  std::vector<ZoneSet> zones;
  std::vector<std::uint16_t> changed_by;  ///< controller of the last command that changed a zone
  std::uint32_t reports_open = 0;
  Seq closed = 0;  ///< end of the last event that left no zone open
  struct Worn {
    std::uint64_t zslba = 0;
    Seq first = 0;      ///< first time
    Seq at = 0;         ///< last time
    bool sure = false;  ///< that it was not offline before
  };
  std::vector<Worn> worn;   ///< zones that media changed
  bool worn_blind = false;  ///< there may be others
  Seq failed_open = 0;      ///< end of the last Open that failed for resources
};

/// Write protection of a namespace (feature 84h).
struct Protection {
  Fact on;                 ///< in whichever way
  std::uint8_t value = 0;  ///< which
  bool value_known = false;
  std::uint32_t open = 0;    ///< Set Features under way that name it
  std::uint32_t former = 0;  ///< of these: since before it was created, so they may meet it or not
  Seq touched = 0;           ///< end of the last that may have changed it
  Seq lost = 0;              ///< when nothing was known of it any more
  Seq committed = 0;         ///< submission of the last that protected it: what was written before is durable
};

/// Metadata of a namespace's blocks, as far as Identify told of them.
struct Metadata {
  spec::MetadataFormat format;
  bool known = false, given = false;  ///< by CNS 00h; by the header, in full
  std::uint8_t index = 0;             ///< of its LBA format
  std::array<std::uint16_t, 16> sizes{};
  std::array<std::uint32_t, 16> elbaf{};
  bool elbaf_known = false;
  std::uint64_t storage_mask = ~std::uint64_t{0};  ///< LBSTM
  bool mask_known = false;
};

/// Protection information of a block that was written.
struct TagFacts {
  bool guard_right = false;
  std::uint16_t application = 0;
  std::uint64_t storage = 0, reference = 0;
};

struct Namespace {
  std::uint32_t subsystem = 0, nsid = 0;
  std::uint32_t incarnation = 0;
  Fact exists;
  Seq born = 0, died = 0;
  std::uint64_t blocks = 0;          ///< 0 unknown
  std::uint32_t block_bytes = 0;     ///< 0 unknown
  std::uint8_t shared = 2;           ///< 0 private, 1 shared, 2 unknown
  bool tracked = false;              ///< content is followed
  Seq content_from = 0;              ///< since when
  bool written_untracked = false;    ///< written while it was not
  Seq doubtful_write = 0;            ///< end of the last write that may have met it or the one before it
  bool created = false;              ///< by a command of the trace
  Fact attached_default;             ///< of controllers that are not in `attached`
  std::vector<Deleting> deletes;     ///< under way
  std::uint32_t formats_open = 0;    ///< Format commands under way that may meet it
  Seq formatted_until = 0;           ///< end of the last one that may have met it
  bool formatted = false;            ///< the last thing that surely happened to all its blocks is a Format
  std::int8_t format_wanted = -1;    ///< index that this Format asked for, -1 not known
  Seq format_from = 0;               ///< submission of that Format
  std::uint32_t sanitizes_open = 0;  ///< Sanitize commands under way that may start an operation
  Seq sanitized_until = 0;           ///< end of the last one that may have
  std::vector<Attachment> attached;  ///< ascending by controller
  Blocks content;
  Readers readers;
  Seq power_lost = 0;  ///< last time
  Protection protection;
  Zoned zoned;
  Metadata metadata;
  // from Identify
  bool identified = false;
  bool block_size_given = false;  ///< by the header, and nothing happened that could change it
  Seq identified_at = 0;          ///< first time
  std::uint64_t identify_hash = 0;
  std::uint16_t identified_by = 0;
  std::uint16_t mssrl = 0;  ///< limits of Copy: blocks of a source, blocks in all, sources (0's based)
  std::uint32_t mcl = 0;
  std::uint8_t msrc = 0;
  std::uint8_t dlfeat = 0, nsfeat = 0, dps = 0, dpc = 0;
  std::uint8_t formats = 0;                 ///< number of LBA formats, 0 not known
  std::array<std::uint8_t, 16> lbads{};     ///< of the first of them
  std::array<std::uint64_t, 3> identity{};  ///< hashes of EUI64, NGUID, UUID; 0 unknown or none
};

struct Subsystem {
  std::vector<std::uint32_t> namespaces;  ///< indices, ascending by NSID
  std::vector<std::uint16_t> controllers;
  bool complete = true;  ///< the header names every namespace that exists
  std::uint32_t creates_open = 0;
  Seq create_dropped = 0;              ///< when a create ended last of which nobody knows what it made
  Seq create_until = 0;                ///< end of the last create
  std::uint32_t deletes_all = 0;       ///< deletes of every namespace under way
  Seq all_deleted_until = 0;           ///< end of the last one
  Seq formatted_until = 0;             ///< end of the last Format that may have met any namespace
  std::uint32_t protections_open = 0;  ///< Set Features of 84h under way whose namespaces are not known
  Seq protections_until = 0;           ///< end of the last one that may have had its effect
  Sanitize sanitize;
  Firmware firmware;
};

/// An identifier of a namespace, for finding another one with the same.
struct Identity {
  std::uint64_t hash = 0;
  std::uint32_t ns = kNone;
};

struct FailedCommand {
  std::uint32_t subsystem = 0, nsid = 0;
  std::uint64_t slba = 0;
  Seq at = 0;
  std::uint16_t status = 0;
  std::uint8_t opcode = 0;
};

struct Request {
  std::uint32_t id = 0, ns = kNone, incarnation = 0, blocks = 0;
  std::uint64_t slba = 0;
  Seq from = 0;
  Time time = 0;
  std::uint16_t host = 0;
  std::uint8_t opcode = 0, readers = 0;
  bool reading = false;
  std::uint32_t detail = kNone;
};

/// An application error that is a hazard if a path turns out to have been good.
struct Suspect {
  std::uint32_t ns = kNone, incarnation = 0, request = 0, errno_value = 0;
  Seq from = 0, until = 0, cause = 0;
  Time time = 0;
  std::uint16_t host = 0;
};

struct State {
  std::vector<Subsystem> subsystems;
  std::vector<Controller> controllers;
  std::vector<Namespace> namespaces;
  engine::CowMap<TagFacts> tags;  ///< by the value of a block (block_value)
  std::vector<Detail> details;
  std::vector<std::uint32_t> free_details;
  std::vector<Identity> identities;    ///< ascending by hash
  std::vector<std::uint64_t> scratch;  ///< digests of the command at hand
  // applications
  std::vector<Request> requests;              ///< open
  std::vector<std::uint64_t> ended_requests;  ///< the last of them, a ring
  std::uint32_t ended_at = 0;
  std::vector<FailedCommand> failed;  ///< the last of them, a ring
  std::uint32_t failed_at = 0;
  std::vector<Suspect> suspects;
  std::vector<FusedPair> fused;  ///< the last of them, a ring
  std::uint32_t fused_made = 0;
  std::uint32_t hosts_seen = 0;  ///< bit set of host indices, up to 31
  // judgments
  std::vector<Finding> findings;
  std::array<RuleStatistics, kRules> statistics{};
  Time last_time = 0;
  std::string profile;
  bool simulator = false;  ///< the project's own conventions hold
  bool serials_may_differ = false;
  std::uint64_t resets = 0;  ///< of any controller
  /// Commands with a malformed data pointer, open now, and when the last of them ended. Where their data go
  /// is not known: what another command finds in its buffer meanwhile says nothing.
  std::uint32_t malformed_open = 0;
  Seq malformed_until = 0;
  bool damaged = false;  ///< a payload that is no payload
};

}  // namespace polypath::model
