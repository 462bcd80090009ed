// Copy. NVM command set specification, "Copy command"; sheet 05, section 3.
#include <algorithm>
#include <array>
#include <cstring>

#include "device/io/metadata.h"
#include "device/io/range.h"

namespace polypath::device::io {
namespace {

using spec::Status;

constexpr std::size_t kCopyRangesMost = 256;

/// One source, whatever its descriptor's format.
struct Source {
  std::uint64_t slba = 0, blocks = 0;
  Protection asked;  ///< of its protection information
};

/// Statuses of the command's own fields, before the list is read.
Status check_options(const Act& act, const Namespace& ns, const spec::SubmissionEntry& entry) {
  const std::uint32_t format = entry.cdw12 >> 8U & 0xFU;
  if ((act.profile().controller.ocfs >> format & 1U) == 0) return Status::invalid_field;
  const bool reads_action = (entry.cdw12 >> 15U & 1U) != 0, writes_action = (entry.cdw12 >> 29U & 1U) != 0;
  if (reads_action != writes_action) return Status::invalid_field;  // PRACT of PRINFOR and of PRINFOW
  const bool long_guard = ns.metadata.type != 0 && ns.metadata.guard != spec::Guard::bits16;
  return (format == 1) != long_guard ? Status::invalid_namespace_or_format : Status::success;
}

Status read_sources(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
                    const Namespace& ns, std::vector<Source>& sources) {
  const std::size_t count = (entry.cdw12 & 0xFFU) + 1U;
  const bool longer = (entry.cdw12 >> 8U & 0xFU) == 1;
  const std::size_t each = longer ? sizeof(spec::CopyRangeLong) : sizeof(spec::CopyRange);
  std::array<std::byte, kCopyRangesMost * sizeof(spec::CopyRangeLong)> room;
  const auto list = std::span(room).first(count * each);
  const Status status = copy_in(act, controller, command, entry, list);
  if (status != Status::success) return status;
  sources.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    Source& source = sources[i];
    // What one descriptor says of tags is put as the dwords of a command would say it.
    spec::SubmissionEntry tags;
    if (longer) {
      spec::CopyRangeLong one;
      std::memcpy(&one, list.data() + i * each, sizeof one);
      source.slba = one.slba, source.blocks = one.nlb + std::uint64_t{1};
      const auto word = [&](std::size_t at, std::size_t bytes) {
        std::uint32_t value = 0;
        for (std::size_t k = 0; k < bytes; ++k) value = value << 8U | one.tags[at + k];
        return value;
      };
      tags.cdw2 = word(0, 2), tags.cdw3 = word(2, 4), tags.cdw14 = word(6, 4);
      tags.cdw15 = std::uint32_t{one.application_mask} << 16U | one.application_tag;
    } else {
      spec::CopyRange one;
      std::memcpy(&one, list.data() + i * each, sizeof one);
      source.slba = one.slba, source.blocks = one.nlb + std::uint64_t{1};
      tags.cdw14 = one.reference_tag;
      tags.cdw15 = std::uint32_t{one.application_mask} << 16U | one.application_tag;
    }
    // PRINFOR and STCR, at the bits where other commands have PRINFO and STC.
    tags.cdw12 = (entry.cdw12 >> 12U & 0xFU) << 26U | (entry.cdw12 >> 25U & 1U) << 24U;
    source.asked = protection_of(ns, tags);
  }
  return Status::success;
}

/// Checks of a Copy before anything is moved.
Status check_copy(const Act& act, std::uint32_t controller, const Namespace& ns,
                  const spec::SubmissionEntry& entry, std::span<const Source> sources) {
  const spec::IdentifyNamespace& limits = act.profile().ns;
  if (sources.size() > limits.msrc + std::size_t{1}) return Status::command_size_limit_exceeded;
  std::uint64_t total = 0;
  for (const Source& one : sources) {
    if (one.blocks > limits.mssrl) return Status::command_size_limit_exceeded;
    total += one.blocks;
  }
  if (total > limits.mcl) return Status::command_size_limit_exceeded;
  const std::uint64_t to = entry.slba();
  if (to > ns.blocks || total > ns.blocks - to) return Status::lba_out_of_range;
  Status fields = check_fields(ns, protection_of(ns, entry), to);
  for (const Source& one : sources) {
    if (one.slba > ns.blocks || one.blocks > ns.blocks - one.slba) return Status::lba_out_of_range;
    if (one.slba < to + total && to < one.slba + one.blocks) return Status::overlapping_io_range;
    const Status read = ns.zoned() ? check_zone_read(act, ns, one.slba, one.blocks) : Status::success;
    if (read != Status::success) return read;
    if (fields == Status::success) fields = check_fields(ns, one.asked, one.slba);
  }
  if (fields != Status::success) return fields;
  return ns.zoned() ? check_zone_write(act, controller, ns, to, total, false) : Status::success;
}

/// Metadata of one source on their way: `image` holds it as it was read, `done` blocks were copied before it.
Status move_metadata(const Act& act, const Namespace& ns, const Source& source, const Protection& write,
                     std::uint64_t done, const Image& image) {
  show_unwritten(ns, image);
  const Status read = check_stored(act, ns, source.asked, image);
  return read != Status::success ? read : protect(act, ns, write, image, done);
}

/// A planted fault: the metadata that the destination had stay.
void keep_metadata(const Namespace& ns, const Media& media, std::uint64_t to, std::span<std::byte> data) {
  std::vector<std::byte> before(data.size());
  media.read(to, before);
  const Image old(ns, before), image(ns, data);
  for (std::size_t i = 0; i < image.blocks(); ++i)
    std::ranges::copy(old.metadata(i), image.metadata(i).begin());
}

Outcome stopped(Status status, std::size_t source) {
  Outcome outcome = status;
  outcome.dw0 = static_cast<std::uint32_t>(source);
  return outcome;
}

}  // namespace

Outcome copy(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  Range range = meet(act, controller, command, entry);
  if (range.status != Status::success) return range.status;
  const Namespace& ns = act.device.namespaces[range.ns];
  const Status options = check_options(act, ns, entry);
  if (options != Status::success) return options;
  thread_local std::vector<Source> sources;  // scratch: keeps its capacity between calls, holds no state
  const Status status = read_sources(act, controller, command, entry, ns, sources);
  if (status != Status::success) return status;
  const Status checked = check_copy(act, controller, ns, entry, sources);
  if (checked != Status::success) return checked;
  before_write(act, range.ns, controller);
  Media& media = media_of(act, range.ns);
  // STCW lies where other commands have STC, and PRINFOW where they have PRINFO.
  const Protection write = protection_of(ns, entry);
  std::uint64_t to = entry.slba();
  thread_local std::vector<std::byte> data;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::uint64_t from = ns.place(sources[i].slba), bytes = ns.place(sources[i].blocks);
    if (media.spoilt(from, bytes)) {
      const bool too_far = i + 1 < sources.size() && act.broken_by(Fault::copy_index_too_far);
      return stopped(Status::unrecovered_read_error, too_far ? i + 1 : i);
    }
    if (i != 0 && i + 1 == sources.size() && act.broken_by(Fault::copy_last_range_lost)) break;
    data.resize(bytes);
    media.read(from, data);
    if (ns.metadata.bytes != 0) {
      const Status moved = move_metadata(act, ns, sources[i], write, to - entry.slba(), Image(ns, data));
      if (moved != Status::success) return stopped(moved, i);
      if (act.broken_by(Fault::copy_leaves_metadata)) keep_metadata(ns, media, ns.place(to), data);
    }
    before_durable(act, range.ns, cached(act, controller, entry));
    zone_written(act, controller, range.ns, to, sources[i].blocks);
    range.offset = ns.place(to);
    range.bytes = bytes;
    media.write(range.offset, data, cached(act, controller, entry));
    note_versions(act, range.ns, range);
    to += sources[i].blocks;
  }
  act.controller(controller).writes += 1;
  return Status::success;
}

}  // namespace polypath::device::io
