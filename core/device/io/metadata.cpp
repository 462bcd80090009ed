#include "device/io/metadata.h"

#include <algorithm>
#include <cstring>

namespace polypath::device::io {
namespace {

using spec::Status;
namespace prinfo = spec::prinfo;

constexpr std::uint16_t kAnyTag = 0xFFFF;

bool moves_action(const Namespace& ns, const spec::SubmissionEntry& entry) {
  return ns.metadata.type != 0 && (entry.cdw12 & prinfo::action) != 0;
}

std::uint64_t expected_reference(const Act& act, const Namespace& ns, const Protection& asked,
                                 std::uint64_t index) {
  if (ns.metadata.type == 3) return asked.tags.reference;
  const bool stands = index != 0 && act.broken_by(Fault::reference_tag_stands_still);
  return (asked.tags.reference + (stands ? 0 : index)) & spec::reference_mask(ns.metadata);
}

std::uint64_t guard_over(const Namespace& ns, const Image& image, std::size_t block) {
  const std::uint64_t of_data = spec::guard_of(ns.metadata.guard, image.data(block));
  return spec::guard_of(ns.metadata.guard, image.metadata(block).first(ns.metadata.tuple_at()), of_data);
}

/// Tags that say: check nothing.
bool escapes(const Act& act, const spec::MetadataFormat& format, const spec::Tags& tags) {
  if (tags.application != kAnyTag) return false;
  const bool any =
      format.type != 3 || format.reference_bits() == 0 || tags.reference == spec::reference_mask(format);
  return any && !act.broken_by(Fault::protection_escape_ignored);
}

Status check_block(const Act& act, const Namespace& ns, const Protection& asked, const Image& image,
                   std::size_t block, std::uint64_t index) {
  const spec::MetadataFormat& format = ns.metadata;
  const spec::Tags tags = spec::read_tags(format, image.metadata(block));
  if (escapes(act, format, tags)) return Status::success;
  if (asked.asks(prinfo::check_guard) && tags.guard != guard_over(ns, image, block)) {
    if (!act.broken_by(Fault::guard_unchecked)) return Status::guard_check_error;
  }
  std::uint16_t mask = asked.application_mask;
  if (mask != kAnyTag && act.broken_by(Fault::application_mask_ignored)) mask = kAnyTag;
  if (asked.asks(prinfo::check_application) && ((tags.application ^ asked.tags.application) & mask) != 0)
    return Status::application_tag_check_error;
  const bool counted = format.type != 3 && format.reference_bits() != 0;
  if (asked.asks(prinfo::check_reference) && counted &&
      tags.reference != expected_reference(act, ns, asked, index))
    return Status::reference_tag_check_error;
  if (asked.asks(prinfo::check_storage) && ((tags.storage ^ asked.tags.storage) & ns.storage_mask) != 0) {
    if (!act.broken_by(Fault::storage_tag_unchecked)) return Status::storage_tag_check_error;
  }
  return Status::success;
}

/// The metadata buffer of a command, which is contiguous. Base: "Metadata Pointer".
Status metadata_at(const Act& act, std::uint32_t controller, const spec::SubmissionEntry& entry,
                   std::uint64_t bytes, std::uint64_t& address) {
  if (entry.psdt() != 2) {
    address = entry.mptr;
    return entry.psdt() == 0 && (entry.mptr & 3U) != 0 ? Status::invalid_field : Status::success;
  }
  if ((entry.mptr & 7U) != 0) return Status::invalid_field;
  spec::SglDescriptor one;
  if (!act.world.functions[controller].memory->read_value(entry.mptr, one))
    return Status::data_transfer_error;
  if (one.type() != spec::SglType::data_block || one.subtype() != 0) return Status::sgl_type_invalid;
  if (one.length < bytes || one.wraps()) return Status::metadata_sgl_length_invalid;
  address = one.address;
  return Status::success;
}

}  // namespace

Protection protection_of(const Namespace& ns, const spec::SubmissionEntry& entry) {
  Protection asked;
  if (ns.metadata.type == 0) return asked;
  asked.tags = spec::command_tags(ns.metadata, entry);
  asked.application_mask = static_cast<std::uint16_t>(entry.cdw15 >> 16U);
  asked.prinfo = entry.cdw12 & (prinfo::check_reference | prinfo::check_application | prinfo::check_guard |
                                prinfo::action | prinfo::check_storage);
  return asked;
}

Status check_fields(const Namespace& ns, const Protection& asked, std::uint64_t first) {
  if (!asked.asks(prinfo::check_reference) || ns.metadata.reference_bits() == 0) return Status::success;
  if (ns.metadata.type == 3) return Status::invalid_protection_information;
  const bool of_place = (first & spec::reference_mask(ns.metadata)) == asked.tags.reference;
  return ns.metadata.type == 1 && !of_place ? Status::invalid_protection_information : Status::success;
}

std::uint64_t pointer_bytes(const Namespace& ns, const spec::SubmissionEntry& entry) {
  const std::uint64_t data = std::uint64_t{entry.block_count()} << ns.block_shift;
  if (!ns.metadata.extended) return data;
  return data + std::uint64_t{entry.block_count()} * ns.metadata.moved(moves_action(ns, entry));
}

void show_unwritten(const Namespace& ns, const Image& image) {
  if (ns.metadata.type == 0) return;
  for (std::size_t i = 0; i < image.blocks(); ++i) {
    if (image.written(i)) continue;
    std::ranges::fill(image.metadata(i).subspan(ns.metadata.tuple_at(), ns.metadata.tuple_bytes()),
                      std::byte{0xFF});
  }
}

Status protect(const Act& act, const Namespace& ns, const Protection& asked, const Image& image,
               std::uint64_t index) {
  for (std::size_t i = 0; i < image.blocks(); ++i) {
    image.set_written(i);
    if (ns.metadata.type == 0) continue;
    if (asked.asks(prinfo::action)) {
      spec::Tags tags = asked.tags;
      tags.guard = guard_over(ns, image, i);
      tags.reference = expected_reference(act, ns, asked, index + i);
      spec::write_tags(ns.metadata, tags, image.metadata(i));
      continue;
    }
    const Status status = check_block(act, ns, asked, image, i, index + i);
    if (status != Status::success) return status;
  }
  return Status::success;
}

Status check_stored(const Act& act, const Namespace& ns, const Protection& asked, const Image& image,
                    std::uint64_t index) {
  if (ns.metadata.type == 0) return Status::success;
  for (std::size_t i = 0; i < image.blocks(); ++i) {
    const Status status = check_block(act, ns, asked, image, i, index + i);
    if (status != Status::success) return status;
  }
  return Status::success;
}

Status gather(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
              const Namespace& ns, const Image& image) {
  const std::size_t moved = ns.metadata.moved(moves_action(ns, entry));
  const std::size_t inside = ns.metadata.extended ? moved : 0;
  thread_local std::vector<std::byte> buffer;  // scratch: keeps its capacity between calls, holds no state
  buffer.resize(pointer_bytes(ns, entry));
  const Status status = copy_in(act, controller, command, entry, buffer);
  if (status != Status::success) return status;
  std::span<const std::byte> rest(buffer);
  for (std::size_t i = 0; i < image.blocks(); ++i) {
    const auto data = image.data(i);
    std::memcpy(data.data(), rest.data(), data.size());
    if (inside != 0) std::memcpy(image.metadata(i).data(), rest.data() + data.size(), inside);
    rest = rest.subspan(data.size() + inside);
  }
  if (moved == 0 || inside != 0) return Status::success;
  std::uint64_t address = 0;
  const Status found = metadata_at(act, controller, entry, image.blocks() * moved, address);
  if (found != Status::success) return found;
  buffer.resize(image.blocks() * moved);
  if (!dma_read(act, controller, command, address, buffer)) return Status::data_transfer_error;
  for (std::size_t i = 0; i < image.blocks(); ++i)
    std::memcpy(image.metadata(i).data(), buffer.data() + i * moved, moved);
  return Status::success;
}

Status scatter(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
               const Namespace& ns, const Image& image) {
  const std::size_t moved = ns.metadata.moved(moves_action(ns, entry));
  const std::size_t inside = ns.metadata.extended ? moved : 0;
  std::uint64_t address = 0;
  if (moved != 0 && inside == 0) {
    const Status found = metadata_at(act, controller, entry, image.blocks() * moved, address);
    if (found != Status::success) return found;
  }
  thread_local std::vector<std::byte> buffer;
  buffer.clear();
  for (std::size_t i = 0; i < image.blocks(); ++i) {
    const auto data = image.data(i), metadata = image.metadata(i).first(inside);
    buffer.insert(buffer.end(), data.begin(), data.end());
    buffer.insert(buffer.end(), metadata.begin(), metadata.end());
  }
  const Status status = copy_out(act, controller, command, entry, buffer);
  if (status != Status::success || moved == 0 || inside != 0) return status;
  buffer.clear();
  for (std::size_t i = 0; i < image.blocks(); ++i) {
    const auto metadata = image.metadata(i).first(moved);
    buffer.insert(buffer.end(), metadata.begin(), metadata.end());
  }
  if (act.broken_by(Fault::metadata_not_returned)) return Status::success;
  return dma_write(act, controller, command, address, buffer) ? Status::success : Status::data_transfer_error;
}

bool same_content(const Namespace& ns, const Image& a, const Image& b) {
  const spec::MetadataFormat& format = ns.metadata;
  for (std::size_t i = 0; i < a.blocks(); ++i) {
    if (!std::ranges::equal(a.data(i), b.data(i))) return false;
    const std::size_t from = format.type == 0 ? format.bytes : format.tuple_at();
    const std::size_t behind = format.type == 0 ? format.bytes : from + format.tuple_bytes();
    const auto one = a.metadata(i), other = b.metadata(i);
    if (!std::ranges::equal(one.first(from), other.first(from))) return false;
    if (!std::ranges::equal(one.subspan(behind), other.subspan(behind))) return false;
  }
  return true;
}

}  // namespace polypath::device::io
