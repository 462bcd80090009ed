#include "model/fused.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/namespaces.h"
#include "model/protection.h"
#include "model/queues.h"
#include "trace/text.h"

namespace polypath::model {
namespace {

using spec::Status;

constexpr std::uint8_t kWrite = 0x01, kCompare = 0x05;
constexpr std::size_t kPairsKept = 64;
constexpr std::uint16_t kCompareAndWrite = 1;  // FUSES

FusedPair* find_pair(State& s, std::uint32_t number) {
  if (number == 0) return nullptr;
  FusedPair& pair = s.fused[(number - 1) % kPairsKept];
  return pair.number == number ? &pair : nullptr;
}

FusedPair& make_pair(State& s) {
  const std::uint32_t number = ++s.fused_made;
  if (s.fused.size() < kPairsKept) s.fused.emplace_back();
  FusedPair& pair = s.fused[(number - 1) % kPairsKept];
  pair = {};
  pair.number = number;
  pair.met.fill(kNow);
  return pair;
}

bool may_part(const Command& command) {
  return command.reused_cid || command.abort_asked || command.queue_deleting || command.too_early;
}

/// Has anything happened to either of the two that may have parted them?
bool loose(const Controller& c, const FusedPair& pair) {
  bool any = pair.loose;
  for (std::size_t half = 0; half < 2; ++half) {
    const Command& command = c.commands[pair.commands[half]];
    if (pair.status[half] < 0 && command.open && command.submitted == pair.submitted[half])
      any |= may_part(command);
  }
  return any;
}

bool succeeded(const FusedPair& pair) { return pair.status[0] == 0 && pair.status[1] == 0; }

/// Is one of the two that are still open a command whose CID another one has, too? Which of them completes is
/// not known then.
bool twins(const Controller& c, const FusedPair& pair) {
  for (std::size_t half = 0; half < 2; ++half) {
    const Command& command = c.commands[pair.commands[half]];
    if (command.open && command.submitted == pair.submitted[half] && command.reused_cid) return true;
  }
  return false;
}

/// A write gives a block its value once, and a pair that replaces the value takes it away: two pairs cannot
/// both have met it.
void judge_apart(const Scene& scene, const Command& command, const FusedPair& pair) {
  for (const FusedPair& other : scene.s.fused) {
    if (other.number == pair.number || !succeeded(other)) continue;
    if (other.ns != pair.ns || other.incarnation != pair.incarnation) continue;
    for (std::size_t i = 0; i < FusedPair::kFollowed; ++i) {
      const std::uint64_t at = pair.slba + i - other.slba;
      if (pair.met[i] == kNow || at >= FusedPair::kFollowed || other.met[at] != pair.met[i]) continue;
      violation(scene, Rule::q25,
                fmt::format("{}: two fused pairs replaced the same value of block {}",
                            text_of(scene, command), pair.slba + i),
                "one of them, and compare_failure for the other", "success of both",
                {pair.submitted[0], other.submitted[0], pair.met[i]});
      return;
    }
  }
}

}  // namespace

void begin_fused(const Scene& scene, std::uint32_t index) {
  Controller& c = scene.c();
  Command& command = c.commands[index];
  if (command.sqid == 0 || command.entry.fuse() == 0) return;
  const SubmissionQueue& sq = edit_sq(c, command.sqid);
  if (!sq.known) return;
  command.pairing_known = true;
  if (command.entry.fuse() != 2 || command.position == 0) return;
  const std::uint32_t before = sq.by_slot[(command.position - 1) % sq.entries];
  if (before == kNone) return;
  Command& first = c.commands[before];
  if (!first.open || first.sqid != command.sqid || first.position != command.position - 1 ||
      first.entry.fuse() != 1)
    return;
  FusedPair& pair = make_pair(scene.s);
  first.pair = command.pair = pair.number;
  pair.controller = scene.index;
  pair.commands = {before, index};
  pair.submitted = {first.submitted, command.submitted};
  pair.ns = first.ns;
  pair.incarnation = first.incarnation;
  pair.slba = first.entry.slba();
  pair.loose = sq.rung > first.position;  // the tail was rung between them
  pair.wrong_opcodes = first.entry.opcode != kCompare || command.entry.opcode != kWrite;
  pair.unlike = first.entry.nsid != command.entry.nsid || first.entry.slba() != command.entry.slba() ||
                first.entry.block_count() != command.entry.block_count();
  pair.writing = command.writing;
}

void allow_fused(const Scene& scene, const Command& command, Allowed& allowed) {
  const Controller& c = scene.c();
  const unsigned fuse = command.entry.fuse();
  if (fuse == 0) return;
  const bool supported = c.announced.known && (c.announced.fuses & kCompareAndWrite) != 0;
  const FusedPair* pair = find_pair(scene.s, command.pair);
  if (!supported || !command.pairing_known || (command.pair != 0 && pair == nullptr)) {
    allowed.may({Status::invalid_field, Status::aborted_failed_fused, Status::aborted_missing_fused,
                 Status::invalid_opcode, Status::atomic_write_unit_exceeded});
    return;
  }
  exercised(scene, Rule::q25);
  if (fuse == 3) {
    allowed.must(Rule::q25, {Status::invalid_field});
    return;
  }
  if (pair == nullptr) {
    allowed.must(Rule::q25, {Status::aborted_missing_fused});
    // Its first may have failed before it was submitted.
    if (fuse == 2) allowed.may(Status::aborted_failed_fused);
    return;
  }
  // That the other half did fail is looked at when both have ended.
  allowed.may(Status::aborted_failed_fused);
  if (loose(c, *pair)) allowed.may(Status::aborted_missing_fused);
  if (pair->wrong_opcodes) {
    allowed.must(Rule::q25, {Status::invalid_field, Status::aborted_missing_fused, Status::invalid_opcode});
  } else if (pair->unlike) {
    allowed.may(Status::invalid_field);
    // The standard says "should".
    if (scene.s.simulator) allowed.must(Rule::q25, {Status::invalid_field});
  }
  const Namespace* ns = command.ns == kNone ? nullptr : &scene.s.namespaces[command.ns];
  const bool own_units = ns == nullptr || !ns->identified || (ns->nsfeat & 2U) != 0;
  if (own_units || command.entry.block_count() > c.announced.acwu + 1U)
    allowed.may(Status::atomic_write_unit_exceeded);
}

void finish_fused(const Scene& scene, const Command& command, const Completion& completion,
                  const Namespace* ns) {
  FusedPair* pair = find_pair(scene.s, command.pair);
  if (pair == nullptr) return;
  const Controller& c = scene.c();
  const std::size_t half = command.entry.fuse() == 2 ? 1 : 0;
  if (twins(c, *pair)) {
    pair->number = 0;  // forgotten
    return;
  }
  pair->loose = loose(c, *pair);
  pair->status[half] = static_cast<std::int32_t>(completion.status());
  const bool announced = c.announced.known && (c.announced.fuses & kCompareAndWrite) != 0;
  const bool alike = !pair->wrong_opcodes && !pair->unlike;
  if (!announced || !alike) return;
  const bool followed = ns != nullptr && ns->tracked && completion.trusted && pair->writing &&
                        command.detail != kNone && command.submitted >= ns->content_from;
  if (half == 0 && completion.success() && followed) {
    const auto& digests = scene.s.details[command.detail].digests;
    const std::size_t blocks = std::min(digests.size(), FusedPair::kFollowed);
    for (std::size_t i = 0; i < blocks; ++i) {
      // A Write of the value that the Compare met is a second source of it: nothing is said of such blocks.
      pair->met[i] =
          ns->content.sole_source(pair->slba + i, digests[i], command.submitted, compared_bits(*ns));
    }
  }
  if (pair->status[0] < 0 || pair->status[1] < 0) return;
  exercised(scene, Rule::q25);
  const auto text = [](std::int32_t status) {
    return trace::status_text(static_cast<std::uint16_t>(status));
  };
  const bool compared = pair->status[0] == 0, written = pair->status[1] == 0;
  const bool blamed = pair->status[1] == static_cast<std::int32_t>(Status::aborted_failed_fused);
  if (!compared && written) {
    violation(scene, Rule::q25, fmt::format("{}: the Write succeeded alone", text_of(scene, command)),
              "aborted_failed_fused for the Write", "success after " + text(pair->status[0]),
              {pair->submitted[0], pair->submitted[1]});
  } else if (compared && blamed && !pair->loose) {
    violation(scene, Rule::q25,
              fmt::format("{}: the Write blames a Compare that succeeded", text_of(scene, command)),
              "success, or an error of the Write itself", text(pair->status[1]),
              {pair->submitted[0], pair->submitted[1]});
  } else if (compared && written) {
    judge_apart(scene, command, *pair);
  }
}

}  // namespace polypath::model
