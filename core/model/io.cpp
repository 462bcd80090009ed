#include "model/io.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/copy.h"
#include "model/format.h"
#include "model/fused.h"
#include "model/namespaces.h"
#include "model/power.h"
#include "model/protection.h"
#include "model/registers.h"
#include "model/sanitize.h"
#include "model/sgl.h"
#include "model/status.h"
#include "model/write_protection.h"
#include "model/zones.h"
#include "spec/commands.h"
#include "trace/text.h"

namespace polypath::model {
namespace {

using spec::Status;

constexpr std::uint8_t kFlush = 0x00, kWrite = 0x01, kRead = 0x02, kWriteUncorrectable = 0x04,
                       kCompare = 0x05, kWriteZeroes = 0x08, kDatasetManagement = 0x09, kVerify = 0x0C,
                       kCopy = 0x19;
// CDW12 of Read, Write, Compare: what changes nothing in their meaning here (NLB, FUA, LR).
constexpr std::uint32_t kPlainCdw12 = 0xC000FFFF;
constexpr std::uint32_t kDeallocate = 1U << 25U;
constexpr std::size_t kFailedKept = 64;

bool has_range(std::uint8_t opcode) {
  switch (opcode) {
    case kWrite:
    case kRead:
    case kWriteUncorrectable:
    case kCompare:
    case kWriteZeroes:
    case kVerify:
      return true;
    default:
      return false;
  }
}

bool is_write_type(std::uint8_t opcode) {
  return opcode == kWrite || opcode == kWriteZeroes || opcode == kWriteUncorrectable ||
         opcode == kDatasetManagement || opcode == kCopy || opcode == kZoneAppend;
}

/// Ends with an error when a block of its range cannot be read.
bool is_read_type(std::uint8_t opcode) { return opcode == kRead || opcode == kCompare || opcode == kVerify; }

/// Changes blocks in a way that the model does not follow.
bool is_foreign_write(std::uint8_t opcode) {
  return opcode == kDatasetManagement || opcode == kCopy || opcode == kZoneSend || opcode >= 0x80 ||
         spec::find_command(spec::CommandSet::nvm, opcode) == nullptr;
}

/// Opcodes that some version of the standard gives to I/O commands, and the vendor's.
bool is_foreign_opcode(std::uint8_t opcode) {
  switch (opcode) {
    case 0x12:
    case 0x18:
    case 0x1D:
      return true;
    default:
      return opcode >= 0x80;
  }
}

/// Digests of logical blocks, from those of their 512-byte parts, into the scratch vector. False when they do
/// not fit the namespace's block size.
bool fold_digests(State& s, const Namespace& ns, std::span<const std::byte> digests, std::uint64_t blocks) {
  const std::size_t parts = ns.block_bytes / 512;
  if (parts == 0 || digests.size() != blocks * parts * 8) return false;
  s.scratch.resize(blocks);
  if (parts == 1) {
    std::memcpy(s.scratch.data(), digests.data(), digests.size());
    return true;
  }
  std::array<std::uint64_t, 128> raw{};
  if (parts > raw.size()) return false;
  for (std::size_t i = 0; i < blocks; ++i) {
    std::memcpy(raw.data(), digests.data() + i * parts * 8, parts * 8);
    s.scratch[i] = block_digest(raw.data(), parts);
  }
  return true;
}

/// Bytes that a command moves through its data pointer for each block.
std::uint64_t bytes_of(const Namespace& ns, const Command& command) {
  const spec::MetadataFormat& format = ns.metadata.format;
  if (!format.extended) return ns.block_bytes;
  return ns.block_bytes + std::uint64_t{format.moved((command.entry.cdw12 & spec::prinfo::action) != 0)};
}

Namespace* namespace_of(const Scene& scene, const Command& command) {
  if (command.ns == kNone) return nullptr;
  Namespace& ns = scene.s.namespaces[command.ns];
  return ns.incarnation == command.incarnation ? &ns : nullptr;
}

/// A write whose namespace is not known: the one of now, or one before it, may hold its data.
void doubt_content(const Scene& scene, const Command& command) {
  if (!is_write_type(command.entry.opcode) && !is_foreign_write(command.entry.opcode)) return;
  // One that nobody knew when the command began may have been made meanwhile.
  const std::uint32_t index =
      command.ns != kNone ? command.ns : find_namespace(scene.s, scene.c().subsystem, command.entry.nsid);
  if (index == kNone) return;
  Namespace& ns = scene.s.namespaces[index];
  ns.doubtful_write = scene.now;
  lose_content(ns);
}

bool surely_in_range(const Namespace& ns, std::uint64_t slba, std::uint64_t blocks) {
  return ns.blocks == 0 || (slba <= ns.blocks && blocks <= ns.blocks - slba);
}

void taint(const Scene& scene, Namespace& ns, std::uint64_t slba, std::uint64_t blocks) {
  if (!ns.tracked) {
    ns.written_untracked = true;
    return;
  }
  const Seq quiet = ns.readers.quiet();
  for (std::uint64_t i = 0; i < blocks; ++i) ns.content.taint(slba + i, scene.now, quiet);
}

/// The rule that a read breaks, from what is known of the value it found.
Rule rule_of_read(const Scene& scene, const Namespace& ns, const Blocks::Story& story, bool zero_found) {
  const auto reset_since = [&](Seq since, std::uint16_t controller) {
    const Controller& c = scene.s.controllers[controller];
    return (c.reset_from > since) || (c.shutdown_from > since);
  };
  if (story.same != nullptr && !story.same->live()) {
    switch (story.same->end) {
      case WriteEnd::refused:
        return Rule::d03;
      case WriteEnd::failed:
        return Rule::d04;
      case WriteEnd::reset:
        return Rule::d05;
      case WriteEnd::detached:
        return Rule::ns15;
      case WriteEnd::aborted:
        return Rule::q26;
      case WriteEnd::open:
      case WriteEnd::initial:
      case WriteEnd::applied:
      case WriteEnd::advised:
        break;
    }
    if (story.same->excluded) {
      const bool advised = story.same->end == WriteEnd::advised ||
                           (story.expected != nullptr && story.expected->end == WriteEnd::advised);
      return advised ? Rule::d11 : Rule::d01;
    }
  }
  const Version* expected = story.expected;
  if (expected != nullptr && expected->end == WriteEnd::applied && expected->writer != 0 &&
      expected->settled < ns.power_lost && story.possible == 1)
    return rule_of_loss(scene, ns, *expected);
  if (expected != nullptr && expected->emptied && story.possible == 1) return Rule::z07;
  if (expected != nullptr && expected->zeroes && story.possible == 1) return Rule::d13;
  if (expected != nullptr && expected->copied && story.possible == 1) return Rule::d16;
  if (expected != nullptr && expected->end == WriteEnd::applied && story.possible == 1 &&
      ((story.same != nullptr && !story.same->live()) || zero_found)) {
    const auto writer = expected->controller;
    if (writer < scene.s.controllers.size() && reset_since(expected->settled, writer)) {
      return writer == scene.index ? Rule::r11 : Rule::d20;
    }
    for (const auto other : scene.s.subsystems[ns.subsystem].controllers) {
      if (reset_since(expected->settled, other)) return Rule::r11;
    }
    return Rule::d02;
  }
  if (expected == nullptr || expected->end == WriteEnd::initial) {
    if (ns.formatted && (expected == nullptr || !expected->learned)) return Rule::d18;
    if (ns.created && (expected == nullptr || !expected->learned)) return Rule::ns16;
    if (expected != nullptr && expected->learned) return Rule::d11;
    return Rule::d03;
  }
  if (story.possible > 1) return Rule::d06;
  return Rule::d03;
}

/// Blocks of the command's range that Write Uncorrectable spoilt: may there be any, is there surely one?
Blocks::Met unreadable(const Command& command, const Namespace* ns) {
  const bool followed = ns != nullptr && command.reading && ns->incarnation == command.incarnation &&
                        ns->tracked && !command.reused_cid && command.submitted >= ns->content_from &&
                        !may_be_another(*ns, command.submitted);
  if (!followed) return {true, false};
  Blocks::Met any;
  for (std::uint64_t i = 0; i < command.entry.block_count(); ++i) {
    const auto one = ns->content.met(command.entry.slba() + i, kUncorrectable, command.submitted);
    any.possible |= one.possible;
    any.surely |= one.surely;
  }
  return any;
}

/// Calls f(slba, blocks) for what a command in State::commands writes.
template <class F>
void each_written(const State& s, const Command& command, F&& f) {
  if (command.entry.opcode == kCopy) {
    std::uint64_t total = 0;
    for (const BlockRange& range : s.details[command.detail].block_ranges) total += range.blocks;
    f(command.entry.slba(), total);
    return;
  }
  const bool listed = command.entry.opcode == kDatasetManagement || is_zone_opcode(command.entry.opcode);
  if (!listed) {
    f(command.entry.slba(), std::uint64_t{command.entry.block_count()});
    return;
  }
  for (const BlockRange& range : s.details[command.detail].block_ranges) f(range.slba, range.blocks);
}

/// Ranges that a Dataset Management may deallocate, sorted and merged. None when they cannot be followed.
std::vector<BlockRange> deallocated_ranges(const Command& command, const Namespace& ns,
                                           std::span<const std::byte> data) {
  const std::size_t count = (command.entry.cdw10 & 0xFFU) + std::size_t{1};
  if (data.size() != count * sizeof(spec::DatasetRange)) return {};
  std::vector<BlockRange> ranges;
  for (std::size_t i = 0; i < count; ++i) {
    spec::DatasetRange range;
    std::memcpy(&range, data.data() + i * sizeof range, sizeof range);
    if (range.blocks == 0) continue;
    // Refused, or a part of the list is done: that is not followed.
    if (ns.blocks != 0 && (range.slba > ns.blocks || range.blocks > ns.blocks - range.slba)) return {};
    ranges.push_back({range.slba, range.blocks});
  }
  std::ranges::sort(ranges, {}, &BlockRange::slba);
  std::vector<BlockRange> merged;
  std::uint64_t total = 0;
  for (const BlockRange& range : ranges) {
    if (!merged.empty() && range.slba <= merged.back().slba + merged.back().blocks) {
      const std::uint64_t end =
          std::max(merged.back().slba + merged.back().blocks, range.slba + range.blocks);
      merged.back().blocks = end - merged.back().slba;
    } else {
      merged.push_back(range);
    }
  }
  for (const BlockRange& range : merged) total += range.blocks;
  if (total > kBlocksMax) merged.clear();
  return merged;
}

std::string version_text(const Blocks::Story& story) {
  if (story.possible == 0) return "zeros, as nobody wrote the block";
  if (story.possible > 1)
    return fmt::format("one of {} values that open or doubtful writes allow", story.possible);
  if (!story.expected->unknown && story.expected->value == kUncorrectable)
    return "nothing: Write Uncorrectable spoilt it";
  return story.expected->writer == 0 ? fmt::format("{:016x}, its value from the start", story.expected->value)
                                     : fmt::format("{:016x}", story.expected->value);
}

bool is_tag_error(Status status) {
  return status == Status::guard_check_error || status == Status::application_tag_check_error ||
         status == Status::reference_tag_check_error || status == Status::storage_tag_check_error;
}

/// What a Compare sent, as values of blocks; and what of its tags is wrong.
bool compared_values(const Scene& scene, Command& command, const Namespace& ns, const trace::Parts& parts) {
  if (ns.metadata.format.bytes == 0) return !command.metadata_seen;
  if ((command.entry.cdw12 & spec::prinfo::action) != 0) return false;
  return written_values(scene, command, ns, parts);
}

void compare_finished(const Scene& scene, const Command& command, const Completion& completion,
                      Namespace& ns) {
  const Status status = completion.status();
  if (status != Status::success && status != Status::compare_failure) return;
  if (command.detail == kNone || !ns.tracked || !completion.trusted || command.submitted < ns.content_from)
    return;
  const auto& digests = scene.s.details[command.detail].digests;
  if (digests.empty()) return;
  exercised(scene, Rule::d10);
  const std::uint64_t slba = command.entry.slba();
  std::uint64_t sizes = 0;
  bool differs = false, unknown = false;
  const std::uint64_t compared = compared_bits(ns);
  // Metadata beside protection information are compared, and their digest is not that of their own.
  const bool metadata_beside =
      ns.metadata.format.type != 0 && ns.metadata.format.bytes > ns.metadata.format.tuple_bytes();
  for (std::size_t i = 0; i < digests.size(); ++i) {
    if (status == Status::compare_failure) {
      differs |= ns.content.may_differ(slba + i, digests[i], command.submitted, compared) || metadata_beside;
      continue;
    }
    const Match match = ns.content.read(slba + i, digests[i], command.submitted, scene.now, sizes, compared);
    unknown |= match == Match::unknown;
    if (match != Match::impossible) continue;
    const auto story = ns.content.story(slba + i, digests[i]);
    violation(scene, Rule::d10, fmt::format("{}: success on other data", text_of(scene, command)),
              "compare_failure", fmt::format("success; block {} holds {}", slba + i, version_text(story)),
              {command.submitted, story.expected != nullptr ? story.expected->writer : 0});
    return;
  }
  if (unknown) inconclusive(scene, Rule::d10);
  if (status == Status::compare_failure && !differs) {
    violation(scene, Rule::d10, fmt::format("{}: failure on equal data", text_of(scene, command)), "success",
              trace::status_text(completion.entry.linux_status()), {command.submitted});
  }
}

/// Checks what was read of the blocks that no Bit Bucket took a part of.
void check_kept(const Scene& scene, const Command& command, const Completion& completion,
                const Namespace& ns) {
  std::uint64_t from = 0, offset = 0;  // first block after the last bucket; place in the data
  const auto check_until = [&](std::uint64_t block) {
    if (block <= from) return;
    const std::size_t parts = ns.block_bytes / 512;
    Shown shown;
    if (command.metadata_seen) {
      shown.command = &command;
      shown.metadata = completion.metadata;
      shown.blocks = completion.blocks;
    }
    check_read(scene, command.ns, command.entry.slba() + from,
               completion.digests.subspan(from * parts * 8, (block - from) * parts * 8), command.submitted,
               "read", false, shown);
  };
  for (const Range& range : ranges_of(scene, command)) {
    if (range.address == trace::kBitBucket) {
      check_until(offset / ns.block_bytes);
      from = (offset + range.bytes + ns.block_bytes - 1) / ns.block_bytes;
    }
    offset += range.bytes;
  }
  check_until(command.entry.block_count());
}

/// How a write that ended with an error relates to its effect.
void remember_failure(const Scene& scene, const Command& command, const Completion& completion) {
  State& s = scene.s;
  FailedCommand failed;
  failed.subsystem = scene.c().subsystem;
  failed.nsid = command.entry.nsid;
  failed.slba = command.entry.slba();
  failed.opcode = command.entry.opcode;
  failed.status = completion.entry.linux_status();
  failed.at = scene.now;
  if (s.failed.size() < kFailedKept) {
    s.failed.push_back(failed);
  } else {
    s.failed[s.failed_at++ % kFailedKept] = failed;
  }
}

/// A success shows that the namespace was active. An error may have other reasons.
void observe_namespace(const Scene& scene, const Command& command, const Completion& completion) {
  if (command.ns == kNone || command.reused_cid) return;
  if (!completion.success() || !has_range(command.entry.opcode)) return;
  observe_attachment(scene, command.ns, scene.index, true, command.submitted);
  // MDTS does not bound a command that moves no data.
  const std::uint8_t opcode = command.entry.opcode;
  if (opcode != kRead && opcode != kWrite && opcode != kCompare) return;
  auto& proven = edit_attachment(scene.s.namespaces[command.ns], scene.index).proven_blocks;
  proven = std::max(proven, command.entry.block_count());
}

/// Blocks of the longest command of this controller to the namespace that succeeded.
std::uint32_t proven_blocks(const Namespace* ns, std::uint16_t controller) {
  if (ns == nullptr) return 0;
  for (const auto& attached : ns->attached) {
    if (attached.controller == controller) return attached.proven_blocks;
  }
  return 0;
}

}  // namespace

bool check_read(const Scene& scene, std::uint32_t index, std::uint64_t slba,
                std::span<const std::byte> digests, Seq since, const std::string& what, bool application,
                const Shown& shown) {
  Namespace& ns = scene.s.namespaces[index];
  // What began before the content was followed may have met, or have written, what was there before.
  if (!ns.tracked || ns.block_bytes == 0 || since < ns.content_from) return false;
  const std::uint64_t blocks = digests.size() / 8 / (ns.block_bytes / 512);
  if (blocks == 0 || !fold_digests(scene.s, ns, digests, blocks)) return false;
  // An application is given no metadata.
  std::uint64_t bits = ns.metadata.format.bytes != 0 ? kDataHalf : ~std::uint64_t{0};
  if (shown.command != nullptr) bits = shown_values(scene, *shown.command, ns, shown.metadata, shown.blocks);
  if (bits == 0) return false;
  std::uint64_t sizes = 0;
  bool reported = false, unknown = false;
  for (std::uint64_t i = 0; i < blocks; ++i) {
    const std::uint64_t value = scene.s.scratch[i];
    const Match match = ns.content.read(slba + i, value, since, scene.now, sizes, bits);
    unknown |= match == Match::unknown;
    if (match != Match::impossible || reported) continue;
    reported = true;  // one finding for a command
    const auto story = ns.content.story(slba + i, value);
    const bool zero = value == ns.content.zero();
    const Rule rule = application ? Rule::app01 : rule_of_read(scene, ns, story, zero);
    std::string seen = fmt::format("{:016x}{}", value, zero ? " (zeros)" : "");
    if (story.same != nullptr)
      seen += fmt::format(", written by the command of event {}", story.same->writer - 1);
    if (story.same != nullptr && story.same->writer == 0)
      seen = fmt::format("{:016x}, the value from the start", value);
    violation(
        scene, rule,
        fmt::format("{}: block {} of namespace {} has a value that it cannot have", what, slba + i, ns.nsid),
        version_text(story), seen,
        {since, story.expected != nullptr ? story.expected->writer : 0,
         story.same != nullptr ? story.same->writer : 0});
  }
  const auto count = [&](Rule rule) { exercised(scene, rule); };
  if (application) {
    count(Rule::app01);
    return true;
  }
  for (const Rule rule : {Rule::d01, Rule::d02, Rule::d03, Rule::d06}) count(rule);
  if (ns.created) count(Rule::ns16);
  if (unknown) count(Rule::d11);
  if (scene.s.resets != 0) {
    count(Rule::r11);
    count(Rule::d20);
  }
  auto& statistics = statistics_of(scene, Rule::d01);
  statistics.sets += blocks;
  statistics.set_sizes += sizes;
  if (unknown) inconclusive(scene, Rule::d01);
  return true;
}

WriteEnd end_of(Status status) {
  switch (status) {
    // Checks before execution.
    case Status::invalid_opcode:
    case Status::invalid_field:
    case Status::command_id_conflict:
    case Status::aborted_failed_fused:
    case Status::aborted_missing_fused:
    case Status::invalid_namespace_or_format:
    case Status::prp_offset_invalid:
    case Status::namespace_write_protected:
    case Status::lba_out_of_range:
    case Status::namespace_not_ready:
    case Status::reservation_conflict:
    case Status::format_in_progress:
    case Status::sanitize_in_progress:
    case Status::sanitize_failed:
    case Status::command_size_limit_exceeded:
    case Status::conflicting_attributes:
    case Status::incompatible_namespace_or_format:
    case Status::fast_copy_not_possible:
    case Status::overlapping_io_range:
    case Status::invalid_protection_information:
    case Status::invalid_zone_operation:
    case Status::zone_boundary_error:
    case Status::zone_full:
    case Status::zone_read_only:
    case Status::zone_offline:
    case Status::zone_invalid_write:
    case Status::too_many_active_zones:
    case Status::too_many_open_zones:
    case Status::invalid_zone_transition:
      return WriteEnd::refused;
    default:
      return WriteEnd::failed;
  }
}

void begin_io(const Scene& scene, Command& command, const trace::Parts& parts) {
  const auto digests = parts.digests, data = parts.data;
  const auto& entry = command.entry;
  if (is_write_type(entry.opcode) || is_foreign_write(entry.opcode)) count_write(scene, command, 1, false);
  command.ns = resolve_namespace(scene, entry.nsid);
  if (command.ns == kNone) return;
  Namespace& ns = scene.s.namespaces[command.ns];
  command.incarnation = ns.incarnation;
  const std::uint8_t opcode = entry.opcode;
  if (opcode != kCopy) begin_zone_command(scene, command);
  command.length_known =
      ns.block_bytes != 0 && command.data_bytes == std::uint64_t{entry.block_count()} * bytes_of(ns, command);
  if (opcode == kCopy) {
    command.length_known = true;
    begin_copy(scene, command, data);
    begin_zone_command(scene, command);  // its list says how much it writes
    return;
  }
  if (opcode == kZoneAppend) {
    begin_append(scene, command, digests);
    return;
  }
  if (opcode == kZoneSend || opcode == kZoneReceive) {
    command.length_known = true;
    begin_zone_reset(scene, command);
    return;
  }
  if (opcode == kDatasetManagement) {
    command.length_known = true;
    if (!ns.tracked || (command.entry.cdw11 & spec::kDeallocate) == 0) return;
    auto ranges = deallocated_ranges(command, ns, data);
    if (ranges.empty()) return;
    // What deallocated blocks hold is said by DLFEAT, in Identify.
    const bool zeros = ns.identified && (ns.dlfeat & 7U) == 1;
    const auto what = zeros ? Blocks::Written::data : Blocks::Written::unknown;
    const UnwrittenValue unwritten = unwritten_value(ns);
    for (const BlockRange& range : ranges) {
      for (std::uint64_t i = 0; i < range.blocks; ++i) {
        ns.content.begin(range.slba + i, ns.content.zero(), scene.now, scene.index, what, ns.readers.quiet(),
                         false, unwritten.known);
      }
    }
    edit_detail(scene, command).block_ranges = std::move(ranges);
    command.writing = true;
    return;
  }
  if (!ns.tracked || !has_range(opcode)) return;
  const std::uint64_t slba = entry.slba();
  const std::uint32_t blocks = entry.block_count();
  if (!surely_in_range(ns, slba, blocks) || slba > ~std::uint64_t{0} - kBlocksMax) return;
  if (is_read_type(opcode)) {
    command.readers = ns.readers.begin(scene.now);
    command.reading = true;
    if (opcode == kCompare && fold_digests(scene.s, ns, digests, blocks) &&
        compared_values(scene, command, ns, parts)) {
      auto& kept = edit_detail(scene, command).digests;
      kept.assign(scene.s.scratch.begin(), scene.s.scratch.end());
    }
    return;
  }
  const bool zeroes = opcode == kWriteZeroes;
  const bool spoils = opcode == kWriteUncorrectable;
  if (!zeroes && !spoils && opcode != kWrite) return;
  // Data of another length than the blocks have, because the host believes in other blocks, say nothing.
  const bool known =
      zeroes || spoils ||
      (!command.buffer_met && !command.null_pointer && fold_digests(scene.s, ns, digests, blocks) &&
       written_values(scene, command, ns, parts));
  const auto what = zeroes  ? Blocks::Written::zeroes
                    : known ? Blocks::Written::data
                            : Blocks::Written::unknown;
  const Seq quiet = ns.readers.quiet();
  const bool durable = writes_through(scene, command);
  const UnwrittenValue zeroed = zeroed_value(ns);
  for (std::uint32_t i = 0; i < blocks; ++i) {
    const std::uint64_t value =
        zeroes || !known ? zeroed.value : (spoils ? kUncorrectable : scene.s.scratch[i]);
    ns.content.begin(slba + i, value, scene.now, scene.index, what, quiet, durable,
                     zeroes ? zeroed.known : ~std::uint64_t{0});
  }
  command.writing = true;
}

void end_write(const Scene& scene, Command& command, WriteEnd how) {
  Namespace* ns = namespace_of(scene, command);
  if (!command.writing || ns == nullptr) return;
  const Seq quiet = ns->readers.quiet();
  each_written(scene.s, command, [&](std::uint64_t slba, std::uint64_t blocks) {
    for (std::uint64_t i = 0; i < blocks; ++i) {
      ns->content.end(slba + i, command.submitted, how, scene.now, quiet);
    }
  });
}

void doubt_written(const Scene& scene, const Command& command) {
  Namespace* ns = namespace_of(scene, command);
  if (!command.writing || command.entry.opcode != kWrite || ns == nullptr) return;
  for (std::uint64_t i = 0; i < command.entry.block_count(); ++i)
    ns->content.doubt(command.entry.slba() + i, command.submitted);
}

void settle_writes(const Scene& scene, std::uint16_t controller, std::uint32_t ns, Seq since) {
  Controller& c = scene.s.controllers[controller];
  for (auto& command : c.commands) {
    if (!command.open || !command.writing || command.ns != ns) continue;
    // What is fetched after the detach was done may meet the namespace attached again.
    if (command.fetched == 0 || command.fetched > since) continue;
    exercised(scene, Rule::ns15);
    end_write(scene, command, WriteEnd::detached);
  }
}

// The observer measured the command's buffer when it was submitted.
bool block_size_sure(const Scene& scene, const Command& command) {
  if (command.sqid == 0) return true;
  if (command.ns == kNone) {  // a create that had not ended may have made it
    const auto& subsystem = scene.s.subsystems[scene.c().subsystem];
    return subsystem.creates_open == 0 && subsystem.create_until < command.submitted;
  }
  const Namespace& ns = scene.s.namespaces[command.ns];
  return ns.incarnation == command.incarnation &&
         (ns.block_size_given || (ns.identified && ns.identified_at < command.submitted)) &&
         !may_be_another(ns, command.submitted) && ns.exists.surely_since(true, command.submitted);
}

bool writes_open(const State& state, std::uint32_t ns) {
  for (const auto controller : state.subsystems[state.namespaces[ns].subsystem].controllers) {
    const Controller& c = state.controllers[controller];
    for (const auto& command : c.commands) {
      const bool write = is_write_type(command.entry.opcode) || is_foreign_write(command.entry.opcode);
      const bool here =
          command.ns == ns || (command.ns == kNone && command.entry.nsid == state.namespaces[ns].nsid);
      if (command.open && command.sqid != 0 && here && write) return true;
    }
    for (const auto& lost : c.limbo) {
      if (lost.ns == ns) return true;
    }
  }
  return false;
}

void finish_io(const Scene& scene, Command& command, const Completion& completion) {
  const std::uint8_t opcode = command.entry.opcode;
  if (is_write_type(opcode) || is_foreign_write(opcode))
    count_write(scene, command, -1, opcode == kWrite && completion.success() && !command.reused_cid);
  observe_namespace(scene, command, completion);
  if (!completion.success()) remember_failure(scene, command, completion);
  if (opcode == kFlush && completion.success() && !command.reused_cid) finish_flush(scene, command);
  finish_zone_command(scene, command, completion);
  Namespace* ns = namespace_of(scene, command);
  const bool sure = ns != nullptr && !may_be_another(*ns, command.submitted);
  finish_fused(scene, command, completion, sure ? ns : nullptr);
  if (ns == nullptr) {
    doubt_content(scene, command);
    return;
  }
  if (is_read_type(opcode)) exercised(scene, Rule::d12);
  // That a spoilt block was read is a finding already: what was read of it says no more.
  const bool spoilt = is_read_type(opcode) && unreadable(command, ns).surely;
  if (command.reading) ns->readers.end(command.readers);
  if (may_be_another(*ns, command.submitted)) {
    if (command.writing) end_write(scene, command, WriteEnd::failed);
    if (completion.success() || command.reused_cid || end_of(completion.status()) != WriteEnd::refused)
      doubt_content(scene, command);
    return;
  }
  if (opcode == kRead && completion.success() && !completion.digests.empty() && ns->tracked && !spoilt) {
    // A buffer of another length than the blocks have, because the host believed in other blocks, shows
    // nothing.
    // A Format beside it changed what its blocks are: the rest of them lies where its buffer does not reach.
    const bool fits = !command.ranges_known ||
                      completion.digests.size() / 8 / (ns->block_bytes / 512) * bytes_of(*ns, command) ==
                          command.data_bytes;
    check_returned(scene, command, completion, *ns);
    const bool whole =
        fits && completion.digests.size() == command.entry.block_count() * (ns->block_bytes / 512) * 8;
    if (completion.trusted && whole) {
      check_kept(scene, command, completion, *ns);
    } else {
      inconclusive(scene, Rule::d01);
    }
  }
  if (opcode == kCompare && !spoilt) compare_finished(scene, command, completion, *ns);
  // Which of two commands ended is not known, nor which goes on; or the list may have been another when the
  // controller read it.
  const bool listed = opcode == kDatasetManagement || opcode == kCopy;
  if (command.writing && (command.reused_cid || (listed && !completion.trusted))) {
    lose_content(*ns);
    return;
  }
  if (command.writing && opcode == kCopy && !command.aborted_at_once) {
    end_copy(scene, command, completion, *ns);
    return;
  }
  if (command.writing && opcode == kZoneAppend && !command.aborted_at_once) {
    end_append(scene, command, completion, *ns);
    return;
  }
  if (command.writing && opcode == kZoneSend && completion.success()) {
    const Seq quiet = ns->readers.quiet();
    each_written(scene.s, command, [&](std::uint64_t slba, std::uint64_t blocks) {
      const WriteEnd how = end_of_zone_reset(command, *ns, slba);
      for (std::uint64_t i = 0; i < blocks; ++i)
        ns->content.end(slba + i, command.submitted, how, scene.now, quiet);
    });
    return;
  }
  if (command.writing) {
    if (completion.success()) {
      end_write(scene, command, opcode == kDatasetManagement ? WriteEnd::advised : WriteEnd::applied);
      if (opcode == kDatasetManagement) exercised(scene, Rule::d11);
      // Another command's data may have lain in the buffer when the controller read it.
      if (!completion.trusted && opcode == kWrite)
        taint(scene, *ns, command.entry.slba(), command.entry.block_count());
      if (opcode == kWriteZeroes) exercised(scene, Rule::d13);
    } else if (completion.status() == Status::abort_requested && command.aborted_at_once) {
      end_write(scene, command, WriteEnd::aborted);
    } else {
      // A single block is written whole or not at all: a refused list changes none.
      const bool nothing = (is_sgl_error(completion.status()) || is_tag_error(completion.status())) &&
                           command.entry.block_count() == 1;
      const WriteEnd end = nothing ? WriteEnd::refused : end_of(completion.status());
      exercised(scene, end == WriteEnd::refused ? Rule::d03 : Rule::d04);
      end_write(scene, command, end);
    }
    return;
  }
  if (!completion.success()) return;
  if (opcode == kWrite || opcode == kWriteZeroes || opcode == kWriteUncorrectable) {
    taint(scene, *ns, command.entry.slba(), command.entry.block_count());
  } else if (opcode == kDatasetManagement && (command.entry.cdw11 & spec::kDeallocate) == 0) {
    return;  // hints change nothing
  } else if (opcode == kZoneSend) {
    return;  // no other action than a reset changes data
  } else if (opcode == kZoneAppend) {
    lose_content(*ns);  // where it wrote was not followed
  } else if (is_foreign_write(opcode)) {
    lose_content(*ns);  // what it wrote where is not known
  }
}

void drop_io(const Scene& scene, Command& command, bool at_once) {
  drop_zone_command(scene, command, at_once);
  const std::uint8_t opcode = command.entry.opcode;
  if (is_write_type(opcode) || is_foreign_write(opcode)) count_write(scene, command, -1, false);
  Namespace* ns = namespace_of(scene, command);
  if (ns == nullptr || may_be_another(*ns, command.submitted)) doubt_content(scene, command);
  if (ns == nullptr) return;
  if (command.reading) ns->readers.end(command.readers);
  if (command.writing) {
    if (at_once) {
      each_written(scene.s, command, [&](std::uint64_t slba, std::uint64_t blocks) {
        scene.c().limbo.push_back(
            {command.submitted, slba, static_cast<std::uint32_t>(blocks), command.ns, command.incarnation});
      });
    } else {
      exercised(scene, Rule::d05);
      end_write(scene, command, WriteEnd::reset);
    }
  } else if (is_write_type(command.entry.opcode) || is_foreign_write(command.entry.opcode)) {
    lose_content(*ns);
  }
}

void settle_limbo(const Scene& scene) {
  for (const Limbo& lost : scene.c().limbo) {
    Namespace& ns = scene.s.namespaces[lost.ns];
    if (ns.incarnation != lost.incarnation) continue;
    exercised(scene, Rule::d05);
    for (std::uint32_t i = 0; i < lost.blocks; ++i) {
      ns.content.end(lost.slba + i, lost.writer, WriteEnd::reset, scene.now, ns.readers.quiet());
    }
  }
  scene.c().limbo.clear();
  settle_zones(scene);
}

void allow_io(const Scene& scene, const Command& command, Allowed& allowed) {
  const Controller& c = scene.c();
  const auto& entry = command.entry;
  const auto& announced = c.announced;
  const std::uint8_t opcode = entry.opcode;
  const auto* row = spec::find_command(spec::CommandSet::nvm, opcode);
  if (is_foreign_opcode(opcode) ||
      (row != nullptr && !has_range(opcode) && opcode != kFlush && opcode != kDatasetManagement &&
       opcode != kCopy && !is_zone_opcode(opcode))) {
    allowed.anything();
    return;
  }
  if (row == nullptr) {
    allowed.must(Rule::q33, {Status::invalid_opcode});
  } else if (row->announced == spec::Announced::oncs) {
    const bool bit = (announced.oncs >> row->bit & 1U) != 0;
    // Without the bit, a size limit in CNS 06 may announce these three.
    const bool by_limit = opcode == kWriteZeroes || opcode == kVerify || opcode == kWriteUncorrectable ||
                          opcode == kDatasetManagement;
    if (!announced.known || (!bit && by_limit)) {
      allowed.may(Status::invalid_opcode);
    } else if (!bit) {
      allowed.must(Rule::q33, {Status::invalid_opcode});
    }
    if (by_limit && !bit) allowed.may(Status::invalid_field);
  }
  allow_fused(scene, command, allowed);

  // Namespace
  std::uint32_t index = command.ns;
  if (index == kNone) index = find_namespace(scene.s, c.subsystem, entry.nsid);
  const std::uint32_t nsid = entry.nsid;
  if (nsid == spec::kBroadcastNsid) {
    const unsigned flush = announced.vwc >> 1U & 3U;
    if (opcode == kFlush && (!announced.known || flush != 2)) {
      if (!announced.known || flush == 0)
        allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});
    } else {
      allowed.must(Rule::ns10, {Status::invalid_field, Status::invalid_namespace_or_format});
    }
  } else if (nsid == 0 || (announced.known && nsid > announced.nn)) {
    allowed.must(Rule::ns10, {Status::invalid_namespace_or_format});
  } else {
    const auto& subsystem = scene.s.subsystems[c.subsystem];
    bool active = false, inactive = true;
    if (index != kNone) {
      active = may_be_active(scene.s.namespaces[index], scene.index, command.submitted);
      inactive = may_be_inactive(scene.s.namespaces[index], scene.index, command.submitted);
    }
    // One that nobody knew when the command began may have been made by a create that had not ended.
    if (command.ns == kNone) {
      active |=
          !subsystem.complete || subsystem.creates_open != 0 || subsystem.create_until >= command.submitted;
      inactive = true;
    }
    exercised(scene, Rule::ns10);
    if (!active) {
      if (index != kNone) allowed.because(edit_attachment(scene.s.namespaces[index], scene.index).changed);
      allowed.must(Rule::ns10, {Status::invalid_field, Status::invalid_namespace_or_format});
    } else if (inactive) {
      allowed.may({Status::invalid_field, Status::invalid_namespace_or_format, Status::abort_requested});
    }
  }
  if (!announced.known) allowed.may(Status::invalid_namespace_or_format);

  const Namespace* ns = index == kNone ? nullptr : &scene.s.namespaces[index];
  allow_zone_command(scene, command, ns, allowed);
  if (is_zone_opcode(opcode)) {
    if (opcode == kZoneAppend) allowed.may({Status::write_fault, Status::write_to_read_only_range});
  } else if (opcode == kDatasetManagement) {
    // Ranges that are not processed need not be checked, and need not be left unchecked.
    allowed.may({Status::lba_out_of_range, Status::write_fault, Status::write_to_read_only_range});
    const bool recommended = announced.known && (announced.oncs >> row->bit & 1U) != 0;
    if (!recommended) allowed.may(Status::command_size_limit_exceeded);
  } else if (opcode == kCopy) {
    allow_copy(scene, command, ns, allowed);
  } else if (opcode != kFlush) {
    // Range and size
    const std::uint64_t slba = entry.slba();
    const std::uint64_t blocks = entry.block_count();
    const bool size_known = ns != nullptr && ns->blocks != 0 &&
                            ns->exists.surely_since(true, command.submitted) &&
                            !may_be_formatted(*ns, command.submitted);
    if (!size_known) {
      allowed.may(Status::lba_out_of_range);
    } else {
      exercised(scene, Rule::d14);
      if (slba > ns->blocks || blocks > ns->blocks - slba)
        allowed.must(Rule::d14, {Status::lba_out_of_range});
    }
    const bool transfers = opcode == kRead || opcode == kWrite || opcode == kCompare;
    const std::uint32_t block_bytes =
        ns == nullptr || may_be_formatted(*ns, command.submitted) || !metadata_known(*ns) ? 0
                                                                                          : ns->block_bytes;
    const std::uint64_t moved = block_bytes == 0 ? 0 : bytes_of(*ns, command);
    if (transfers && block_bytes != 0 && exceeds_mdts(c, blocks * moved)) {
      allowed.must(Rule::q33, {Status::invalid_field});
    }
    // Where nobody announced a longest transfer, one of this length that succeeded shows that it is not too
    // long.
    // MDTS counts pages whose size is in CAP, and is 4 KiB at least.
    const bool perhaps_too_long = announced.known && announced.mdts != 0 && announced.mdts < 40 &&
                                  !cap_known(c) &&
                                  blocks * moved > std::uint64_t{spec::kPageSize} << announced.mdts;
    if (transfers && (!announced.known || block_bytes == 0 || perhaps_too_long) &&
        blocks > proven_blocks(ns, scene.index)) {
      allowed.may(Status::invalid_field);
    }
    // Options and protection information
    std::uint32_t plain = kPlainCdw12;
    if (opcode == kWriteZeroes) plain |= kDeallocate;
    // What the namespace's protection information makes of PRINFO and STC is said below.
    if (ns != nullptr && ns->metadata.format.type != 0 && metadata_known(*ns) &&
        opcode != kWriteUncorrectable)
      plain |= spec::prinfo::action | 7U << 26U | spec::prinfo::check_storage;
    const bool options = (entry.cdw12 & ~plain) != 0 || entry.cdw13 != 0;
    if (options) {
      allowed.may(
          {Status::invalid_field, Status::invalid_protection_information, Status::conflicting_attributes});
    }
    if (opcode == kWriteZeroes && (entry.cdw12 & kDeallocate) != 0) allowed.may(Status::invalid_field);
    allow_protection(scene, command, ns, allowed);
    // Media
    const bool deallocated_error = ns == nullptr || !ns->identified || (ns->nsfeat & 4U) != 0;
    if (is_read_type(opcode)) {
      const auto spoilt = unreadable(command, ns);
      if (spoilt.surely) {
        allowed.must(Rule::d12, {Status::unrecovered_read_error});
      } else if (spoilt.possible || !scene.s.simulator) {
        allowed.may(Status::unrecovered_read_error);  // media fail by themselves; the simulator's do not
      }
      if (deallocated_error) allowed.may(Status::deallocated_block);
    }
    if (opcode == kCompare) allowed.may(Status::compare_failure);
    if (is_write_type(opcode)) allowed.may({Status::write_fault, Status::write_to_read_only_range});
  } else {
    allowed.may(Status::write_fault);
  }
  allowed.may(Status::namespace_not_ready);
  const bool security = !announced.known || (announced.oacs & spec::oacs::security) != 0;
  if (security) allowed.may(Status::access_denied);
  if (is_write_type(opcode) && (ns == nullptr || !ns->identified || (ns->nsfeat & 1U) != 0))
    allowed.may(Status::capacity_exceeded);
  if (is_write_type(opcode) || opcode == kZoneSend) allow_change(scene, command, command.ns, allowed);
  if (!announced.known || (announced.oncs & spec::oncs::reservations) != 0)
    allowed.may(Status::reservation_conflict);
  const bool formats = !announced.known || (announced.oacs & spec::oacs::format) != 0;
  if (formats && (ns == nullptr || may_be_formatted(*ns, command.submitted)))
    allowed.may(Status::format_in_progress);
  if (!announced.known || (announced.cmic & spec::cmic::ana) != 0) {
    allowed.may({Status::ana_persistent_loss, Status::ana_inaccessible, Status::ana_transition});
  }
}

Rule rule_of_refusal_io(const Command& command, Status status) {
  const Rule zones = rule_of_zone_refusal(status);
  if (zones != Rule::count) return zones;
  switch (status) {
    case Status::invalid_namespace_or_format:
      return Rule::ns10;
    case Status::lba_out_of_range:
      return Rule::d14;
    case Status::unrecovered_read_error:
      return Rule::d12;
    case Status::guard_check_error:
    case Status::application_tag_check_error:
    case Status::reference_tag_check_error:
    case Status::storage_tag_check_error:
      return Rule::d17;
    case Status::namespace_write_protected:
      return Rule::d15;
    case Status::invalid_field:
      return has_range(command.entry.opcode) || command.entry.opcode == kFlush ? Rule::ns10 : Rule::q33;
    default:
      return Rule::q33;
  }
}

}  // namespace polypath::model
