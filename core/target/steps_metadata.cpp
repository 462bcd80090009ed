// What raw drivers do with blocks that have metadata: they make protection information as a host would, or
// spoil it as a step says.
#include <algorithm>
#include <cstring>

#include "spec/protection.h"
#include "target/pattern.h"
#include "target/runner.h"

namespace polypath::target {

using program::Field;
using program::Step;
using program::Value;

namespace {

constexpr std::uint16_t kWrong = 0x0101;

/// Makes one part of a block's metadata wrong.
void spoil(std::string_view part, const spec::MetadataFormat& format, std::span<std::byte> metadata) {
  if (part == "metadata") {
    const bool other = format.type == 0 || metadata.size() > format.tuple_bytes();
    const std::size_t at = format.type != 0 && format.tuple_at() == 0 ? format.tuple_bytes() : 0U;
    if (other) metadata[at] ^= std::byte{1};
    return;
  }
  if (format.type == 0) return;
  spec::Tags tags = spec::read_tags(format, metadata);
  if (part == "guard") tags.guard ^= 1;
  if (part == "application") tags.application ^= kWrong;
  if (part == "reference") tags.reference ^= 1;
  if (part == "storage" && format.storage_bits != 0) tags.storage ^= 1;
  spec::write_tags(format, tags, metadata);
}

}  // namespace

spec::BlockFormat Runner::block_format(std::uint32_t controller, std::uint32_t nsid) const {
  const auto& device = world_.device();
  spec::BlockFormat format{512, {}};
  if (controller >= world_.controllers()) return format;
  const std::uint32_t subsystem = device.controllers[controller].subsystem;
  if (world_.machine() !=
      nullptr) {  // what a Format made of it there, the picture of the topology does not show
    const spec::BlockFormat& identified = world_.identified_blocks(subsystem, nsid);
    return identified.bytes != 0 ? identified : format;
  }
  const auto& table = device.subsystems[subsystem].ns_of_nsid;
  if (nsid >= table.size() || table[nsid] == 0) return format;
  const auto& ns = device.namespaces[table[nsid] - 1];
  return {1U << ns.block_shift, ns.metadata};
}

void Runner::usual_tags(const Step& step, const spec::BlockFormat& format, spec::SubmissionEntry& entry) {
  const bool named = step.find(Field::cdw2) != nullptr || step.find(Field::cdw3) != nullptr ||
                     step.find(Field::cdw14) != nullptr;
  if (named || format.metadata.type == 0) return;
  const std::uint64_t reference = entry.slba() & spec::reference_mask(format.metadata);
  entry.cdw14 = static_cast<std::uint32_t>(reference);
  entry.cdw3 = static_cast<std::uint32_t>(reference >> 32U);
}

std::span<const std::byte> Runner::add_metadata(const Step& step, const spec::BlockFormat& format,
                                                const spec::SubmissionEntry& entry,
                                                std::span<const std::byte> data) {
  const spec::MetadataFormat& metadata = format.metadata;
  const std::size_t count = entry.block_count();
  const std::size_t each = metadata.moved((entry.cdw12 & spec::prinfo::action) != 0);
  const Value* tag = step.find(Field::tag);
  const std::uint64_t number = tag != nullptr ? tag_number(tag->text) : engine::mix(program_.seed, step.id);
  metadata_.resize(count * each);
  spec::Tags tags = spec::command_tags(metadata, entry);
  const std::uint64_t first = tags.reference;
  for (std::size_t i = 0; i < count; ++i) {
    const auto one = std::span(metadata_).subspan(i * each, each);
    for (std::size_t k = 0; k < each; ++k)
      one[k] = static_cast<std::byte>((number >> (8 * (k % 8))) ^ (entry.slba() + i + k));
    if (metadata.type != 0) {
      tags.guard =
          spec::guard_of(metadata.guard, one.first(metadata.tuple_at()),
                         spec::guard_of(metadata.guard, data.subspan(i * format.bytes, format.bytes)));
      tags.reference = metadata.type == 3 ? first : (first + i) & spec::reference_mask(metadata);
      spec::write_tags(metadata, tags, one);
    }
    const Value* wrong = step.find(Field::spoil);
    if (wrong != nullptr && i + 1 == count) spoil(wrong->text, metadata, one);
  }
  if (!metadata.extended) return data;
  blocks_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const auto block = data.subspan(i * format.bytes, format.bytes);
    const auto one = std::span(metadata_).subspan(i * each, each);
    blocks_.insert(blocks_.end(), block.begin(), block.end());
    blocks_.insert(blocks_.end(), one.begin(), one.end());
  }
  return blocks_;
}

void Runner::leave_out_metadata(const Expected& expected, std::vector<std::byte>& data) {
  const std::size_t stride = expected.block + expected.inside, count = data.size() / stride;
  for (std::size_t i = 1; i < count; ++i)
    std::memmove(data.data() + i * expected.block, data.data() + i * stride, expected.block);
  data.resize(count * expected.block);
}

}  // namespace polypath::target
