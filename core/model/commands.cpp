#include "model/commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/admin.h"
#include "model/fused.h"
#include "model/io.h"
#include "model/keep_alive.h"
#include "model/namespaces.h"
#include "model/protection.h"
#include "model/queues.h"
#include "model/registers.h"
#include "model/reset.h"
#include "model/sanitize.h"
#include "model/sgl.h"
#include "model/status.h"
#include "spec/commands.h"
#include "trace/text.h"

namespace polypath::model {
namespace {

namespace observed = trace::observed;
using spec::Status;

std::uint32_t take_command(Controller& c) {
  ++c.open_commands;
  if (c.free_commands.empty()) {
    c.commands.emplace_back();
    return static_cast<std::uint32_t>(c.commands.size() - 1);
  }
  const std::uint32_t index = c.free_commands.back();
  c.free_commands.pop_back();
  c.commands[index] = {};
  return index;
}

/// Calls f for each page of a buffer: once where pieces that follow each other share it.
template <class F>
void each_page(std::span<const Range> ranges, F&& f) {
  std::uint64_t before = ~std::uint64_t{0};
  for (const Range& range : ranges) {
    if (range.address == trace::kBitBucket) continue;
    for (std::uint64_t page = range.address / spec::kPageSize;
         page * spec::kPageSize < range.address + range.bytes; ++page) {
      if (page != before) f(page);
      before = page;
    }
  }
}

/// What an open write takes from this page may be what another command puts there.
void doubt_sources(const Scene& scene, std::uint64_t page) {
  for (const auto& other : scene.c().commands) {
    if (!other.open || !other.writing) continue;
    bool met = false;
    each_page(ranges_of(scene, other), [&](std::uint64_t one) { met |= one == page; });
    if (met) doubt_written(scene, other);
  }
}

void take_ranges(const Scene& scene, Command& command, std::span<const std::byte> bytes) {
  command.range_count = static_cast<std::uint32_t>(bytes.size() / sizeof(Range));
  Range* out = command.ranges.data();
  if (command.range_count > command.ranges.size()) {
    auto& ranges = edit_detail(scene, command).ranges;
    ranges.resize(command.range_count);
    out = ranges.data();
  }
  std::memcpy(out, bytes.data(), command.range_count * sizeof(Range));
  for (const Range& range : ranges_of(scene, command)) {
    // No pointer, where the host did not expect to need one.
    command.null_pointer |= range.address == 0;
    command.data_bytes += range.bytes;
    if (range.address == trace::kBitBucket) command.discarded += range.bytes;
  }
  each_page(ranges_of(scene, command), [&](std::uint64_t page) {
    if (!scene.c().pages.use(page, scene.now)) return;
    command.buffer_met = true;
    doubt_sources(scene, page);
  });
  if (command.entry.psdt() != 0) {
    command.has_list = command.entry.sgl1().is_segment();
    if (command.has_list) ++scene.c().lists_open;
    return;
  }
  // Nor a second one: what lies at address 0 was no list of it.
  const std::uint64_t in_first = spec::kPageSize - command.entry.prp1 % spec::kPageSize;
  command.null_pointer |= command.entry.prp2 == 0 && command.data_bytes > in_first;
  command.has_list = command.data_bytes > in_first + spec::kPageSize;
  if (command.has_list) ++scene.c().lists_open;
}

void take_descriptors(const Scene& scene, Command& command, std::span<const std::byte> bytes) {
  command.list_known = (scene.event.b & trace::submitted_part::descriptors) != 0;
  if (bytes.empty()) return;
  auto& descriptors = edit_detail(scene, command).descriptors;
  descriptors.resize(bytes.size() / sizeof(spec::SglDescriptor));
  std::memcpy(descriptors.data(), bytes.data(), descriptors.size() * sizeof(spec::SglDescriptor));
}

/// Does its PRP list go on in another page, of which only the list tells?
bool is_chained(const Command& command) {
  if (!command.has_list || command.entry.psdt() != 0) return false;
  const std::uint64_t in_first = spec::kPageSize - command.entry.prp1 % spec::kPageSize;
  const std::uint64_t pages = (command.data_bytes - in_first + spec::kPageSize - 1) / spec::kPageSize;
  return pages > (spec::kPageSize - command.entry.prp2 % spec::kPageSize) / sizeof(std::uint64_t);
}

/// A host that is wrong about the size of blocks has data put where the lists of its commands are.
void lose_lists(const Scene& scene) {
  const std::uint64_t from = scene.event.c / spec::kPageSize;
  const std::uint64_t to = (scene.event.c + scene.event.b - 1) / spec::kPageSize;
  for (auto& command : scene.c().commands) {
    const bool segments = command.entry.psdt() != 0;
    const std::uint64_t page = (segments ? command.entry.prp1 : command.entry.prp2) / spec::kPageSize;
    const std::uint64_t next = segments ? page + 1 : page;  // a later segment may lie in the page behind
    const bool met = is_chained(command) || (next >= from && page <= to);
    if (command.open && command.has_list && met) command.null_pointer = true;
  }
}

/// True when another command used a page of this one's buffer.
bool release_ranges(const Scene& scene, const Command& command) {
  bool shared = false;
  each_page(ranges_of(scene, command), [&](std::uint64_t page) {
    shared |= scene.c().pages.release(page, command.submitted, scene.now);
  });
  return shared;
}

/// Takes a command out of its queue's index.
void unlink(Controller& c, SubmissionQueue& sq, std::uint32_t index) {
  const std::uint16_t cid = c.commands[index].entry.cid;
  std::uint32_t at = sq.by_cid.find(cid);
  if (at == index) {
    if (c.commands[index].next_same_cid == kNone) {
      sq.by_cid.erase(cid);
    } else {
      sq.by_cid.set(cid, c.commands[index].next_same_cid);
    }
    return;
  }
  while (at != kNone && c.commands[at].next_same_cid != index) at = c.commands[at].next_same_cid;
  if (at != kNone) c.commands[at].next_same_cid = c.commands[index].next_same_cid;
}

/// Puts a command into its queue's index.
void link(const Scene& scene, SubmissionQueue& sq, std::uint32_t index) {
  Controller& c = scene.c();
  const std::uint16_t cid = c.commands[index].entry.cid;
  std::uint32_t twin = sq.by_cid.find(cid);
  if (twin != CidTable::kNone && !sq.known && !c.initial_known && !c.undefined) {
    // The recording misses the end of the first command: it may have had its effect or not.
    drop_command(scene, twin, false);
    twin = sq.by_cid.find(cid);
  }
  if (twin == CidTable::kNone) {
    sq.by_cid.set(cid, index);
    return;
  }
  exercised(scene, Rule::q04);
  c.commands[index].reused_cid = true;
  c.commands[twin].reused_cid = true;
  while (c.commands[twin].next_same_cid != kNone) {
    twin = c.commands[twin].next_same_cid;
    c.commands[twin].reused_cid = true;
  }
  c.commands[twin].next_same_cid = index;
}

void begin_effects(const Scene& scene, Command& command, const trace::Parts& parts) {
  if (command.sqid == 0) {
    begin_admin(scene, command, parts.data);
  } else {
    begin_io(scene, command, parts);
  }
}

void end_malformed(const Scene& scene, const Command& command) {
  if (!command.malformed) return;
  --scene.s.malformed_open;
  scene.s.malformed_until = scene.now;
}

void close_command(const Scene& scene, std::uint32_t index) {
  Controller& c = scene.c();
  Command& command = c.commands[index];
  SubmissionQueue& sq = edit_sq(c, command.sqid);
  unlink(c, sq, index);
  if (command.detail != kNone) scene.s.free_details.push_back(command.detail);
  end_malformed(scene, command);
  command.open = false;
  if (command.has_list) --c.lists_open;
  --c.open_commands;
  c.free_commands.push_back(index);
}

/// The command that a completion is for: of several with its identifier the oldest that was fetched.
std::uint32_t completed_one(const Controller& c, const SubmissionQueue& sq, std::uint16_t cid) {
  const std::uint32_t oldest = sq.by_cid.find(cid);
  for (std::uint32_t at = oldest; at != kNone; at = c.commands[at].next_same_cid) {
    if (c.commands[at].fetched != 0) return at;
  }
  return oldest;
}

/// A completion that names no open command: which rule says so.
void unknown_completion(const Scene& scene, const spec::CompletionEntry& entry) {
  Controller& c = scene.c();
  SubmissionQueue* sq = find_sq(c, entry.sqid);
  const auto say = [&](Rule rule, const char* what, const char* allowed) {
    violation(scene, rule, fmt::format("{} queue {}: {}", name_of(scene, scene.index), entry.sqid, what),
              allowed, fmt::format("cid {} {}", entry.cid, trace::status_text(entry.linux_status())));
  };
  if (!c.initial_known && (sq == nullptr || !sq->known)) return;  // began before the recording
  if (sq != nullptr && sq->doubtful && sq->exists.possible(true)) return;
  const bool nobody = sq == nullptr || !sq->exists.possible(true);
  // It is being deleted, and perhaps made anew in memory that holds no entries of the host's.
  if (!nobody && sq->exists.possible(false)) return;
  for (const auto& other : c.sqs) {
    if (!nobody || other.cqid != scene.event.queue || other.by_cid.find(entry.cid) == CidTable::kNone)
      continue;
    say(Rule::q13, "a completion names another submission queue than that of its command",
        "the queue that the command was submitted to");
    return;
  }
  if (nobody) {
    if (sq != nullptr && sq->ever) {
      say(Rule::q03, "a completion for a command of a queue that is gone",
          "none after the reset or deletion is visible");
    } else {
      say(Rule::q01, "a completion for a queue that does not exist", "completions of open commands");
    }
    return;
  }
  for (const std::uint32_t recent : sq->completed) {
    if (recent == entry.cid + 1U) {
      say(Rule::q02, "a command completed twice", "one completion for each command");
      return;
    }
    if (recent == (entry.cid | 0x20000U)) {
      say(Rule::q04, "more completions than commands for a reused identifier",
          "one completion for each command");
      return;
    }
  }
  say(Rule::q01, "a completion for no open command", "completions of open commands");
}

/// The table of queues knows which completion queue belongs to a submission queue.
void check_binding(const Scene& scene, const SubmissionQueue& sq, const Command& command) {
  if (!sq.known) return;
  exercised(scene, Rule::q13);
  if (scene.event.queue == sq.cqid) return;
  violation(scene, Rule::q13, fmt::format("{}: completion in another queue", text_of(scene, command)),
            fmt::format("completion queue {}", sq.cqid),
            fmt::format("completion queue {}", scene.event.queue), {command.submitted});
}

/// Is the observer's length of the buffer that of the namespace which the command met?
bool length_sure(const Scene& scene, const Command& command) {
  return command.ranges_known && !command.null_pointer && command.length_known && !command.reused_cid &&
         block_size_sure(scene, command);
}

/// DMA that a success implies.
void check_transfer(const Scene& scene, const Command& command, const Completion& completion) {
  if (!scene.sees(observed::dma) || !completion.success() || !length_sure(scene, command)) return;
  const auto* row = spec::find_command(spec::set_of_queue(command.sqid), command.entry.opcode);
  if (row == nullptr || row->direction == spec::Direction::none || command.sqid == 0) return;
  exercised(scene, Rule::q28);
  const bool in = row->direction == spec::Direction::to_host;
  const std::uint64_t moved = in ? command.moved_in : command.moved_out;
  if (moved + command.discarded >= command.data_bytes) return;
  violation(scene, Rule::q28,
            fmt::format("{}: success without the whole of its data", text_of(scene, command)),
            fmt::format("{} bytes", command.data_bytes - command.discarded), fmt::format("{} bytes", moved),
            {command.submitted});
}

void check_retry_bits(const Scene& scene, const Command& command, const Completion& completion) {
  const auto& entry = completion.entry;
  exercised(scene, Rule::q31);
  if (completion.success()) {
    if (entry.dnr() || entry.crd() != 0) {
      violation(scene, Rule::q31, fmt::format("{}: success with retry bits", text_of(scene, command)),
                "DNR 0, CRD 0", fmt::format("DNR {}, CRD {}", entry.dnr() ? 1 : 0, entry.crd()),
                {command.submitted});
    }
    return;
  }
  if (entry.crd() == 0) return;
  exercised(scene, Rule::q32);
  if (entry.dnr() || scene.c().acre.surely_since(false, command.submitted)) {
    violation(scene, Rule::q32, fmt::format("{}: a retry delay", text_of(scene, command)),
              entry.dnr() ? "CRD 0 with DNR 1" : "CRD 0: the host did not enable delays",
              fmt::format("CRD {}", entry.crd()), {command.submitted});
  }
}

/// What an Abort promised, kept by its victim.
void check_aborted(const Scene& scene, const Command& command, const Completion& completion) {
  if (!command.aborted_at_once) return;
  exercised(scene, Rule::q26);
  if (completion.status() == Status::abort_requested) return;
  violation(scene, Rule::q26,
            fmt::format("{}: aborted at once, and completed otherwise", text_of(scene, command)),
            "abort_requested", trace::status_text(completion.entry.linux_status()), {command.submitted});
}

/// An open Abort learns how its victim ended.
void tell_aborts(const Scene& scene, const Command& victim, const Completion& completion) {
  if (!victim.abort_asked) return;
  for (auto& other : scene.c().commands) {
    if (!other.open || other.sqid != 0 || other.detail == kNone) continue;
    Detail& detail = scene.s.details[other.detail];
    if (detail.victim != victim.submitted) continue;
    detail.victims_many |= victim.reused_cid;
    detail.victim_completed = true;
    detail.victim_status = static_cast<std::uint16_t>(completion.status());
  }
}

/// An open Abort may be processed after a command that was submitted later, and then names it.
void find_aborts(const Scene& scene, Command& command) {
  if (scene.c().aborts.open == 0) return;
  const std::uint32_t names = std::uint32_t{command.entry.cid} << 16U | command.sqid;
  for (const auto& other : scene.c().commands) {
    if (!other.open || other.sqid != 0 || other.entry.opcode != opcode::abort) continue;
    if (&other == &command || other.detail == kNone || other.entry.cdw10 != names) continue;
    Detail& detail = scene.s.details[other.detail];
    command.abort_asked = true;
    detail.victims_many = detail.victim != 0;
    detail.victim = command.submitted;
  }
}

/// Metadata have a buffer of their own, where they do not lie behind each block.
bool in_metadata(const Command& command, std::uint64_t address, std::uint64_t bytes) {
  const std::uint64_t most = std::uint64_t{command.entry.block_count()} * command.metadata_each;
  return command.metadata_at != 0 && address >= command.metadata_at && bytes <= most &&
         address - command.metadata_at <= most - bytes;
}

bool list_page(const Command& command, std::uint64_t address, std::uint64_t bytes) {
  if (command.entry.psdt() != 0) return false;
  // A list of PRPs lies at PRP2 when the buffer needs more than two pages; further list pages are not known
  // here.
  if (command.data_bytes + command.entry.prp1 % spec::kPageSize <= 2 * spec::kPageSize) return false;
  const std::uint64_t page = command.entry.prp2 / spec::kPageSize;
  const bool here = address / spec::kPageSize == page && (address + bytes - 1) / spec::kPageSize == page;
  return here || command.data_bytes > spec::kPageSize * (spec::kPageSize / 8);
}

bool inside(std::span<const Range> ranges, std::uint64_t address, std::uint64_t bytes) {
  // Ranges that follow each other in memory may be one access.
  while (bytes != 0) {
    const auto at = std::find_if(ranges.begin(), ranges.end(), [&](const Range& range) {
      return address >= range.address && address - range.address < range.bytes;
    });
    if (at == ranges.end()) return false;
    const std::uint64_t here = std::min(bytes, at->bytes - (address - at->address));
    address += here;
    bytes -= here;
  }
  return true;
}

}  // namespace

std::span<const Range> ranges_of(const Scene& scene, const Command& command) {
  if (command.range_count <= command.ranges.size()) return {command.ranges.data(), command.range_count};
  return scene.s.details[command.detail].ranges;
}

Detail& edit_detail(const Scene& scene, Command& command) {
  State& s = scene.s;
  if (command.detail == kNone) {
    if (s.free_details.empty()) {
      command.detail = static_cast<std::uint32_t>(s.details.size());
      s.details.emplace_back();
    } else {
      command.detail = s.free_details.back();
      s.free_details.pop_back();
    }
    // Vectors keep their memory: the same few details serve every command.
    Detail& detail = s.details[command.detail];
    detail.controllers.clear();
    detail.targets.clear();
    detail.digests.clear();
    detail.block_ranges.clear();
    detail.ranges.clear();
    detail.descriptors.clear();
    detail.heirs.clear();
    detail = {.controllers = std::move(detail.controllers),
              .targets = std::move(detail.targets),
              .digests = std::move(detail.digests),
              .block_ranges = std::move(detail.block_ranges),
              .ranges = std::move(detail.ranges),
              .descriptors = std::move(detail.descriptors),
              .heirs = std::move(detail.heirs)};
  }
  return s.details[command.detail];
}

Command* find_command(Controller& c, std::uint16_t sqid, std::uint16_t cid) {
  SubmissionQueue* sq = find_sq(c, sqid);
  if (sq == nullptr) return nullptr;
  const std::uint32_t index = sq->by_cid.find(cid);
  return index == CidTable::kNone ? nullptr : &c.commands[index];
}

void on_submitted(const Scene& scene) {
  Controller& c = scene.c();
  const auto& event = scene.event;
  trace::Parts parts;
  if (!trace::read_submitted(scene.trace, event, parts)) {
    scene.s.damaged = true;
    return;
  }
  SubmissionQueue& sq = edit_sq(c, event.queue);
  const std::uint32_t index = take_command(c);
  Command* command = &c.commands[index];
  std::memcpy(&command->entry, parts.entry.data(), sizeof command->entry);
  command->submitted = scene.now;
  command->time = scene.time;
  command->sqid = event.queue;
  command->open = true;
  command->no_pointer = (event.b & trace::submitted_part::no_data_pointer) != 0;
  command->no_tail = (event.b & trace::submitted_part::no_tail_dwords) != 0;
  command->malformed = (event.b & trace::submitted_part::malformed_pointer) != 0;
  command->ranges_known = (event.b & trace::submitted_part::ranges) != 0;
  command->queue_deleting = sq.exists.last_change(false) == kNow;
  command->too_early = c.undefined || (c.power != Power::ready && scene.sees(observed::registers));
  // A queue that may be gone, or not be there yet, need not take it.
  command->too_early |= c.initial_known && !sq.exists.surely(true);
  place_submission(sq, *command, index);

  link(scene, sq, index);
  if (command->malformed) ++scene.s.malformed_open;
  if (command->ranges_known) take_ranges(scene, *command, parts.ranges);
  take_descriptors(scene, *command, parts.descriptors);
  if ((event.b & trace::submitted_part::metadata) != 0) take_metadata(*command, parts);
  find_aborts(scene, *command);
  begin_effects(scene, *command, parts);
  begin_fused(scene, index);
  // A doorbell before RDY is 1 is undefined: the controller may take it or not. Base: Doorbells.
  if (c.power == Power::enabling && scene.sees(observed::registers)) forget_controller(scene);
}

void replace_command(const Scene& scene, std::uint32_t index, const spec::SubmissionEntry& entry) {
  Controller& c = scene.c();
  Command& command = c.commands[index];
  if (command.ranges_known) release_ranges(scene, command);
  if (command.sqid == 0) {
    drop_admin(scene, command);
  } else {
    drop_io(scene, command, false);
  }
  SubmissionQueue& sq = edit_sq(c, command.sqid);
  unlink(c, sq, index);
  end_malformed(scene, command);
  if (command.detail != kNone) scene.s.free_details.push_back(command.detail);
  if (command.has_list) --c.lists_open;
  Command fresh;
  fresh.entry = entry;
  fresh.submitted = scene.now;  // it may have been there since then only
  fresh.fetched = scene.now;
  fresh.time = scene.time;
  fresh.position = command.position;
  fresh.sqid = command.sqid;
  fresh.open = true;
  fresh.queue_deleting = command.queue_deleting;
  command = fresh;
  link(scene, sq, index);
  begin_effects(scene, command, {});
}

void adopt_command(const Scene& scene, const spec::SubmissionEntry& entry) {
  Controller& c = scene.c();
  SubmissionQueue& sq = edit_sq(c, scene.event.queue);
  const std::uint32_t index = take_command(c);
  Command& command = c.commands[index];
  command.entry = entry;
  command.submitted = command.fetched = scene.now;
  command.time = scene.time;
  command.sqid = scene.event.queue;
  command.open = true;
  command.queue_deleting = sq.exists.last_change(false) == kNow;
  link(scene, sq, index);
  find_aborts(scene, command);
  begin_effects(scene, command, {});
}

void on_completed(const Scene& scene) {
  Controller& c = scene.c();
  const auto& event = scene.event;
  trace::Parts parts;
  if (!trace::read_completed(scene.trace, event, parts)) {
    scene.s.damaged = true;
    return;
  }
  Completion completion;
  std::memcpy(&completion.entry, parts.entry.data(), sizeof completion.entry);
  completion.digests = parts.digests;
  completion.data = parts.data;
  completion.metadata = parts.metadata;
  completion.blocks = parts.blocks;
  completion.status_only = (event.b & trace::completed_part::status_only) != 0;
  const auto& entry = completion.entry;

  if (c.initial_known) {
    exercised(scene, Rule::q01);
    exercised(scene, Rule::q03);
  }
  if (c.shutdown_complete) {
    violation(scene, Rule::r13,
              fmt::format("{} completed a command after shutdown was complete", name_of(scene, scene.index)),
              "nothing until a reset", fmt::format("queue {} cid {}", entry.sqid, entry.cid),
              {c.shutdown_from});
  }
  if (c.fatal && scene.s.simulator) {
    exercised(scene, Rule::r15);
    if (entry.linux_status() == 0) {
      violation(scene, Rule::r15,
                fmt::format("{} completed a command after a fatal error", name_of(scene, scene.index)),
                "nothing until a reset", fmt::format("queue {} cid {} success", entry.sqid, entry.cid),
                {c.fatal_from});
    }
  }
  judge_keep_alive(scene, false);
  place_completion(scene, entry, completion.status_only);
  SubmissionQueue* sq = find_sq(c, entry.sqid);
  const std::uint32_t index = sq == nullptr ? CidTable::kNone : completed_one(c, *sq, entry.cid);
  if (index == CidTable::kNone) {
    unknown_completion(scene, entry);
    return;
  }
  if (sq->known) exercised(scene, Rule::q02);
  Command& command = c.commands[index];
  if (scene.sees(observed::fetches) && command.fetched == 0 && c.initial_known && !command.reused_cid) {
    violation(scene, Rule::q01, fmt::format("{}: completed and was never fetched", text_of(scene, command)),
              "completions of fetched commands", trace::status_text(entry.linux_status()),
              {command.submitted});
  }
  const CompletionQueue* cq = find_cq(c, event.queue);
  if (cq != nullptr && cq->freed_at > command.time) exercised(scene, Rule::liv06);
  if (!completion.status_only) {
    check_binding(scene, *sq, command);
    check_sqhd(scene, *sq, command, entry);
  }
  check_transfer(scene, command, completion);
  check_retry_bits(scene, command, completion);
  check_aborted(scene, command, completion);
  // Where the host moved the Admin queue under the controller, that may go on with old entries, whose buffers
  // are something else now.
  command.buffer_shared = release_ranges(scene, command) || c.admin_moved;
  const bool stray = scene.s.malformed_open != 0 || scene.s.malformed_until > command.submitted;
  // At address 0 lies whatever the commands of all controllers put there by mistake.
  completion.trusted = !command.buffer_shared && !command.reused_cid && !command.null_pointer && !stray;
  judge_status(scene, command, completion);
  learn_sanitize(scene, command, completion);
  if (command.sqid == 0) {
    finish_admin(scene, command, completion);
  } else {
    finish_io(scene, command, completion);
  }
  tell_aborts(scene, command, completion);
  if (completion.success()) c.life = scene.now;
  if (entry.more() && !completion.success() && c.more_set.size() < 16) {
    c.more_set.push_back({entry.sqid, entry.cid, scene.now});
  }
  if (c.shutdown_asked) exercised(scene, Rule::r13);
  exercised(scene, Rule::liv01);
  SubmissionQueue& queue = edit_sq(c, command.sqid);  // a Create command may have moved it
  queue.completed[queue.completed_at++ % queue.completed.size()] =
      command.reused_cid ? entry.cid | 0x20000U : entry.cid + 1U;
  close_command(scene, index);
}

void on_dma(const Scene& scene) {
  Controller& c = scene.c();
  const auto& event = scene.event;
  const bool write = (event.flags & trace::event_flag::dma_write) != 0;
  const auto cid = static_cast<std::uint16_t>(event.a);
  exercised(scene, Rule::q29);
  if (write && c.lists_open != 0) lose_lists(scene);
  const auto what = [&] {
    return fmt::format("{} {} bytes at {:#x}", write ? "writes" : "reads", event.b, event.c);
  };
  Command* command = find_command(c, event.queue, cid);
  if (command == nullptr) {
    const SubmissionQueue* sq = find_sq(c, event.queue);
    if (!c.initial_known || (sq != nullptr && sq->doubtful && sq->exists.possible(true))) return;
    violation(scene, Rule::q29,
              fmt::format("{} queue {} cid {}: data moved for no open command", name_of(scene, scene.index),
                          event.queue, cid),
              "data of open commands", what());
    return;
  }
  if (c.power == Power::off) {
    violation(scene, Rule::r02,
              fmt::format("{}: data moved while the controller is not ready", text_of(scene, *command)),
              "nothing", what(), {c.reset_until});
  }
  if (command->aborted_at_once) {
    violation(scene, Rule::q26,
              fmt::format("{}: data moved after it was aborted at once", text_of(scene, *command)),
              "no effect after the Abort completed", what(), {command->submitted});
  }
  const auto* row = spec::find_command(spec::set_of_queue(command->sqid), command->entry.opcode);
  const bool from_host = row != nullptr && row->direction == spec::Direction::to_controller;
  if (in_metadata(*command, event.c, event.b) && write != from_host) return;
  const bool in_buffer = inside(ranges_of(scene, *command), event.c, event.b);
  const bool listed = by_sgl(*command) && command->list_known && command->ranges_known;
  if (listed && !in_buffer && !command->null_pointer && !command->reused_cid &&
      block_size_sure(scene, *command)) {
    exercised(scene, Rule::q28);
    violation(scene, Rule::q28,
              fmt::format("{}: data moved outside what its list describes", text_of(scene, *command)),
              fmt::format("{} bytes in {} ranges", command->data_bytes, command->range_count), what(),
              {command->submitted});
    return;
  }
  if (!length_sure(scene, *command)) {  // it may be so when the command ends
    if (in_buffer && write != from_host) (write ? command->moved_in : command->moved_out) += event.b;
    return;
  }
  exercised(scene, Rule::q28);
  if (!write && list_page(*command, event.c, event.b)) {
    if (in_buffer && from_host) command->moved_out += event.b;  // the list names its own page as well
    return;
  }
  if (!in_buffer || write == from_host) {
    violation(
        scene, Rule::q28,
        fmt::format("{}: {}", text_of(scene, *command),
                    in_buffer ? "data moved the wrong way" : "data moved outside its buffer"),
        fmt::format("{} of the {} bytes of its buffer", from_host ? "reads" : "writes", command->data_bytes),
        what(), {command->submitted});
    return;
  }
  (write ? command->moved_in : command->moved_out) += event.b;
}

void drop_command(const Scene& scene, std::uint32_t index, bool at_once) {
  Command& command = scene.c().commands[index];
  if (command.ranges_known) release_ranges(scene, command);
  if (command.sqid == 0) {
    drop_admin(scene, command);
  } else {
    drop_io(scene, command, at_once);
  }
  close_command(scene, index);
}

void finish_commands(const Scene& scene) {
  const Controller& c = scene.c();
  if (!scene.sees(observed::completions) || c.power == Power::off || c.power == Power::disabling ||
      c.shutdown_asked || may_have_stopped(c, scene.time))
    return;
  const Time bound = scene.options.command_bound;
  for (const Command& command : c.commands) {
    if (!command.open) continue;
    const bool event_request = command.sqid == 0 && command.entry.opcode == 0x0C;
    if (event_request) continue;
    const SubmissionQueue& sq = *c.sqs.find(command.sqid);
    if (sq.frozen || sq.doubtful || command.too_early || command.queue_deleting || command.reused_cid ||
        sq.exists.last_change(false) == kNow)
      continue;
    const CompletionQueue* cq = sq.known ? c.cqs.find(sq.cqid) : nullptr;
    // Held, lawfully; or how much room there is was not followed.
    if (cq != nullptr && (!cq->known || cq->full || cq->head_doubtful)) continue;
    const Time since = cq != nullptr ? std::max(command.time, cq->freed_at) : command.time;
    exercised(scene, Rule::liv01);
    if (scene.time < since || scene.time - since <= bound) continue;
    const bool fetched = command.fetched != 0 || !scene.sees(observed::fetches);
    const bool unseen = command.position < sq.silent && (!fetched || command.position >= sq.published);
    const Rule rule = unseen                                         ? Rule::q35
                      : !fetched                                     ? Rule::liv02
                      : cq != nullptr && cq->freed_at > command.time ? Rule::liv06
                                                                     : Rule::liv01;
    violation(
        scene, rule,
        fmt::format(
            "{}: never {}{}", text_of(scene, command), fetched ? "completed" : "fetched",
            peer_was_reset(scene, command.submitted) ? " (another controller was reset meanwhile)" : ""),
        fmt::format("within {} s", bound / engine::kSecond), fmt::format("not {}", since_text(scene, since)),
        {command.submitted, command.fetched});
  }
}

}  // namespace polypath::model
