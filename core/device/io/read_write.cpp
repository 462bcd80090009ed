// Read, Write, Compare, Verify, Write Zeroes, Write Uncorrectable, Dataset Management, Copy, Flush. NVM
// command set specification.
#include <algorithm>
#include <array>

#include "device/act.h"
#include "spec/identify.h"

namespace polypath::device::io {
namespace {

using spec::Status;

/// The namespace and byte range of a command that passed the checks which all LBA commands share.
struct Range {
  Status status = Status::success;
  std::uint32_t ns = 0;
  std::uint64_t offset = 0, bytes = 0;
};

/// The namespace of a command: the first of those checks.
Range meet(const Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  Range range;
  const Controller& c = act.controller(controller);
  std::int64_t ns_index = act.device.commands.get(command)->orphaned ? -1 : attached(c, entry.nsid);
  if (ns_index < 0) {
    const bool haunted =
        act.fault(Fault::detached_ns_answers) && entry.opcode == 0x02 &&
        std::find(c.was_active.begin(), c.was_active.end(), entry.nsid) != c.was_active.end();
    if (haunted) ns_index = allocated(act, controller, entry.nsid);
    if (ns_index < 0) {
      const NsidClass kind = classify(act, controller, entry.nsid);
      range.status = kind == NsidClass::invalid ? Status::invalid_namespace_or_format : Status::invalid_field;
      return range;
    }
    act.fired(Fault::detached_ns_answers);
  }
  range.ns = static_cast<std::uint32_t>(ns_index);
  return range;
}

Range check(const Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
            bool transfers) {
  Range range = meet(act, controller, command, entry);
  if (range.status != Status::success) return range;
  const Controller& c = act.controller(controller);
  const Namespace& ns = act.device.namespaces[range.ns];
  const std::uint64_t count = entry.block_count();
  const bool outside = entry.slba() >= ns.blocks || count > ns.blocks - entry.slba();
  const bool write = entry.opcode == 0x01;
  if (outside && !(write && act.broken_by(Fault::lba_range_unchecked))) {
    range.status = Status::lba_out_of_range;
    return range;
  }
  range.offset = entry.slba() << ns.block_shift;
  range.bytes = count << ns.block_shift;
  constexpr std::uint8_t kPageShift = 12;
  if (ns.block_shift > kPageShift && act.broken_by(Fault::large_blocks_overlap))
    range.offset = entry.slba() << kPageShift;
  const std::uint64_t most = mdts_bytes(c);
  if (transfers && most != 0 && range.bytes > most) range.status = Status::invalid_field;
  if (range.status != Status::success || !ns.zoned() || outside) return range;
  const bool reads = entry.opcode == 0x02 || entry.opcode == 0x05 || entry.opcode == 0x0C;
  range.status = reads ? check_zone_read(act, ns, entry.slba(), count)
                       : check_zone_write(act, controller, ns, entry.slba(), count, false);
  return range;
}

Media& media_of(const Act& act, std::uint32_t ns) { return act.device.media[ns]; }

/// Does the range hold blocks that Write Uncorrectable spoilt?
bool unreadable(const Act& act, std::uint32_t controller, const Range& range) {
  if (!media_of(act, range.ns).spoilt(range.offset, range.bytes)) return false;
  return act.device.namespaces[range.ns].last_writer == controller ||
         !act.broken_by(Fault::uncorrectable_on_one_path);
}

/// May a power loss undo what this command writes? Feature 06h of its controller, and FUA.
bool cached(const Act& act, std::uint32_t controller, const spec::SubmissionEntry& entry) {
  const bool cache =
      (act.profile().controller.vwc & 1U) != 0 && act.controller(controller).features.write_cache != 0;
  const bool unit_access = (entry.cdw12 >> 30U & 1U) != 0;
  return cache && (!unit_access || act.broken_by(Fault::fua_ignored));
}

/// A write pointer stands behind blocks that a power loss leaves, so what is durable at once makes what lies
/// before it durable.
void before_durable(const Act& act, std::uint32_t ns, bool cached) {
  if (!cached && act.device.namespaces[ns].zoned()) media_of(act, ns).flush();
}

void note_versions(const Act& act, std::uint32_t ns, const Range& range) {
  trace::InsideEvent note;
  note.time = act.world.engine.now();
  note.kind = trace::Inside::media_version;
  note.a = act.device.namespaces[ns].nsid;
  note.value = range.offset >> act.device.namespaces[ns].block_shift;
  note.b = static_cast<std::uint32_t>(range.bytes >> act.device.namespaces[ns].block_shift);
  note.c = static_cast<std::uint32_t>(media_of(act, ns).version(range.offset));
  act.world.trace.annotate(note);
}

// Keeps what the media held before this write: a planted fault serves it on other paths.
void before_write(const Act& act, std::uint32_t ns, std::uint32_t controller) {
  act.device.namespaces[ns].last_writer = controller;
  if (!act.fault(Fault::stale_read_on_other_path) && !act.fault(Fault::deallocated_on_one_path)) return;
  if (ns >= act.device.old_media.size()) act.device.old_media.resize(ns + std::size_t{1});
  act.device.old_media[ns] = act.device.media[ns];
}

}  // namespace

Outcome read(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  const Range range = check(act, controller, command, entry, true);
  if (range.status != Status::success) return range.status;
  if (unreadable(act, controller, range)) return Status::unrecovered_read_error;
  thread_local std::vector<Piece> pieces;  // scratch: keeps its capacity between calls, holds no state
  const Status mapped = map_data(act, controller, entry, range.bytes, pieces);
  if (mapped != Status::success) return mapped;

  const Media* media = &media_of(act, range.ns);
  const Namespace& ns = act.device.namespaces[range.ns];
  if (act.fault(Fault::stale_read_on_other_path) && ns.last_writer != controller &&
      range.ns < act.device.old_media.size()) {
    media = &act.device.old_media[range.ns];
    act.fired(Fault::stale_read_on_other_path);
  }
  if (act.fault(Fault::deallocated_on_one_path) && ns.last_writer != controller &&
      range.ns < act.device.old_media.size()) {
    media = &act.device.old_media[range.ns];
    act.fired(Fault::deallocated_on_one_path);
  }
  std::uint64_t offset = range.offset;
  std::array<std::byte, Media::kChunkBytes> bounce;
  for (Piece& piece : pieces) {
    if (piece.discarded) {
      if (!act.broken_by(Fault::bit_bucket_keeps_place)) offset += piece.bytes;
      continue;
    }
    while (piece.bytes != 0) {
      const std::uint64_t here = std::min(piece.bytes, Media::kChunkBytes - offset % Media::kChunkBytes);
      const std::byte* stored = media->peek(offset);
      if (stored == nullptr || here % Media::kStampBytes != 0) {
        media->read(offset, std::span(bounce).first(here));
        stored = bounce.data();
      }
      if (!dma_write(act, controller, command, piece.address, {stored, here}))
        return Status::data_transfer_error;
      piece.address += here;
      piece.bytes -= here;
      offset += here;
    }
  }
  if (act.fault(Fault::dma_past_end)) {
    act.fired(Fault::dma_past_end);
    const std::array<std::byte, 4> extra{};
    dma_write(act, controller, command, pieces.back().address, extra);
  }
  Controller& c = act.controller(controller);
  c.reads += 1;
  c.units_read += range.bytes / Media::kStampBytes;
  return Status::success;
}

Outcome write(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  const Range range = check(act, controller, command, entry, true);
  if (range.status != Status::success) return range.status;
  thread_local std::vector<std::byte>
      data;  // scratch: the whole command, so that a failed transfer changes nothing
  data.resize(range.bytes);
  const Status status = copy_in(act, controller, command, entry, data);
  if (status != Status::success) return status;
  before_write(act, range.ns, controller);
  std::span<const std::byte> stored(data);
  const std::size_t block = std::size_t{1} << act.device.namespaces[range.ns].block_shift;
  if (data.size() > block && act.broken_by(Fault::write_last_block_lost))
    stored = stored.first(data.size() - block);
  Media& media = media_of(act, range.ns);
  const bool spoilt = media.spoilt(range.offset, range.bytes);
  before_durable(act, range.ns, cached(act, controller, entry));
  media.write(range.offset, stored, cached(act, controller, entry));
  if (spoilt && act.broken_by(Fault::uncorrectable_survives_write)) media.spoil(range.offset, range.bytes);
  zone_written(act, controller, range.ns, entry.slba(), entry.block_count());
  note_versions(act, range.ns, range);
  Controller& c = act.controller(controller);
  c.writes += 1;
  c.units_written += range.bytes / Media::kStampBytes;
  return Status::success;
}

Outcome zone_append(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  if (!zones_enabled(act, controller)) return Status::invalid_opcode;
  Range range = meet(act, controller, command, entry);
  if (range.status != Status::success) return range.status;
  const Namespace& ns = act.device.namespaces[range.ns];
  if (!ns.zoned()) return Status::invalid_opcode;
  const std::uint64_t zslba = entry.slba();
  if (zslba >= ns.blocks) return Status::lba_out_of_range;
  if (zslba % (ns.zones.size >> ns.block_shift) != 0) return Status::invalid_field;
  if ((entry.cdw12 >> 25U & 1U) != 0) return Status::invalid_protection_information;  // nothing is protected
  range.bytes = std::uint64_t{entry.block_count()} << ns.block_shift;
  const Controller& c = act.controller(controller);
  const std::uint64_t most = c.zasl == 0 ? mdts_bytes(c) : std::uint64_t{spec::kPageSize} << c.zasl;
  if (most != 0 && range.bytes > most) return Status::invalid_field;
  const Status status = check_zone_write(act, controller, ns, zslba, entry.block_count(), true);
  if (status != Status::success) return status;
  const std::uint64_t to = write_pointer(ns, zslba);
  thread_local std::vector<std::byte> data;
  data.resize(range.bytes);
  const Status copied = copy_in(act, controller, command, entry, data);
  if (copied != Status::success) {
    if (act.broken_by(Fault::failed_append_moves))
      zone_written(act, controller, range.ns, to, entry.block_count());
    return copied;
  }
  before_write(act, range.ns, controller);
  range.offset = to << ns.block_shift;
  before_durable(act, range.ns, cached(act, controller, entry));
  media_of(act, range.ns).write(range.offset, data, cached(act, controller, entry));
  zone_written(act, controller, range.ns, to, entry.block_count());
  note_versions(act, range.ns, range);
  act.controller(controller).writes += 1;
  act.controller(controller).units_written += range.bytes / Media::kStampBytes;
  const std::uint64_t said = to != zslba && act.broken_by(Fault::append_address_of_zone) ? zslba : to;
  Outcome outcome;
  outcome.dw0 = static_cast<std::uint32_t>(said);
  outcome.dw1 = static_cast<std::uint32_t>(said >> 32U);
  return outcome;
}

Outcome compare(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  const Range range = check(act, controller, command, entry, true);
  if (range.status != Status::success) return range.status;
  thread_local std::vector<std::byte> data;
  data.resize(range.bytes);
  const Status status = copy_in(act, controller, command, entry, data);
  if (status != Status::success) return status;
  if (unreadable(act, controller, range)) return Status::unrecovered_read_error;
  if (media_of(act, range.ns).equals(range.offset, data)) return Status::success;
  if (!act.fault(Fault::compare_always_equal)) return Status::compare_failure;
  act.fired(Fault::compare_always_equal);
  return Status::success;
}

Outcome write_zeroes(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  Range range = check(act, controller, command, entry, false);
  if (range.status != Status::success) return range.status;
  const std::uint32_t unsupported = entry.cdw12 >> 24U & 0x1DU;  // STC and PRCHK must be 0
  if (unsupported != 0) return Status::invalid_field;
  before_write(act, range.ns, controller);
  std::uint64_t bytes = range.bytes;
  if (act.fault(Fault::write_zeroes_short)) {
    act.fired(Fault::write_zeroes_short);
    bytes -= std::uint64_t{1} << act.device.namespaces[range.ns].block_shift;
  }
  before_durable(act, range.ns, cached(act, controller, entry));
  media_of(act, range.ns).zero(range.offset, bytes, cached(act, controller, entry));
  zone_written(act, controller, range.ns, entry.slba(), entry.block_count());
  note_versions(act, range.ns, range);
  act.controller(controller).writes += 1;
  return Status::success;
}

Outcome verify(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  const Range range = check(act, controller, command, entry, false);
  if (range.status != Status::success) return range.status;
  if (!unreadable(act, controller, range) || act.broken_by(Fault::verify_reads_nothing))
    return Status::success;
  return Status::unrecovered_read_error;
}

Outcome write_uncorrectable(Act& act, std::uint32_t controller, Handle command,
                            const spec::SubmissionEntry& entry) {
  const Range range = check(act, controller, command, entry, false);
  if (range.status != Status::success) return range.status;
  before_write(act, range.ns, controller);
  std::uint64_t bytes = range.bytes;
  if (entry.block_count() > 1 && act.broken_by(Fault::uncorrectable_short))
    bytes -= std::uint64_t{1} << act.device.namespaces[range.ns].block_shift;
  before_durable(act, range.ns, false);
  media_of(act, range.ns).spoil(range.offset, bytes);
  zone_written(act, controller, range.ns, entry.slba(), entry.block_count());
  note_versions(act, range.ns, range);
  return Status::success;
}

Outcome dataset_management(Act& act, std::uint32_t controller, Handle command,
                           const spec::SubmissionEntry& entry) {
  Range range = meet(act, controller, command, entry);
  if (range.status != Status::success) return range.status;
  std::array<spec::DatasetRange, 256> list{};
  const std::size_t count = (entry.cdw10 & 0xFFU) + 1U;
  const auto bytes = std::as_writable_bytes(std::span(list).first(count));
  const Status status = copy_in(act, controller, command, entry, bytes);
  if (status != Status::success) return status;
  if ((entry.cdw11 & spec::kDeallocate) == 0) return Status::success;  // hints for reads and writes to come
  Namespace& ns = act.device.namespaces[range.ns];
  for (const auto& one : std::span(list).first(count)) {
    if (one.slba > ns.blocks || one.blocks > ns.blocks - one.slba) return Status::lba_out_of_range;
    const Status zone = check_zone_hint(ns, one.slba, one.blocks);
    if (zone != Status::success) return zone;
  }
  before_write(act, range.ns, controller);
  for (const auto& one : std::span(list).first(count)) {
    if (one.blocks == 0 || act.world.engine.decide(site::deallocate, 2) != 0) continue;
    std::uint64_t blocks = one.blocks;
    if (one.slba + blocks < ns.blocks && act.broken_by(Fault::deallocate_one_more)) ++blocks;
    range.offset = one.slba << ns.block_shift;
    range.bytes = blocks << ns.block_shift;
    media_of(act, range.ns).zero(range.offset, range.bytes);
    note_versions(act, range.ns, range);
  }
  return Status::success;
}

namespace {

constexpr std::size_t kCopyRangesMost = 256;

/// Checks of a Copy before anything is moved. NVM command set, "Copy command".
Status check_copy(const Act& act, std::uint32_t controller, const Namespace& ns,
                  const spec::SubmissionEntry& entry, std::span<const spec::CopyRange> list) {
  const spec::IdentifyNamespace& limits = act.profile().ns;
  if (list.size() > limits.msrc + std::size_t{1}) return Status::command_size_limit_exceeded;
  std::uint64_t total = 0;
  for (const auto& one : list) {
    const std::uint64_t blocks = one.nlb + std::uint64_t{1};
    if (blocks > limits.mssrl) return Status::command_size_limit_exceeded;
    total += blocks;
  }
  if (total > limits.mcl) return Status::command_size_limit_exceeded;
  const std::uint64_t to = entry.slba();
  if (to > ns.blocks || total > ns.blocks - to) return Status::lba_out_of_range;
  for (const auto& one : list) {
    const std::uint64_t blocks = one.nlb + std::uint64_t{1};
    if (one.slba > ns.blocks || blocks > ns.blocks - one.slba) return Status::lba_out_of_range;
    if (one.slba < to + total && to < one.slba + blocks) return Status::overlapping_io_range;
    const Status read = ns.zoned() ? check_zone_read(act, ns, one.slba, blocks) : Status::success;
    if (read != Status::success) return read;
  }
  return ns.zoned() ? check_zone_write(act, controller, ns, to, total, false) : Status::success;
}

}  // namespace

Outcome copy(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  Range range = meet(act, controller, command, entry);
  if (range.status != Status::success) return range.status;
  const std::uint32_t format = entry.cdw12 >> 8U & 0xFU;
  if ((act.profile().controller.ocfs >> format & 1U) == 0) return Status::invalid_field;
  const bool reads_action = (entry.cdw12 >> 15U & 1U) != 0, writes_action = (entry.cdw12 >> 29U & 1U) != 0;
  if (reads_action != writes_action) return Status::invalid_field;  // PRACT of PRINFOR and of PRINFOW
  std::array<spec::CopyRange, kCopyRangesMost> ranges{};
  const auto list = std::span(ranges).first((entry.cdw12 & 0xFFU) + 1U);
  const Status status = copy_in(act, controller, command, entry, std::as_writable_bytes(list));
  if (status != Status::success) return status;
  const Namespace& ns = act.device.namespaces[range.ns];
  const Status checked = check_copy(act, controller, ns, entry, list);
  if (checked != Status::success) return checked;
  before_write(act, range.ns, controller);
  Media& media = media_of(act, range.ns);
  std::uint64_t to = entry.slba() << ns.block_shift;
  thread_local std::vector<std::byte> data;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::uint64_t from = list[i].slba << ns.block_shift;
    const std::uint64_t bytes = (list[i].nlb + std::uint64_t{1}) << ns.block_shift;
    if (media.spoilt(from, bytes)) {
      Outcome outcome = Status::unrecovered_read_error;
      outcome.dw0 = static_cast<std::uint32_t>(i);
      if (i + 1 < list.size() && act.broken_by(Fault::copy_index_too_far)) ++outcome.dw0;
      return outcome;
    }
    if (i != 0 && i + 1 == list.size() && act.broken_by(Fault::copy_last_range_lost)) break;
    data.resize(bytes);
    media.read(from, data);
    before_durable(act, range.ns, cached(act, controller, entry));
    zone_written(act, controller, range.ns, to >> ns.block_shift, bytes >> ns.block_shift);
    media.write(to, data, cached(act, controller, entry));
    range.offset = to;
    range.bytes = bytes;
    note_versions(act, range.ns, range);
    to += bytes;
  }
  act.controller(controller).writes += 1;
  return Status::success;
}

Outcome flush(Act& act, std::uint32_t controller, Handle, const spec::SubmissionEntry& entry) {
  switch (classify(act, controller, entry.nsid)) {
    case NsidClass::active:
      if (!act.broken_by(Fault::flush_does_nothing))
        media_of(act, static_cast<std::uint32_t>(attached(act.controller(controller), entry.nsid))).flush();
      return Status::success;
    case NsidClass::broadcast:
      if ((act.profile().controller.vwc >> 1U & 3U) != 3U) return Status::invalid_field;
      flush_attached(act, controller);
      return Status::success;
    case NsidClass::invalid:
      return Status::invalid_namespace_or_format;
    default:
      return Status::invalid_field;
  }
}

}  // namespace polypath::device::io
