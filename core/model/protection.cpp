#include "model/protection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/hash.h"
#include "model/format.h"
#include "model/identify.h"
#include "model/namespaces.h"
#include "model/rules.h"
#include "spec/identify.h"

namespace polypath::model {
namespace {

using spec::Status;
namespace prinfo = spec::prinfo;

constexpr std::uint8_t kWrite = 0x01, kRead = 0x02, kCompare = 0x05, kWriteZeroes = 0x08, kVerify = 0x0C;
constexpr std::uint16_t kAnyApplication = 0xFFFF;
constexpr std::uint32_t kChecks =
    prinfo::check_guard | prinfo::check_application | prinfo::check_reference | prinfo::check_storage;
constexpr std::size_t kMostMetadata = 64;

/// Checks that a block fails, as bits.
constexpr std::uint8_t kGuard = 1, kApplication = 2, kReference = 4, kStorage = 8, kUnknown = 0x80;

std::uint32_t metadata_digest(std::span<const std::byte> metadata) {
  return static_cast<std::uint32_t>(engine::hash_bytes(metadata.data(), metadata.size()));
}

/// Guard of a block from that of its data, which the observer saw, and the metadata before the tuple.
std::uint64_t whole_guard(const spec::MetadataFormat& format, std::uint64_t of_data,
                          std::span<const std::byte> metadata) {
  return spec::guard_of(format.guard, metadata.first(format.tuple_at()), of_data);
}

std::uint64_t guard_in(const spec::MetadataFormat& format, const trace::BlockGuards& guards) {
  switch (format.guard) {
    case spec::Guard::bits16:
      return guards.bits16;
    case spec::Guard::bits32:
      return guards.bits32;
    case spec::Guard::bits64:
      return guards.bits64;
  }
  return 0;
}

bool action_of(const spec::MetadataFormat& format, const spec::SubmissionEntry& entry) {
  return format.type != 0 && (entry.cdw12 & prinfo::action) != 0;
}

/// The block at `index` of a part: guards and the metadata that were moved.
struct Record {
  trace::BlockGuards guards{};
  std::span<const std::byte> metadata;
};
Record record_at(const trace::MetadataPart& part, std::span<const std::byte> blocks, std::size_t index) {
  const std::size_t each = sizeof(trace::BlockGuards) + part.bytes;
  Record record;
  std::memcpy(&record.guards, blocks.data() + index * each, sizeof record.guards);
  record.metadata = blocks.subspan(index * each + sizeof record.guards, part.bytes);
  return record;
}

/// Reference tag that the block at `index` of a command has, or shall have.
std::uint64_t reference_at(const spec::MetadataFormat& format, const spec::Tags& first, std::uint64_t index) {
  return format.type == 3 ? first.reference : (first.reference + index) & spec::reference_mask(format);
}

bool disabled(const spec::MetadataFormat& format, const TagFacts& tags) {
  if (tags.application != kAnyApplication) return false;
  return format.type != 3 || format.reference_bits() == 0 || tags.reference == spec::reference_mask(format);
}

/// Checks of a command that a block with these tags fails.
std::uint8_t failures(const Namespace& ns, const spec::SubmissionEntry& entry, const TagFacts& tags,
                      std::uint64_t index) {
  const spec::MetadataFormat& format = ns.metadata.format;
  if (disabled(format, tags)) return 0;
  const spec::Tags expected = spec::command_tags(format, entry);
  const auto mask = static_cast<std::uint16_t>(entry.cdw15 >> 16U);
  std::uint8_t failed = 0;
  if ((entry.cdw12 & prinfo::check_guard) != 0 && !tags.guard_right) failed |= kGuard;
  if ((entry.cdw12 & prinfo::check_application) != 0 &&
      ((tags.application ^ expected.application) & mask) != 0)
    failed |= kApplication;
  const bool counted = format.type != 3 && format.reference_bits() != 0;
  if ((entry.cdw12 & prinfo::check_reference) != 0 && counted &&
      tags.reference != reference_at(format, expected, index))
    failed |= kReference;
  if ((entry.cdw12 & prinfo::check_storage) != 0 && format.storage_bits != 0 &&
      tags.storage != expected.storage) {
    const bool differs = ((tags.storage ^ expected.storage) & ns.metadata.storage_mask) != 0;
    if (!ns.metadata.mask_known) failed |= kUnknown;
    if (ns.metadata.mask_known && differs) failed |= kStorage;
  }
  return failed;
}

TagFacts facts_of(const spec::MetadataFormat& format, std::span<const std::byte> metadata,
                  std::uint64_t data_guard) {
  const spec::Tags tags = spec::read_tags(format, metadata);
  return {tags.guard == whole_guard(format, data_guard, metadata), tags.application, tags.storage,
          tags.reference};
}

std::vector<Status> statuses_of(std::uint8_t failed) {
  std::vector<Status> statuses;
  if ((failed & kGuard) != 0) statuses.push_back(Status::guard_check_error);
  if ((failed & kApplication) != 0) statuses.push_back(Status::application_tag_check_error);
  if ((failed & kReference) != 0) statuses.push_back(Status::reference_tag_check_error);
  if ((failed & kStorage) != 0) statuses.push_back(Status::storage_tag_check_error);
  return statuses;
}

/// What the blocks of a command's range fail: surely one of them, or perhaps.
struct Forecast {
  std::uint8_t surely = 0, perhaps = 0;
};

Forecast forecast(const Scene& scene, const Command& command, const Namespace& ns) {
  Forecast out;
  const bool followed = ns.tracked && command.reading && ns.incarnation == command.incarnation &&
                        !command.reused_cid && command.submitted >= ns.content_from &&
                        !may_be_another(ns, command.submitted);
  if (!followed) return {0, kUnknown};
  for (std::uint64_t i = 0; i < command.entry.block_count(); ++i) {
    const auto sole = ns.content.sole_value(command.entry.slba() + i, command.submitted);
    if (!sole) {
      out.perhaps |= kUnknown;
      continue;
    }
    if (sole->value == kUncorrectable || (sole->value == ns.content.zero() && sole->unwritten)) continue;
    const TagFacts* tags = sole->known == ~std::uint64_t{0} ? scene.s.tags.find(sole->value) : nullptr;
    const std::uint8_t failed = tags == nullptr ? kUnknown : failures(ns, command.entry, *tags, i);
    out.perhaps |= failed;
    // One block that fails ends the command; which check is reported is not said.
    if ((failed & kUnknown) == 0) out.surely |= failed;
  }
  return out;
}

}  // namespace

std::uint64_t block_value(std::uint64_t data_digest, std::span<const std::byte> metadata) {
  return (data_digest & kDataHalf) | metadata_digest(metadata);
}

UnwrittenValue unwritten_value(const Namespace& ns) {
  const spec::MetadataFormat& format = ns.metadata.format;
  const std::uint64_t data = zero_digest(ns.block_bytes);
  if (format.bytes == 0) return {data};
  std::array<std::byte, kMostMetadata> metadata{};
  const auto own = std::span(metadata).first(format.bytes);
  if (format.type == 0) return {block_value(data, own)};
  // The guard may be all ones as the tags are, or that of the data (DLFEAT bit 4).
  std::ranges::fill(own.subspan(format.tuple_at(), format.tuple_bytes()), std::byte{0xFF});
  const bool ones = ns.identified && (ns.dlfeat & 0x10U) == 0;
  return {block_value(data, own), ones ? ~std::uint64_t{0} : kDataHalf};
}

UnwrittenValue zeroed_value(const Namespace& ns) {
  const spec::MetadataFormat& format = ns.metadata.format;
  const std::uint64_t data = zero_digest(ns.block_bytes);
  if (format.bytes == 0) return {data};
  std::array<std::byte, kMostMetadata> metadata{};
  return {block_value(data, std::span(metadata).first(format.bytes)),
          format.type == 0 ? ~std::uint64_t{0} : kDataHalf};
}

bool metadata_known(const Namespace& ns) {
  const Metadata& metadata = ns.metadata;
  if (metadata.given) return true;
  if (!metadata.known) return false;
  if (metadata.format.bytes == 0) return true;
  if (metadata.format.bytes > kMostMetadata || !metadata.format.possible()) return false;
  // Whether 16 bytes are a tuple and nothing else is what the guards' format says.
  return metadata.format.type == 0 || metadata.format.bytes == 8 || metadata.elbaf_known;
}

void learn_metadata(Namespace& ns, const spec::IdentifyNamespace& id) {
  Metadata& metadata = ns.metadata;
  const std::size_t index = id.flbas & 0xFU;
  for (std::size_t i = 0; i < metadata.sizes.size(); ++i)
    metadata.sizes[i] = static_cast<std::uint16_t>(id.lbaf[i] & 0xFFFFU);
  metadata.index = static_cast<std::uint8_t>(index);
  metadata.known = true;
  if (metadata.given) return;  // in full
  spec::MetadataFormat& format = metadata.format;
  format.bytes = metadata.sizes[index];
  format.extended = format.bytes != 0 && (id.flbas & spec::flbas::extended) != 0;
  format.type = format.bytes != 0 ? id.dps & spec::dps::type : 0;
  format.first = format.type != 0 && (id.dps & spec::dps::first) != 0;
  if (!metadata.elbaf_known) return;
  format.guard = static_cast<spec::Guard>(std::min(metadata.elbaf[index] >> 7U & 3U, 2U));
  format.storage_bits = static_cast<std::uint8_t>(metadata.elbaf[index] & 0x7FU);
}

void check_nvm_namespace(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  const std::uint32_t index = find_namespace(scene.s, scene.c().subsystem, command.entry.nsid);
  if (index == kNone || data.size() < spec::kIdentifyBytes || all_zero(data)) return;
  Namespace& ns = scene.s.namespaces[index];
  if (may_be_another(ns, command.submitted)) return;
  Metadata& metadata = ns.metadata;
  std::memcpy(metadata.elbaf.data(), data.data() + spec::nvm_ns::elbaf, sizeof metadata.elbaf);
  std::memcpy(&metadata.storage_mask, data.data() + spec::nvm_ns::lbstm, sizeof metadata.storage_mask);
  metadata.elbaf_known = metadata.mask_known = true;
  if (!metadata.known || metadata.given) return;
  const spec::MetadataFormat before = metadata.format;
  spec::MetadataFormat& format = metadata.format;
  format.guard = static_cast<spec::Guard>(std::min(metadata.elbaf[metadata.index] >> 7U & 3U, 2U));
  format.storage_bits = static_cast<std::uint8_t>(metadata.elbaf[metadata.index] & 0x7FU);
  if (format != before) lose_content(ns);  // what was written meanwhile was taken for another layout
}

void forget_metadata(Namespace& ns) {
  Metadata& metadata = ns.metadata;
  metadata.given = metadata.known = metadata.mask_known = false;
  metadata.storage_mask = ~std::uint64_t{0};
  metadata.format = {};
}

void format_metadata(Namespace& ns, const spec::SubmissionEntry& entry, bool index_known) {
  Metadata& metadata = ns.metadata;
  const std::size_t index = entry.cdw10 & 0xFU;
  forget_metadata(ns);
  metadata.known = index_known;
  if (!metadata.known) return;
  metadata.index = static_cast<std::uint8_t>(index);
  spec::MetadataFormat& format = metadata.format;
  format.bytes = metadata.sizes[index];
  if (format.bytes == 0) return;
  format.extended = (entry.cdw10 >> 4U & 1U) != 0;
  format.type = static_cast<std::uint8_t>(entry.cdw10 >> 5U & 7U);
  format.first = format.type != 0 && (entry.cdw10 >> 8U & 1U) != 0;
  if (!metadata.elbaf_known) return;
  format.guard = static_cast<spec::Guard>(std::min(metadata.elbaf[index] >> 7U & 3U, 2U));
  format.storage_bits = static_cast<std::uint8_t>(metadata.elbaf[index] & 0x7FU);
}

void take_metadata(Command& command, const trace::Parts& parts) {
  command.metadata_seen = true;
  command.metadata_each = parts.metadata.bytes;
  command.metadata_at = parts.metadata.address;
}

bool metadata_fits(const Namespace& ns, const Command& command) {
  const spec::MetadataFormat& format = ns.metadata.format;
  if (format.bytes == 0) return !command.metadata_seen;
  const std::uint16_t moved = format.moved(action_of(format, command.entry));
  const bool apart = !format.extended && moved != 0;
  return command.metadata_seen && command.metadata_each == moved && (command.metadata_at != 0) == apart;
}

bool written_values(const Scene& scene, Command& command, const Namespace& ns, const trace::Parts& parts) {
  const spec::MetadataFormat& format = ns.metadata.format;
  if (!metadata_known(ns)) return false;
  if (format.bytes == 0) return !command.metadata_seen;
  if (!metadata_fits(ns, command) || parts.metadata.blocks != scene.s.scratch.size()) return false;
  const bool makes = action_of(format, command.entry);
  const spec::Tags first = spec::command_tags(format, command.entry);
  std::array<std::byte, kMostMetadata> room{};
  const auto stored = std::span(room).first(format.bytes);
  for (std::size_t i = 0; i < scene.s.scratch.size(); ++i) {
    const Record record = record_at(parts.metadata, parts.blocks, i);
    std::ranges::copy(record.metadata, stored.begin());
    const std::uint64_t of_data = guard_in(format, record.guards);
    if (makes) {
      spec::Tags tags = first;
      tags.guard = whole_guard(format, of_data, stored);
      tags.reference = reference_at(format, first, i);
      spec::write_tags(format, tags, stored);
    }
    std::uint64_t& value = scene.s.scratch[i];
    value = block_value(value, stored);
    if (format.type == 0) continue;
    const TagFacts facts = facts_of(format, stored, of_data);
    scene.s.tags.edit(value) = facts;
    if (!makes) command.tag_failures |= failures(ns, command.entry, facts, i);
  }
  return true;
}

std::uint64_t shown_values(const Scene& scene, const Command& command, const Namespace& ns,
                           const trace::MetadataPart& part, std::span<const std::byte> blocks) {
  const spec::MetadataFormat& format = ns.metadata.format;
  if (!metadata_known(ns)) return 0;
  if (format.bytes == 0) return command.metadata_seen ? 0 : ~std::uint64_t{0};
  if (!metadata_fits(ns, command) || part.blocks != scene.s.scratch.size() ||
      part.bytes != command.metadata_each)
    return 0;
  if (part.bytes == 0) return kDataHalf;
  for (std::size_t i = 0; i < scene.s.scratch.size(); ++i)
    scene.s.scratch[i] = block_value(scene.s.scratch[i], record_at(part, blocks, i).metadata);
  return ~std::uint64_t{0};
}

std::uint64_t compared_bits(const Namespace& ns) {
  return ns.metadata.format.bytes != 0 && ns.metadata.format.type != 0 ? kDataHalf : ~std::uint64_t{0};
}

void allow_protection(const Scene& scene, const Command& command, const Namespace* ns, Allowed& allowed) {
  const std::uint8_t opcode = command.entry.opcode;
  const std::uint32_t cdw12 = command.entry.cdw12;
  const bool known = ns != nullptr && metadata_known(*ns) && !command.no_tail &&
                     !may_be_another(*ns, command.submitted) && ns->incarnation == command.incarnation;
  if (!known) {
    allowed.may({Status::guard_check_error, Status::application_tag_check_error,
                 Status::reference_tag_check_error, Status::storage_tag_check_error,
                 Status::invalid_protection_information, Status::invalid_namespace_or_format});
    if ((cdw12 & (prinfo::action | kChecks)) != 0) allowed.may(Status::invalid_field);
    return;
  }
  const spec::MetadataFormat& format = ns->metadata.format;
  // Formats that only hosts who enabled them may use.
  if (spec::Guard::bits16 != format.guard || format.storage_bits != 0)
    allowed.may(Status::invalid_namespace_or_format);
  if (format.bytes == 0 || format.type == 0) return;
  const bool action = (cdw12 & prinfo::action) != 0;
  if (opcode == kWriteZeroes) {
    if ((cdw12 & kChecks) != 0)
      allowed.must(Rule::d17, {Status::invalid_field, Status::invalid_protection_information});
    if (action) allowed.may(Status::invalid_protection_information);
    return;
  }
  if (action && opcode == kVerify) allowed.must(Rule::d17, {Status::invalid_field});
  if (action && opcode == kCompare) allowed.may(Status::invalid_field);
  // The reference tag of the first block
  const spec::Tags first = spec::command_tags(format, command.entry);
  const bool asked = (cdw12 & prinfo::check_reference) != 0, counted = format.reference_bits() != 0;
  if (format.type == 3 && asked) allowed.may({Status::invalid_protection_information, Status::invalid_field});
  const bool of_place = first.reference == (command.entry.slba() & spec::reference_mask(format));
  if (format.type == 1 && counted && !of_place) {
    if (asked) {
      allowed.must(Rule::d17, {Status::invalid_protection_information});
    } else {
      allowed.may(Status::invalid_protection_information);
    }
  }
  // Checks of each block
  if ((cdw12 & kChecks) == 0) return;
  exercised(scene, Rule::d17);
  Forecast failed;
  if (opcode == kWrite) {
    const bool seen = command.writing && !command.untrusted_tags;
    failed = seen ? Forecast{action ? std::uint8_t{0} : command.tag_failures,
                             action ? std::uint8_t{0} : command.tag_failures}
                  : Forecast{0, kUnknown};
    if (action) failed = {};
  } else {
    failed = forecast(scene, command, *ns);
    if (opcode == kCompare) {  // what the host sent is checked as well
      failed.surely |= command.tag_failures & static_cast<std::uint8_t>(~kUnknown);
      failed.perhaps |= command.tag_failures;
    }
  }
  if ((failed.perhaps & kUnknown) != 0) {
    allowed.may({Status::guard_check_error, Status::application_tag_check_error,
                 Status::reference_tag_check_error, Status::storage_tag_check_error});
  }
  for (const Status status : statuses_of(failed.perhaps)) allowed.may(status);
  if (failed.surely != 0) allowed.must(Rule::d17, {});
}

void check_returned(const Scene& scene, const Command& command, const Completion& completion,
                    const Namespace& ns) {
  const spec::MetadataFormat& format = ns.metadata.format;
  if (command.entry.opcode != kRead || !completion.success() || !completion.trusted) return;
  if (!metadata_known(ns) || format.type == 0 || !metadata_fits(ns, command)) return;
  const auto& part = completion.metadata;
  if (part.bytes != format.bytes || part.blocks != command.entry.block_count()) return;
  if (may_be_another(ns, command.submitted)) return;
  for (std::size_t i = 0; i < part.blocks; ++i) {
    const Record record = record_at(part, completion.blocks, i);
    const TagFacts facts = facts_of(format, record.metadata, guard_in(format, record.guards));
    const std::uint8_t failed = failures(ns, command.entry, facts, i);
    if (failed == 0 || (failed & kUnknown) != 0) continue;
    violation(scene, Rule::d17,
              fmt::format("{}: block {} has protection information that fails a check which was asked for",
                          text_of(scene, command), command.entry.slba() + i),
              "an error", "success", {command.submitted});
    return;
  }
}

}  // namespace polypath::model
