#include "trace/trace.h"

namespace polypath::trace {
namespace {

/// Takes `bytes` from the front of `rest`; false when they are not there.
bool take(std::span<const std::byte>& rest, std::size_t bytes, std::span<const std::byte>& out) {
  if (bytes > rest.size()) return false;
  out = rest.first(bytes);
  rest = rest.subspan(bytes);
  return true;
}

/// Takes a part that begins with {u32 count, u32 extra} and holds `count` elements.
bool take_counted(std::span<const std::byte>& rest, std::size_t element_bytes,
                  std::span<const std::byte>& out) {
  std::span<const std::byte> head;
  if (!take(rest, 8, head)) return false;
  std::uint32_t count = 0;
  std::memcpy(&count, head.data(), sizeof count);
  return take(rest, std::size_t{count} * element_bytes, out);
}

bool take_metadata(std::span<const std::byte>& rest, Parts& out) {
  std::span<const std::byte> head;
  if (!take(rest, sizeof out.metadata, head)) return false;
  std::memcpy(&out.metadata, head.data(), sizeof out.metadata);
  const std::size_t each = out.metadata.bytes + sizeof(BlockGuards);
  return take(rest, out.metadata.blocks * each, out.blocks);
}

}  // namespace

std::uint64_t Trace::hash() const {
  std::uint64_t hash = hash_;
  for (; hashed_ < events_.size(); ++hashed_) {
    const BoundaryEvent& e = events_[hashed_];
    hash = engine::mix(hash, e.earliest);
    hash = engine::mix(hash ^ e.latest, e.c);
    hash = engine::mix(hash, std::uint64_t{e.a} << 32U | e.b);
    hash = engine::mix(hash, std::uint64_t{e.slot} << 32U | e.cause);
    hash = engine::mix(hash, std::uint64_t{e.controller} << 48U | std::uint64_t{e.queue} << 32U |
                                 static_cast<std::uint64_t>(e.kind) << 8U | e.flags);
    if (e.payload_bytes != 0) {
      hash = engine::mix(hash, engine::hash_bytes(payload_.data() + e.payload_offset, e.payload_bytes));
    }
  }
  return hash_ = hash;
}

void Trace::forget() {
  hash();
  hashed_ = 0;
  events_.clear();
  inside_.clear();
  payload_.clear();
}

void Trace::rewind(const Mark& mark) {
  events_.resize(mark.events);
  inside_.resize(mark.inside);
  payload_.resize(mark.payload);
  hash_ = mark.hash;
  hashed_ = mark.events;
}

bool Trace::operator==(const Trace& other) const {
  const auto same_bytes = [](const auto& a, const auto& b) {
    using Element = typename std::decay_t<decltype(a)>::value_type;
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(Element)) == 0);
  };
  return header == other.header && same_bytes(events_, other.events_) && same_bytes(inside_, other.inside_) &&
         same_bytes(payload_, other.payload_);
}

bool read_submitted(const Trace& trace, const BoundaryEvent& event, Parts& out) {
  out = {};
  auto rest = trace.payload(event);
  if (!take(rest, 64, out.entry)) return false;
  if ((event.b & submitted_part::ranges) != 0 && !take_counted(rest, 16, out.ranges)) return false;
  if ((event.b & submitted_part::digests) != 0 && !take_counted(rest, 8, out.digests)) return false;
  if ((event.b & submitted_part::data) != 0 && !take_counted(rest, 1, out.data)) return false;
  if ((event.b & submitted_part::descriptors) != 0 && !take_counted(rest, 16, out.descriptors)) return false;
  return (event.b & submitted_part::metadata) == 0 || take_metadata(rest, out);
}

bool read_completed(const Trace& trace, const BoundaryEvent& event, Parts& out) {
  out = {};
  auto rest = trace.payload(event);
  if (!take(rest, 16, out.entry)) return false;
  if ((event.b & completed_part::digests) != 0 && !take_counted(rest, 8, out.digests)) return false;
  if ((event.b & completed_part::data) != 0 && !take_counted(rest, 1, out.data)) return false;
  return (event.b & completed_part::metadata) == 0 || take_metadata(rest, out);
}

}  // namespace polypath::trace
