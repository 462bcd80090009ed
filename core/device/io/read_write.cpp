// Read, Write, Compare, Verify, Write Zeroes, Write Uncorrectable, Dataset Management, Flush. NVM command set
// specification.
#include <algorithm>
#include <array>

#include "device/io/metadata.h"
#include "device/io/range.h"
#include "spec/identify.h"

namespace polypath::device::io {
namespace {

using spec::Status;

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
  range.offset = ns.place(entry.slba());
  range.bytes = ns.place(count);
  constexpr std::uint8_t kPageShift = 12;
  if (ns.block_shift > kPageShift && act.broken_by(Fault::large_blocks_overlap))
    range.offset = entry.slba() << kPageShift;
  const std::uint64_t most = mdts_bytes(c);
  if (transfers && most != 0 && pointer_bytes(ns, entry) > most) range.status = Status::invalid_field;
  if (range.status != Status::success || !ns.zoned() || outside) return range;
  const bool reads = entry.opcode == 0x02 || entry.opcode == 0x05 || entry.opcode == 0x0C;
  range.status = reads ? check_zone_read(act, ns, entry.slba(), count)
                       : check_zone_write(act, controller, ns, entry.slba(), count, false);
  return range;
}

/// Does the range hold blocks that Write Uncorrectable spoilt?
bool unreadable(const Act& act, std::uint32_t controller, const Range& range) {
  if (!media_of(act, range.ns).spoilt(range.offset, range.bytes)) return false;
  return act.device.namespaces[range.ns].last_writer == controller ||
         !act.broken_by(Fault::uncorrectable_on_one_path);
}

void count_read(const Act& act, std::uint32_t controller, const Range& range,
                const spec::SubmissionEntry& entry) {
  Controller& c = act.controller(controller);
  c.reads += 1;
  c.units_read += (std::uint64_t{entry.block_count()} << act.device.namespaces[range.ns].block_shift) /
                  Media::kStampBytes;
}

/// What a read finds on the media: a planted fault shows what was there before another controller wrote.
const Media& media_for_read(const Act& act, std::uint32_t controller, std::uint32_t ns, Fault fault,
                            const Media& otherwise) {
  const bool old = act.fault(fault) && act.device.namespaces[ns].last_writer != controller &&
                   ns < act.device.old_media.size();
  if (!old) return otherwise;
  act.fired(fault);
  return act.device.old_media[ns];
}

/// The blocks of a range, in room that holds no state.
Image stored_blocks(const Act& act, const Range& range, const Media& media, std::vector<std::byte>& room) {
  const Namespace& ns = act.device.namespaces[range.ns];
  room.resize(range.bytes);
  media.read(range.offset, room);
  const Image image(ns, room);
  show_unwritten(ns, image);
  return image;
}

/// Read of blocks that have metadata.
Status read_blocks(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
                   const Range& range, const Media& media) {
  const Namespace& ns = act.device.namespaces[range.ns];
  const Protection asked = protection_of(ns, entry);
  const Status fields = check_fields(ns, asked, entry.slba());
  if (fields != Status::success) return fields;
  thread_local std::vector<std::byte> room;
  const Image image = stored_blocks(act, range, media, room);
  const Status checked = check_stored(act, ns, asked, image);
  return checked != Status::success ? checked : scatter(act, controller, command, entry, ns, image);
}

/// What a Write of blocks with metadata puts on the media.
Status blocks_to_write(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
                       const Range& range, std::vector<std::byte>& room) {
  const Namespace& ns = act.device.namespaces[range.ns];
  const Protection asked = protection_of(ns, entry);
  const Status fields = check_fields(ns, asked, entry.slba());
  if (fields != Status::success) return fields;
  room.assign(range.bytes, std::byte{0});
  const Image image(ns, room);
  const Status status = gather(act, controller, command, entry, ns, image);
  if (status != Status::success) return status;
  const Status made = protect(act, ns, asked, image);
  if (made != Status::success) return made;
  if (ns.last_writer == controller || !act.fault(Fault::metadata_of_other_write)) return made;
  act.fired(Fault::metadata_of_other_write);
  thread_local std::vector<std::byte> before_room;
  const Image before = stored_blocks(act, range, media_of(act, range.ns), before_room);
  for (std::size_t i = 0; i < image.blocks(); ++i)
    std::ranges::copy(before.metadata(i), image.metadata(i).begin());
  return made;
}

Status compare_blocks(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
                      const Range& range) {
  const Namespace& ns = act.device.namespaces[range.ns];
  const Protection asked = protection_of(ns, entry);
  if (asked.asks(spec::prinfo::action)) return Status::invalid_field;
  const Status fields = check_fields(ns, asked, entry.slba());
  if (fields != Status::success) return fields;
  thread_local std::vector<std::byte> ours, theirs;
  theirs.assign(range.bytes, std::byte{0});
  const Image sent(ns, theirs);
  const Status status = gather(act, controller, command, entry, ns, sent);
  if (status != Status::success) return status;
  if (unreadable(act, controller, range)) return Status::unrecovered_read_error;
  const Image stored = stored_blocks(act, range, media_of(act, range.ns), ours);
  for (const Image* one : {&sent, &stored}) {
    const Status checked = check_stored(act, ns, asked, *one);
    if (checked != Status::success) return checked;
  }
  if (same_content(ns, sent, stored) || act.broken_by(Fault::compare_always_equal)) return Status::success;
  return Status::compare_failure;
}

/// A Verify of protection information, which may be of more blocks than a command can move.
Status verify_blocks(const Act& act, const Range& range, const Protection& asked) {
  constexpr std::uint64_t kBlocksAtOnce = 64;
  const Namespace& ns = act.device.namespaces[range.ns];
  thread_local std::vector<std::byte> room;
  const std::uint64_t blocks = range.bytes / ns.place(1);
  for (std::uint64_t done = 0; done < blocks; done += kBlocksAtOnce) {
    Range part = range;
    part.offset += ns.place(done);
    part.bytes = ns.place(std::min(kBlocksAtOnce, blocks - done));
    const Image image = stored_blocks(act, part, media_of(act, range.ns), room);
    const Status checked = check_stored(act, ns, asked, image, done);
    if (checked != Status::success) return checked;
  }
  return Status::success;
}

/// Write Zeroes writes blocks as long as they are few; it may deallocate them, and does so with many.
constexpr std::uint64_t kZeroesWritten = 256;

Status write_zero_blocks(const Act& act, const spec::SubmissionEntry& entry, const Range& range,
                         std::uint64_t bytes, bool cached) {
  const Namespace& ns = act.device.namespaces[range.ns];
  const Protection asked = protection_of(ns, entry);
  const bool deallocate = (entry.cdw12 >> 25U & 1U) != 0 || entry.block_count() > kZeroesWritten;
  if (deallocate) {
    media_of(act, range.ns).zero(range.offset, bytes, cached);
    return Status::success;
  }
  thread_local std::vector<std::byte> room;
  room.assign(bytes, std::byte{0});
  Protection made = asked;
  if (ns.metadata.type == 1) made.tags.reference = entry.slba() & spec::reference_mask(ns.metadata);
  const Image image(ns, room);
  if (asked.asks(spec::prinfo::action)) {
    protect(act, ns, made, image);
  } else {
    for (std::size_t i = 0; i < image.blocks(); ++i) image.set_written(i);
  }
  media_of(act, range.ns).write(range.offset, room, cached);
  return Status::success;
}

}  // namespace

Outcome read(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  const Range range = check(act, controller, command, entry, true);
  if (range.status != Status::success) return range.status;
  if (unreadable(act, controller, range)) return Status::unrecovered_read_error;
  const Media* media =
      &media_for_read(act, controller, range.ns, Fault::stale_read_on_other_path, media_of(act, range.ns));
  media = &media_for_read(act, controller, range.ns, Fault::deallocated_on_one_path, *media);
  if (act.device.namespaces[range.ns].metadata.bytes != 0) {
    const Status status = read_blocks(act, controller, command, entry, range, *media);
    if (status != Status::success) return status;
    count_read(act, controller, range, entry);
    return Status::success;
  }
  thread_local std::vector<Piece> pieces;  // scratch: keeps its capacity between calls, holds no state
  const Status mapped = map_data(act, controller, entry, range.bytes, pieces);
  if (mapped != Status::success) return mapped;
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
  count_read(act, controller, range, entry);
  return Status::success;
}

Outcome write(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  const Range range = check(act, controller, command, entry, true);
  if (range.status != Status::success) return range.status;
  thread_local std::vector<std::byte>
      data;  // scratch: the whole command, so that a failed transfer changes nothing
  data.resize(range.bytes);
  const Namespace& ns = act.device.namespaces[range.ns];
  const Status status = ns.metadata.bytes != 0 ? blocks_to_write(act, controller, command, entry, range, data)
                                               : copy_in(act, controller, command, entry, data);
  if (status != Status::success) return status;
  before_write(act, range.ns, controller);
  std::span<const std::byte> stored(data);
  const auto block = static_cast<std::size_t>(ns.place(1));
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
  c.units_written += (std::uint64_t{entry.block_count()} << ns.block_shift) / Media::kStampBytes;
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
  if (act.device.namespaces[range.ns].metadata.bytes != 0)
    return compare_blocks(act, controller, command, entry, range);
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
    bytes -= act.device.namespaces[range.ns].place(1);
  }
  before_durable(act, range.ns, cached(act, controller, entry));
  if (act.device.namespaces[range.ns].metadata.bytes != 0) {
    write_zero_blocks(act, entry, range, bytes, cached(act, controller, entry));
  } else {
    media_of(act, range.ns).zero(range.offset, bytes, cached(act, controller, entry));
  }
  zone_written(act, controller, range.ns, entry.slba(), entry.block_count());
  note_versions(act, range.ns, range);
  act.controller(controller).writes += 1;
  return Status::success;
}

Outcome verify(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  const Range range = check(act, controller, command, entry, false);
  if (range.status != Status::success) return range.status;
  const Namespace& ns = act.device.namespaces[range.ns];
  const Protection asked = protection_of(ns, entry);
  if (asked.asks(spec::prinfo::action)) return Status::invalid_field;
  const Status fields = check_fields(ns, asked, entry.slba());
  if (fields != Status::success) return fields;
  if (unreadable(act, controller, range) && !act.broken_by(Fault::verify_reads_nothing))
    return Status::unrecovered_read_error;
  if (asked.prinfo == 0) return Status::success;
  return verify_blocks(act, range, asked);
}

Outcome write_uncorrectable(Act& act, std::uint32_t controller, Handle command,
                            const spec::SubmissionEntry& entry) {
  const Range range = check(act, controller, command, entry, false);
  if (range.status != Status::success) return range.status;
  before_write(act, range.ns, controller);
  std::uint64_t bytes = range.bytes;
  if (entry.block_count() > 1 && act.broken_by(Fault::uncorrectable_short))
    bytes -= act.device.namespaces[range.ns].place(1);
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
    range.offset = ns.place(one.slba);
    range.bytes = ns.place(blocks);
    media_of(act, range.ns).zero(range.offset, range.bytes);
    note_versions(act, range.ns, range);
  }
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
