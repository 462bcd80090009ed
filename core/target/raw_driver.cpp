#include "target/raw_driver.h"

#include <algorithm>
#include <array>
#include <utility>

#include "spec/registers.h"

namespace polypath::target {
namespace {

constexpr std::uint32_t kPage = spec::kPageSize;

std::uint32_t pages_for(std::uint32_t bytes) { return (bytes + kPage - 1) / kPage; }

// A buffer of n pages is followed by the pages of its PRP list.
std::uint32_t list_pages(std::uint32_t pages) { return pages <= 2 ? 0 : (pages - 1 + 510) / 511; }

/// Room for a queue. In pages apart: from the last to the first, every other page, and the list of them.
port::RingMemory ring_memory(port::HostMemory& memory, std::uint64_t bytes, bool contiguous) {
  if (contiguous) return {memory.allocate(bytes), {}};
  const auto count = static_cast<std::uint32_t>((bytes + kPage - 1) / kPage);
  const std::uint64_t area = memory.allocate(2 * std::uint64_t{count} * kPage);
  constexpr std::uint32_t kSlots = kPage / 8;
  const std::uint32_t chain = count <= kSlots ? 0 : (count - 2) / (kSlots - 1);  // slots that lead on
  port::RingMemory out{memory.allocate(std::uint64_t{8} * (count + chain)), {}};
  std::uint64_t slot = out.base;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (slot % kPage == kPage - 8 && i + 1 < count) {
      memory.write_value(slot, slot + 8);
      slot += 8;
    }
    out.pages.push_back(area + 2 * std::uint64_t{count - 1 - i} * kPage);
    memory.write_value(slot, out.pages.back());
    slot += 8;
  }
  return out;
}

}  // namespace

void RawDriver::enable(port::Port& port, std::uint32_t admin_entries, std::uint32_t cc) {
  queues_.assign(1, {});
  doorbells_ = {};
  outstanding_.clear();
  QueuePair& admin = queues_[0];
  admin.sq_entries = admin.cq_entries = admin_entries;
  admin.sq.base = port.memory().allocate(std::uint64_t{admin_entries} * sizeof(spec::SubmissionEntry));
  admin.cq.base = port.memory().allocate(std::uint64_t{admin_entries} * sizeof(spec::CompletionEntry));
  port.write_register(spec::reg::aqa, std::uint64_t{admin_entries - 1} << 16U | (admin_entries - 1), 4);
  port.write_register(spec::reg::asq, admin.sq.base, 8);
  port.write_register(spec::reg::acq, admin.cq.base, 8);
  port.write_register(spec::reg::cc, cc, 4);
}

void RawDriver::disable(port::Port& port) {
  port.write_register(spec::reg::cc, 0x00460000, 4);
  lose_queues();
}

void RawDriver::make_queue_pair(port::Port& port, std::uint16_t qid, std::uint32_t entries, bool contiguous) {
  if (qid >= queues_.size()) queues_.resize(qid + std::size_t{1});
  QueuePair& q = queues_[qid];
  q = {};
  q.sq_entries = q.cq_entries = entries;
  q.sq = ring_memory(port.memory(), std::uint64_t{entries} * sizeof(spec::SubmissionEntry), contiguous);
  q.cq = ring_memory(port.memory(), std::uint64_t{entries} * sizeof(spec::CompletionEntry), contiguous);
  for (const bool completion : {false, true}) {  // as those of the queue before it left them
    const std::uint32_t at = spec::doorbell_offset(qid, completion, dstrd_);
    if (!doorbells_ || at >= kPage) continue;
    port.memory().write_value(doorbells_.doorbells + at, std::uint32_t{0});
    port.memory().write_value(doorbells_.event_indexes + at, std::uint32_t{0});
  }
}

spec::DoorbellBuffer RawDriver::make_doorbell_buffer(port::Port& port) {
  const std::uint64_t doorbells = port.memory().allocate(kPage);
  return {doorbells, port.memory().allocate(kPage)};
}

void RawDriver::use_doorbell_buffer(port::Port& port, const spec::DoorbellBuffer& buffer) {
  doorbells_ = buffer;
  for (std::uint32_t qid = 0; qid < queues_.size(); ++qid) {
    const std::uint32_t sq = spec::doorbell_offset(qid, false, dstrd_);
    const std::uint32_t cq = spec::doorbell_offset(qid, true, dstrd_);
    if (!has_queue(static_cast<std::uint16_t>(qid)) || cq >= kPage) continue;
    port.memory().write_value(buffer.doorbells + sq, queues_[qid].rung);
    port.memory().write_value(buffer.doorbells + cq, queues_[qid].head);
    if (qid == 0 || !queues_[qid].usable) continue;
    // What moved meanwhile, or in the pages that were there before, the controller may have missed.
    port.ring_sq(static_cast<std::uint16_t>(qid), static_cast<std::uint16_t>(queues_[qid].rung), dstrd_);
    port.ring_cq(static_cast<std::uint16_t>(qid), static_cast<std::uint16_t>(queues_[qid].head), dstrd_);
  }
}

// Hosts ring the Admin queue's registers alone.
void RawDriver::ring(port::Port& port, std::uint16_t qid, bool completion, std::uint32_t before,
                     std::uint32_t now) {
  if (qid != 0) return port.ring(doorbells_, qid, completion, before, now, dstrd_);
  if (completion) return port.ring_cq(qid, static_cast<std::uint16_t>(now), dstrd_);
  port.ring_sq(qid, static_cast<std::uint16_t>(now), dstrd_);
}

void RawDriver::forget_queue_pair(std::uint16_t qid) {
  if (qid < queues_.size()) queues_[qid] = {};
}

std::vector<std::uint16_t> RawDriver::queues() const {
  std::vector<std::uint16_t> all;
  for (std::size_t qid = 0; qid < queues_.size(); ++qid) {
    if (queues_[qid].sq.base != 0) all.push_back(static_cast<std::uint16_t>(qid));
  }
  return all;
}

bool RawDriver::has_room(std::uint16_t qid) const {
  if (!usable(qid)) return false;
  const QueuePair& q = queues_[qid];
  return (q.tail + 1) % q.sq_entries != q.sqhd;
}

std::uint64_t RawDriver::take_pages(port::Port& port, std::uint32_t pages, bool& used) {
  const auto fits =
      std::find_if(free_.begin(), free_.end(), [&](const Buffer& b) { return b.pages == pages; });
  used = fits != free_.end();
  if (!used) return port.memory().allocate(std::uint64_t{pages} * kPage);
  const std::uint64_t address = fits->address;
  free_.erase(fits);
  return address;
}

void RawDriver::give_pages(std::uint64_t address, std::uint32_t pages) {
  if (address != 0) free_.push_back({address, pages});
}

RawDriver::Data RawDriver::attach_buffer(port::Port& port, spec::SubmissionEntry& entry, std::uint32_t bytes,
                                         std::span<const std::byte> data) {
  if (bytes == 0) return {};
  const std::uint32_t pages = pages_for(bytes);
  bool used = false;
  const std::uint64_t base = take_pages(port, pages + list_pages(pages), used);
  port::HostMemory& memory = port.memory();
  const std::size_t given = std::min<std::size_t>(data.size(), bytes);
  memory.write(base, data.first(given));
  if (used) {  // a reused buffer must not show an earlier command's data
    static constexpr std::array<std::byte, kPage> kZeros{};
    for (std::uint64_t at = given, end = std::uint64_t{pages} * kPage; at < end;) {
      const std::uint64_t piece = std::min<std::uint64_t>(end - at, kPage - at % kPage);
      memory.write(base + at, std::span(kZeros).first(piece));
      at += piece;
    }
  }
  entry.prp1 = base;
  entry.prp2 = 0;
  if (pages == 2) entry.prp2 = base + kPage;
  if (pages > 2) {
    std::uint64_t slot = base + std::uint64_t{pages} * kPage;
    entry.prp2 = slot;
    for (std::uint32_t i = 1; i < pages; ++i) {
      if (slot % kPage == kPage - 8 &&
          i + 1 < pages) {  // the last slot of a full page names the next list page
        memory.write_value(slot, slot + 8);
        slot += 8;
      }
      memory.write_value(slot, base + std::uint64_t{i} * kPage);
      slot += 8;
    }
  }
  return {base, bytes, pages + list_pages(pages), {}};
}

void RawDriver::attach_metadata(port::Port& port, spec::SubmissionEntry& entry, std::uint32_t bytes,
                                std::span<const std::byte> metadata, Data& data) {
  data.metadata_pages = pages_for(bytes);
  bool used = false;
  data.metadata = take_pages(port, data.metadata_pages, used);
  static constexpr std::array<std::byte, kPage> kZeros{};
  for (std::uint32_t page = 0; used && page < data.metadata_pages; ++page)
    port.memory().write(data.metadata + std::uint64_t{page} * kPage, kZeros);
  port.memory().write(data.metadata, metadata.first(std::min<std::size_t>(metadata.size(), bytes)));
  entry.mptr = data.metadata;
}

RawDriver::Data RawDriver::attach_list(port::Port& port, spec::SubmissionEntry& entry, std::uint32_t bytes,
                                       std::span<const std::byte> data,
                                       std::span<const program::SglWord> list) {
  using Kind = program::SglWord::Kind;
  using spec::SglDescriptor;
  constexpr std::uint64_t kBetween =
      64;  // what is written past the end of a block does not meet the next one
  // Where the segments end, and how much memory the blocks take.
  std::vector<SglDescriptor> descriptors;
  std::vector<std::size_t> ends;
  Data out;
  out.bytes = bytes;
  std::uint64_t room = 0, described = 0;
  for (const auto& word : list) {
    const auto here = std::min<std::uint64_t>(word.length, bytes - described);
    switch (word.kind) {
      case Kind::shift:
        room += word.length;
        break;
      case Kind::segment:
        descriptors.emplace_back();
        ends.push_back(descriptors.size());
        break;
      case Kind::block:
        descriptors.push_back({room, word.length, {}, 0});
        if (here != 0) out.pieces.push_back({room, here});
        room += word.length + kBetween;
        described += here;
        break;
      case Kind::bucket:
        descriptors.push_back({0, word.length, {}, 0x10});
        if ((entry.opcode & 3U) != 2) break;  // nothing is taken from it
        if (here != 0) out.pieces.push_back({~std::uint64_t{0}, here});
        described += here;
        break;
      case Kind::raw:
        descriptors.push_back({word.address, word.length, {}, word.identifier});
        break;
    }
  }
  ends.push_back(descriptors.size());
  const std::uint64_t lists = (room + kPage - 1) / kPage * kPage;
  out.pages =
      static_cast<std::uint32_t>((lists + descriptors.size() * sizeof(SglDescriptor) + kPage - 1) / kPage);
  bool used = false;
  out.address = take_pages(port, out.pages, used);
  port::HostMemory& memory = port.memory();
  static constexpr std::array<std::byte, kPage> kZeros{};
  for (std::uint32_t page = 0; used && page < out.pages; ++page)
    memory.write(out.address + std::uint64_t{page} * kPage, kZeros);
  for (port::Range& piece : out.pieces) {
    const std::size_t given = std::min<std::size_t>(piece.bytes, data.size());
    if (piece.address == ~std::uint64_t{0}) {
      piece.address = 0;
    } else {
      piece.address += out.address;
      memory.write(piece.address, data.first(given));
    }
    data = data.subspan(given);
  }
  std::size_t at = 0;
  for (const auto& word : list) {
    if (word.kind == Kind::shift) continue;
    if (word.kind == Kind::block) descriptors[at].address += out.address;
    ++at;
  }
  // The pointer to segment k lies at the end of the segment before it; to the first one, in the entry.
  const auto pointer = [&](std::size_t k) {
    const std::size_t begin = k == 0 ? 0 : ends[k - 1];
    const auto length = static_cast<std::uint32_t>((ends[k] - begin) * sizeof(SglDescriptor));
    const bool last = k + 1 == ends.size();
    return SglDescriptor{out.address + lists + begin * sizeof(SglDescriptor),
                         length,
                         {},
                         static_cast<std::uint8_t>(last ? 0x30 : 0x20)};
  };
  for (std::size_t k = 1; k < ends.size(); ++k) descriptors[ends[k - 1] - 1] = pointer(k);
  for (std::size_t i = 0; i < descriptors.size(); ++i)
    memory.write_value(out.address + lists + i * sizeof(SglDescriptor), descriptors[i]);
  entry.set_sgl1(descriptors.size() == 1 && ends.size() == 1 ? descriptors[0] : pointer(0));
  return out;
}

void RawDriver::submit(port::Port& port, std::uint16_t qid, spec::SubmissionEntry entry, bool keep_cid,
                       std::uint32_t request, Data data, bool ring) {
  QueuePair& q = queues_[qid];
  if (!keep_cid) {
    const auto used = [&](std::uint16_t cid) {
      return std::any_of(outstanding_.begin(), outstanding_.end(),
                         [&](const Outstanding& o) { return o.sqid == qid && o.cid == cid; });
    };
    while (used(q.next_cid)) ++q.next_cid;
    entry.cid = q.next_cid++;
  }
  port.memory().write_value(q.sq.at(std::uint64_t{q.tail} * sizeof entry), entry);
  q.tail = (q.tail + 1) % q.sq_entries;
  outstanding_.push_back({request, qid, entry.cid, data.address, data.bytes, data.pages,
                          std::move(data.pieces), data.metadata, data.metadata_pages});
  if (!ring) return;
  this->ring(port, qid, false, q.rung, q.tail);
  q.rung = q.tail;
}

void RawDriver::reap(port::Port& port, std::vector<RawOutcome>& out) {
  for (std::size_t qid = 0; qid < queues_.size(); ++qid) {
    if (queues_[qid].cq.base == 0) continue;
    QueuePair& q = queues_[qid];
    const std::uint32_t before = q.head;
    bool any = false;
    for (;;) {
      spec::CompletionEntry entry;
      if (!port.memory().read_value(q.cq.at(std::uint64_t{q.head} * sizeof entry), entry)) break;
      if (entry.phase() != q.phase) break;
      any = true;
      q.head = (q.head + 1) % q.cq_entries;
      if (q.head == 0) q.phase = !q.phase;
      if (entry.sqid < queues_.size() && entry.sqhd < queues_[entry.sqid].sq_entries) {
        queues_[entry.sqid].sqhd = entry.sqhd;
      }
      const auto done = std::find_if(outstanding_.begin(), outstanding_.end(), [&](const Outstanding& o) {
        return o.sqid == entry.sqid && o.cid == entry.cid;
      });
      if (done == outstanding_.end()) continue;  // nobody asked for it: the model has the word
      out.push_back({done->request, false, entry, done->buffer, done->bytes, std::move(done->pieces)});
      give_pages(done->buffer, done->pages);
      give_pages(done->metadata, done->metadata_pages);
      outstanding_.erase(done);
    }
    if (any) ring(port, static_cast<std::uint16_t>(qid), true, before, q.head);
  }
}

void RawDriver::lose_all(std::vector<RawOutcome>& out) {
  for (const Outstanding& o : outstanding_) {
    RawOutcome lost;
    lost.request = o.request;
    lost.lost = true;
    out.push_back(lost);
    give_pages(o.buffer, o.pages);
    give_pages(o.metadata, o.metadata_pages);
  }
  outstanding_.clear();
  lose_queues();
}

void RawDriver::hash(engine::Hasher& hasher) const {
  hasher.add(queues_.size());
  for (const QueuePair& q : queues_) {
    for (const std::uint64_t word :
         {q.sq.base, q.cq.base, std::uint64_t{q.sq_entries}, std::uint64_t{q.tail}, std::uint64_t{q.sqhd},
          std::uint64_t{q.head}, std::uint64_t{q.rung}, std::uint64_t{q.next_cid}, std::uint64_t{q.phase}}) {
      hasher.add(word);
    }
  }
  hasher.add(doorbells_.doorbells);
  for (const Outstanding& o : outstanding_)
    hasher.add(std::uint64_t{o.request} << 32U | std::uint64_t{o.sqid} << 16U | o.cid);
}

}  // namespace polypath::target
