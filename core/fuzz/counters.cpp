#include "fuzz/counters.h"

#include <algorithm>
#include <cstring>

#include "engine/hash.h"
#include "spec/queue_entry.h"

namespace polypath::fuzz {
namespace {

using trace::Boundary;

constexpr std::uint16_t kExists = 0x8000;
constexpr std::uint8_t kAttachmentCommand = 0x15, kManagementCommand = 0x0D, kEventRequest = 0x0C;

// Slots of the areas: a power of two each, their sum is kCounters.
struct Slots {
  std::size_t first, count;
};
constexpr Slots kSlots[] = {{0, 4096},     {4096, 2048},  {6144, 4096}, {10240, 1024},
                            {11264, 1024}, {12288, 2048}, {14336, 2048}};

std::uint8_t class_of(std::uint16_t status) {  // success, or what kind of error
  const unsigned code = status & 0x7FFU;
  return static_cast<std::uint8_t>(code == 0 ? 0 : code < 0x80 ? 1 : code < 0x100 ? 2 : code < 0x200 ? 3 : 4);
}

}  // namespace

void Counters::hit(Area area, std::uint64_t what) {
  const Slots& slots = kSlots[static_cast<std::size_t>(area)];
  std::uint8_t& count = bytes_[slots.first + (engine::mix(what, 1) & (slots.count - 1))];
  if (count != 0xFF) ++count;
}

Counters::Known Counters::learn(const trace::Trace& trace) {
  Counters counters;
  auto& [controllers, attached] = counters.now_;
  const auto& header = trace.header;
  controllers.resize(header.controllers.size());
  attached.resize(header.subsystems.size());
  for (std::size_t k = 0; k < controllers.size(); ++k) {
    controllers[k].cntlid = header.controllers[k].cntlid;
    controllers[k].subsystem = header.controllers[k].subsystem;
  }
  for (const auto& ns : header.namespaces) {
    if (ns.nsid >= kNsids) continue;
    auto& row = attached[ns.subsystem][ns.nsid];
    row = kExists;
    for (const std::uint16_t k : ns.attached) row = static_cast<std::uint16_t>(row | 1U << (k & 7U));
  }
  counters.take(trace, 0);
  return counters.now_;
}

unsigned Counters::attachment_of(std::uint16_t controller, std::uint32_t nsid) const {
  if (nsid >= 0xFFFFFFFE) return 6;
  if (nsid >= kNsids) return 5;
  if (nsid == 0) return 4;
  const std::uint16_t row = now_.attached[now_.controllers[controller].subsystem][nsid];
  if ((row & kExists) == 0) return 3;
  const bool here = (row >> (controller & 7U) & 1U) != 0;
  const bool elsewhere = (row & ~kExists & ~(1U << (controller & 7U))) != 0;
  return here ? (elsewhere ? 1 : 0) : elsewhere ? 2 : 7;
}

void Counters::submitted(const trace::Trace& trace, const trace::BoundaryEvent& event) {
  trace::Parts parts;
  if (!trace::read_submitted(trace, event, parts)) return;
  spec::SubmissionEntry entry;
  std::memcpy(&entry, parts.entry.data(), sizeof entry);
  Controller& c = now_.controllers[event.controller];
  Open open;
  open.nsid = entry.nsid;
  open.queue = event.queue;
  open.cid = entry.cid;
  open.opcode = entry.opcode;
  if (event.queue == 0) {
    open.detail = static_cast<std::uint8_t>(entry.cdw10);
    if (entry.opcode == kEventRequest) ++c.requests;
    if (entry.opcode == kAttachmentCommand && parts.data.size() >= 4) {
      std::array<std::uint16_t, 8> list{};
      std::memcpy(list.data(), parts.data.data(), std::min(sizeof list, parts.data.size()));
      for (std::size_t i = 1; i <= list[0] && i < list.size(); ++i) {
        if (list[i] < 8) open.controllers = static_cast<std::uint16_t>(open.controllers | 1U << list[i]);
      }
    }
  }
  hit(Area::queues, std::uint64_t{event.queue} << 8U | std::min<std::size_t>(c.open.size(), 15));
  c.open.push_back(open);
}

void Counters::completed(const trace::Trace& trace, const trace::BoundaryEvent& event) {
  trace::Parts parts;
  if (!trace::read_completed(trace, event, parts)) return;
  spec::CompletionEntry entry;
  std::memcpy(&entry, parts.entry.data(), sizeof entry);
  Controller& c = now_.controllers[event.controller];
  const auto at = std::find_if(c.open.begin(), c.open.end(),
                               [&](const Open& o) { return o.queue == entry.sqid && o.cid == entry.cid; });
  if (at == c.open.end()) {
    hit(Area::other, 1);
    return;
  }
  const Open open = *at;
  *at = c.open.back();
  c.open.pop_back();
  const auto status = static_cast<std::uint16_t>(entry.linux_status() & 0x7FFU);
  const bool admin = open.queue == 0;
  const std::uint64_t command = std::uint64_t{admin} << 8U | open.opcode;
  const bool has_variants = admin && (open.opcode == 0x06 || open.opcode == 0x02 || open.opcode == 0x09 ||
                                      open.opcode == 0x0A || open.opcode == 0x15 || open.opcode == 0x0D);
  const std::uint64_t variant = has_variants ? open.detail : 0;
  hit(Area::status, command << 24U | variant << 16U | status);
  const unsigned attachment = attachment_of(event.controller, open.nsid);
  hit(Area::attachment, command << 16U | std::uint64_t{class_of(status)} << 8U | attachment << 4U |
                            std::min<std::uint64_t>(c.changes, 3) << 1U | (c.requests != 0 ? 1U : 0U));
  const std::uint64_t here = command << 8U | std::uint64_t{class_of(status)} << 4U | attachment;
  if (event.controller != last_controller_) {
    hit(Area::pair, here << 24U | last_ << 1U | (open.nsid == last_nsid_ ? 1U : 0U));
  }
  last_ = here;
  last_controller_ = event.controller;
  last_nsid_ = open.nsid;
  if (!admin) return;
  if (open.opcode == kEventRequest && c.requests != 0) {
    --c.requests;
    hit(Area::events, std::uint64_t{entry.dw0 & 0xFFFFFFU} << 8U | c.requests << 4U | std::min<unsigned>(c.changes, 7));
  }
  if (open.opcode == 0x02 && open.detail == 4) {
    hit(Area::events, 0x100000000ULL | c.changes << 1U);
    c.changes = 0;
  }
  if (status != 0) return;
  auto& table = now_.attached[c.subsystem];
  const auto changed = [&](std::uint16_t which) {
    for (Controller& other : now_.controllers) {
      const auto k = static_cast<std::size_t>(&other - now_.controllers.data());
      if (other.subsystem == c.subsystem && (which >> (k & 7U) & 1U) != 0 && other.changes < 7) ++other.changes;
    }
  };
  if (open.opcode == kAttachmentCommand && open.nsid < kNsids) {
    std::uint16_t which = 0;
    for (std::size_t k = 0; k < now_.controllers.size(); ++k) {
      const bool meant = now_.controllers[k].subsystem == c.subsystem && now_.controllers[k].cntlid < 8 &&
                         (open.controllers >> now_.controllers[k].cntlid & 1U) != 0;
      if (meant) which = static_cast<std::uint16_t>(which | 1U << k);
    }
    auto& row = table[open.nsid];
    row = static_cast<std::uint16_t>((open.detail & 0x0FU) == 0 ? row | which : row & ~which);
    changed(which);
  } else if (open.opcode == kManagementCommand) {
    if ((open.detail & 0x0FU) == 0 && entry.dw0 < kNsids) table[entry.dw0] = kExists;
    if ((open.detail & 0x0FU) == 1 && open.nsid < kNsids) {
      changed(table[open.nsid]);
      table[open.nsid] = 0;
    }
  }
}

void Counters::count(const trace::Trace& trace, std::size_t first, const Known& known) {
  now_ = known;
  take(trace, first);
}

void Counters::take(const trace::Trace& trace, std::size_t first) {
  last_ = 0;
  last_controller_ = trace::kNoController;
  const auto& events = trace.events();
  for (std::size_t i = first; i < events.size(); ++i) {
    const trace::BoundaryEvent& event = events[i];
    if (event.controller >= now_.controllers.size()) continue;
    Controller& c = now_.controllers[event.controller];
    switch (event.kind) {
      case Boundary::submitted:
        submitted(trace, event);
        break;
      case Boundary::completed:
        completed(trace, event);
        break;
      case Boundary::register_write:
        hit(Area::registers, event.a << 8U | (c.enabled ? 1U : 0U) | (c.shut ? 2U : 0U) |
                                 (c.open.empty() ? 0U : 4U) | (c.changes != 0 ? 8U : 0U));
        if (event.a == 0x14) {
          const bool enabled = (event.c & 1U) != 0;
          if (c.enabled && !enabled) {
            c.open.clear();
            c.requests = c.changes = 0;
          }
          c.enabled = enabled;
          c.shut = enabled && (event.c >> 14U & 3U) != 0;
        }
        break;
      case Boundary::register_read:
        hit(Area::registers, 0x1000000U | event.a << 8U | (event.a == 0x1C ? event.c & 0x3FU : 0U));
        break;
      case Boundary::sq_doorbell:
      case Boundary::cq_doorbell:
        hit(Area::queues, 0x10000U | (event.kind == Boundary::cq_doorbell ? 0x8000U : 0U) |
                              std::uint64_t{event.queue} << 8U | std::min<std::uint64_t>(event.c, 31));
        break;
      case Boundary::interrupt:
        hit(Area::queues, 0x20000U | event.a << 1U | (c.masked ? 1U : 0U));
        break;
      case Boundary::vector_mask:
        c.masked = event.b != 0;
        hit(Area::queues, 0x30000U | event.a << 1U | event.b);
        break;
      default:
        hit(Area::other, static_cast<std::uint64_t>(event.kind) << 8U | event.flags);
        break;
    }
  }
}

}  // namespace polypath::fuzz
