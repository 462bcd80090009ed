// A program: topology, hosts and steps. The one stimulus of everything (scenario, fuzz input, recording,
// finding). Step kinds and fields have permanent numbers; binary decoding is total; text and binary convert
// without loss.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "program/topology.h"

namespace polypath::program {

/// What a step does. Numbers are permanent; an unknown number decodes to `nothing`.
enum class StepKind : std::uint8_t {
  nothing = 0,
  // applications, through a multipath head
  write = 1,
  read = 2,
  flush = 3,
  compare = 4,
  write_zeroes = 5,
  workload = 6,  ///< a load that runs beside the steps that follow
  // administrator, through a host's driver (passthrough)
  attach = 10,
  detach = 11,
  create_ns = 12,
  delete_ns = 13,
  policy = 14,
  reset = 15,     ///< controller reset by the host's driver, which then sets it up again
  shutdown = 16,  ///< orderly shutdown by the host's driver; the path is gone afterwards
  rescan = 17,
  // raw driver
  admin = 20,   ///< any admin command, any dword
  io = 21,      ///< any I/O command on a queue
  submit = 22,  ///< as admin/io by queue number, never waits (recordings)
  register_write = 23,
  register_read = 24,
  doorbell = 25,
  create_queue_pair = 26,
  delete_queue_pair = 27,
  take = 28,     ///< the raw driver takes a controller from its host
  give = 29,     ///< and gives it back
  enable = 30,   ///< raw: AQA/ASQ/ACQ, CC.EN=1, wait for RDY
  disable = 31,  ///< raw: CC.EN=0, wait for RDY=0
  mask_vector = 32,
  reap = 33,  ///< raw: consume completions and ring CQ head doorbells
  // world
  wait = 40,            ///< let virtual time pass
  expect = 41,          ///< check lists, heads, paths
  fault = 42,           ///< switch a planted fault on or off
  flr = 43,             ///< Function Level Reset of a controller's PCI function
  hot_reset = 44,       ///< Conventional Reset: the link of a controller's function is reset
  power_cycle = 45,     ///< the subsystem of a controller loses power and has it again
  fatal = 46,           ///< a controller fails: CSTS.CFS, until a reset
  zone_read_only = 47,  ///< media of a zone can be written no more
  zone_offline = 48,    ///< nor be read
};

/// Operands. Numbers are permanent.
enum class Field : std::uint8_t {
  host = 1,
  ns = 2,
  lba = 3,
  blocks = 4,
  tag = 5,
  equals = 6,
  via = 7,
  controllers = 8,
  controller = 9,
  opcode = 10,
  nsid = 11,
  cdw2 = 12,
  cdw3 = 13,
  cdw10 = 14,
  cdw11 = 15,
  cdw12 = 16,
  cdw13 = 17,
  cdw14 = 18,
  cdw15 = 19,
  length = 20,  ///< bytes of data buffer; of a workload: blocks of its range
  data = 21,    ///< bytes to send, hex in text
  queue = 22,
  depth = 23,
  offset = 24,
  value = 25,
  bytes = 26,
  policy = 27,
  size = 28,
  shared = 29,
  block_size = 30,
  duration = 31,
  rate = 32,
  read_percent = 33,
  seed = 34,
  status = 35,
  error = 36,
  list = 37,
  heads = 38,
  fault = 39,
  enabled = 40,
  vector = 41,
  masked = 42,
  abrupt = 43,
  cq = 44,
  cid = 45,
  prp1 = 46,
  prp2 = 47,
  result = 48,
  flags = 49,
  controller_list = 50,  ///< what a recorded Namespace Attachment named, inferred
  completes_at = 51,     ///< recorded completion time, exact override
  ring = 52,             ///< whether the tail doorbell is rung at once
  sgl = 53,              ///< the data pointer as a list, see sgl_words.h
  priority = 54,         ///< of a submission queue, 0 urgent
  spoil = 55,            ///< what is wrong with the last block's metadata
  contiguous = 56,       ///< the queues lie in one piece
};

/// How an operand's value is given.
enum class Form : std::uint8_t {
  literal = 0,  ///< a number (or text, or list)
  name = 1,     ///< a name: topology id, or an outcome bound with `as`
  live = 2,  ///< the k-th of the live set of its type when the step runs (active NSIDs, queues, controllers)
};

/// What is in which member, by FieldType:
///   number, flag, duration (ns), size (bytes), opcode, error (errno): `number`
///   queue: `number` as a literal, or live
///   status: `number` = SCT << 8 | SC, which leaves DNR open, or with kStatusDnr (0x4000) set: DNR as well
///   host: name.  ns: name, literal NSID or live.  controller: name, literal index or live
///   text, policy: `text`.  bytes: `text` holds the raw bytes
///   controllers: `list` of controller values
///   list_map: `list` of entries, each with its key in `text` (form name) and its members in `list`.
///   Field::list maps controllers to the namespaces that they list; Field::heads maps namespaces to the
///   controllers that have a path.
struct Value {
  Form form = Form::literal;
  std::uint64_t number = 0;
  std::string text;         ///< name, tag, policy ...
  std::vector<Value> list;  ///< controllers; raw bytes are in text
  bool operator==(const Value&) const = default;
};

struct Operand {
  Field field{};
  Value value;
  bool operator==(const Operand&) const = default;
};

struct Step {
  std::uint32_t id = 0;  ///< 1.. ; survives minimization, keys decisions
  StepKind kind = StepKind::nothing;
  std::uint8_t latitude = 0;  ///< 0 benign
  bool nowait =
      false;  ///< its actor goes on without its outcome; a workload in text has it unless it says no
  engine::Time at = engine::kForever;  ///< not before this virtual time; kForever: as soon as its turn comes
  std::string actor;                   ///< actors are sequential; empty: "main"
  std::string label;                   ///< name that `after` refers to
  std::string after;                   ///< label of the step whose outcome this one waits for
  std::string as;                      ///< name that the outcome (an NSID, a result) is bound to
  std::vector<Operand> operands;       ///< ascending by field, at most one each

  const Value* find(Field field) const;
  std::uint64_t number(Field field, std::uint64_t otherwise = 0) const;
  bool operator==(const Step&) const = default;
};

struct HostSpec {
  std::string id;
  std::string policy = "numa";     ///< "numa" or "round-robin"
  std::vector<std::string> paths;  ///< controller ids, in the order in which they are probed
  std::uint16_t queues = 1;        ///< I/O queue pairs per controller
  std::uint16_t queue_depth = 64;
  engine::Time io_timeout = 30 * engine::kSecond;
  bool later = false;  ///< its controllers belong to raw drivers until `give` steps hand them over
  bool operator==(const HostSpec&) const = default;
};

struct Program {
  std::string name;         ///< one line
  std::string description;  ///< what it shows; may be empty
  std::string profile = "spec";
  std::uint64_t seed = 0;
  Topology topology;
  std::vector<HostSpec> hosts;
  std::vector<Step> steps;
  std::vector<std::string> faults;                  ///< planted faults that are on from the start
  std::vector<engine::DecisionOverride> overrides;  ///< from recordings only
  bool operator==(const Program&) const = default;
};

/// Type of an operand: how it reads in text, and from which live set `k-th` is taken.
enum class FieldType : std::uint8_t {
  number,
  flag,
  duration,
  size,
  host,
  ns,
  controller,
  controllers,
  opcode,
  status,
  text,
  bytes,
  list_map,
  queue,
  error,
  policy
};

struct FieldRow {
  Field field;
  std::string_view name;
  FieldType type;
  std::uint64_t least, most;  ///< bounds of `number`; of text and bytes: of their length
  std::string_view title;     ///< one line for documentation
};
struct StepFieldRow {
  Field field;
  bool required;
};
struct StepRow {
  StepKind kind;
  std::string_view name;
  std::string_view title;  ///< one line for documentation
  std::span<const StepFieldRow>
      fields;  ///< their order is permanent (the binary form's mask); new ones go last
};

std::span<const FieldRow> field_rows();
std::span<const StepRow> step_rows();
const FieldRow* find_field(Field field);
const FieldRow* find_field(std::string_view name);
const StepRow* find_step(StepKind kind);
const StepRow* find_step(std::string_view name);

/// True for kinds that run beside the steps that follow unless the text says `nowait: false`.
constexpr bool runs_beside(StepKind kind) { return kind == StepKind::workload; }
/// True for kinds whose outcome `as` can bind to a name.
constexpr bool has_outcome(StepKind kind) {
  return kind != StepKind::nothing && kind != StepKind::expect && kind != StepKind::wait;
}
/// True when the text gives this operand inside `expect:`.
constexpr bool is_expectation(Field field) {
  return field == Field::status || field == Field::error || field == Field::result;
}
/// True for a profile whose controllers may have serials of their own within a subsystem.
bool profile_allows_serials(std::string_view profile);
/// Does the profile have the Zoned command set?
bool profile_has_zones(std::string_view profile);
/// Does it have blocks with metadata?
bool profile_has_metadata(std::string_view profile);
/// True for a profile among whose LBA formats some have storage tags, and guards of every length.
bool profile_has_storage_tags(std::string_view profile);

/// A name of a host, device, label, actor or outcome: a letter, then letters, digits, '_', '-' or '.', 64 at
/// most.
bool is_name(std::string_view text);

inline constexpr engine::Time kLongestDuration =
    1'000'000'000 * engine::kSecond;                       ///< 31 years: sums stay in 64 bits
inline constexpr std::size_t kLongestName = 64;            ///< bytes of a name, a tag, a fault
inline constexpr std::size_t kLongestSgl = 500;            ///< bytes of a Scatter Gather List in text
inline constexpr std::size_t kLongestTitle = 200;          ///< bytes of Program::name
inline constexpr std::size_t kLongestDescription = 65536;  ///< bytes of Program::description
inline constexpr std::uint16_t kMostHostQueues = 64;

/// Binary form. decode is total: any bytes give a valid program (clamped, unknown numbers are no-ops,
/// references that resolve to nothing stay as written and make their step a no-op when it runs).
/// decode(encode(p)) == p for every p that decode, canonical or the scenario loader produced. decode touches
/// no file: a drive is taken at its word, so a caller that runs bytes of strangers calls use_memory_media
/// first.
std::vector<std::byte> encode(const Program& program);
Program decode(std::span<const std::byte> bytes);

/// Canonical form, valid whatever went in: ids renumbered only if 0 or duplicate, operands sorted, within
/// their bounds and of their kind's table, missing required ones added, `nothing` steps without a label and
/// void expectations dropped, `after` that closes a circle cut, a topology without controllers replaced by
/// the smallest one, actor "main" written as the empty name, names and texts clean, words canonical.
/// canonical(canonical(p)) == canonical(p).
Program canonical(Program program);

}  // namespace polypath::program
