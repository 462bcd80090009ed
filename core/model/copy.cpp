#include "model/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "model/format.h"
#include "model/io.h"
#include "model/namespaces.h"
#include "model/power.h"
#include "model/protection.h"
#include "model/rules.h"
#include "spec/queue_entry.h"

namespace polypath::model {
namespace {

using spec::Status;

unsigned format_of(const Command& command) { return command.entry.cdw12 >> 8U & 0xFU; }

/// The sources of a Copy in descriptor format 0 or 1, as they are listed. None when they were not seen.
std::vector<BlockRange> copied_ranges(const Command& command, std::span<const std::byte> data) {
  const std::size_t count = (command.entry.cdw12 & 0xFFU) + std::size_t{1};
  const std::size_t each = format_of(command) == 0 ? sizeof(spec::CopyRange) : sizeof(spec::CopyRangeLong);
  if (format_of(command) > 1 || data.size() != count * each) return {};
  std::vector<BlockRange> ranges;
  for (std::size_t i = 0; i < count; ++i) {
    spec::CopyRange range;  // both formats begin alike
    std::memcpy(&range, data.data() + i * each, sizeof range);
    ranges.push_back({range.slba, range.nlb + std::uint64_t{1}});
  }
  return ranges;
}

/// Where the copied blocks lie, none when they lie beyond what LBAs can name or are too many to follow.
std::optional<BlockRange> destination(const Command& command, std::span<const BlockRange> sources) {
  std::uint64_t total = 0;
  for (const BlockRange& one : sources) {
    total += one.blocks;
    if (one.slba > ~std::uint64_t{0} - kBlocksMax) return std::nullopt;
  }
  const std::uint64_t to = command.entry.slba();
  if (total > kBlocksMax || to > ~std::uint64_t{0} - kBlocksMax) return std::nullopt;
  return BlockRange{to, total};
}

/// How many sources, from the first, the completion says are copied. One that could not be read is not.
std::size_t sources_done(const Scene& scene, const Command& command, const Completion& completion,
                         const Namespace& ns) {
  exercised(scene, Rule::d16);
  const auto& sources = scene.s.details[command.detail].block_ranges;
  if (completion.success()) return sources.size();
  if (end_of(completion.status()) == WriteEnd::refused) return 0;
  const std::size_t said = std::min<std::size_t>(completion.entry.dw0, sources.size());
  for (std::size_t i = 0; i < said; ++i) {
    for (std::uint64_t k = 0; k < sources[i].blocks; ++k) {
      if (!ns.content.met(sources[i].slba + k, kUncorrectable, command.submitted).surely) continue;
      violation(scene, Rule::d16,
                fmt::format("{}: a source that cannot be read is said to be copied", text_of(scene, command)),
                fmt::format("dword 0 at most {}", i), fmt::format("{}", completion.entry.dw0),
                {command.submitted});
      return i;
    }
  }
  return said;
}

}  // namespace

void begin_copy(const Scene& scene, Command& command, std::span<const std::byte> data) {
  Namespace& ns = scene.s.namespaces[command.ns];
  auto sources = copied_ranges(command, data);
  const auto to = destination(command, sources);
  if (!ns.tracked) {
    if (!sources.empty()) edit_detail(scene, command).block_ranges = std::move(sources);
    return;
  }
  if (sources.empty() || !to) {
    const Announced& announced = scene.c().announced;
    const unsigned format = command.entry.cdw12 >> 8U & 0xFU;
    const bool refused = announced.known && (announced.ocfs >> format & 1U) == 0;
    if (!refused) lose_content(ns);  // what it writes where is not known
    return;
  }
  const Seq quiet = ns.readers.quiet();
  command.readers = ns.readers.begin(scene.now);
  command.reading = true;
  for (std::uint64_t i = 0; i < to->blocks; ++i) {
    ns.content.begin(to->slba + i, 0, scene.now, scene.index, Blocks::Written::copied, quiet,
                     writes_through(scene, command));
  }
  edit_detail(scene, command).block_ranges = std::move(sources);
  command.writing = true;
}

void end_copy(const Scene& scene, const Command& command, const Completion& completion, Namespace& ns) {
  const auto& sources = scene.s.details[command.detail].block_ranges;
  const WriteEnd otherwise = completion.success() ? WriteEnd::applied : end_of(completion.status());
  const std::size_t done = sources_done(scene, command, completion, ns);
  const Seq quiet = ns.readers.quiet();
  std::uint64_t to = command.entry.slba();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    for (std::uint64_t k = 0; k < sources[i].blocks; ++k, ++to) {
      if (i < done) {
        const auto value = ns.content.sole_value(sources[i].slba + k, command.submitted);
        // Protection information that the controller makes anew is not followed.
        const bool anew = ns.metadata.format.type != 0 && (command.entry.cdw12 & spec::prinfo::action) != 0;
        if (value && value->value != kUncorrectable)
          ns.content.settle(to, command.submitted, value->value, anew ? kDataHalf : value->known);
      }
      ns.content.end(to, command.submitted, i < done ? WriteEnd::applied : otherwise, scene.now, quiet);
    }
  }
}

void allow_copy(const Scene& scene, const Command& command, const Namespace* ns, Allowed& allowed) {
  const auto& announced = scene.c().announced;
  const auto& entry = command.entry;
  const unsigned format = entry.cdw12 >> 8U & 0xFU;
  if (!announced.known) {
    allowed.may(Status::invalid_field);
  } else if ((announced.ocfs >> format & 1U) == 0) {
    allowed.must(Rule::q33, {Status::invalid_field});
  }
  // Formats with odd numbers are for longer guards, the higher ones for other namespaces.
  const bool known = ns != nullptr && metadata_known(*ns) && !command.no_tail &&
                     !may_be_another(*ns, command.submitted) && ns->incarnation == command.incarnation;
  const bool longer =
      known && ns->metadata.format.type != 0 && ns->metadata.format.guard != spec::Guard::bits16;
  const bool supported = announced.known && (announced.ocfs >> format & 1U) != 0;
  if (format > 1 || !known) {
    if (format != 0 || !known) allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});
  } else if (supported && (format == 1) != longer) {
    allowed.must(Rule::q33, {Status::invalid_namespace_or_format});
  }
  const bool reads_action = (entry.cdw12 >> 15U & 1U) != 0, writes_action = (entry.cdw12 >> 29U & 1U) != 0;
  if (known && ns->metadata.format.type != 0 && reads_action != writes_action)
    allowed.must(Rule::d17, {Status::invalid_field});
  if ((entry.cdw12 & 0x3F00'F000U) != 0 || entry.cdw13 != 0) {  // protection information and directives
    allowed.may(
        {Status::invalid_field, Status::invalid_protection_information, Status::conflicting_attributes});
  }
  if (!known || ns->metadata.format.type != 0) {
    allowed.may({Status::guard_check_error, Status::application_tag_check_error,
                 Status::reference_tag_check_error, Status::storage_tag_check_error,
                 Status::invalid_protection_information});
  }
  allowed.may({Status::write_fault, Status::write_to_read_only_range, Status::insufficient_resources,
               Status::incompatible_namespace_or_format, Status::fast_copy_not_possible});
  if (ns == nullptr || !ns->identified || (ns->nsfeat & 4U) != 0) allowed.may(Status::deallocated_block);
  const auto* sources = command.detail == kNone ? nullptr : &scene.s.details[command.detail].block_ranges;
  const bool stands = ns != nullptr && ns->blocks != 0 && ns->exists.surely_since(true, command.submitted) &&
                      !may_be_formatted(*ns, command.submitted);
  if (sources == nullptr || sources->empty() || !stands || !ns->identified || ns->mcl == 0) {
    allowed.may({Status::command_size_limit_exceeded, Status::lba_out_of_range, Status::overlapping_io_range,
                 Status::unrecovered_read_error});
    return;
  }
  exercised(scene, Rule::d14);
  const std::uint64_t to = entry.slba();
  std::uint64_t total = 0;
  bool outside = false, overlap = false;
  bool too_large = sources->size() > ns->msrc + std::size_t{1};
  for (const BlockRange& one : *sources) {
    total += one.blocks;
    too_large |= one.blocks > ns->mssrl;
    outside |= one.slba > ns->blocks || one.blocks > ns->blocks - one.slba;
  }
  for (const BlockRange& one : *sources) overlap |= one.slba - to < total || to - one.slba < one.blocks;
  outside |= to > ns->blocks || total > ns->blocks - to;
  if (too_large || total > ns->mcl) allowed.must(Rule::q33, {Status::command_size_limit_exceeded});
  if (outside) allowed.must(Rule::d14, {Status::lba_out_of_range});
  if (overlap) allowed.may(Status::overlapping_io_range);
  // Sources that Write Uncorrectable spoilt
  if (!command.writing || !ns->tracked || outside || total > kBlocksMax) {
    allowed.may(Status::unrecovered_read_error);
    return;
  }
  Blocks::Met any;
  for (const BlockRange& one : *sources) {
    for (std::uint64_t k = 0; k < one.blocks; ++k) {
      const auto met = ns->content.met(one.slba + k, kUncorrectable, command.submitted);
      any.possible |= met.possible;
      any.surely |= met.surely;
    }
  }
  if (any.surely) {
    allowed.must(Rule::d12, {Status::unrecovered_read_error});
  } else if (any.possible || !scene.s.simulator) {
    allowed.may(Status::unrecovered_read_error);
  }
}

}  // namespace polypath::model
