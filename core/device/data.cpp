// Data pointers and transfers. Base specification, "Physical Region Page Entry and List".
#include <algorithm>
#include <array>

#include "device/act.h"

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

}  // namespace

std::uint64_t mdts_bytes(const Controller& controller) {
  return controller.mdts == 0 ? 0 : kPage << controller.mdts;
}

Status map_prps(const Act& act, std::uint32_t controller, const spec::SubmissionEntry& entry,
                std::uint64_t bytes, std::vector<Piece>& pieces) {
  pieces.clear();
  if (bytes == 0) return Status::success;
  const port::HostMemory& memory = *act.world.functions[controller].memory;
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
  const Status status = map_prps(act, controller, entry, out.size(), pieces);
  if (status != Status::success) return status;
  for (const Piece& piece : pieces) {
    if (!dma_read(act, controller, command, piece.address, out.first(piece.bytes))) {
      return Status::data_transfer_error;
    }
    out = out.subspan(piece.bytes);
  }
  return Status::success;
}

Status copy_out(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
                std::span<const std::byte> data) {
  thread_local std::vector<Piece> pieces;
  const Status status = map_prps(act, controller, entry, data.size(), pieces);
  if (status != Status::success) return status;
  for (const Piece& piece : pieces) {
    if (!dma_write(act, controller, command, piece.address, data.first(piece.bytes))) {
      return Status::data_transfer_error;
    }
    data = data.subspan(piece.bytes);
  }
  return Status::success;
}

}  // namespace polypath::device
