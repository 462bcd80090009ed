// Rings, doorbells, fetch, execution, completion, interrupts. Base specification, "Queues" and "Interrupts".
#include <algorithm>
#include <utility>

#include "device/act.h"
#include "spec/identify.h"
#include "spec/registers.h"

namespace polypath::device {
namespace {

using spec::Status;

std::uint64_t pack(Handle handle) { return handle.generation; }

// A duration's most: latitude may stretch what is typical this far.
constexpr engine::Time kMostDelay = 2 * engine::kMillisecond;

bool processing(const Controller& c) {
  const auto shst = static_cast<spec::ShutdownState>(spec::csts::shst.get(c.csts));
  return spec::csts::rdy.get(c.csts) != 0 && spec::cc::en.get(c.cc) != 0 &&
         shst != spec::ShutdownState::complete && spec::csts::cfs.get(c.csts) == 0;
}

// CSTS.PP: doorbells are taken, commands are not processed.
bool paused(const Controller& c) { return spec::csts::pp.get(c.csts) != 0; }

void doorbell_error(Act& act, std::uint32_t controller, std::uint8_t info) {
  log_error(act, controller, 0xFFFF, 0xFFFF, nullptr, Status::invalid_field, Outcome{});
  raise_event(act, controller, spec::EventType::error, info, spec::LogId::error_information);
}

bool fetchable(const Act& act, const SubmissionQueue& sq) {
  if (sq.frozen || sq.head == sq.tail) return false;
  const CompletionQueue* cq = act.device.cqs.get(sq.cq);
  return cq != nullptr && cq->held.size() == cq->held_head;  // else its completions wait: no more work for it
}

void want_fetch(Act& act, Handle handle) {
  SubmissionQueue& sq = *act.device.sqs.get(handle);
  if (sq.fetch_pending || !fetchable(act, sq)) return;
  sq.fetch_pending = true;
  act.world.engine.ready(static_cast<std::uint16_t>(What::fetch), handle.index, pack(handle));
}

void send_message(Act& act, std::uint32_t controller, std::uint16_t vector) {
  Controller& c = act.controller(controller);
  if (vector >= c.vector_masked.size()) return;
  if (c.vector_masked[vector] != 0) {
    c.vector_pending[vector] = 1;
    return;
  }
  const Function& function = act.world.functions[controller];
  function.observer->interrupt(act.world.scene(controller), vector);
  const auto delay =
      act.world.engine.duration(site::message_delay, engine::kMicrosecond, 50 * engine::kMicrosecond);
  act.world.engine.schedule(act.world.engine.now() + delay, static_cast<std::uint16_t>(What::message),
                            controller, vector);
}

/// Where the host has read to, by what it wrote last.
std::uint32_t head_of(const Act& act, const CompletionQueue& cq) {
  if (!has_shadow(act, cq.controller, cq.qid)) return cq.head;
  const std::uint32_t shadow = shadow_of(act, cq.controller, cq.qid, true);
  return shadow != cq.shadow ? shadow : cq.head;
}

/// Is there a completion of this vector that the host has not acknowledged?
bool unacknowledged(const Act& act, const Controller& c, std::uint16_t vector) {
  return std::any_of(c.cq.begin(), c.cq.end(), [&](const Handle handle) {
    const CompletionQueue* cq = act.device.cqs.get(handle);
    return cq != nullptr && cq->interrupts && cq->vector == vector && head_of(act, *cq) != cq->tail;
  });
}

/// Features 08h and 09h: are completions of this queue gathered? Vector 0 has the admin queue's, which do not
/// wait.
bool gathers(const Controller& c, const CompletionQueue& cq) {
  const bool on = (c.features.coalescing & 0xFFU) != 0 && (c.features.coalescing >> 8U & 0xFFU) != 0;
  return on && cq.vector != 0 && cq.vector < c.vectors &&
         (c.coalescing_disabled[cq.vector / 32U] >> cq.vector % 32U & 1U) == 0;
}

/// Tells the host of the completion that was just posted, at once or with others.
void announce(Act& act, std::uint32_t controller, const CompletionQueue& cq, bool was_empty) {
  Controller& c = act.controller(controller);
  if (!gathers(c, cq)) {
    if (was_empty) send_message(act, controller, cq.vector);
    return;
  }
  if (cq.vector >= c.gathered.size()) c.gathered.resize(cq.vector + std::size_t{1});
  Gathered& gathered = c.gathered[cq.vector];
  if (++gathered.entries > (c.features.coalescing & 0xFFU)) {  // 0's based
    act.world.engine.cancel(gathered.ticket);
    gathered = {};
    send_message(act, controller, cq.vector);
  } else if (gathered.entries == 1 && !act.broken_by(Fault::coalescing_without_time)) {
    const engine::Time time = (c.features.coalescing >> 8U & 0xFFU) * 100 * engine::kMicrosecond;
    gathered.ticket = act.world.engine.schedule_cancellable(
        act.world.engine.now() + time, static_cast<std::uint16_t>(What::coalesced), controller,
        std::uint64_t{c.resets} << 16U | cq.vector);
  }
}

// A message held back by a mask is not sent any more once nothing waits for the host. PCI Express, "MSI-X".
void settle_pending(Act& act, std::uint32_t controller, std::uint16_t vector) {
  Controller& c = act.controller(controller);
  if (vector >= c.vector_pending.size() || c.vector_pending[vector] == 0) return;
  if (!unacknowledged(act, c, vector)) c.vector_pending[vector] = 0;
}

bool full(const CompletionQueue& cq) { return (cq.tail + 1) % cq.entries == cq.head; }

// Base: Keep Alive. The successful completion of these restarts the timer.
void admin_completed(Act& act, const Command& command) {
  constexpr std::uint8_t kKeepAlive = 0x18, kSetFeatures = 0x09;
  if (command.status != Status::success) return;
  const std::uint32_t controller = command.controller;
  const auto fid = static_cast<spec::FeatureId>(command.entry.cdw10 & 0xFFU);
  if (command.entry.opcode == kSetFeatures && fid == spec::FeatureId::keep_alive)
    restart_keep_alive(act, controller);
  if (command.entry.opcode != kKeepAlive || act.broken_by(Fault::keep_alive_ignored)) return;
  restart_keep_alive(act, controller);
  if (!act.fault(Fault::keep_alive_restarts_peer)) return;
  for (const std::uint32_t peer : act.device.subsystems[act.controller(controller).subsystem].controllers) {
    if (peer == controller || act.controller(peer).features.keep_alive_ms == 0) continue;
    act.fired(Fault::keep_alive_restarts_peer);
    restart_keep_alive(act, peer);
  }
}

// Writes the entry of an executed command and removes the command. The queue has room.
void write_entry(Act& act, Handle handle) {
  const Command& command = *act.device.commands.get(handle);
  SubmissionQueue& sq = *act.device.sqs.get(command.sq);
  CompletionQueue& cq = *act.device.cqs.get(sq.cq);
  const std::uint32_t controller = command.controller;

  spec::CompletionEntry entry;
  entry.dw0 = command.dw0;
  entry.dw1 = command.dw1;
  entry.sqhd = static_cast<std::uint16_t>(sq.head);
  entry.sqid = sq.qid;
  entry.cid = command.entry.cid;
  entry.status_word = static_cast<std::uint16_t>(
      spec::make_status_word(command.status, command.dnr, command.more) | (cq.phase ? 1U : 0U));
  if (act.fault(Fault::sqhd_stuck)) {
    entry.sqhd = static_cast<std::uint16_t>((sq.head + sq.entries - 1) % sq.entries);
    act.fired(Fault::sqhd_stuck);
  }
  const std::uint64_t address = cq.memory.at(std::uint64_t{cq.tail} * sizeof entry);
  const bool was_empty = cq.head == cq.tail;
  // A host that reads some of what is there says so: what it leaves is announced again.
  if (!was_empty && has_shadow(act, controller, cq.qid))
    publish_event_index(act, controller, cq.qid, true, cq.head);
  const bool early = cq.interrupts && was_empty && act.fault(Fault::interrupt_before_entry);
  if (early) {
    act.fired(Fault::interrupt_before_entry);
    send_message(act, controller, cq.vector);
  }
  const Function& function = act.world.functions[controller];
  act.world.engine.set_cause(command.cause);
  if (function.memory->write_value(address, entry)) {
    function.observer->completed(act.world.scene(controller), cq.qid, address, entry);
  }
  cq.tail = (cq.tail + 1) % cq.entries;
  if (cq.tail == 0) {
    if (act.fault(Fault::phase_not_inverted)) {
      act.fired(Fault::phase_not_inverted);
    } else {
      cq.phase = !cq.phase;
    }
  }
  const bool lost = cq.interrupts && cq.tail == 0 && act.fault(Fault::interrupt_lost);
  if (lost) act.fired(Fault::interrupt_lost);
  if (cq.interrupts && !early && !lost) announce(act, controller, cq, was_empty);
  if (sq.qid == 0) admin_completed(act, command);
  drop(act, handle);
}

// Posts held completions while there is room, then lets the queue's submission queues go on.
void drain(Act& act, Handle cq_handle) {
  CompletionQueue& cq = *act.device.cqs.get(cq_handle);
  while (cq.held_head < cq.held.size() && !full(cq)) {
    const Handle command = cq.held[cq.held_head++];
    if (act.device.commands.get(command) != nullptr) write_entry(act, command);
  }
  if (cq.held_head < cq.held.size()) return;
  cq.held.clear();
  cq.held_head = 0;
  for (const Handle sq : act.controller(cq.controller).sq) {
    const SubmissionQueue* row = act.device.sqs.get(sq);
    if (row != nullptr && row->cq == cq_handle) want_fetch(act, sq);
  }
}

// Statuses that another try, on any controller, cannot change. Sheet 03, "Typical DNR".
bool do_not_retry(Status status) {
  switch (status) {
    case Status::success:
    case Status::data_transfer_error:
    case Status::aborted_power_loss:
    case Status::abort_requested:
    case Status::aborted_sq_deletion:
    case Status::aborted_failed_fused:
    case Status::aborted_missing_fused:
    case Status::abort_limit_exceeded:
    case Status::aer_limit_exceeded:
    case Status::format_in_progress:
    case Status::sanitize_in_progress:
    case Status::firmware_needs_conventional_reset:
    case Status::firmware_needs_subsystem_reset:
    case Status::firmware_needs_controller_reset:
    case Status::self_test_in_progress:
      return false;
    default:
      return true;
  }
}

bool fuses(const Act& act) { return (act.profile().controller.fuses & 1U) != 0; }

bool waits(const Act& act, Handle handle) {
  const Command* command = act.device.commands.get(handle);
  return command != nullptr && command->phase == Phase::waiting;
}

void schedule_execution(Act& act, Handle handle, engine::Time delay) {
  act.device.commands.get(handle)->ticket = act.world.engine.schedule_cancellable(
      act.world.engine.now() + delay, static_cast<std::uint16_t>(What::execute), handle.index, pack(handle));
}

bool weighted(const Act& act, const Controller& c) {
  return act.profile().weighted_round_robin && spec::cc::ams.get(c.cc) == 1;
}

/// Base: Weighted Round Robin with Urgent Priority Class Arbitration. 0 Admin, 1 urgent, 2 high, 3 medium, 4
/// low.
std::size_t class_of(const SubmissionQueue& sq) { return sq.qid == 0 ? 0 : sq.priority + 1U; }

/// The queue of a class whose turn it is: that of the last fetch while its burst goes on, else the next in
/// the circle. None when no queue of the class has work.
Handle next_of(const Act& act, const Controller& c, std::size_t wanted) {
  Handle first, after;
  for (const Handle handle : c.sq) {
    const SubmissionQueue* sq = act.device.sqs.get(handle);
    if (sq == nullptr || class_of(*sq) != wanted || !fetchable(act, *sq)) continue;
    if (sq->qid == c.turn.last[wanted] && c.turn.qid == sq->qid && c.turn.burst != 0) return handle;
    if (!first) first = handle;
    if (!after && sq->qid > c.turn.last[wanted]) after = handle;
  }
  return after ? after : first;
}

/// The queue to fetch from. At least one has work.
Handle arbitrate(Act& act, std::uint32_t controller) {
  constexpr std::size_t kUrgent = 1, kHigh = 2, kLow = 4;
  constexpr std::uint32_t kNoLimit = 7;
  Controller& c = act.controller(controller);
  const std::uint32_t feature = c.features.arbitration;
  std::array<Handle, kLow + 1> next;
  for (std::size_t k = 0; k <= kLow; ++k) next[k] = next_of(act, c, k);
  std::size_t chosen = 0;
  while (chosen <= kUrgent && !next[chosen]) ++chosen;
  if (chosen == kHigh) {
    // Round after round: each class has as many commands as its weight says.
    const auto credit = [&] {
      chosen = kHigh;
      while (chosen <= kLow && (!next[chosen] || c.turn.credits[chosen - kHigh] == 0)) ++chosen;
      return chosen <= kLow;
    };
    if (!credit()) {
      for (std::size_t k = 0; k < c.turn.credits.size(); ++k)  // HPW, MPW and LPW, 0's based
        c.turn.credits[k] = static_cast<std::uint16_t>((feature >> (24U - 8U * k) & 0xFFU) + 1U);
      credit();
    }
    --c.turn.credits[chosen - kHigh];
  }
  const Handle handle = next[chosen];
  const std::uint16_t qid = act.device.sqs.get(handle)->qid;
  if (qid != c.turn.qid || c.turn.burst == 0) {
    const std::uint32_t burst = feature & 7U;
    c.turn.burst = burst == kNoLimit ? ~std::uint32_t{0} : std::uint32_t{1} << burst;
  }
  c.turn.qid = qid;
  c.turn.last[chosen] = qid;
  --c.turn.burst;
  return handle;
}

/// Pairs the command fetched last with the one before it in its queue, or ends what has no partner. Gives the
/// command to execute now: none while a first waits for its second. Base: Fused Operations.
Handle pair_up(Act& act, Handle queue, Handle command, bool conflict) {
  SubmissionQueue& sq = *act.device.sqs.get(queue);
  const unsigned fuse = act.device.commands.get(command)->entry.fuse();
  const bool second = fuse == 2;
  const bool after_first = std::exchange(sq.after_first, false);
  const Handle first = std::exchange(sq.fused_first, Handle{});
  if (after_first && (!second || conflict) && waits(act, first))
    finish(act, first, Status::aborted_missing_fused);
  if (conflict) {
    sq.after_first = fuse == 1;  // it has failed: so will its second
    return {};
  }
  if (fuse == 1) {
    // Both come in one update of the tail: a first that is the last entry has no partner.
    if (sq.head == sq.tail) {
      finish(act, command, Status::aborted_missing_fused);
      return {};
    }
    sq.after_first = true;
    sq.fused_first = command;
    return {};
  }
  if (!second) return command;
  if (!after_first && act.broken_by(Fault::fused_second_alone)) {
    act.device.commands.get(command)->entry.flags &= 0xFC;
    return command;
  }
  if (!after_first || !waits(act, first)) {
    finish(act, command, after_first ? Status::aborted_failed_fused : Status::aborted_missing_fused);
    return {};
  }
  act.device.commands.get(command)->partner = first;
  act.device.commands.get(first)->partner = command;
  return first;
}

/// Base: Data Pointer. Admin commands have PRPs on the memory-based transport.
bool takes_psdt(const Act& act, std::uint16_t qid, unsigned psdt) {
  const std::uint32_t sgls = act.profile().controller.sgls;
  if (psdt == 0) return true;
  if ((sgls & spec::sgls::supported) == 0 || (qid == 0 && !act.broken_by(Fault::admin_takes_sgl)))
    return false;
  return psdt == 1 || (psdt == 2 && (sgls & spec::sgls::mptr_segment) != 0);
}

/// What one command comes to; `fused`: as a half of a pair that was found in order.
Outcome run(Act& act, Handle handle, bool fused) {
  const Command& command = *act.device.commands.get(handle);
  const spec::SubmissionEntry entry = command.entry;
  const SubmissionQueue& sq = *act.device.sqs.get(command.sq);
  const spec::CommandRow* row = spec::find_command(spec::set_of_queue(sq.qid), entry.opcode);
  const Handler handler = row == nullptr || !announces(act.profile(), *row) ? nullptr : handler_of(*row);
  if (handler == nullptr) return Status::invalid_opcode;
  const Status refused = sanitize_refuses(act, command.controller, sq.qid, entry);
  if (refused != Status::success) return refused;
  // FUSE is that of a pair or of nothing.
  if ((entry.fuse() != 0 && !fused) || !takes_psdt(act, sq.qid, entry.psdt())) return Status::invalid_field;
  if (protection_refuses(act, handle, sq.qid)) return Status::namespace_write_protected;
  const std::uint32_t controller = command.controller;
  const bool writes = sq.qid != 0 && (row->effects & spec::effect::block_content) != 0;
  const Outcome outcome = handler(act, controller, handle, entry);
  if (writes && outcome.status == Status::success)
    act.device.subsystems[act.controller(controller).subsystem].sanitize.erased = false;
  return outcome;
}

/// Compare and Write in one step, so that no other command of any controller gets between them.
void execute_pair(Act& act, Handle first, Handle second) {
  constexpr std::uint8_t kCompare = 0x05, kWrite = 0x01;
  const spec::SubmissionEntry a = act.device.commands.get(first)->entry;
  const spec::SubmissionEntry b = act.device.commands.get(second)->entry;
  const bool alike = a.nsid == b.nsid && a.slba() == b.slba() && a.block_count() == b.block_count();
  const std::int64_t ns = attached(act.controller(act.device.commands.get(first)->controller), a.nsid);
  const bool zoned = ns >= 0 && act.device.namespaces[static_cast<std::uint32_t>(ns)].zoned();
  if (a.opcode != kCompare || b.opcode != kWrite || !alike || zoned) {
    finish(act, first, Status::invalid_field);
    finish(act, second, Status::invalid_field);
    return;
  }
  const bool too_long = a.block_count() > act.profile().controller.acwu + 1U;
  const Outcome compared = too_long ? Outcome(Status::atomic_write_unit_exceeded) : run(act, first, true);
  const bool goes_on = compared.status == Status::success || act.broken_by(Fault::fused_write_goes_on);
  if (goes_on && act.broken_by(Fault::fused_not_atomic)) {
    finish(act, first, compared);
    Command& late = *act.device.commands.get(second);
    late.partner = {};
    late.entry.flags &= 0xFC;
    schedule_execution(act, second, 50 * engine::kMicrosecond);
    return;
  }
  const Outcome written = goes_on ? run(act, second, true) : Outcome(Status::aborted_failed_fused);
  finish(act, first, compared);
  finish(act, second, written);
}

}  // namespace

SubmissionQueue* find_sq(const Act& act, std::uint32_t controller, std::uint16_t qid) {
  const Controller& c = act.controller(controller);
  return qid < c.sq.size() ? act.device.sqs.get(c.sq[qid]) : nullptr;
}

CompletionQueue* find_cq(const Act& act, std::uint32_t controller, std::uint16_t qid) {
  const Controller& c = act.controller(controller);
  return qid < c.cq.size() ? act.device.cqs.get(c.cq[qid]) : nullptr;
}

Handle find_command(const Act& act, std::uint32_t controller, std::uint16_t sqid, std::uint16_t cid) {
  const SubmissionQueue* sq = find_sq(act, controller, sqid);
  if (sq == nullptr || cid >= sq->command_of_cid.size() || sq->command_of_cid[cid] == 0) return {};
  return act.device.commands.handle_at(sq->command_of_cid[cid] - 1);
}

void sq_doorbell(Act& act, std::uint32_t controller, std::uint16_t qid, std::uint32_t value) {
  const Controller& c = act.controller(controller);
  if (!processing(c)) return;
  SubmissionQueue* sq = find_sq(act, controller, qid);
  if (sq == nullptr) {
    doorbell_error(act, controller, spec::event_info::invalid_doorbell_register);
    return;
  }
  if (sq->frozen) return;
  if (has_shadow(act, controller, qid) && !act.fault(Fault::shadow_survives_reset))
    sq->shadow = shadow_of(act, controller, qid, false);
  const std::uint32_t n = sq->entries;
  // The same value again is a listed cause of the event but harmless, and many controllers let it pass: so
  // does this.
  const bool overfull = value < n && (value + n - sq->tail) % n > (sq->head + n - sq->tail - 1) % n;
  if (value >= n && act.broken_by(Fault::doorbell_value_wraps)) {
    sq->tail = value % n;
    want_fetch(act, c.sq[qid]);
    return;
  }
  if (value >= n || overfull) {
    sq->frozen = true;
    doorbell_error(act, controller, spec::event_info::invalid_doorbell_value);
    return;
  }
  sq->tail = value;
  want_fetch(act, c.sq[qid]);
}

void cq_doorbell(Act& act, std::uint32_t controller, std::uint16_t qid, std::uint32_t value) {
  const Controller& c = act.controller(controller);
  if (!processing(c)) return;
  CompletionQueue* cq = find_cq(act, controller, qid);
  if (cq == nullptr) {
    doorbell_error(act, controller, spec::event_info::invalid_doorbell_register);
    return;
  }
  if (has_shadow(act, controller, qid)) cq->shadow = shadow_of(act, controller, qid, true);
  const std::uint32_t n = cq->entries;
  if (value >= n || (value + n - cq->head) % n > (cq->tail + n - cq->head) % n) {
    doorbell_error(act, controller, spec::event_info::invalid_doorbell_value);
    return;
  }
  cq->head = value;
  const bool gathering = cq->vector < c.gathered.size() && c.gathered[cq->vector].entries != 0;
  if (cq->interrupts && cq->head != cq->tail && !gathering) send_message(act, controller, cq->vector);
  if (cq->interrupts && cq->head == cq->tail) settle_pending(act, controller, cq->vector);
  drain(act, c.cq[qid]);
}

void fetch(Act& act, Handle handle) {
  SubmissionQueue* sq = act.device.sqs.get(handle);
  if (sq == nullptr) return;
  sq->fetch_pending = false;
  const std::uint32_t controller = sq->controller;
  const Controller& owner = act.controller(controller);
  if (has_shadow(act, controller, sq->qid)) look_at_shadow(act, controller, sq->qid, false);
  if (!fetchable(act, *sq) || !processing(owner) || paused(owner)) return;
  if (weighted(act, owner) && !act.broken_by(Fault::classes_ignored)) {
    const Handle asked = std::exchange(handle, arbitrate(act, controller));
    if (asked != handle) want_fetch(act, asked);  // its turn will come
    sq = act.device.sqs.get(handle);
  }

  Command row;
  row.sq = handle;
  row.controller = controller;
  row.cause = act.world.engine.cause();
  const std::uint64_t address = sq->memory.at(std::uint64_t{sq->head} * sizeof row.entry);
  const Function& function = act.world.functions[controller];
  function.memory->read_value(address, row.entry);  // rings lie in memory: checked when the queue was made
  sq->head = (sq->head + 1) % sq->entries;
  function.observer->fetched(act.world.scene(controller), sq->qid, address, row.entry);

  if (sq->head == sq->tail && has_shadow(act, controller, sq->qid)) {
    // Nothing is looked at any more until the host says so; what it moved before it could read that, is.
    publish_event_index(act, controller, sq->qid, false, sq->tail);
    look_at_shadow(act, controller, sq->qid, false);
  }

  const std::uint16_t cid = row.entry.cid;
  const bool conflict = static_cast<bool>(find_command(act, controller, sq->qid, cid));
  const Handle command = act.device.commands.insert(row);
  want_fetch(act, handle);
  sq = act.device.sqs.get(handle);
  const std::uint16_t qid = sq->qid;
  if (!conflict) {
    if (cid >= sq->command_of_cid.size()) sq->command_of_cid.resize(cid + std::size_t{1}, 0);
    sq->command_of_cid[cid] = command.index + 1;
  }
  const Handle next = qid != 0 && fuses(act) ? pair_up(act, handle, command, conflict) : command;
  if (conflict) {
    finish(act, command, Status::command_id_conflict);
    return;
  }
  if (!next) return;
  const auto typical = qid == 0 ? 10 * engine::kMicrosecond : 20 * engine::kMicrosecond;
  schedule_execution(act, next, act.world.engine.duration(site::execute_delay, typical, kMostDelay));
}

void fetch_all(Act& act, std::uint32_t controller) {
  for (const Handle sq : act.controller(controller).sq) {
    if (act.device.sqs.get(sq) != nullptr) want_fetch(act, sq);
  }
}

void execute(Act& act, Handle handle) {
  const Command* command = act.device.commands.get(handle);
  if (command == nullptr) return;
  if (paused(act.controller(command->controller))) {
    const auto& firmware = act.device.subsystems[act.controller(command->controller).subsystem].firmware;
    schedule_execution(act, handle, firmware.paused_until - act.world.engine.now() + 1);
    return;
  }
  if (command->partner) {
    execute_pair(act, handle, command->partner);
    return;
  }
  const std::uint32_t controller = command->controller;
  const Outcome outcome = run(act, handle, false);
  if (outcome.parked) {
    act.device.commands.get(handle)->phase = Phase::parked;
    report_events(act, controller);
    return;
  }
  finish(act, handle, outcome);
}

void finish(Act& act, Handle handle, const Outcome& outcome) {
  Command* command = act.device.commands.get(handle);
  if (command == nullptr) return;
  const SubmissionQueue& sq = *act.device.sqs.get(command->sq);
  command->phase = Phase::executed;
  command->status = outcome.status;
  command->dnr = do_not_retry(outcome.status);
  command->dw0 = outcome.dw0;
  command->dw1 = outcome.dw1;
  if (outcome.more && act.profile().error_entries) {
    command->more = true;
    log_error(act, command->controller, sq.qid, command->entry.cid, &command->entry, outcome.status, outcome);
  }
  const bool twice = sq.qid != 0 && command->entry.opcode == 0 && act.fault(Fault::completion_twice);
  if (twice) {
    act.fired(Fault::completion_twice);
    const Handle again = act.device.commands.insert(*command);
    post(act, again);
  }
  const auto delay = act.world.engine.duration(site::post_delay, 0, kMostDelay);
  if (delay == 0) {
    post(act, handle);
    return;
  }
  act.device.commands.get(handle)->ticket = act.world.engine.schedule_cancellable(
      act.world.engine.now() + delay, static_cast<std::uint16_t>(What::post), handle.index, pack(handle));
}

void finish_waiting(Act& act, Handle handle, spec::Status status) {
  const Handle partner = act.device.commands.get(handle)->partner;
  act.world.engine.cancel(act.device.commands.get(handle)->ticket);
  finish(act, handle, status);
  if (!waits(act, partner)) return;
  act.world.engine.cancel(act.device.commands.get(partner)->ticket);
  finish(act, partner, Status::aborted_failed_fused);
}

void post(Act& act, Handle handle) {
  Command* command = act.device.commands.get(handle);
  if (command == nullptr) return;
  const Handle cq_handle = act.device.sqs.get(command->sq)->cq;
  CompletionQueue& cq = *act.device.cqs.get(cq_handle);
  if (has_shadow(act, cq.controller, cq.qid)) {
    if (full(cq)) publish_event_index(act, cq.controller, cq.qid, true, cq.head);
    look_at_shadow(act, cq.controller, cq.qid, true);
  }
  const bool no_room = cq.held.size() > cq.held_head || full(cq);
  if (no_room && !act.broken_by(Fault::full_queue_overrun)) {
    command->phase = Phase::held;
    cq.held.push_back(handle);
    return;
  }
  write_entry(act, handle);
}

void drop(Act& act, Handle handle) {
  const Command* command = act.device.commands.get(handle);
  if (command == nullptr) return;
  act.world.engine.cancel(command->ticket);
  SubmissionQueue* sq = act.device.sqs.get(command->sq);
  const std::uint16_t cid = command->entry.cid;
  if (sq != nullptr && cid < sq->command_of_cid.size() && sq->command_of_cid[cid] == handle.index + 1) {
    sq->command_of_cid[cid] = 0;
  }
  act.device.commands.erase(handle);
}

Handle create_sq(Act& act, std::uint32_t controller, std::uint16_t qid, port::RingMemory memory,
                 std::uint32_t entries, Handle cq, std::uint8_t priority) {
  SubmissionQueue row;
  row.priority = priority;
  row.controller = controller;
  row.qid = qid;
  row.memory = std::move(memory);
  row.entries = entries;
  row.cq = cq;
  act.device.cqs.get(cq)->users += 1;
  Controller& c = act.controller(controller);
  if (qid >= c.sq.size()) c.sq.resize(qid + std::size_t{1});
  if (has_shadow(act, controller, qid)) publish_event_index(act, controller, qid, false, 0);
  return c.sq[qid] = act.device.sqs.insert(row);
}

Handle create_cq(Act& act, std::uint32_t controller, std::uint16_t qid, port::RingMemory memory,
                 std::uint32_t entries, bool interrupts, std::uint16_t vector) {
  CompletionQueue row;
  row.controller = controller;
  row.qid = qid;
  row.memory = std::move(memory);
  row.entries = entries;
  row.interrupts = interrupts;
  row.vector = vector;
  Controller& c = act.controller(controller);
  if (qid >= c.cq.size()) c.cq.resize(qid + std::size_t{1});
  if (has_shadow(act, controller, qid)) publish_event_index(act, controller, qid, true, 0);
  return c.cq[qid] = act.device.cqs.insert(row);
}

void delete_sq(Act& act, Handle handle) {
  SubmissionQueue& sq = *act.device.sqs.get(handle);
  // In order of CID: which of them are settled how is the same on every run.
  for (std::size_t cid = 0; cid < sq.command_of_cid.size(); ++cid) {
    if (sq.command_of_cid[cid] == 0) continue;
    const Handle command = act.device.commands.handle_at(sq.command_of_cid[cid] - 1);
    const Command& row = *act.device.commands.get(command);
    act.world.engine.cancel(row.ticket);
    if (row.phase == Phase::waiting) {
      Command& waiting = *act.device.commands.get(command);
      waiting.status = Status::aborted_sq_deletion;
      waiting.phase = Phase::executed;
    }
    const CompletionQueue& cq = *act.device.cqs.get(sq.cq);
    if (full(cq) || row.phase == Phase::held) {
      drop(act, command);  // no room and no more time: implicitly aborted
    } else {
      write_entry(act, command);
    }
  }
  // What the table by CID does not hold: refused for the CID of another command, and not yet posted.
  for (std::uint32_t k = 0; k < act.device.commands.end_index(); ++k) {
    const Handle command = act.device.commands.handle_at(k);
    const Command* row = act.device.commands.get(command);
    if (row != nullptr && row->sq == handle) drop(act, command);
  }
  act.device.cqs.get(sq.cq)->users -= 1;
  act.controller(sq.controller).sq[sq.qid] = {};
  act.device.sqs.erase(handle);
}

void delete_cq(Act& act, Handle handle) {
  const CompletionQueue& cq = *act.device.cqs.get(handle);
  act.controller(cq.controller).cq[cq.qid] = {};
  act.device.cqs.erase(handle);
}

void mask(Act& act, std::uint32_t controller, std::uint16_t vector, bool masked) {
  Controller& c = act.controller(controller);
  if (vector >= c.vector_masked.size()) return;
  const bool was_masked =
      std::exchange(c.vector_masked[vector], masked ? std::uint8_t{1} : std::uint8_t{0}) != 0;
  if (masked) return;
  // A pin is a level: unmasked, it is active again while anything waits.
  const bool active = c.pin && was_masked && unacknowledged(act, c, vector);
  if (c.vector_pending[vector] == 0 && !active) return;
  c.vector_pending[vector] = 0;
  send_message(act, controller, vector);
}

void coalescing_over(Act& act, std::uint32_t controller, std::uint16_t vector) {
  Controller& c = act.controller(controller);
  c.gathered[vector] = {};
  if (unacknowledged(act, c, vector)) send_message(act, controller, vector);
}

void forget_coalescing(Act& act, std::uint32_t controller) {
  Controller& c = act.controller(controller);
  for (const Gathered& gathered : c.gathered) act.world.engine.cancel(gathered.ticket);
  c.gathered.clear();
}

}  // namespace polypath::device
