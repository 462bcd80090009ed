// Data pointers and transfers. Base specification, "Physical Region Page Entry and List" and "Scatter Gather
// List (SGL)".
#include <algorithm>
#include <array>

#include "device/act.h"
#include "spec/identify.h"

namespace polypath::device {
namespace {

using spec::Status;
constexpr std::uint64_t kPage = spec::kPageSize;

void observe(const Act& act, std::uint32_t controller, Handle command, std::uint64_t address,
             std::size_t bytes, bool write, bool stray) {
  const Command* row = act.device.commands.get(command);
  const SubmissionQueue* sq = row == nullptr ? nullptr : act.device.sqs.get(row->sq);
  if (sq == nullptr) return;
  act.world.functions[controller].observer->dma(act.world.scene(controller), sq->qid, row->entry.cid, address,
                                                static_cast<std::uint32_t>(bytes), write, stray);
}

constexpr std::size_t kLongestList = 65536;  ///< descriptors: a list that leads back into itself ends too

Status map_prps(const port::HostMemory& memory, const spec::SubmissionEntry& entry, std::uint64_t bytes,
                std::vector<Piece>& pieces) {
  if ((entry.prp1 & 3U) != 0) return Status::prp_offset_invalid;
  const std::uint64_t in_first = std::min(bytes, kPage - (entry.prp1 & (kPage - 1)));
  pieces.push_back({entry.prp1, in_first});
  std::uint64_t rest = bytes - in_first;
  if (rest == 0) return Status::success;
  if (rest <= kPage) {
    if ((entry.prp2 & (kPage - 1)) != 0) return Status::prp_offset_invalid;
    pieces.push_back({entry.prp2, rest});
    return Status::success;
  }
  std::uint64_t cursor = entry.prp2;
  if ((cursor & 7U) != 0) return Status::prp_offset_invalid;
  while (rest != 0) {
    std::uint64_t value = 0;
    if (!memory.read_value(cursor, value)) return Status::data_transfer_error;
    if ((value & (kPage - 1)) != 0) return Status::prp_offset_invalid;
    const bool last_slot = (cursor & (kPage - 1)) == kPage - 8;
    if (last_slot && rest > kPage) {
      cursor = value;  // the list goes on in another page
      continue;
    }
    const std::uint64_t here = std::min(rest, kPage);
    pieces.push_back({value, here});
    rest -= here;
    cursor += 8;
  }
  return Status::success;
}

/// Reads a Scatter Gather List, and checks each descriptor when its turn comes: what lies behind the last
/// byte of the transfer is not looked at.
class ListReader {
 public:
  ListReader(const Act& act, std::uint32_t controller, const spec::SubmissionEntry& entry)
      : act_(act),
        memory_(*act.world.functions[controller].memory),
        sgls_(act.profile().controller.sgls),
        to_host_((entry.opcode & 3U) == 2) {}

  Status map(spec::SglDescriptor at_hand, std::uint64_t bytes, std::vector<Piece>& pieces) {
    left_ = bytes;
    for (std::size_t count = 0; count < kLongestList; ++count) {
      const Status taken = at_hand.is_segment() ? enter(at_hand) : take(at_hand, pieces);
      if (taken != Status::success || left_ == 0) return taken;
      if (next_ == end_ && act_.broken_by(Fault::short_list_accepted)) return Status::success;
      if (next_ == end_) return Status::data_sgl_length_invalid;
      if (!memory_.read_value(next_, at_hand)) return Status::data_transfer_error;
      next_ += sizeof at_hand;
    }
    return Status::data_transfer_error;
  }

 private:
  Status take(const spec::SglDescriptor& one, std::vector<Piece>& pieces) {
    const bool bucket = one.type() == spec::SglType::bit_bucket && (sgls_ & spec::sgls::bit_bucket) != 0;
    const bool block = one.type() == spec::SglType::data_block;
    if ((!bucket && !block) || one.subtype() != 0) {
      if (!act_.broken_by(Fault::list_type_unchecked)) return Status::sgl_type_invalid;
    }
    if (one.wraps()) return Status::data_sgl_length_invalid;
    const bool dwords = (sgls_ & spec::sgls::supported) == spec::sgls::dword_granularity;
    if (dwords && !bucket && (one.address % 4 != 0 || one.length % 4 != 0))
      return Status::sgl_granularity_invalid;
    if (bucket && !to_host_) return Status::success;
    const std::uint64_t here = std::min<std::uint64_t>(one.length, left_);
    if (here != 0) pieces.push_back({one.address, here, bucket});
    left_ -= here;
    return Status::success;
  }

  Status enter(const spec::SglDescriptor& one) {
    if (one.subtype() != 0) return Status::sgl_type_invalid;
    if (last_) return Status::invalid_sgl_segment;
    if (next_ != end_) return Status::invalid_sgl_count;
    if (one.malformed_segment() && !act_.broken_by(Fault::list_segment_unchecked))
      return Status::invalid_sgl_segment;
    if (one.wraps()) return Status::data_sgl_length_invalid;
    last_ = one.type() == spec::SglType::last_segment;
    next_ = one.address;
    end_ = next_ + one.length / sizeof one * sizeof one;
    return Status::success;
  }

  const Act& act_;
  const port::HostMemory& memory_;
  std::uint32_t sgls_;
  bool to_host_;
  bool last_ = false;  ///< the segment at hand was reached through a Last Segment descriptor
  std::uint64_t next_ = 0, end_ = 0, left_ = 0;
};

}  // namespace

std::uint64_t mdts_bytes(const Controller& controller) {
  return controller.mdts == 0 ? 0 : kPage << controller.mdts;
}

Status map_data(const Act& act, std::uint32_t controller, const spec::SubmissionEntry& entry,
                std::uint64_t bytes, std::vector<Piece>& pieces) {
  pieces.clear();
  if (bytes == 0) return Status::success;
  if (entry.psdt() != 0) return ListReader(act, controller, entry).map(entry.sgl1(), bytes, pieces);
  return map_prps(*act.world.functions[controller].memory, entry, bytes, pieces);
}

bool dma_read(Act& act, std::uint32_t controller, Handle command, std::uint64_t address,
              std::span<std::byte> out) {
  const bool inside = act.world.functions[controller].memory->read(address, out);
  observe(act, controller, command, address, out.size(), false, !inside);
  return inside;
}

bool dma_write(Act& act, std::uint32_t controller, Handle command, std::uint64_t address,
               std::span<const std::byte> data) {
  const bool inside = act.world.functions[controller].memory->write(address, data);
  observe(act, controller, command, address, data.size(), true, !inside);
  return inside;
}

Status copy_in(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
               std::span<std::byte> out) {
  thread_local std::vector<Piece> pieces;  // scratch: keeps its capacity between calls, holds no state
  const Status status = map_data(act, controller, entry, out.size(), pieces);
  if (status != Status::success) return status;
  for (const Piece& piece : pieces) {
    if (!dma_read(act, controller, command, piece.address, out.first(piece.bytes))) {
      return Status::data_transfer_error;
    }
    out = out.subspan(piece.bytes);
  }
  std::ranges::fill(out, std::byte{0});  // a planted fault takes lists that are too short
  return Status::success;
}

Status copy_out(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
                std::span<const std::byte> data) {
  thread_local std::vector<Piece> pieces;
  const Status status = map_data(act, controller, entry, data.size(), pieces);
  if (status != Status::success) return status;
  for (const Piece& piece : pieces) {
    if (!piece.discarded && !dma_write(act, controller, command, piece.address, data.first(piece.bytes))) {
      return Status::data_transfer_error;
    }
    data = data.subspan(piece.bytes);
  }
  return Status::success;
}

}  // namespace polypath::device
