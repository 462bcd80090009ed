// Rings, tags and timers of a driver. Base specification, "Submission Queue & Completion Queue definition".
#include <algorithm>
#include <bit>

#include "host/act.h"
#include "spec/registers.h"

namespace polypath::host {
namespace {

void zero(port::HostMemory& memory, std::uint64_t address, std::uint64_t bytes) {
  static constexpr std::array<std::byte, port::kPageBytes> kZeros{};
  while (bytes != 0) {
    const auto here = std::min<std::uint64_t>(bytes, kZeros.size());
    memory.write(address, std::span(kZeros).first(here));
    address += here;
    bytes -= here;
  }
}

/// The next free tag from where the last one was taken, so that a tag rests before it is used again.
bool take_tag(Queue& q, std::uint16_t& out) {
  if (q.in_flight >= q.tags) return false;
  const std::size_t words = q.free_tags.size();
  std::size_t word = q.next_tag / 64;
  std::uint64_t bits = q.free_tags[word] & ~std::uint64_t{0} << q.next_tag % 64;
  for (std::size_t i = 0; bits == 0; ++i) {
    if (i > words) return false;
    word = (word + 1) % words;
    bits = q.free_tags[word];
  }
  const auto tag = static_cast<std::uint32_t>(word * 64) + static_cast<std::uint32_t>(std::countr_zero(bits));
  q.free_tags[word] &= ~(std::uint64_t{1} << tag % 64);
  q.next_tag = tag + 1 == q.tags ? 0 : tag + 1;
  ++q.in_flight;
  out = static_cast<std::uint16_t>(tag);
  return true;
}

void give_tag(Queue& q, std::uint32_t tag) {
  q.command_of_tag[tag] = 0;
  if (tag >= q.tags) return;  // the event request's own
  q.free_tags[tag / 64] |= std::uint64_t{1} << tag % 64;
  --q.in_flight;
}

/// CC.EN is 1, as far as the host knows: else doorbells may not be rung.
bool enabled(const Driver& d) {
  return d.step != Step::wait_disabled && d.step != Step::wait_torn_down && d.step != Step::wait_released;
}

unsigned stride(const Driver& d) { return static_cast<unsigned>(spec::cap::dstrd.get(d.cap)); }

}  // namespace

void Act::make_queue(Driver& d, std::uint16_t qid, std::uint32_t entries, std::uint32_t tags,
                     std::uint16_t vector) {
  if (d.queues.size() <= qid) d.queues.resize(qid + std::size_t{1});
  Queue& q = d.queues[qid];
  if (q.sq == 0 || q.entries < entries) {
    q.sq = port(d).memory().allocate(entries * sizeof(spec::SubmissionEntry));
    q.cq = port(d).memory().allocate(entries * sizeof(spec::CompletionEntry));
  }
  zero(port(d).memory(), q.cq,
       entries * sizeof(spec::CompletionEntry));  // so that no old phase tag looks new
  q.qid = qid;
  q.vector = vector;
  q.exists = false;
  q.entries = entries;
  q.tail = q.cq_head = 0;
  q.phase = true;
  q.tags = tags;
  q.next_tag = q.in_flight = 0;
  q.free_tags.assign((tags + 63) / 64, ~std::uint64_t{0});
  if (tags % 64 != 0) q.free_tags.back() = (std::uint64_t{1} << tags % 64) - 1;
  q.command_of_tag.assign(qid == 0 ? kEventTag + 1U : tags, 0);
  q.first_waiting = q.last_waiting = 0;
  q.deadline = engine::kForever;
}

void Act::submit(const Command& command) {
  const Handle handle = s.commands.insert(command);
  Driver& d = s.drivers[command.driver];
  if (command.kind == CommandKind::own) d.own = handle;
  Queue& q = d.queues[command.qid];
  // In flight stay below the ring's size, so tags are also the room in the submission queue: SQHD need not be
  // asked.
  if (enabled(d) && q.first_waiting == 0 && q.in_flight < q.tags) return put_on_ring(handle.index);
  if (q.last_waiting != 0) {
    s.commands[q.last_waiting - 1].next = handle.index + 1;
  } else {
    q.first_waiting = handle.index + 1;
  }
  q.last_waiting = handle.index + 1;
}

void Act::put_on_ring(std::uint32_t command) {
  Command& c = s.commands[command];
  Driver& d = s.drivers[c.driver];
  Queue& q = d.queues[c.qid];
  if (c.kind == CommandKind::event_request) {
    c.entry.cid = kEventTag;
  } else {
    take_tag(q, c.entry.cid);
    arm(d, q, engine::after(now(), timeout_of(d, q)));
  }
  q.command_of_tag[c.entry.cid] = command + 1;
  c.submitted = true;
  c.started = now();
  port(d).memory().write_value(q.sq + std::uint64_t{q.tail} * sizeof(spec::SubmissionEntry), c.entry);
  const std::uint32_t before = q.tail;
  q.tail = q.tail + 1 == q.entries ? 0 : q.tail + 1;
  const CauseScope scope(world.engine, c.cause);
  ring(d, q.qid, false, before, q.tail);
}

void Act::submit_event_request(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  if (!enabled(d) || !d.queues[0].exists || d.queues[0].command_of_tag[kEventTag] != 0) return;
  Command c;
  c.kind = CommandKind::event_request;
  c.driver = driver;
  c.entry.opcode = 0x0C;
  put_on_ring(s.commands.insert(c).index);
}

void Act::interrupt(std::uint32_t driver, std::uint16_t vector) {
  const Driver& d = s.drivers[driver];
  if (!enabled(d)) return;  // what was posted before is reaped when the controller is down
  if (vector < d.queues.size() && d.queues[vector].vector == vector) reap(driver, vector, true);
  // With a single vector the only I/O queue shares the Admin queue's.
  if (vector == 0 && d.queues.size() > 1 && d.queues[1].vector == 0) reap(driver, 1, true);
}

// Linux rings the registers of the Admin queue whatever Doorbell Buffer Config says.
void Act::ring(const Driver& d, std::uint16_t qid, bool completion, std::uint32_t before, std::uint32_t now) {
  if (d.doorbells_on && qid != 0) return port(d).ring(d.doorbells, qid, completion, before, now, stride(d));
  if (completion) return port(d).ring_cq(qid, static_cast<std::uint16_t>(now), stride(d));
  port(d).ring_sq(qid, static_cast<std::uint16_t>(now), stride(d));
}

void Act::reap(std::uint32_t driver, std::uint16_t qid, bool rings) {
  const std::uint32_t epoch = s.drivers[driver].epoch;
  std::array<spec::CompletionEntry, 16> batch;
  std::size_t count = 0;
  do {
    Driver& d = s.drivers[driver];
    Queue& q = d.queues[qid];
    if (!q.exists) return;
    const port::HostMemory& ram = port(d).memory();
    const std::uint32_t before = q.cq_head;
    for (count = 0; count < batch.size(); ++count) {
      spec::CompletionEntry& entry = batch[count];
      if (!ram.read_value(q.cq + std::uint64_t{q.cq_head} * sizeof entry, entry) || entry.phase() != q.phase)
        break;
      if (++q.cq_head == q.entries) q.cq_head = 0, q.phase = !q.phase;
    }
    if (count == 0) return;
    // First the doorbell, then the consequences: an entry's slot is free as soon as it has been read.
    if (rings) ring(d, qid, true, before, q.cq_head);
    for (std::size_t i = 0; i < count; ++i) {
      Driver& owner = s.drivers[driver];
      if (owner.epoch != epoch) return;
      const spec::CompletionEntry& entry = batch[i];
      const Queue& queue = owner.queues[qid];
      const bool known = entry.cid < queue.command_of_tag.size() && queue.command_of_tag[entry.cid] != 0;
      if (!known || entry.sqid != qid) {
        ++owner.spurious;
        continue;
      }
      finish(queue.command_of_tag[entry.cid] - 1, {entry.linux_status(), false, entry.dw0, entry.dw1});
    }
  } while (count == batch.size());
}

void Act::finish(std::uint32_t command, const Completion& completion) {
  const Handle handle = s.commands.handle_at(command);
  const Command c = s.commands[command];
  s.commands.erase(handle);
  const Driver& d = s.drivers[c.driver];
  Queue& q = s.drivers[c.driver].queues[c.qid];
  if (c.submitted) {
    give_tag(q, c.entry.cid);
    if (q.first_waiting != 0 && q.exists && enabled(d) && c.kind != CommandKind::event_request) {
      const std::uint32_t next = q.first_waiting - 1;
      q.first_waiting = s.commands[next].next;
      if (q.first_waiting == 0) q.last_waiting = 0;
      s.commands[next].next = 0;
      put_on_ring(next);
    }
  }
  const CauseScope scope(world.engine, c.cause);
  switch (c.kind) {
    case CommandKind::io:
      --s.drivers[c.driver].io_commands;
      io_done(c, completion);
      go_on_draining(c.driver);
      return;
    case CommandKind::passthrough:
      return passthrough_done(c, completion);
    case CommandKind::own:
      if (s.drivers[c.driver].own == handle) own_done(c.driver, completion);
      return;
    case CommandKind::abort:
      ++s.drivers[c.driver].aborts_left;
      return;
    case CommandKind::event_request:
      return event_arrived(c.driver, completion);
  }
}

void Act::own_done(std::uint32_t driver, const Completion& completion) {
  Driver& d = s.drivers[driver];
  d.own = {};
  if (completion.cancelled) return;  // who cancels goes on by itself
  if (d.scan != ScanStep::none) {
    scan_done(driver, completion);
  } else {
    set_up_done(driver, completion);
  }
}

void Act::cancel_all(std::uint32_t driver) {
  Driver& d = s.drivers[driver];
  d.own = {};
  for (Queue& q : d.queues) q.exists = false, q.deadline = engine::kForever;
  const std::size_t queues = d.queues.size();
  for (std::size_t qid = 0; qid < queues; ++qid) {
    const std::size_t tags = s.drivers[driver].queues[qid].command_of_tag.size();
    for (std::size_t tag = 0; tag < tags; ++tag) {
      const std::uint32_t command = s.drivers[driver].queues[qid].command_of_tag[tag];
      if (command != 0)
        finish(command - 1, {static_cast<std::uint16_t>(spec::Status::aborted_by_host), true});
    }
    std::uint32_t waiting = s.drivers[driver].queues[qid].first_waiting;
    s.drivers[driver].queues[qid].first_waiting = s.drivers[driver].queues[qid].last_waiting = 0;
    while (waiting != 0) {
      const std::uint32_t command = waiting - 1;
      waiting = s.commands[command].next;
      finish(command, {static_cast<std::uint16_t>(spec::Status::host_pathing_error), true});
    }
  }
}

Time Act::timeout_of(const Driver& d, const Queue& queue) const {
  if (queue.qid == 0) return kAdminTimeout;
  const Time timeout = s.hosts[d.host].io_timeout;
  return timeout == 0 ? engine::kForever : timeout;
}

// One timer per queue. It is set when the queue goes from idle to busy, and looks when it fires whether the
// oldest command is overdue; else it is set again for that one.
void Act::arm(Driver& d, Queue& queue, Time at) {
  if (queue.deadline != engine::kForever || at == engine::kForever) return;
  queue.deadline = at;
  const auto index = static_cast<std::uint32_t>(&d - s.drivers.data());
  const CauseScope scope(world.engine, {});
  schedule(What::deadline, index, std::uint64_t{d.epoch} << 16U | queue.qid, at);
}

void Act::deadline(std::uint32_t driver, std::uint16_t qid) {
  s.drivers[driver].queues[qid].deadline = engine::kForever;
  const auto oldest = [&] {
    Time started = engine::kForever;
    const Queue& q = s.drivers[driver].queues[qid];
    for (std::uint32_t tag = 0; tag < q.tags; ++tag) {
      if (q.command_of_tag[tag] != 0)
        started = std::min(started, s.commands[q.command_of_tag[tag] - 1].started);
    }
    return started;
  };
  const Time timeout = timeout_of(s.drivers[driver], s.drivers[driver].queues[qid]);
  const auto overdue = [&](Time started) { return engine::after(started, timeout) <= now(); };

  if (overdue(oldest())) {
    const std::uint64_t csts = port(s.drivers[driver]).read_register(spec::reg::csts, 4);
    if (spec::csts::cfs.get(csts) != 0) {  // also when the function is gone and all bits read 1
      return s.drivers[driver].state == ControllerState::live ? begin_reset(driver) : die(driver);
    }
    const std::uint32_t epoch = s.drivers[driver].epoch;
    reap(driver, qid, true);  // a lost interrupt is no lost command
    if (s.drivers[driver].epoch != epoch) return;
    const std::uint32_t tags = s.drivers[driver].queues[qid].tags;
    for (std::uint32_t tag = 0; tag < tags; ++tag) {
      const std::uint32_t index = s.drivers[driver].queues[qid].command_of_tag[tag];
      if (index == 0 || !overdue(s.commands[index - 1].started)) continue;
      Driver& d = s.drivers[driver];
      if (d.state != ControllerState::live) return die(driver);
      if (qid == 0 || s.commands[index - 1].abort_sent) return begin_reset(driver);
      s.commands[index - 1].started = now();
      if (d.aborts_left == 0) continue;
      --d.aborts_left;
      s.commands[index - 1].abort_sent = true;
      Command abort;
      abort.kind = CommandKind::abort;
      abort.driver = driver;
      abort.entry.opcode = 0x08;
      abort.entry.cdw10 = tag << 16U | qid;
      abort.cause = s.commands[index - 1].cause;
      submit(abort);
    }
  }
  const Time started = oldest();
  if (started == engine::kForever) return;
  arm(s.drivers[driver], s.drivers[driver].queues[qid], engine::after(started, timeout));
}

}  // namespace polypath::host
