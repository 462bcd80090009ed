#include "model/queue_commands.h"

#include "model/admin.h"
#include "model/features.h"
#include "model/queues.h"
#include "model/registers.h"
#include "spec/registers.h"

namespace polypath::model {
namespace {

using spec::Status;

std::uint16_t qid_of(const Command& command) { return static_cast<std::uint16_t>(command.entry.cdw10); }
std::uint32_t entries_of(const Command& command) { return (command.entry.cdw10 >> 16U) + 1; }

/// Queue 0 and commands whose dwords were not seen change nothing that the model could follow.
bool followed(const Command& command) { return qid_of(command) != 0 && !command.no_tail; }

bool is_create(const Command& command) {
  return command.entry.opcode == opcode::create_sq || command.entry.opcode == opcode::create_cq;
}
bool is_sq(const Command& command) {
  return command.entry.opcode == opcode::create_sq || command.entry.opcode == opcode::delete_sq;
}

Fact& fact_of(const Scene& scene, const Command& command) {
  Controller& c = scene.c();
  return is_sq(command) ? edit_sq(c, qid_of(command)).exists : edit_cq(c, qid_of(command)).exists;
}

/// The queue, without making an entry for it.
const Fact* find_fact(const Scene& scene, const Command& command) {
  Controller& c = scene.c();
  if (is_sq(command)) {
    const auto* sq = find_sq(c, qid_of(command));
    return sq == nullptr ? nullptr : &sq->exists;
  }
  const auto* cq = find_cq(c, qid_of(command));
  return cq == nullptr ? nullptr : &cq->exists;
}

/// Two creates of one queue succeeded, with a delete between them: which came first, and so whose queue there
/// is now, is not known when they were open together.
bool overtaken(const Scene& scene, const Command& command) {
  Controller& c = scene.c();
  const std::uint16_t qid = qid_of(command);
  if (is_sq(command)) {
    SubmissionQueue& sq = edit_sq(c, qid);
    if (!sq.known) return false;
    lose_track(sq);
  } else {
    if (!edit_cq(c, qid).known) return false;
    close_cq(scene, qid, false);
  }
  return true;
}

}  // namespace

void begin_queue_command(const Scene& scene, Command& command) {
  if (!followed(command)) return;
  Controller& c = scene.c();
  fact_of(scene, command).begin(is_create(command));
  command.counted = true;
  if (is_create(command)) {
    c.io_queue_maybe = true;
  } else if (is_sq(command)) {
    for (auto& other : c.commands) {
      if (other.open && other.sqid == qid_of(command)) other.queue_deleting = true;
    }
  }
}

void end_queue_command(const Scene& scene, Command& command, End end) {
  if (!command.counted) return;
  Controller& c = scene.c();
  const std::uint16_t qid = qid_of(command);
  Fact& fact = fact_of(scene, command);
  if (end == End::refused) {
    fact.refuse(is_create(command), scene.now);
    return;
  }
  if (end == End::dropped) {
    fact.drop(is_create(command), scene.now);
    return;
  }
  fact.apply(is_create(command), command.submitted, scene.now);
  if (is_create(command) && overtaken(scene, command)) return;
  const bool contiguous = (command.entry.cdw11 & 1U) != 0;
  switch (command.entry.opcode) {
    case opcode::create_sq:
      if (c.io_queue_created == 0) c.io_queue_created = scene.now;
      open_sq(scene, qid, entries_of(command), static_cast<std::uint16_t>(command.entry.cdw11 >> 16U),
              command.entry.prp1, contiguous, command.submitted);
      edit_sq(c, qid).priority = static_cast<std::uint8_t>(command.entry.cdw11 >> 1U & 3U);
      break;
    case opcode::create_cq:
      if (c.io_queue_created == 0) c.io_queue_created = scene.now;
      open_cq(scene, qid, entries_of(command), (command.entry.cdw11 & 2U) != 0,
              static_cast<std::uint16_t>(command.entry.cdw11 >> 16U), command.entry.prp1, contiguous,
              command.submitted);
      break;
    case opcode::delete_sq:
      close_sq(scene, qid, false);
      // What did not complete by now never will, if the queue was not created anew meanwhile.
      if (fact_of(scene, command).possible(true)) break;
      for (std::uint32_t i = 0; i < c.commands.size(); ++i) {
        if (c.commands[i].open && c.commands[i].sqid == qid) drop_command(scene, i, false);
      }
      break;
    default:
      close_cq(scene, qid, false);
      break;
  }
}

void allow_queue_command(const Scene& scene, const Command& command, Allowed& allowed) {
  Controller& c = scene.c();
  if (command.no_tail || !c.initial_known) {
    allowed.anything();
    return;
  }
  const auto& entry = command.entry;
  const std::uint16_t qid = qid_of(command);
  const Fact* fact = find_fact(scene, command);
  const bool may_exist = fact != nullptr && fact->possible_since(true, command.submitted);
  // Its own change is among those under way: whether the queue existed before is asked without it.
  const bool only_ours =
      fact != nullptr && command.counted && fact->flips(is_create(command), command.submitted);
  if (!is_create(command)) {
    if (qid == 0 || !may_exist) {
      allowed.must(Rule::q20, {Status::invalid_queue_identifier});
      if (!is_sq(command)) allowed.may(Status::completion_queue_invalid);
      return;
    }
    if (!only_ours) {
      allowed.may(Status::invalid_queue_identifier);
      if (!is_sq(command)) allowed.may(Status::completion_queue_invalid);
    }
    if (is_sq(command)) return;
    bool surely_used = false, maybe_used = false;
    for (const auto& sq : c.sqs) {
      if (!sq.exists.possible_since(true, command.submitted) && !sq.known) continue;
      if (!sq.known) {
        maybe_used |= sq.exists.possible(true) || sq.exists.possible_since(true, command.submitted);
      } else if (sq.cqid == qid) {
        maybe_used = true;
        surely_used |= sq.exists.surely_since(true, command.submitted);
      }
    }
    if (maybe_used) exercised(scene, Rule::q19);
    if (surely_used) {
      allowed.must(Rule::q19, {Status::invalid_queue_deletion});
    } else if (maybe_used) {
      allowed.may(Status::invalid_queue_deletion);
    }
    return;
  }

  exercised(scene, Rule::q20);
  exercised(scene, Rule::q21);
  // Identifier
  const std::uint32_t allocated = is_sq(command) ? c.sqs_allocated : c.cqs_allocated;
  const bool count_known = c.queue_count_known && !queue_counts_doubtful(c, command.submitted);
  if (qid == 0 || (count_known && qid > allocated)) {
    allowed.must(Rule::q20, {Status::invalid_queue_identifier});
  } else if (!count_known) {
    allowed.may(Status::invalid_queue_identifier);
  }
  if (fact != nullptr && !only_ours) {
    // Did it exist all the time, whatever this command does?
    Fact without = *fact;
    if (command.counted) without.refuse(true, scene.now);
    if (without.surely_since(true, command.submitted)) {
      allowed.must(Rule::q20, {Status::invalid_queue_identifier});
    } else if (may_exist) {
      allowed.may(Status::invalid_queue_identifier);
    }
  }
  // Size
  const std::uint32_t entries = entries_of(command);
  const unsigned entry_size =
      static_cast<unsigned>((is_sq(command) ? spec::cc::iosqes : spec::cc::iocqes).get(c.cc));
  if (entries < 2 || (cap_known(c) && entries > spec::cap::mqes.get(c.cap) + 1)) {
    allowed.must(Rule::q21, {Status::invalid_queue_size});
  } else if (!cap_known(c)) {
    allowed.may(Status::invalid_queue_size);
  }
  const bool sizes_changed = c.entry_sizes_from > command.submitted;
  if (entry_size == 0 && !sizes_changed) allowed.must(Rule::q33, {Status::invalid_queue_size});
  if (entry_size != (is_sq(command) ? 6U : 4U) || sizes_changed) allowed.may(Status::invalid_queue_size);
  // Memory
  const bool contiguous = (entry.cdw11 & 1U) != 0;
  if (!contiguous) {
    allowed.may({Status::invalid_field, Status::prp_offset_invalid});
    if (cap_known(c) && spec::cap::cqr.get(c.cap) != 0) allowed.must(Rule::q33, {Status::invalid_field});
  }
  if (entry.prp1 % spec::kPageSize != 0) {
    allowed.must(Rule::q30, {Status::prp_offset_invalid});
  }
  if (entry.prp1 == 0) allowed.may({Status::invalid_field, Status::prp_offset_invalid});
  allowed.may(Status::data_transfer_error);
  if (!is_sq(command)) {
    // How many vectors there are is not to be seen in the properties; vector 0 always exists.
    if (entry.cdw11 >> 16U != 0) allowed.may(Status::invalid_interrupt_vector);
    return;
  }
  const auto cqid = static_cast<std::uint16_t>(entry.cdw11 >> 16U);
  const auto* cq = find_cq(c, cqid);
  if (cqid == 0) {
    allowed.must(Rule::q20, {Status::invalid_queue_identifier, Status::completion_queue_invalid});
  } else if (cq == nullptr || !cq->exists.possible_since(true, command.submitted)) {
    allowed.must(Rule::q20, {Status::completion_queue_invalid, Status::invalid_queue_identifier});
  } else if (!cq->exists.surely_since(true, command.submitted)) {
    allowed.may({Status::completion_queue_invalid, Status::invalid_queue_identifier});
  }
}

}  // namespace polypath::model
