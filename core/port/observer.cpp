#include "port/observer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "port/sgl.h"
#include "spec/commands.h"
#include "spec/identify.h"
#include "spec/registers.h"

namespace polypath::port {
namespace {

using spec::Direction;
using trace::Boundary;

// Beyond any MDTS of a profile: longer transfers are refused by every controller, so their buffers are not
// walked.
constexpr std::uint64_t kLongestTransfer = std::uint64_t{16} << 20U;
constexpr std::size_t kDigestBytes = 512;
constexpr std::uint8_t kZoneReceive = 0x7A;
constexpr std::size_t kMetadataMost = 64;  ///< of a block: more is not followed

}  // namespace

trace::BoundaryEvent Observer::event(const Scene& scene, Boundary kind, std::uint16_t queue) const {
  trace::BoundaryEvent e;
  e.earliest = e.latest = scene.engine.now();
  e.cause = scene.engine.cause().id;
  e.controller = index_;
  e.queue = queue;
  e.kind = kind;
  return e;
}

Observer::Queue& Observer::queue(std::uint16_t qid) {
  if (qid >= state_.queues.size()) state_.queues.resize(qid + std::size_t{1});
  return state_.queues[qid];
}

Observer::Ring* Observer::ring(std::uint16_t qid, bool completion) {
  if (qid >= state_.queues.size()) return nullptr;
  Ring& r = completion ? state_.queues[qid].cq : state_.queues[qid].sq;
  return r.entries == 0 ? nullptr : &r;
}

void Observer::clear_io_queues() { state_.queues.clear(); }

void Observer::register_write(const Scene& scene, std::uint32_t offset, std::uint64_t value, unsigned bytes) {
  const std::uint32_t stride = 4U << state_.dstrd;
  if (offset >= spec::reg::doorbells && (offset - spec::reg::doorbells) % stride == 0 && bytes == 4) {
    const std::uint32_t number = (offset - spec::reg::doorbells) / stride;
    if (number / 2 <= 0xFFFF) {
      doorbell(scene, static_cast<std::uint16_t>(number / 2), number % 2 == 1, value, {});
      return;
    }
  }
  auto e = event(scene, Boundary::register_write, 0);
  e.a = offset;
  e.b = bytes;
  e.c = value;
  scene.trace.add(e);

  const auto low = static_cast<std::uint32_t>(value);
  const auto halve = [&](std::uint64_t& target, std::uint32_t base) {
    if (offset == base && bytes == 8)
      target = value;
    else if (offset == base)
      target = (target & ~0xFFFFFFFFULL) | low;
    else if (offset == base + 4)
      target = (target & 0xFFFFFFFFULL) | std::uint64_t{low} << 32U;
  };
  const bool enabled = spec::cc::en.get(state_.cc) != 0;
  if (!enabled) {  // AQA, ASQ and ACQ may be written only while EN is 0
    if (offset == spec::reg::aqa) state_.aqa = low;
    halve(state_.asq, spec::reg::asq);
    halve(state_.acq, spec::reg::acq);
  }
  if (offset != spec::reg::cc) return;
  state_.cc = low;
  const bool enable = spec::cc::en.get(low) != 0;
  if (enabled == enable) return;
  clear_io_queues();
  if (!enable) {
    state_.cc = 0;
    return;
  }
  Queue& admin = queue(0);
  admin.sq = {
      {state_.asq & ~0xFFFULL, {}}, static_cast<std::uint32_t>(spec::aqa::asqs.get(state_.aqa)) + 1, 0, 0};
  admin.cq = {
      {state_.acq & ~0xFFFULL, {}}, static_cast<std::uint32_t>(spec::aqa::acqs.get(state_.aqa)) + 1, 0, 0};
}

void Observer::register_read(const Scene& scene, std::uint32_t offset, std::uint64_t value, unsigned bytes) {
  auto e = event(scene, Boundary::register_read, 0);
  e.a = offset;
  e.b = bytes;
  e.c = value;
  scene.trace.add(e);
  if (offset == spec::reg::cap && bytes == 8)
    state_.dstrd = static_cast<unsigned>(spec::cap::dstrd.get(value));
  if (offset == spec::reg::cap + 4 && bytes == 4)
    state_.dstrd = static_cast<unsigned>(spec::cap::dstrd.get(value << 32U));
}

void Observer::vector_mask(const Scene& scene, std::uint16_t vector, bool masked) {
  auto e = event(scene, Boundary::vector_mask, 0);
  e.a = vector;
  e.b = masked ? 1 : 0;
  scene.trace.add(e);
}

void Observer::doorbell_moved(const Scene& scene, std::uint16_t qid, bool completion, std::uint32_t value,
                              std::uint32_t event_index) {
  trace::BoundaryEvent e;
  e.flags = trace::event_flag::in_memory;
  e.a = event_index;
  doorbell(scene, qid, completion, value, e);
}

void Observer::doorbell(const Scene& scene, std::uint16_t qid, bool completion, std::uint64_t value,
                        const trace::BoundaryEvent& what) {
  Ring* r = ring(qid, completion);
  if (!completion && r != nullptr && value < r->entries) {
    const std::uint32_t fresh = (static_cast<std::uint32_t>(value) + r->entries - r->tail) % r->entries;
    const std::uint32_t room = (r->head + r->entries - r->tail - 1) % r->entries;
    if (fresh <= room) {
      for (; r->tail != value; r->tail = (r->tail + 1) % r->entries) submit(scene, qid, r->tail);
    }
  }
  auto e = event(scene, completion ? Boundary::cq_doorbell : Boundary::sq_doorbell, qid);
  e.a = what.a;
  e.flags = what.flags;
  e.c = value;
  scene.trace.add(e);
}

void Observer::submit(const Scene& scene, std::uint16_t sqid, std::uint32_t slot) {
  spec::SubmissionEntry entry;
  const Ring& r = state_.queues[sqid].sq;
  if (!scene.memory.read_value(r.memory.at(std::uint64_t{slot} * sizeof entry), entry)) return;
  remember(scene, sqid, entry, slot);

  auto e = event(scene, Boundary::submitted, sqid);
  e.slot = slot;
  e.a = entry.cid;
  const Moved moved = moved_by(scene, sqid, entry);
  const std::uint64_t bytes = moved.bytes;
  const auto* row = spec::find_command(spec::set_of_queue(sqid), entry.opcode);
  const bool listed = by_sgl(sqid, entry);
  bool sends = false;
  // What a list says matters byte by byte; of blocks the content does.
  const bool whole = sqid == 0 || (row != nullptr && (row->length == spec::DataLength::ranges ||
                                                      row->length == spec::DataLength::copy_ranges ||
                                                      row->length == spec::DataLength::zone_data));
  if (bytes != 0 && bytes <= kLongestTransfer && (entry.psdt() == 0 || listed)) {
    if (walk(scene, sqid, entry, bytes)) {
      e.b |= trace::submitted_part::ranges;
      sends = row->direction == Direction::to_controller;
      if (sends) e.b |= whole ? trace::submitted_part::data : trace::submitted_part::digests;
    } else {  // a list's descriptors before the wrong one may have been used
      e.b |= listed ? trace::submitted_part::ranges : trace::submitted_part::malformed_pointer;
    }
    if (listed) e.b |= trace::submitted_part::descriptors;
    if (moved.format.bytes != 0) e.b |= trace::submitted_part::metadata;
  }
  scene.trace.begin(e);
  scene.trace.append_value(entry);
  if ((e.b & trace::submitted_part::ranges) != 0) {
    scene.trace.append_value(static_cast<std::uint64_t>(ranges_.size()));
    for (const Range& range : ranges_) scene.trace.append_value(range);
  }
  if (sends && whole) append_data(scene, bytes);
  const bool blocks = sends && moved.format.bytes != 0;
  if (blocks) append_blocks(scene, entry, moved);
  if (sends && !whole && !blocks) append_digests(scene, bytes);
  if ((e.b & trace::submitted_part::descriptors) != 0) {
    scene.trace.append_value(static_cast<std::uint64_t>(descriptors_.size()));
    for (const spec::SglDescriptor& one : descriptors_) scene.trace.append_value(one);
  }
  if ((e.b & trace::submitted_part::metadata) != 0) append_metadata(scene, entry, moved, sends);
  scene.trace.commit();
}

// SGLs are for I/O commands: on the memory-based transport Admin commands have PRPs.
bool Observer::by_sgl(std::uint16_t sqid, const spec::SubmissionEntry& entry) {
  return sqid != 0 && (entry.psdt() == 1 || entry.psdt() == 2);
}

bool Observer::walk(const Scene& scene, std::uint16_t sqid, const spec::SubmissionEntry& entry,
                    std::uint64_t bytes) {
  if (entry.psdt() == 0) return walk_prps(scene.memory, entry.prp1, entry.prp2, bytes, ranges_);
  const auto* row = spec::find_command(spec::set_of_queue(sqid), entry.opcode);
  const bool to_host = row != nullptr && row->direction == Direction::to_host;
  return by_sgl(sqid, entry) && walk_sgl(scene.memory, entry.sgl1(), bytes, to_host, ranges_, descriptors_);
}

void Observer::append_digests(const Scene& scene, std::uint64_t bytes) {
  const auto count = static_cast<std::uint32_t>((bytes + kDigestBytes - 1) / kDigestBytes);
  scene.trace.append_value(count);
  scene.trace.append_value(static_cast<std::uint32_t>(bytes - std::uint64_t{count - 1} * kDigestBytes));
  static constexpr std::array<std::byte, kDigestBytes> kZeros{};
  std::array<std::byte, kDigestBytes> piece;
  std::size_t filled = 0;  // a piece that straddles pages is put together here
  for (const Range& range : ranges_) {
    std::uint64_t address = range.address;
    for (std::uint64_t left = range.bytes; left != 0;) {
      const std::uint64_t here = std::min({left, kPageBytes - address % kPageBytes, kDigestBytes - filled});
      const std::byte* from = scene.memory.contains(address, here) ? scene.memory.peek(address) : nullptr;
      if (from == nullptr) from = kZeros.data();
      if (here == kDigestBytes) {
        scene.trace.append_value(engine::hash_bytes(from, kDigestBytes));
      } else {
        std::memcpy(piece.data() + filled, from, here);
        filled += here;
        if (filled == kDigestBytes) {
          scene.trace.append_value(engine::hash_bytes(piece.data(), kDigestBytes));
          filled = 0;
        }
      }
      address += here;
      left -= here;
    }
  }
  if (filled != 0) scene.trace.append_value(engine::hash_bytes(piece.data(), filled));
}

void Observer::append_data(const Scene& scene, std::uint64_t bytes) {
  scene.trace.append_value(bytes);  // u32 count and u32 reserved: lengths stay below 2^32
  static constexpr std::array<std::byte, kPageBytes> kZeros{};
  for (const Range& range : ranges_) {
    std::uint64_t address = range.address;
    for (std::uint64_t left = range.bytes; left != 0;) {
      const std::uint64_t here = std::min(left, kPageBytes - address % kPageBytes);
      const std::byte* from = scene.memory.contains(address, here) ? scene.memory.peek(address) : nullptr;
      scene.trace.append({from != nullptr ? from : kZeros.data(), here});
      address += here;
      left -= here;
    }
  }
}

void Observer::append_blocks(const Scene& scene, const spec::SubmissionEntry& entry, const Moved& moved) {
  linear_.clear();
  for (const Range& range : ranges_) {
    const std::size_t at = linear_.size();
    linear_.resize(at + range.bytes);
    const auto piece = std::span(linear_).subspan(at);
    if (!scene.memory.contains(range.address, range.bytes) || !scene.memory.read(range.address, piece))
      std::ranges::fill(piece, std::byte{0});
  }
  linear_.resize(moved.bytes);
  const std::size_t stride = moved.format.bytes + (moved.format.metadata.extended ? moved.metadata : 0U);
  const std::uint32_t parts = moved.format.bytes / kDigestBytes;
  scene.trace.append_value(entry.block_count() * parts);
  scene.trace.append_value(static_cast<std::uint32_t>(kDigestBytes));
  for (std::size_t block = 0; block < entry.block_count(); ++block) {
    for (std::size_t part = 0; part < parts; ++part)
      scene.trace.append_value(
          engine::hash_bytes(linear_.data() + block * stride + part * kDigestBytes, kDigestBytes));
  }
}

void Observer::append_metadata(const Scene& scene, const spec::SubmissionEntry& entry, const Moved& moved,
                               bool content) {
  const bool inside = moved.format.metadata.extended;
  const std::size_t data = moved.format.bytes, stride = data + (inside ? moved.metadata : 0U);
  trace::MetadataPart part{};
  part.blocks = content ? entry.block_count() : 0;
  part.bytes = moved.metadata;
  if (!inside && moved.metadata != 0) {
    part.address = entry.mptr;
    spec::SglDescriptor one;
    if (entry.psdt() == 2) part.address = scene.memory.read_value(entry.mptr, one) ? one.address : 0;
  }
  scene.trace.append_value(part);
  for (std::size_t i = 0; i < part.blocks; ++i) {
    const auto block = std::span<const std::byte>(linear_).subspan(i * stride, stride);
    trace::BlockGuards guards{};
    guards.bits64 = spec::guard_of(spec::Guard::bits64, block.first(data));
    guards.bits32 = static_cast<std::uint32_t>(spec::guard_of(spec::Guard::bits32, block.first(data)));
    guards.bits16 = static_cast<std::uint16_t>(spec::guard_of(spec::Guard::bits16, block.first(data)));
    scene.trace.append_value(guards);
    if (inside) {
      scene.trace.append(block.subspan(data));
      continue;
    }
    std::array<std::byte, kMetadataMost> bytes{};
    const auto metadata = std::span(bytes).first(moved.metadata);
    if (!scene.memory.read(part.address + i * moved.metadata, metadata))
      std::ranges::fill(metadata, std::byte{0});
    scene.trace.append(metadata);
  }
}

Observer::Moved Observer::moved_by(const Scene& scene, std::uint16_t sqid,
                                   const spec::SubmissionEntry& entry) const {
  Moved moved;
  const auto* row = spec::find_command(spec::set_of_queue(sqid), entry.opcode);
  if (row == nullptr) return moved;
  const spec::BlockFormat& format = scene.blocks.find(entry.nsid);
  std::uint32_t block = format.bytes != 0 ? format.bytes : 512;
  if (row->length == spec::DataLength::blocks && format.metadata.bytes != 0) {
    moved.format = format;
    moved.metadata = format.metadata.moved((entry.cdw12 & spec::prinfo::action) != 0);
    if (format.metadata.extended) block += moved.metadata;
  }
  moved.bytes = spec::data_bytes(*row, entry, block);
  return moved;
}

void Observer::remember(const Scene& scene, std::uint16_t sqid, const spec::SubmissionEntry& entry,
                        std::uint32_t slot) {
  forget(sqid, entry.cid);  // a host that reuses a CID: the later command is the one whose data is read
  Queue& q = state_.queues[sqid];
  std::uint32_t index = 0;
  if (q.free_open.empty()) {
    if (q.open.empty()) {  // few queues hold more at a time
      q.open.reserve(8);
      q.free_open.reserve(8);
      q.open_of_cid.reserve(32);
    }
    index = static_cast<std::uint32_t>(q.open.size());
    q.open.emplace_back();
  } else {
    index = q.free_open.back();
    q.free_open.pop_back();
  }
  q.open[index] = {entry, slot, scene.trace.events().size()};
  if (entry.cid >= q.open_of_cid.size()) q.open_of_cid.resize(entry.cid + std::size_t{1}, 0);
  q.open_of_cid[entry.cid] = index + 1;
}

Observer::Open* Observer::find_open(std::uint16_t sqid, std::uint16_t cid) {
  if (sqid >= state_.queues.size()) return nullptr;
  Queue& q = state_.queues[sqid];
  if (cid >= q.open_of_cid.size() || q.open_of_cid[cid] == 0) return nullptr;
  return &q.open[q.open_of_cid[cid] - 1];
}

void Observer::forget(std::uint16_t sqid, std::uint16_t cid) {
  if (find_open(sqid, cid) == nullptr) return;
  Queue& q = state_.queues[sqid];
  q.free_open.push_back(q.open_of_cid[cid] - 1);
  q.open_of_cid[cid] = 0;
}

void Observer::fetched(const Scene& scene, std::uint16_t sqid, std::uint64_t address,
                       const spec::SubmissionEntry& entry) {
  auto e = event(scene, Boundary::fetched, sqid);
  e.a = entry.cid;
  e.slot = trace::kUnknownSlot;
  if (Ring* r = ring(sqid, false)) {
    const auto offset = r->memory.offset_of(address);
    if (offset && *offset % sizeof entry == 0 && *offset / sizeof entry < r->entries) {
      e.slot = static_cast<std::uint32_t>(*offset / sizeof entry);
      r->head = (e.slot + 1) % r->entries;
    }
  }
  const Open* open = find_open(sqid, entry.cid);
  if (open != nullptr && open->slot == e.slot && open->entry == entry) {
    scene.trace.add(e);
  } else {
    scene.trace.add(e, std::as_bytes(std::span(&entry, 1)));
    if (e.slot != trace::kUnknownSlot) remember(scene, sqid, entry, e.slot);  // what was read is the command
  }
}

void Observer::dma(const Scene& scene, std::uint16_t sqid, std::uint16_t cid, std::uint64_t address,
                   std::uint32_t bytes, bool write, bool stray) {
  auto e = event(scene, Boundary::dma, sqid);
  e.a = cid;
  e.b = bytes;
  e.c = address;
  e.flags = static_cast<std::uint8_t>((write ? trace::event_flag::dma_write : 0) |
                                      (stray ? trace::event_flag::stray : 0));
  scene.trace.add(e);
}

void Observer::completed(const Scene& scene, std::uint16_t cqid, std::uint64_t address,
                         const spec::CompletionEntry& entry) {
  auto e = event(scene, Boundary::completed, cqid);
  e.a = entry.cid;
  e.c = entry.dw0;
  e.slot = trace::kUnknownSlot;
  if (const Ring* r = ring(cqid, true)) {
    const auto offset = r->memory.offset_of(address);
    if (offset && *offset % sizeof entry == 0 && *offset / sizeof entry < r->entries) {
      e.slot = static_cast<std::uint32_t>(*offset / sizeof entry);
    }
  }
  const Open* open = find_open(entry.sqid, entry.cid);
  std::uint64_t bytes = 0;
  Moved moved;
  if (open != nullptr && entry.status() == spec::Status::success) {
    const auto* row = spec::find_command(spec::set_of_queue(entry.sqid), open->entry.opcode);
    if (row != nullptr && row->direction == Direction::to_host)
      moved = moved_by(scene, entry.sqid, open->entry);
    bytes = moved.bytes;
    if (bytes > kLongestTransfer || !walk(scene, entry.sqid, open->entry, bytes)) bytes = 0;
  }
  // What a report of zones says matters byte by byte.
  const bool report = open != nullptr && entry.sqid != 0 && open->entry.opcode == kZoneReceive;
  const bool whole = entry.sqid == 0 || report;
  if (bytes != 0) e.b |= whole ? trace::completed_part::data : trace::completed_part::digests;
  const bool blocks = bytes != 0 && moved.format.bytes != 0;
  if (blocks) e.b |= trace::completed_part::metadata;
  scene.trace.begin(e);
  scene.trace.append_value(entry);
  if (bytes != 0 && whole) append_data(scene, bytes);
  if (bytes != 0 && !whole && !blocks) append_digests(scene, bytes);
  if (blocks) append_blocks(scene, open->entry, moved);
  if (blocks) append_metadata(scene, open->entry, moved, true);
  scene.trace.commit();

  if (open == nullptr) return;
  if (entry.sqid == 0 && entry.status() == spec::Status::success) {
    const Open command = *open;
    learn(scene, command.entry, command.since);
  }
  forget(entry.sqid, entry.cid);
}

void Observer::consumed(std::uint16_t sqid, std::uint16_t sqhd) {
  Ring* r = ring(sqid, false);
  if (r != nullptr && sqhd < r->entries) r->head = sqhd;
}

RingMemory Observer::ring_memory(const Scene& scene, const spec::SubmissionEntry& entry,
                                 std::uint64_t bytes) {
  RingMemory memory{entry.prp1, {}};
  if ((entry.cdw11 & 1U) != 0) return memory;
  // PRP1 leads to a list of all pages: as a data pointer has it from its second entry on.
  std::uint64_t first = 0, second = 0;
  scene.memory.read_value(entry.prp1, first);
  scene.memory.read_value(entry.prp1 + sizeof first, second);
  const bool two = bytes > kPageBytes && bytes <= 2 * kPageBytes;
  std::vector<Range> ranges;
  if (first % kPageBytes != 0 ||
      !walk_prps(scene.memory, first, two ? second : entry.prp1 + sizeof first, bytes, ranges))
    return {};
  for (const Range& range : ranges) {
    for (std::uint64_t at = 0; at < range.bytes; at += kPageBytes) memory.pages.push_back(range.address + at);
  }
  return memory;
}

// Queue geometry and block sizes from admin commands that succeeded. `ranges_` still holds the command's
// buffer.
void Observer::learn(const Scene& scene, const spec::SubmissionEntry& entry, std::uint64_t since) {
  const auto* row = spec::find_command(spec::CommandSet::admin, entry.opcode);
  if (row == nullptr) return;
  const auto qid = static_cast<std::uint16_t>(entry.cdw10);
  const std::uint32_t entries = (entry.cdw10 >> 16U) + 1;
  if (row->name == "create_sq") {
    constexpr std::uint64_t kBytes = sizeof(spec::SubmissionEntry);
    queue(qid).sq = {ring_memory(scene, entry, entries * kBytes), entries, 0, 0};
  }
  if (row->name == "create_cq") {
    constexpr std::uint64_t kBytes = sizeof(spec::CompletionEntry);
    queue(qid).cq = {ring_memory(scene, entry, entries * kBytes), entries, 0, 0};
  }
  if (row->name == "delete_sq" && qid < state_.queues.size()) {
    Queue& q = state_.queues[qid];
    q.sq = {};
    q.open.clear();
    q.free_open.clear();
    q.open_of_cid.clear();
  }
  if (row->name == "delete_cq" && qid < state_.queues.size()) state_.queues[qid].cq = {};
  if (row->name == "ns_management" &&
      (entry.cdw10 & 0xFU) == 1) {  // deleted: the next one has its own blocks
    if (entry.nsid == spec::kBroadcastNsid) {
      scene.blocks.forget_all(since);
    } else {
      scene.blocks.forget(entry.nsid, since);
    }
  }
  if (row->name != "identify") return;
  const auto cns = static_cast<spec::Cns>(entry.cdw10 & 0xFFU);
  const bool tags =
      (cns == spec::Cns::csi_ns || cns == spec::Cns::csi_allocated_ns) && entry.cdw11 >> 24U == 0;
  if (cns != spec::Cns::ns && cns != spec::Cns::allocated_ns && !tags) return;
  spec::IdentifyNamespace ns{};
  if (!walk_prps(scene.memory, entry.prp1, entry.prp2, sizeof ns, ranges_)) return;
  auto out = std::as_writable_bytes(std::span(&ns, 1));
  for (const Range& range : ranges_) {
    if (!scene.memory.read(range.address, out.first(range.bytes))) return;
    out = out.subspan(range.bytes);
  }
  if (tags) {
    // All zeros are what a namespace shows that is not active here.
    const auto bytes = std::as_bytes(std::span(&ns, 1));
    if (std::ranges::all_of(bytes, [](std::byte one) { return one == std::byte{0}; })) return;
    BlockSizes::Tags elbaf{};
    std::memcpy(elbaf.data(), bytes.data() + spec::nvm_ns::elbaf, sizeof elbaf);
    scene.blocks.learn_tags(entry.nsid, elbaf);
    return;
  }
  const unsigned shift = ns.lbaf[ns.flbas & 0xFU] >> 16U & 0xFFU;
  if (ns.nsze == 0 || shift < 9 || shift > 16) return;
  const std::uint32_t bytes = ns.lbaf[ns.flbas & 0xFU] & 0xFFFFU;
  spec::BlockFormat format = scene.blocks.find(entry.nsid);
  const std::uint8_t index = ns.flbas & 0xFU;
  const bool same = format.bytes == 1U << shift && format.metadata.bytes == bytes;
  if (!same) format.metadata = {};
  format.bytes = 1U << shift;
  if (bytes <= kMetadataMost) {
    format.metadata.bytes = static_cast<std::uint16_t>(bytes);
    format.metadata.extended = bytes != 0 && (ns.flbas & spec::flbas::extended) != 0;
    format.metadata.type = ns.dps & spec::dps::type;
    format.metadata.first = format.metadata.type != 0 && (ns.dps & spec::dps::first) != 0;
  }
  scene.blocks.learn(entry.nsid, format, since, index);
}

void Observer::interrupt(const Scene& scene, std::uint16_t vector) {
  auto e = event(scene, Boundary::interrupt, 0);
  e.a = vector;
  scene.trace.add(e);
}

void Observer::function(const Scene& scene, trace::FunctionEvent what) {
  tell(scene, what);
  lost();
}

void Observer::failed(const Scene& scene) { tell(scene, trace::FunctionEvent::fatal); }

void Observer::administrator(const Scene& scene, trace::AdminAction what, std::uint32_t nsid,
                             std::uint64_t lba) {
  auto e = event(scene, Boundary::administrator, 0);
  e.a = static_cast<std::uint32_t>(what);
  e.b = nsid;
  e.c = lba;
  scene.trace.add(e);
}

void Observer::tell(const Scene& scene, trace::FunctionEvent what) const {
  auto e = event(scene, Boundary::function, 0);
  e.a = static_cast<std::uint32_t>(what);
  scene.trace.add(e);
}

void Observer::lost() {
  clear_io_queues();
  state_.cc = state_.aqa = 0;
  state_.asq = state_.acq = 0;
}

}  // namespace polypath::port
