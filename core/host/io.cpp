// Requests of applications: split into commands, sent down a path, retried, failed over, ended exactly once.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "host/act.h"
#include "host/disposition.h"
#include "spec/protection.h"

namespace polypath::host {
namespace {

constexpr std::uint8_t kFlush = 0x00, kWrite = 0x01, kRead = 0x02, kCompare = 0x05, kWriteZeroes = 0x08;
constexpr std::uint32_t kBlocksMax = 0x10000;  // NLB has 16 bits, 0's based
constexpr std::size_t kDigestBytes = 512;

bool known(std::uint8_t opcode) {
  return opcode == kFlush || opcode == kWrite || opcode == kRead || opcode == kCompare ||
         opcode == kWriteZeroes;
}
bool has_data(std::uint8_t opcode) { return opcode == kWrite || opcode == kRead || opcode == kCompare; }

void fill_buffer(port::HostMemory& memory, std::uint64_t address, std::uint64_t bytes, const IoSpec& io) {
  const auto given = io.data.first(std::min<std::size_t>(io.data.size(), bytes));
  memory.write(address, given);
  std::array<std::byte, kDigestBytes> piece;
  piece.fill(io.fill);
  for (std::uint64_t at = given.size(); at < bytes;) {
    const auto here = std::min<std::uint64_t>(bytes - at, piece.size());
    memory.write(address + at, std::span(piece).first(here));
    at += here;
  }
}

/// One digest per 512 bytes, as the observer makes them. Buffers are page aligned, so no piece straddles
/// pages.
void append_digests(trace::Trace& trace, const port::HostMemory& memory, std::uint64_t address,
                    std::uint64_t bytes) {
  static constexpr std::array<std::byte, kDigestBytes> kZeros{};
  for (std::uint64_t at = 0; at < bytes; at += kDigestBytes) {
    const std::byte* from = memory.peek(address + at);
    trace.append_value(engine::hash_bytes(from == nullptr ? kZeros.data() : from, kDigestBytes));
  }
}

std::uint64_t blocks_of_disk(const Head& head) { return head.metadata.usable() ? head.blocks : 0; }

// The controller makes and checks the protection information; it counts the blocks of types 1 and 2.
void protect(spec::SubmissionEntry& entry, std::uint8_t type) {
  namespace prinfo = spec::prinfo;
  entry.cdw12 |= prinfo::action;
  const bool counted = type != 3;
  if (counted) entry.cdw14 = entry.cdw10;
  if (entry.opcode == kWriteZeroes) return;
  entry.cdw12 |= prinfo::check_guard | (counted ? prinfo::check_reference : 0U);
}

trace::BoundaryEvent boundary(trace::Boundary kind, const Request& request, Time now) {
  trace::BoundaryEvent event;
  event.kind = kind;
  event.earliest = event.latest = now;
  event.queue = static_cast<std::uint16_t>(request.host);
  event.a = request.id;
  event.cause = request.cause.id;
  return event;
}

}  // namespace

std::uint32_t Act::submit_io(std::uint32_t host, std::uint32_t subsystem, std::uint32_t nsid,
                             const IoSpec& io) {
  const std::vector<HeadKey>& keys = s.hosts[host].heads;
  const auto at = std::lower_bound(
      keys.begin(), keys.end(), std::pair(subsystem, nsid),
      [](const HeadKey& key, const auto& wanted) { return std::pair(key.subsystem, key.nsid) < wanted; });
  const bool found = at != keys.end() && at->subsystem == subsystem && at->nsid == nsid;
  const Handle head = found ? at->head : Handle{};
  const std::uint32_t blocks = io.opcode == kFlush ? 0 : io.blocks;
  const std::uint64_t lba = io.opcode == kFlush ? 0 : io.lba;
  const std::uint64_t bytes =
      found && has_data(io.opcode) ? std::uint64_t{blocks} * s.heads[head.index].block_bytes : 0;

  std::int32_t error = 0;
  if (!found) {
    error = ENXIO;
  } else if (!known(io.opcode) || (blocks == 0 && io.opcode != kFlush) || bytes > kBufferBytesMax) {
    error = EINVAL;
  } else if (io.opcode == kCompare && s.heads[head.index].metadata.bytes != 0) {
    error = EINVAL;  // the ioctl wants a buffer for the metadata
  } else if (const std::uint64_t there = blocks_of_disk(s.heads[head.index]);
             lba > there || blocks > there - lba) {
    error = io.opcode == kWrite || io.opcode == kWriteZeroes ? ENOSPC : EIO;  // beyond the end of the disk
  }

  const Handle handle = make_request(RequestKind::application, host, 0);
  Request& request = s.requests[handle.index];
  const std::uint32_t id = request.id;
  request.opcode = io.opcode;
  request.to_host = io.opcode == kRead;
  if (error == 0 && bytes != 0) {
    request.bytes = static_cast<std::uint32_t>(bytes);
    request.buffer = s.hosts[host].buffers.take(memory(host), bytes);
    if (!request.to_host) fill_buffer(memory(host), request.buffer, bytes, io);
  }

  trace::BoundaryEvent event = boundary(trace::Boundary::app_submit, request, now());
  event.b = io.opcode;
  event.c = lba;
  world.trace.begin(event);
  world.trace.append_value(trace::AppRequestPart{nsid, blocks, subsystem, 0});
  if (!request.to_host && request.bytes != 0) {
    append_digests(world.trace, memory(host), request.buffer, request.bytes);
  }
  world.trace.commit();
  if (error != 0) {
    end_request(handle, error);
    return id;
  }

  const Head& h = s.heads[head.index];
  const std::uint32_t most = has_data(io.opcode)
                                 ? std::min(kBlocksMax, std::max(1U, h.transfer_bytes_max / h.block_bytes))
                                 : kBlocksMax;
  request.parts = blocks == 0 ? 1 : (blocks - 1) / most + 1;
  s.heads[head.index].in_progress += request.parts;
  const std::uint32_t parts = request.parts;
  const std::uint32_t block_bytes = h.block_bytes;
  for (std::uint32_t part = 0; part < parts; ++part) {
    Io piece;
    piece.request = handle;
    piece.head = head;
    piece.slba = lba + std::uint64_t{part} * most;
    piece.blocks = std::min(most, blocks - part * most);
    piece.block_bytes = block_bytes;
    piece.offset = part * most * block_bytes;
    piece.opcode = io.opcode;
    piece.cpu = io.cpu;
    piece.passthrough =
        io.opcode == kCompare;  // Linux's block layer has no compare: it is an ioctl on the disk
    route(s.ios.insert(piece).index);
  }
  return id;
}

// Chooses a path for an I/O, or decides what becomes of one that has none.
void Act::route(std::uint32_t index) {
  Io& io = s.ios[index];
  Head& head = s.heads[io.head.index];
  const Subsystem* subsystem = s.subsystems.get(head.subsystem);
  std::int32_t path = kNoPath;
  if (head.multipath && subsystem != nullptr) {
    const Choice choice = choose_path(subsystem->policy, head.records, head.current);
    head.current = choice.current;
    path = choice.path;
  } else if (!head.records.empty() && is_enabled(head.records.front())) {
    path = 0;
  }
  const Request& request = s.requests[io.request.index];
  if (path != kNoPath) {
    const Handle chosen = head.paths[static_cast<std::size_t>(path)];
    note(trace::Inside::path_chosen, head.host, io.head.index,
         s.drivers[s.paths[chosen.index].driver].controller, request.id);
    return dispatch(index, chosen);
  }
  if (io.passthrough) return end_io(index, EAGAIN, {}, false);
  if (head.live && may_become_usable(head.records)) return put_in_requeue_list(index);
  end_io(index, EIO, {}, false);
}

// The namespace was formatted since the request was made. Linux's block layer counts in bytes, so a retry is
// for the same bytes, in the blocks of today.
bool Act::recount(Io& io) const {
  const std::uint32_t block_bytes = s.heads[io.head.index].block_bytes;
  if (io.block_bytes == block_bytes || io.opcode == kFlush) return true;
  const std::uint64_t first = io.slba * io.block_bytes;
  const std::uint64_t bytes = std::uint64_t{io.blocks} * io.block_bytes;
  if (first % block_bytes != 0 || bytes % block_bytes != 0 || bytes / block_bytes > kBlocksMax) return false;
  io.slba = first / block_bytes;
  io.blocks = static_cast<std::uint32_t>(bytes / block_bytes);
  io.block_bytes = block_bytes;
  return true;
}

void Act::dispatch(std::uint32_t index, Handle path) {
  Io& io = s.ios[index];
  if (!recount(io)) return end_io(index, EIO, {}, false);
  io.path = path;
  const Path& way = s.paths[path.index];
  Driver& d = s.drivers[way.driver];
  const Request& request = s.requests[io.request.index];
  const bool takes_io = d.state == ControllerState::live || d.state == ControllerState::deleting;
  Command c;
  c.kind = CommandKind::io;
  c.driver = way.driver;
  c.owner = s.ios.handle_at(index);
  c.cause = request.cause;
  c.qid = d.io_queues == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(1 + io.cpu % d.io_queues);
  if (!takes_io || c.qid == 0 || !d.queues[c.qid].exists) {
    // A queue that is not ready: an I/O of a multipath head fails at once and tries elsewhere, another waits.
    if (!s.heads[io.head.index].multipath && !io.passthrough) return put_in_requeue_list(index);
    return io_done(c, {static_cast<std::uint16_t>(spec::Status::host_pathing_error), true});
  }
  c.entry.opcode = io.opcode;
  c.entry.nsid = way.nsid;
  if (io.opcode != kFlush) {
    c.entry.cdw10 = static_cast<std::uint32_t>(io.slba);
    c.entry.cdw11 = static_cast<std::uint32_t>(io.slba >> 32U);
    c.entry.cdw12 = io.blocks - 1;
    const BlockMetadata& metadata = s.heads[io.head.index].metadata;
    if (metadata.made_by_controller()) protect(c.entry, metadata.type);
  }
  if (has_data(io.opcode)) {
    Host& host = s.hosts[d.host];
    port::HostMemory& ram = port(d).memory();
    const std::uint64_t address = request.buffer + io.offset;
    const std::uint64_t bytes = std::uint64_t{io.blocks} * s.heads[io.head.index].block_bytes;
    c.list_bytes = static_cast<std::uint32_t>(prp_list_bytes(address, bytes));
    if (c.list_bytes != 0) c.list = host.buffers.take(ram, c.list_bytes);
    const PrpPair prps = build_prps(ram, address, bytes, c.list);
    c.entry.prp1 = prps.prp1;
    c.entry.prp2 = prps.prp2;
  }
  ++d.io_commands;
  submit(c);
}

void Act::put_in_requeue_list(std::uint32_t index) {
  Io& io = s.ios[index];
  Head& head = s.heads[io.head.index];
  io.next = 0;
  if (head.last != 0) {
    s.ios[head.last - 1].next = index + 1;
  } else {
    head.first = index + 1;
  }
  head.last = index + 1;
  note(trace::Inside::requeued, head.host, io.head.index, 0, s.requests[io.request.index].id);
}

// The whole list, each through path selection again; what finds no path goes to the end of a new list.
void Act::requeue_work(Handle handle) {
  Head* head = s.heads.get(handle);
  if (head == nullptr) return;
  head->kicked = false;
  std::uint32_t next = head->first;
  head->first = head->last = 0;
  while (next != 0) {
    const std::uint32_t index = next - 1;
    next = s.ios[index].next;
    s.ios[index].next = 0;
    const CauseScope scope(world.engine, s.requests[s.ios[index].request.index].cause);
    route(index);
  }
}

void Act::io_done(const Command& command, const Completion& completion) {
  const Handle handle = command.owner;
  Io& io = s.ios[handle.index];
  s.hosts[s.drivers[command.driver].host].buffers.give(command.list, command.list_bytes);
  const Head& head = s.heads[io.head.index];
  Ended ended;
  ended.status = completion.status;
  ended.multipath = head.multipath;
  ended.no_retry = io.passthrough;
  ended.queue_dying = s.paths.get(io.path) == nullptr;
  ended.retries = io.retries;
  switch (dispose(ended)) {
    case Disposition::complete:
      return end_io(handle.index, errno_of(completion.status), completion, !completion.cancelled);
    case Disposition::failover: {
      const std::uint32_t controller = s.drivers[command.driver].controller;
      note(trace::Inside::path_failover, head.host, io.head.index, controller,
           s.requests[io.request.index].id);
      const Handle at = io.head;
      io.retries = 0;  // elsewhere it is a new command
      clear_current(io.path);
      put_in_requeue_list(handle.index);
      return kick(at);
    }
    case Disposition::retry: {
      ++io.retries;
      io.delayed = true;
      const Time delay = retry_delay(completion.status, s.drivers[command.driver].facts.crdt);
      if (delay == 0) return ready(What::retry, handle.index, handle.generation);
      return schedule(What::retry, handle.index, handle.generation, engine::after(now(), delay));
    }
  }
}

void Act::retry(Handle handle) {
  Io* io = s.ios.get(handle);
  if (io == nullptr || !io->delayed) return;
  io->delayed = false;
  if (s.paths.get(io->path) == nullptr) return route(handle.index);
  dispatch(handle.index, io->path);
}

void Act::end_io(std::uint32_t index, std::int32_t error, const Completion& completion, bool answered) {
  const Io io = s.ios[index];
  s.ios.erase(s.ios.handle_at(index));
  --s.heads[io.head.index].in_progress;
  Request& request = s.requests[io.request.index];
  if (request.error == 0) {
    request.error = error;
    request.status = completion.status;
    request.dw0 = completion.dw0;
    request.dw1 = completion.dw1;
    request.answered = answered;
  }
  if (--request.parts == 0) end_request(io.request);
  free_head_if_done(io.head);
}

void Act::tell_application(const Request& request) {
  trace::BoundaryEvent event = boundary(trace::Boundary::app_complete, request, now());
  event.b = static_cast<std::uint32_t>(request.error);
  world.trace.begin(event);
  if (request.to_host && request.error == 0 && request.bytes != 0) {
    append_digests(world.trace, memory(request.host), request.buffer, request.bytes);
  }
  world.trace.commit();
}

}  // namespace polypath::host
