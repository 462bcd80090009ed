// What was asked of a host, from its id to its one outcome; admin passthrough.
#include <algorithm>
#include <cerrno>

#include "host/act.h"
#include "host/disposition.h"

namespace polypath::host {

Handle Act::make_request(RequestKind kind, std::uint32_t host, std::uint32_t driver) {
  Request request;
  request.id = s.next_request++;
  request.kind = kind;
  request.host = host;
  request.driver = driver;
  request.cause = world.engine.cause();
  return s.requests.insert(request);
}

void Act::end_request(Handle handle, std::int32_t error) {
  s.requests[handle.index].error = error;
  end_request(handle);
}

void Act::end_request(Handle handle) {
  const Request request = s.requests[handle.index];
  s.requests.erase(handle);
  if (request.kind == RequestKind::application) tell_application(request);
  Outcome outcome;
  outcome.request = request.id;
  outcome.host = request.host;
  outcome.error = request.error;
  outcome.status = request.status;
  outcome.answered = request.answered;
  outcome.dw0 = request.dw0;
  outcome.dw1 = request.dw1;
  outcome.buffer = request.buffer;
  outcome.bytes = request.bytes;
  s.outcomes.push_back(outcome);
}

std::uint32_t Act::submit_admin(std::uint32_t driver, const spec::SubmissionEntry& entry,
                                std::span<const std::byte> data, std::uint32_t bytes_to_host) {
  Driver& d = s.drivers[driver];
  const Handle handle = make_request(RequestKind::passthrough, d.host, driver);
  Request& request = s.requests[handle.index];
  const std::uint32_t id = request.id;
  request.opcode = entry.opcode;
  request.to_host = bytes_to_host != 0;
  const std::uint64_t bytes = std::max<std::uint64_t>(data.size(), bytes_to_host);
  if (d.state != ControllerState::live) {
    end_request(handle, EAGAIN);
    return id;
  }
  if (bytes > kBufferBytesMax) {
    end_request(handle, EINVAL);
    return id;
  }
  Command c;
  c.kind = CommandKind::passthrough;
  c.driver = driver;
  c.owner = handle;
  c.cause = request.cause;
  c.entry = entry;
  c.entry.prp1 = c.entry.prp2 = 0;
  if (bytes != 0) {
    Host& host = s.hosts[d.host];
    port::HostMemory& ram = port(d).memory();
    request.bytes = static_cast<std::uint32_t>(bytes);
    request.buffer = host.buffers.take(ram, bytes);
    static constexpr std::array<std::byte, port::kPageBytes> kZeros{};
    ram.write(request.buffer, data);
    for (std::uint64_t at = data.size(); at < bytes;) {
      const auto here = std::min<std::uint64_t>(bytes - at, kZeros.size());
      ram.write(request.buffer + at, std::span(kZeros).first(here));
      at += here;
    }
    c.list_bytes = static_cast<std::uint32_t>(prp_list_bytes(request.buffer, bytes));
    if (c.list_bytes != 0) c.list = host.buffers.take(ram, c.list_bytes);
    const PrpPair prps = build_prps(ram, request.buffer, bytes, c.list);
    c.entry.prp1 = prps.prp1;
    c.entry.prp2 = prps.prp2;
  }
  submit(c);
  return id;
}

void Act::passthrough_done(const Command& command, const Completion& completion) {
  Driver& d = s.drivers[command.driver];
  s.hosts[d.host].buffers.give(command.list, command.list_bytes);
  Request& request = s.requests[command.owner.index];
  request.status = completion.status;
  request.dw0 = completion.dw0;
  request.dw1 = completion.dw1;
  request.answered = !completion.cancelled;
  if (completion.cancelled) request.error = EINTR;
  // A command that may have changed the set of namespaces or their size returns when the host has looked
  // again.
  constexpr std::uint32_t kNamespaceEffects = 1U << 2U | 1U << 3U;  // NCC, NIC
  if (completion.cancelled || (d.effects[request.opcode] & kNamespaceEffects) == 0 ||
      d.state != ControllerState::live) {
    return end_request(command.owner);
  }
  d.scan_waiters.push_back({command.owner, d.scans + 1});
  want_scan(command.driver);
}

}  // namespace polypath::host
