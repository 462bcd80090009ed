#include "model/queues.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "model/commands.h"
#include "model/keep_alive.h"
#include "spec/doorbell_buffer.h"
#include "spec/registers.h"

namespace polypath::model {
namespace {

constexpr std::uint32_t kSubmissionBytes = 64, kCompletionBytes = 16;
constexpr std::uint16_t kVectorsMax = 2048;  // MSI-X
constexpr std::size_t kStrayDoorbells = 16;

namespace observed = trace::observed;

void use_ring(Controller& c, std::uint64_t base, std::uint64_t bytes, Seq now) {
  for (std::uint64_t page = base / spec::kPageSize; page * spec::kPageSize < base + bytes; ++page)
    c.pages.use(page, now);
}

/// Memory that a queue is known to hold: of one whose pages lie apart, the list of them.
std::uint64_t held_bytes(std::uint64_t bytes, bool contiguous) {
  return contiguous ? bytes : (bytes + spec::kPageSize - 1) / spec::kPageSize * 8;
}

void release_ring(Controller& c, std::uint64_t base, std::uint64_t bytes, Seq now) {
  for (std::uint64_t page = base / spec::kPageSize; page * spec::kPageSize < base + bytes; ++page) {
    c.pages.release(page, now, now);
  }
}

Vector* find_vector(Controller& c, std::uint32_t vector) {
  return vector < c.vectors.size() ? &c.vectors[vector] : nullptr;
}

Vector* edit_vector(Controller& c, std::uint32_t vector) {
  if (vector >= kVectorsMax) return nullptr;
  if (vector >= c.vectors.size()) c.vectors.resize(vector + std::size_t{1});
  return &c.vectors[vector];
}

bool is_masked(const Controller& c, const Vector& vector) {
  const auto number = static_cast<std::size_t>(&vector - c.vectors.data());
  return vector.masked || (number < 32 && (c.intm >> number & 1U) != 0);
}

/// Is a message owed for this vector? When one has been owed for too long, it was lost.
void watch_interrupt(const Scene& scene, Vector& v, bool last_look) {
  const Controller& c = scene.c();
  constexpr auto kNeeded = observed::interrupts | observed::completions | observed::doorbells;
  // A controller that was used where the standard leaves all open may have masked what was not.
  if (!scene.sees(kNeeded) || !c.initial_known) return;
  const bool told =
      v.last_interrupt > v.last_post || (v.last_interrupt > v.last_release && v.last_interrupt > v.filled);
  const bool owed = v.waiting != 0 && !v.doubtful && !told && !is_masked(c, v);
  if (v.due_since != engine::kForever && (!owed || last_look) && scene.time > v.due_since &&
      scene.time - v.due_since > scene.options.interrupt_bound) {
    violation(scene, Rule::q15,
              fmt::format("{} vector {} did not interrupt for a completion", name_of(scene, scene.index),
                          &v - c.vectors.data()),
              fmt::format("an interrupt within {} ms", scene.options.interrupt_bound / engine::kMillisecond),
              fmt::format("none for {} ms", (scene.time - v.due_since) / engine::kMillisecond),
              {v.last_post});
    v.doubtful = true;
    v.due_since = engine::kForever;
    return;
  }
  if (!owed) {
    v.due_since = engine::kForever;
  } else if (v.due_since == engine::kForever) {
    v.due_since = scene.time;
  }
}

/// The host rang where the controller may have taken the value or not: which entries it has is not known.
void judge_early(const Scene& scene, Vector& v) {
  if (v.early == 0) return;
  violation(scene, Rule::q14,
            fmt::format("{} vector {} interrupted for nothing", name_of(scene, scene.index),
                        &v - scene.c().vectors.data()),
            "a completion of a queue with interrupts that the host has not acknowledged", "none", {v.early});
  v.early = 0;
}

/// Strict classes: 0 Admin, 1 urgent, 2 the weighted ones, whose order among each other is by weights.
unsigned strict_class(const SubmissionQueue& sq) { return sq.qid == 0 ? 0 : sq.priority == 0 ? 1 : 2; }

/// A turn that was decided on before a higher class had work may go on as a burst. One that began after
/// another queue had been fetched from, when the higher class had work already, was decided on against it.
/// Base: Arbitration.
void judge_turn(const Scene& scene, const SubmissionQueue& sq) {
  Controller& c = scene.c();
  if (c.fetched_from != sq.qid) c.other_fetched = c.fetched_last;
  c.fetched_from = sq.qid;
  c.fetched_last = scene.now;
  const bool weighted = spec::cc::ams.get(c.cc_enabled) == 1 && !c.cc_tampered && !c.undefined;
  if (!weighted || c.power != Power::ready || !scene.sees(observed::fetches | observed::doorbells)) return;
  for (const SubmissionQueue& other : c.sqs) {
    if (strict_class(other) >= strict_class(sq)) continue;
    if (!other.known || other.frozen || other.doubtful || !other.exists.surely(true)) continue;
    exercised(scene, Rule::q23);
    if (other.fetched >= other.rung) continue;
    const CompletionQueue* cq = c.cqs.find(other.cqid);
    if (cq == nullptr || !cq->known || cq->full || cq->head_doubtful) continue;
    const Seq since = std::max(other.waiting_from, cq->freed);
    if (c.other_fetched <= since) continue;
    violation(scene, Rule::q23,
              fmt::format("{}: queue {} is fetched from while queue {} waits", name_of(scene, scene.index),
                          sq.qid, other.qid),
              fmt::format("queue {}, of a higher class", other.qid), fmt::format("queue {}", sq.qid),
              {since});
    return;
  }
}

}  // namespace

SubmissionQueue* find_sq(Controller& c, std::uint16_t qid) { return c.sqs.find(qid); }
CompletionQueue* find_cq(Controller& c, std::uint16_t qid) { return c.cqs.find(qid); }

// What existed when a recording began is not known.
SubmissionQueue& edit_sq(Controller& c, std::uint16_t qid) {
  return c.sqs.edit(qid, c.initial_known ? Fact(false) : Fact());
}
CompletionQueue& edit_cq(Controller& c, std::uint16_t qid) {
  return c.cqs.edit(qid, c.initial_known ? Fact(false) : Fact());
}

void lose_track(SubmissionQueue& sq) {
  sq.doubtful = true;
  sq.known = false;
}

void open_sq(const Scene& scene, std::uint16_t qid, std::uint32_t entries, std::uint16_t cqid,
             std::uint64_t base, bool contiguous, Seq from) {
  Controller& c = scene.c();
  SubmissionQueue& sq = edit_sq(c, qid);
  SubmissionQueue fresh;
  fresh.qid = qid;
  fresh.exists = sq.exists;
  fresh.by_slot = std::move(sq.by_slot);
  fresh.by_cid = std::move(sq.by_cid);
  const bool rung_early = sq.early_doorbell >= from && sq.early_doorbell != 0;
  if (!rung_early) fresh.by_cid.clear();
  sq = std::move(fresh);
  sq.known = sq.exists.surely(true);
  sq.entries = entries;
  sq.cqid = cqid;
  sq.base = base;
  sq.held_bytes = held_bytes(std::uint64_t{entries} * kSubmissionBytes, contiguous);
  sq.by_slot.assign(entries, kNone);
  if (rung_early) lose_track(sq);
  use_ring(c, base, sq.held_bytes, scene.now);
}

void open_cq(const Scene& scene, std::uint16_t qid, std::uint32_t entries, bool interrupts,
             std::uint16_t vector, std::uint64_t base, bool contiguous, Seq from) {
  Controller& c = scene.c();
  CompletionQueue& cq = edit_cq(c, qid);
  CompletionQueue fresh;
  fresh.head_doubtful = cq.early_doorbell >= from && cq.early_doorbell != 0;
  fresh.qid = qid;
  fresh.exists = cq.exists;
  cq = fresh;
  cq.known = cq.exists.surely(true);
  cq.entries = entries;
  cq.interrupts = interrupts;
  cq.vector = vector;
  cq.base = base;
  cq.held_bytes = held_bytes(std::uint64_t{entries} * kCompletionBytes, contiguous);
  use_ring(c, base, cq.held_bytes, scene.now);
  Vector* v = interrupts ? edit_vector(c, vector) : nullptr;
  if (v == nullptr) return;
  ++v->queues;
  if (!cq.known || cq.head_doubtful) v->doubtful = true;
}

void close_sq(const Scene& scene, std::uint16_t qid, bool by_reset) {
  SubmissionQueue& sq = edit_sq(scene.c(), qid);
  if (sq.known) release_ring(scene.c(), sq.base, sq.held_bytes, scene.now);
  if (sq.exists.possible(true) || sq.known) {
    sq.ever = true;
    sq.before_reset = by_reset;
  }
  sq.known = false;
  sq.doubtful = false;
  sq.frozen = false;
}

void close_cq(const Scene& scene, std::uint16_t qid, bool by_reset) {
  Controller& c = scene.c();
  CompletionQueue& cq = edit_cq(c, qid);
  if (cq.known) {
    release_ring(c, cq.base, cq.held_bytes, scene.now);
    Vector* v = find_vector(c, cq.vector);
    if (cq.interrupts && v != nullptr) {
      --v->queues;
      v->waiting -= std::min(v->waiting, cq.posted - cq.released);
      v->emptied_at = scene.time;
      if (cq.exists.possible(true)) v->doubtful = true;
      watch_interrupt(scene, *v, false);
    }
  }
  cq.before_reset = by_reset && (cq.known || cq.exists.possible(true));
  cq.known = false;
}

void open_admin_queue(const Scene& scene) {
  Controller& c = scene.c();
  edit_sq(c, 0).exists = Fact(true);
  edit_cq(c, 0).exists = Fact(true);
  if (!c.admin_known) return;
  const auto sq_entries = static_cast<std::uint32_t>(spec::aqa::asqs.get(c.aqa)) + 1;
  const auto cq_entries = static_cast<std::uint32_t>(spec::aqa::acqs.get(c.aqa)) + 1;
  open_sq(scene, 0, sq_entries, 0, c.asq & ~0xFFFULL, true, scene.now);
  open_cq(scene, 0, cq_entries, true, 0, c.acq & ~0xFFFULL, true, scene.now);
}

void close_queues(const Scene& scene) {
  Controller& c = scene.c();
  for (auto& sq : c.sqs) {
    close_sq(scene, sq.qid, true);
    sq.exists = Fact(false);
  }
  for (auto& cq : c.cqs) {
    close_cq(scene, cq.qid, true);
    cq.exists = Fact(false);
  }
  c.pages.clear();
  for (auto& v : c.vectors) {
    judge_early(scene, v);
    const bool masked = v.masked && !scene.sees(observed::pin);  // the MSI-X table is no controller property
    v = {};
    v.masked = masked;
  }
  c.stray_doorbells.clear();
}

void on_sq_doorbell(const Scene& scene) {
  Controller& c = scene.c();
  if (c.power == Power::off || c.power == Power::disabling) return;
  SubmissionQueue* sq = find_sq(c, scene.event.queue);
  if (sq == nullptr || !sq->exists.surely(true)) {
    if (!c.initial_known) return;
    if (sq == nullptr || !sq->exists.possible(true)) exercised(scene, Rule::q17);
    ++c.bad_doorbells[0];
    if (sq != nullptr && sq->exists.possible(true)) {  // its creation or deletion is under way
      ++c.bad_doorbells[1];
      sq->early_doorbell = scene.now;
      if (!sq->known) lose_track(*sq);
    }
    if (c.stray_doorbells.size() == kStrayDoorbells) c.stray_doorbells.erase(c.stray_doorbells.begin());
    c.stray_doorbells.push_back(scene.event.queue);
    return;
  }
  if (!sq->known) {
    ++c.bad_doorbells[1];  // its size, or where its tail is, is not known
    return;
  }
  const bool in_memory = (scene.event.flags & trace::event_flag::in_memory) != 0;
  const bool follows = std::exchange(sq->in_memory, in_memory) && !in_memory;
  if (scene.event.c < sq->entries && scene.event.c == sq->tail % sq->entries) {
    if (sq->rung == sq->tail && !follows)
      ++c.bad_doorbells[1];  // the same value again: no error, but a listed cause of the event
    const auto before = static_cast<std::uint32_t>(sq->rung % sq->entries);
    if (in_memory && !spec::must_ring(before, static_cast<std::uint32_t>(scene.event.c), scene.event.a)) {
      exercised(scene, Rule::q35);
      sq->silent = sq->tail;
    }
    if (sq->fetched >= sq->rung) sq->waiting_from = scene.now;
    sq->rung = sq->tail;
    return;
  }
  exercised(scene, Rule::q18);
  ++c.bad_doorbells[1];
  sq->bad_doorbell = scene.now;
  sq->frozen = true;
}

void on_cq_doorbell(const Scene& scene) {
  Controller& c = scene.c();
  if (c.power == Power::off || c.power == Power::disabling) return;
  CompletionQueue* cq = find_cq(c, scene.event.queue);
  if (cq == nullptr || !cq->exists.surely(true)) {
    const bool none = cq == nullptr || !cq->exists.possible(true);
    if (c.initial_known) {
      if (none) exercised(scene, Rule::q17);
      ++c.bad_doorbells[0];
    }
    if (none) return;
    cq->early_doorbell = scene.now;
  }
  if (!cq->known) {
    ++c.bad_doorbells[1];  // its size, or where its head is, is not known
    return;
  }
  Vector* v = cq->interrupts ? find_vector(c, cq->vector) : nullptr;
  const std::uint64_t size = cq->entries;
  const std::uint64_t freed = (scene.event.c + size - cq->released % size) % size;
  if (scene.event.c >= size || freed > cq->posted - cq->released) {
    exercised(scene, Rule::q18);
    ++c.bad_doorbells[1];
    cq->head_doubtful = true;
    if (v != nullptr) v->doubtful = true;
    return;
  }
  const bool in_memory = (scene.event.flags & trace::event_flag::in_memory) != 0;
  const bool follows = std::exchange(cq->in_memory, in_memory) && !in_memory;
  if (freed == 0) {
    if (!follows) ++c.bad_doorbells[1];
    return;
  }
  if (cq->full) {
    cq->full = false;
    cq->freed_at = scene.time;
    cq->freed = scene.now;
  }
  cq->released += freed;
  if (v == nullptr) return;
  v->waiting -= std::min(v->waiting, freed);
  v->last_release = scene.now;
  if (v->waiting == 0) v->emptied_at = scene.time;
  watch_interrupt(scene, *v, false);
}

void on_fetched(const Scene& scene) {
  Controller& c = scene.c();
  const auto& event = scene.event;
  const auto say = [&](Rule rule, const char* what, const char* allowed, std::initializer_list<Seq> events) {
    violation(scene, rule, fmt::format("{} queue {}: {}", name_of(scene, scene.index), event.queue, what),
              allowed, fmt::format("cid {} slot {}", event.a, event.slot), events);
  };
  exercised(scene, Rule::r02);
  if (c.power == Power::off) {
    say(Rule::r02, "a command was fetched while the controller is not ready",
        "nothing between RDY = 0 and the next enable", {c.reset_until});
    return;
  }
  if (c.shutdown_complete) {
    say(Rule::r13, "a command was fetched after shutdown was complete", "nothing until a reset",
        {c.shutdown_from});
  }
  SubmissionQueue* sq = find_sq(c, event.queue);
  if (sq == nullptr || !sq->exists.possible(true)) {
    if (!c.initial_known || c.power == Power::disabling) return;
    if (sq != nullptr && sq->before_reset) {
      say(Rule::r04, "a command was fetched from a queue that a reset ended",
          "no I/O queue until it is created", {c.reset_until});
    } else if (std::find(c.stray_doorbells.begin(), c.stray_doorbells.end(), event.queue) !=
               c.stray_doorbells.end()) {
      say(Rule::q17, "a doorbell of no queue made a command be fetched", "no effect", {});
    } else {
      say(Rule::q06, "a command was fetched from no queue",
          "entries of existing queues up to the tail doorbell", {});
    }
    return;
  }
  // Perhaps it is the queue of a Create under way, which lies elsewhere.
  if (sq->known && event.slot == trace::kUnknownSlot && !sq->exists.surely(true)) lose_track(*sq);
  if (!sq->known || event.slot == trace::kUnknownSlot) {
    if (!sq->known && event.payload_bytes >= sizeof(spec::SubmissionEntry)) {
      adopt_command(scene, read_as<spec::SubmissionEntry>(scene.trace.payload(event)));
      return;
    }
    const std::uint32_t found = sq->by_cid.find(static_cast<std::uint16_t>(event.a));
    if (found != CidTable::kNone) c.commands[found].fetched = scene.now;
    return;
  }
  exercised(scene, Rule::q06);
  exercised(scene, Rule::q07);
  const std::uint64_t size = sq->entries;
  const std::uint64_t ahead = (event.slot + size - sq->fetched % size) % size;
  if (ahead >= sq->tail - sq->fetched) {
    const std::uint32_t last = event.slot < size ? sq->by_slot[event.slot] : kNone;
    const bool again = last != kNone && c.commands[last].open && c.commands[last].fetched != 0 &&
                       c.commands[last].sqid == event.queue && c.commands[last].entry.cid == event.a;
    if (again) {
      say(Rule::q07, "an entry was read again", "each entry once", {c.commands[last].fetched});
    } else if (sq->bad_doorbell != 0) {
      say(Rule::q18, "a doorbell value out of range made an entry be fetched",
          "entries up to the last valid tail", {sq->bad_doorbell});
    } else {
      say(Rule::q06, "an entry beyond the tail doorbell was fetched", "entries up to the tail", {});
    }
    return;
  }
  judge_turn(scene, *sq);
  const std::uint32_t index = sq->by_slot[event.slot];
  const std::uint64_t position = sq->fetched + ahead;
  sq->fetched = position + 1;
  if (index == kNone) return;
  exercised(scene, Rule::liv02);
  Command& command = c.commands[index];
  if (!command.open || command.sqid != event.queue || command.position != position) return;
  command.fetched = scene.now;
  if (event.payload_bytes >= sizeof(spec::SubmissionEntry)) {
    replace_command(scene, index, read_as<spec::SubmissionEntry>(scene.trace.payload(event)));
  }
}

void on_interrupt(const Scene& scene) {
  Controller& c = scene.c();
  if (!c.initial_known || !scene.sees(observed::completions | observed::doorbells)) return;
  exercised(scene, Rule::q14);
  Vector* found = edit_vector(c, scene.event.a);
  if (found == nullptr) return;
  Vector& v = *found;
  judge_early(scene, v);
  const Time race = scene.options.interrupt_race;
  if (v.masked && scene.time > v.masked_at + race) {
    violation(
        scene, Rule::q14,
        fmt::format("{} vector {} interrupted while masked", name_of(scene, scene.index), scene.event.a),
        "nothing until it is unmasked", "an interrupt");
  }
  const bool crossing = v.emptied_at != 0 && scene.time - v.emptied_at <= race;
  // Whether doorbells count once a shutdown or a failure has begun is not laid down.
  const bool heeds = !c.shutdown_asked && !may_have_stopped(c, scene.time);
  if (v.waiting == 0 && !v.doubtful && !crossing && heeds) {
    v.early = scene.now;  // judged when it is clear whether a completion follows at once
    v.early_time = scene.time;
  }
  // A late message is judged by how long it was owed.
  const Seq before = v.last_interrupt;
  v.last_interrupt = scene.now;
  if (v.due_since != engine::kForever) {
    if (scene.time - v.due_since > scene.options.interrupt_bound) {
      v.last_interrupt = before;
      watch_interrupt(scene, v, true);
      v.last_interrupt = scene.now;
    }
    v.due_since = engine::kForever;
  }
  if (v.waiting != 0) {
    exercised(scene, Rule::q15);
    exercised(scene, Rule::q16);
  }
}

void on_pin_mask(const Scene& scene) {
  if (!scene.sees(observed::pin)) return;
  Controller& c = scene.c();
  Vector& v = *edit_vector(c, 0);
  const bool masked = (c.intm & 1U) != 0;
  if (masked && !v.masked) v.masked_at = scene.time;
  // The line is active again while anything waits. PCIe transport: Interrupts.
  if (!masked && v.masked) v.last_interrupt = 0;
  v.masked = masked;
  watch_interrupt(scene, v, false);
}

void on_vector_mask(const Scene& scene) {
  if (scene.sees(observed::pin)) return;  // it has no table
  Vector* v = edit_vector(scene.c(), scene.event.a);
  if (v == nullptr) return;
  const bool masked = scene.event.b != 0;
  if (masked && !v->masked) v->masked_at = scene.time;
  v->masked = masked;
  watch_interrupt(scene, *v, false);
}

void place_submission(SubmissionQueue& sq, Command& command, std::uint32_t index) {
  if (!sq.known) return;
  command.position = sq.tail;
  const auto slot = static_cast<std::uint32_t>(sq.tail % sq.entries);
  ++sq.tail;
  sq.by_slot[slot] = index;
}

void check_sqhd(const Scene& scene, SubmissionQueue& sq, const Command& command,
                const spec::CompletionEntry& entry) {
  if (!sq.known) return;
  exercised(scene, Rule::q08);
  exercised(scene, Rule::q09);
  const std::uint64_t size = sq.entries;
  const auto say = [&](Rule rule, const char* what, std::uint64_t low, std::uint64_t high) {
    violation(scene, rule, fmt::format("{} queue {}: {}", name_of(scene, scene.index), command.sqid, what),
              fmt::format("SQHD from {} to {}", low % size, high % size), fmt::format("SQHD {}", entry.sqhd),
              {command.submitted});
  };
  const std::uint64_t limit = scene.sees(observed::fetches) ? sq.fetched : sq.tail;
  if (entry.sqhd >= size) {
    say(Rule::q08, "SQHD is no slot", sq.published, limit);
    return;
  }
  const std::uint64_t head = sq.published + (entry.sqhd + size - sq.published % size) % size;
  if (head > limit) {
    say(Rule::q08, "SQHD went back, or beyond what was consumed", sq.published, limit);
    return;
  }
  sq.published = head;
  // Old entries that the host put before the controller again may fill more than a lap between two
  // completions.
  const std::uint64_t newest = head + (limit - head) / size * size;
  if (newest <= command.position && !command.reused_cid)
    say(Rule::q09, "SQHD does not cover the command's own entry", command.position + 1, limit);
}

void place_completion(const Scene& scene, const spec::CompletionEntry& entry, bool status_only) {
  if (status_only) return;
  Controller& c = scene.c();
  const auto& event = scene.event;
  CompletionQueue* cq = find_cq(c, event.queue);
  if (cq == nullptr || !cq->known) return;
  const auto say = [&](Rule rule, const char* what, std::string allowed, std::string seen) {
    violation(scene, rule,
              fmt::format("{} completion queue {}: {}", name_of(scene, scene.index), event.queue, what),
              std::move(allowed), std::move(seen));
  };
  const std::uint64_t size = cq->entries;
  const std::uint64_t expected = cq->posted % size;
  if (event.slot != trace::kUnknownSlot || c.power != Power::disabling) {
    exercised(scene, Rule::q11);
    if (event.slot != expected) {
      say(Rule::q11, "a completion went to the wrong slot", fmt::format("slot {}", expected),
          event.slot == trace::kUnknownSlot ? std::string("outside the ring")
                                            : fmt::format("slot {}", event.slot));
      if (event.slot < size) cq->posted += (event.slot + size - expected) % size;
    }
    exercised(scene, Rule::q10);
    const bool phase = cq->posted / size % 2 == 0;
    if (entry.phase() != phase) {
      say(Rule::q10, "wrong phase tag", fmt::format("phase {}", phase ? 1 : 0),
          fmt::format("phase {}", entry.phase() ? 1 : 0));
    }
    if (scene.sees(observed::doorbells) && !cq->head_doubtful) {
      exercised(scene, Rule::q12);
      if (cq->posted - cq->released >= size - 1) {
        say(Rule::q12, "a completion was written into a full queue", "none until the host releases a slot",
            fmt::format("{} of {} slots not released", cq->posted - cq->released, size));
      }
    }
  }
  ++cq->posted;
  cq->full = cq->posted - cq->released >= size - 1;
  Vector* v = cq->interrupts ? find_vector(c, cq->vector) : nullptr;
  if (v == nullptr) return;
  if (v->early != 0) {
    if (v->early_time == scene.time) {
      violation(scene, Rule::q16,
                fmt::format("{} vector {} interrupted before its completion", name_of(scene, scene.index),
                            cq->vector),
                "the completion first", "the interrupt first", {v->early});
      v->early = 0;
    } else {
      judge_early(scene, *v);
    }
  }
  if (v->waiting == 0) v->filled = scene.now;
  ++v->waiting;
  v->last_post = scene.now;
  watch_interrupt(scene, *v, false);
}

void finish_vectors(const Scene& scene) {
  for (auto& v : scene.c().vectors) {
    judge_early(scene, v);
    watch_interrupt(scene, v, true);
  }
}

}  // namespace polypath::model
