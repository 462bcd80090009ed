#include "trace/blob.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <type_traits>

#include "trace/inflate.h"

namespace polypath::trace {
namespace {

#pragma pack(push, 1)
/// What lies before the compressed bytes.
struct BlobHead {
  std::array<char, 4> magic;
  std::uint16_t version;
  std::uint16_t reserved;
  std::uint64_t raw_bytes;  ///< after inflating
  std::uint32_t
      packed_crc;  ///< CRC-32 of the compressed bytes (their own checksum covers what they inflate to)
  std::uint32_t head_crc;  ///< CRC-32 of what stands before this field
};
#pragma pack(pop)
static_assert(sizeof(BlobHead) == 24);

constexpr std::array<char, 4> kMagic{'P', 'P', 'T', 'R'};
constexpr std::uint64_t kRawBytesMax = std::uint64_t{1} << 30U;  // some ten million events

std::uint32_t crc_of(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

class Writer {
 public:
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    std::memcpy(bytes_.data() + at, &value, sizeof(T));
  }
  void put_text(const std::string& text) {
    put(static_cast<std::uint32_t>(text.size()));
    const auto* data = reinterpret_cast<const std::byte*>(text.data());
    bytes_.insert(bytes_.end(), data, data + text.size());
  }
  /// Rows byte plane by byte plane: like bytes of neighbouring rows stand together, which deflates far
  /// better.
  template <class Row>
  void put_planes(const std::vector<Row>& rows) {
    put(static_cast<std::uint64_t>(rows.size()));
    const auto at = bytes_.size();
    bytes_.resize(at + rows.size() * sizeof(Row));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto* row = reinterpret_cast<const std::byte*>(&rows[i]);
      for (std::size_t plane = 0; plane < sizeof(Row); ++plane)
        bytes_[at + plane * rows.size() + i] = row[plane];
    }
  }
  void put_bytes(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& where) : rest_(bytes), where_(where) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw ImportError(
        where_, "the stored trace is damaged (" + what + "); restore the file from a copy or run it again");
  }
  std::span<const std::byte> take(std::uint64_t bytes) {
    if (bytes > rest_.size()) fail("it ends too early");
    const auto out = rest_.first(static_cast<std::size_t>(bytes));
    rest_ = rest_.subspan(static_cast<std::size_t>(bytes));
    return out;
  }
  template <class T>
  T get() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  bool get_flag() {
    const auto value = get<std::uint8_t>();
    if (value > 1) fail("a flag is neither 0 nor 1");
    return value == 1;
  }
  std::string get_text() {
    const auto bytes = take(get<std::uint32_t>());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  /// A count of things that take at least `least` bytes each, so that it cannot promise more than is there.
  std::size_t get_count(std::size_t least) {
    const auto count = get<std::uint64_t>();
    if (count > rest_.size() / least) fail("a count promises more than is there");
    return static_cast<std::size_t>(count);
  }
  template <class Row>
  std::vector<Row> get_planes() {
    const std::size_t count = get_count(sizeof(Row));
    const auto planes = take(std::uint64_t{count} * sizeof(Row));
    std::vector<Row> rows(count);
    for (std::size_t i = 0; i < count; ++i) {
      std::array<std::byte, sizeof(Row)> row;
      for (std::size_t plane = 0; plane < sizeof(Row); ++plane) row[plane] = planes[plane * count + i];
      std::memcpy(&rows[i], row.data(), sizeof(Row));
    }
    return rows;
  }
  std::uint64_t left() const { return rest_.size(); }

 private:
  std::span<const std::byte> rest_;
  const std::string& where_;
};

void put_header(Writer& out, const TraceHeader& header) {
  out.put(header.format);
  out.put_text(header.source);
  out.put_text(header.profile);
  out.put(header.seed);
  out.put(static_cast<std::uint64_t>(header.subsystems.size()));
  for (const auto& nqn : header.subsystems) out.put_text(nqn);
  out.put(static_cast<std::uint64_t>(header.controllers.size()));
  for (const auto& controller : header.controllers) {
    out.put_text(controller.name);
    out.put(controller.subsystem);
    out.put(controller.observed);
    out.put(static_cast<std::uint8_t>(controller.initial_state_known));
    out.put(controller.cntlid);
    out.put(controller.host);
  }
  out.put(static_cast<std::uint64_t>(header.namespaces.size()));
  for (const auto& ns : header.namespaces) {
    out.put(ns.subsystem);
    out.put(ns.nsid);
    out.put(ns.blocks);
    out.put(ns.block_bytes);
    out.put(static_cast<std::uint8_t>(ns.shared));
    out.put(static_cast<std::uint8_t>(ns.content_zero));
    out.put(static_cast<std::uint8_t>(ns.attachment_known));
    out.put(static_cast<std::uint64_t>(ns.attached.size()));
    for (const auto controller : ns.attached) out.put(controller);
    out.put(ns.metadata.bytes);
    out.put(static_cast<std::uint8_t>(ns.metadata.extended));
    out.put(ns.metadata.type);
    out.put(static_cast<std::uint8_t>(ns.metadata.first));
    out.put(static_cast<std::uint8_t>(ns.metadata.guard));
    out.put(ns.metadata.storage_bits);
  }
}

void get_metadata(Reader& in, spec::MetadataFormat& metadata) {
  metadata.bytes = in.get<std::uint16_t>();
  metadata.extended = in.get_flag();
  metadata.type = in.get<std::uint8_t>();
  metadata.first = in.get_flag();
  const auto guard = in.get<std::uint8_t>();
  metadata.storage_bits = in.get<std::uint8_t>();
  metadata.guard = static_cast<spec::Guard>(guard);
  if (guard > 2 || !metadata.possible()) in.fail("a namespace has protection information of no known format");
}

TraceHeader get_header(Reader& in, std::uint16_t version) {
  TraceHeader header;
  header.format = in.get<std::uint32_t>();
  header.source = in.get_text();
  header.profile = in.get_text();
  header.seed = in.get<std::uint64_t>();
  for (auto left = in.get_count(4); left != 0; --left) header.subsystems.push_back(in.get_text());
  for (auto left = in.get_count(13); left != 0; --left) {
    ControllerHeader controller;
    controller.name = in.get_text();
    controller.subsystem = in.get<std::uint32_t>();
    controller.observed = in.get<std::uint32_t>();
    controller.initial_state_known = in.get_flag();
    if (version >= 2) controller.cntlid = in.get<std::uint16_t>();
    if (version >= 3) controller.host = in.get<std::uint16_t>();
    if (controller.subsystem >= header.subsystems.size()) in.fail("a controller belongs to no subsystem");
    header.controllers.push_back(std::move(controller));
  }
  for (auto left = in.get_count(31); left != 0; --left) {
    NamespaceHeader ns;
    ns.subsystem = in.get<std::uint32_t>();
    ns.nsid = in.get<std::uint32_t>();
    ns.blocks = in.get<std::uint64_t>();
    ns.block_bytes = in.get<std::uint32_t>();
    ns.shared = in.get_flag();
    ns.content_zero = in.get_flag();
    ns.attachment_known = in.get_flag();
    for (auto count = in.get_count(2); count != 0; --count) ns.attached.push_back(in.get<std::uint16_t>());
    if (version >= 4) get_metadata(in, ns.metadata);
    if (ns.subsystem >= header.subsystems.size()) in.fail("a namespace belongs to no subsystem");
    for (const auto controller : ns.attached) {
      if (controller >= header.controllers.size())
        in.fail("a namespace is attached to no controller of the trace");
    }
    header.namespaces.push_back(std::move(ns));
  }
  return header;
}

}  // namespace

std::vector<std::byte> to_blob(const Trace& trace) {
  Writer raw;
  put_header(raw, trace.header);
  raw.put(trace.hash());
  raw.put_planes(trace.events());
  raw.put_planes(trace.inside());
  std::uint64_t payload_bytes = 0;
  for (const auto& event : trace.events()) payload_bytes += event.payload_bytes;
  raw.put(payload_bytes);
  for (const auto& event : trace.events()) raw.put_bytes(trace.payload(event));

  if (raw.bytes().size() > kRawBytesMax) {
    throw ImportError("", "the trace is longer than 1 GiB and cannot be stored; end the run earlier");
  }
  const auto packed = deflate_bytes(raw.bytes());
  BlobHead head{kMagic, kBlobVersion, 0, raw.bytes().size(), crc_of(packed), 0};
  const auto head_bytes = std::as_bytes(std::span(&head, 1));
  head.head_crc = crc_of(head_bytes.first(sizeof head - sizeof head.head_crc));
  Writer blob;
  blob.put(head);
  blob.put_bytes(packed);
  return blob.bytes();
}

Trace from_blob(std::span<const std::byte> blob, const std::string& where) {
  Reader outer(blob, where);
  if (blob.size() < sizeof(BlobHead)) outer.fail("it is shorter than its head");
  const auto head = outer.get<BlobHead>();
  if (head.magic != kMagic) outer.fail("it does not begin as a trace does");
  const auto head_bytes = blob.first(sizeof head - sizeof head.head_crc);
  if (head.version > kBlobVersion) {
    throw ImportError(
        where, fmt::format("the stored trace has form {}, this version reads up to {}; use a newer polypath",
                           head.version, kBlobVersion));
  }
  if (head.version == 0 || head.head_crc != crc_of(head_bytes))
    outer.fail("its head does not match its checksum");
  if (head.raw_bytes > kRawBytesMax) outer.fail("it promises more than 1 GiB");
  const auto packed = blob.subspan(sizeof head);
  if (crc_of(packed) != head.packed_crc) outer.fail("its content does not match its checksum");
  std::vector<std::byte> raw;
  if (!inflate_bytes(packed, head.raw_bytes, raw)) outer.fail("its compressed part does not inflate");

  Reader in(raw, where);
  Trace trace;
  trace.header = get_header(in, head.version);
  const auto hash = in.get<std::uint64_t>();
  const auto events = in.get_planes<BoundaryEvent>();
  const auto inside = in.get_planes<InsideEvent>();
  const auto payload_bytes =
      in.get<std::uint64_t>();  // before left() is asked: operands have no order of their own
  if (payload_bytes != in.left()) in.fail("the payloads have another length than promised");
  auto note = inside.begin();
  const auto notes_before = [&](std::size_t at) {
    for (; note != inside.end() && note->before == at; ++note) trace.annotate(*note);
  };
  for (std::size_t i = 0; i < events.size(); ++i) {
    notes_before(i);
    trace.add(events[i], in.take(events[i].payload_bytes));
  }
  notes_before(events.size());
  if (note != inside.end()) in.fail("its annotations are not in order");
  if (in.left() != 0) in.fail("bytes are left over");
  // The running hash may cover events that were forgotten before the trace was stored.
  auto end = trace.mark();
  end.hash = hash;
  trace.rewind(end);
  return trace;
}

}  // namespace polypath::trace
