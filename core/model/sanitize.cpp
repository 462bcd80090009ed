#include "model/sanitize.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/admin.h"
#include "model/firmware.h"
#include "model/format.h"
#include "model/io.h"
#include "model/keep_alive.h"
#include "model/namespaces.h"
#include "model/self_test.h"
#include "model/write_protection.h"
#include "model/zones.h"
#include "spec/log_feature_event.h"
#include "trace/text.h"

namespace polypath::model {
namespace {

namespace san = spec::sanitize;
using san::Outcome;
using Stage = san::State;
using spec::LogId;
using spec::Status;

constexpr std::uint8_t bit(Stage state) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(state));
}
constexpr std::uint8_t kIdle = bit(Stage::idle);
constexpr std::uint8_t kProcessing = bit(Stage::restricted_processing) | bit(Stage::unrestricted_processing);
constexpr std::uint8_t kFailure = bit(Stage::restricted_failure) | bit(Stage::unrestricted_failure);
/// A generous factor on the controller's own estimate.
constexpr Time kEstimates = 10;

std::uint32_t action_of(const Command& command) { return san::action(command.entry.cdw10); }
bool starts(const Command& command) {
  return action_of(command) >= san::block_erase && action_of(command) <= san::crypto_erase;
}

/// States that an operation may be in, from its start on: nobody sees it end.
std::uint8_t follow(std::uint32_t cdw10) {
  return (cdw10 & san::unrestricted) != 0
             ? kIdle | bit(Stage::unrestricted_processing) | bit(Stage::unrestricted_failure)
             : kIdle | bit(Stage::restricted_processing) | bit(Stage::restricted_failure);
}

Sanitize& sanitize_of(const Scene& scene) { return scene.s.subsystems[scene.c().subsystem].sanitize; }

/// States that were possible at some moment since then; `own`: the Sanitize command under way is the asker's.
std::uint8_t possible_since(const Sanitize& sanitize, Seq since, bool own = false) {
  unsigned states = sanitize.open > (own ? 1U : 0U) ? kIdle | kProcessing | kFailure : 0U;
  for (unsigned i = 0; i < sanitize.until.size(); ++i) {
    if (sanitize.until[i] >= since) states |= 1U << i;
  }
  return static_cast<std::uint8_t>(states);
}

/// No Sanitize command is under way, and none ended since.
bool quiet_since(const Sanitize& sanitize, Seq since) {
  return sanitize.open == 0 && sanitize.changed < since;
}

void lose_contents(const Scene& scene) {
  for (const auto index : scene.s.subsystems[scene.c().subsystem].namespaces) {
    lose_content(scene.s.namespaces[index]);
    lose_zones(scene.s.namespaces[index]);
    scene.s.namespaces[index].formatted = false;
  }
}

/// Has the controller an event request, and room to answer it?
bool hears(const Controller& c) {
  const SubmissionQueue* sq = c.sqs.find(0);
  const CompletionQueue* cq = c.cqs.find(0);
  const bool stuck = (sq != nullptr && sq->frozen) || (cq != nullptr && (cq->full || cq->head_doubtful));
  if (c.aers.open == 0 || stuck) return false;
  const bool fetches = (c.observed & trace::observed::fetches) != 0;
  return std::any_of(c.commands.begin(), c.commands.end(), [&](const Command& command) {
    return command.open && command.sqid == 0 && command.entry.opcode == opcode::async_event_request &&
           (command.fetched != 0 || !fetches);
  });
}

/// The operation has ended, and its controller owes the report from now on if nothing stands between.
void make_due(const Scene& scene, const Sanitize& sanitize) {
  if (sanitize.taker == kNoTaker) return;
  Controller& c = scene.s.controllers[sanitize.taker];
  const bool deaf =
      c.power != Power::ready || c.shutdown_asked || may_have_stopped(c, scene.time) || !hears(c);
  if (deaf || c.sanitize_events == 0 || c.reset_until > sanitize.started || c.sanitize_due != 0) return;
  if (c.log81.open_clearing != 0 || c.log81.cleared_until >= sanitize.started) return;
  for (const Reported& row : c.reported) {
    const bool masks = row.type == static_cast<std::uint8_t>(spec::EventType::io_set) && row.at != 0;
    if (masks && c.log81.cleared_from <= row.at) return;
  }
  exercised(scene, Rule::liv07);
  c.sanitize_due = scene.now;
  c.sanitize_due_time = scene.time;
}

void settle(const Scene& scene, Sanitize& sanitize, std::uint8_t states) {
  const bool went_on = (sanitize.settled & kProcessing) != 0;
  for (unsigned i = 0; i < sanitize.until.size(); ++i) {
    if ((states >> i & 1U) != 0) {
      sanitize.until[i] = kNow;
    } else if (sanitize.until[i] == kNow) {
      sanitize.until[i] = scene.now;
    }
  }
  sanitize.settled = states;
  if (states != 0 && (states & ~kFailure) == 0) lose_contents(scene);
  if (went_on && (states & kProcessing) == 0) make_due(scene, sanitize);
}

enum class Kind : std::uint8_t { spared, refused, unclear };

/// What an operation does to a command. The list of Admin commands is that of the standard.
Kind kind_of(const Command& command) {
  const std::uint8_t code = command.entry.opcode;
  if (command.sqid != 0) {
    if (code == 0x00) return Kind::spared;  // Flush
    return code >= 0x80 ? Kind::unclear : Kind::refused;
  }
  switch (code) {
    case opcode::create_sq:
    case opcode::delete_sq:
    case opcode::create_cq:
    case opcode::delete_cq:
    case opcode::identify:
    case opcode::abort:
    case opcode::get_features:
    case opcode::async_event_request:
    case opcode::keep_alive:
    case 0x1D:
    case 0x1E:
    case 0x7F:
      return Kind::spared;
    case opcode::set_features: {
      constexpr std::uint32_t kWriteProtection = 0x84;
      if (command.no_tail) return Kind::unclear;
      return (command.entry.cdw10 & 0xFFU) == kWriteProtection ? Kind::refused : Kind::spared;
    }
    case opcode::get_log_page:
      if (command.no_tail) return Kind::unclear;
      switch (static_cast<LogId>(command.entry.cdw10 & 0xFFU)) {
        case LogId::error_information:
        case LogId::smart:
        case LogId::changed_ns:
        case LogId::ana:
        case LogId::sanitize:
          return Kind::spared;
        default: {
          constexpr std::uint32_t kBootPartition = 0x15, kReservation = 0x80;
          const std::uint32_t lid = command.entry.cdw10 & 0xFFU;
          return lid == kBootPartition || lid == kReservation ? Kind::spared : Kind::refused;
        }
      }
    default:
      return code >= 0xC0 || command.no_tail ? Kind::unclear : Kind::refused;
  }
}

/// The operation has surely started: what it makes of the namespaces and of the self-tests.
void meet_subsystem(const Scene& scene, const Command& command, bool alone) {
  const auto& announced = scene.c().announced;
  const std::uint32_t cdw10 = command.entry.cdw10;
  const bool deallocates = (cdw10 & san::no_deallocate) == 0 ||
                           (announced.known && (announced.sanicap & san::inhibits_no_deallocate) != 0);
  const auto& subsystem = scene.s.subsystems[scene.c().subsystem];
  for (const auto index : subsystem.namespaces) {
    Namespace& ns = scene.s.namespaces[index];
    const bool doubtful = ns.doubtful_write >= command.submitted || writes_open(scene.s, index) ||
                          may_be_heir(ns, command.submitted) || may_be_formatted(ns, command.submitted);
    lose_content(ns);
    lose_zones(ns);
    ns.formatted = false;
    bool data =
        alone && deallocates && !doubtful && ns.block_bytes != 0 && ns.identified && (ns.dlfeat & 7U) == 1;
    for (const auto controller : subsystem.controllers)
      data = data && (scene.s.controllers[controller].observed & trace::observed::data) != 0;
    if (!data) continue;
    exercised(scene, Rule::d18);
    start_content(ns, true, scene.now);
    ns.formatted = true;
  }
  end_all_tests(scene, command.submitted);
}

void end_namespaces(const Scene& scene, bool applied) {
  for (const auto index : scene.s.subsystems[scene.c().subsystem].namespaces) {
    Namespace& ns = scene.s.namespaces[index];
    if (ns.sanitizes_open != 0) --ns.sanitizes_open;
    if (applied) ns.sanitized_until = scene.now;
  }
}

}  // namespace

void begin_sanitize(const Scene& scene, const Command& command) {
  Sanitize& sanitize = sanitize_of(scene);
  ++sanitize.open;
  if (action_of(command) == san::exit_failure || command.no_tail) {
    if ((sanitize.settled & bit(Stage::unrestricted_failure)) != 0) lose_contents(scene);
  }
  if (!starts(command) && !command.no_tail) return;
  ++scene.c().sanitizes_open;
  ++sanitize.starts_open;
  for (const auto index : scene.s.subsystems[scene.c().subsystem].namespaces)
    ++scene.s.namespaces[index].sanitizes_open;
  for (const auto controller : scene.s.subsystems[scene.c().subsystem].controllers)
    scene.s.controllers[controller].sanitize_due = 0;
}

void end_sanitize(const Scene& scene, const Command& command, End end) {
  Sanitize& sanitize = sanitize_of(scene);
  Controller& c = scene.c();
  const bool alone = --sanitize.open == 0 && sanitize.changed < command.submitted;
  const bool start = starts(command) || command.no_tail;
  if (start) {
    --c.sanitizes_open;
    --sanitize.starts_open;
    end_namespaces(scene, end != End::refused);
  }
  if (end == End::refused) return;
  sanitize.changed = scene.now;
  const bool sure = end == End::applied && !command.no_tail;
  if (!start) {
    if (action_of(command) != san::exit_failure) {  // of media verification: not followed
      settle(scene, sanitize, kIdle | kProcessing | kFailure);
      sanitize.log_known = false;
      return;
    }
    sanitize.exited = sanitize.exited || (sanitize.settled & kFailure) != 0 || !alone;
    settle(scene, sanitize, static_cast<std::uint8_t>(sure && alone ? kIdle : sanitize.settled | kIdle));
    return;
  }
  ++c.sanitize_events;
  if (!sure) {
    settle(scene, sanitize, kIdle | kProcessing | kFailure);
    sanitize.log_known = false;
    sanitize.taker = kNoTaker;
    lose_contents(scene);
    return;
  }
  meet_subsystem(scene, command, alone);
  sanitize.log_known = alone;
  sanitize.ever = true;
  sanitize.exited = false;
  sanitize.written = 0;
  sanitize.cdw10 = command.entry.cdw10;
  sanitize.taker = alone ? scene.index : kNoTaker;
  sanitize.started = command.submitted;
  sanitize.started_until = scene.now;
  sanitize.started_time = scene.time;
  sanitize.progress = 0;
  sanitize.progress_at = 0;
  const std::uint8_t states = follow(command.entry.cdw10);
  settle(scene, sanitize, static_cast<std::uint8_t>(alone ? states : sanitize.settled | states));
}

void allow_sanitize(const Scene& scene, const Command& command, Allowed& allowed) {
  const auto& announced = scene.c().announced;
  const Sanitize& sanitize = sanitize_of(scene);
  const std::uint32_t cdw10 = command.entry.cdw10, action = action_of(command);
  if (command.no_tail) {
    allowed.anything();
    return;
  }
  allow_during_format(scene, command, allowed);
  if (starts(command)) allow_change_of_any(scene, command, allowed);
  if (!announced.known || cdw10 >> 10U != 0) allowed.may(Status::invalid_field);
  static constexpr std::array<std::uint32_t, 8> kNeeds{
      0, 0, san::can_block, san::can_overwrite, san::can_crypto, san::can_verify, 0, 0};
  const bool defined = action >= san::exit_failure && action <= san::exit_verification;
  const bool there = kNeeds[action] == 0 || !announced.known || (announced.sanicap & kNeeds[action]) != 0;
  if (!defined || !there) allowed.must(Rule::q33, {Status::invalid_field});
  if (action == san::exit_verification) allowed.may(Status::invalid_field);
  const bool inhibits = !announced.known || (announced.sanicap & san::inhibits_no_deallocate) != 0;
  if (starts(command) && (cdw10 & san::no_deallocate) != 0 && inhibits) {
    if (announced.known && sanitize.nodrm.surely_since(false, command.submitted)) {
      allowed.must(Rule::q33, {Status::invalid_field});
    } else if (sanitize.nodrm.possible_since(false, command.submitted)) {
      allowed.may(Status::invalid_field);
    }
  }
  const bool firmware = !announced.known || (announced.oacs & spec::oacs::firmware) != 0;
  if (firmware && may_be_pending(scene.s.subsystems[scene.c().subsystem].firmware, command.submitted))
    allowed.may({Status::firmware_needs_conventional_reset, Status::firmware_needs_subsystem_reset,
                 Status::firmware_needs_controller_reset});
  const std::uint8_t states = possible_since(sanitize, command.submitted, true);
  if ((states & kProcessing) != 0) allowed.may(Status::sanitize_in_progress);
  const bool leaves = action == san::exit_failure || (starts(command) && (cdw10 & san::unrestricted) != 0);
  if (!leaves || (states & bit(Stage::restricted_failure)) == 0) return;
  exercised(scene, Rule::san01);
  if (states == bit(Stage::restricted_failure)) {
    allowed.must(Rule::san01, {Status::sanitize_failed});
  } else {
    allowed.may(Status::sanitize_failed);
  }
}

bool may_be_sanitized(const Sanitize& sanitize, Seq since) {
  return (possible_since(sanitize, since) & ~kIdle) != 0;
}

void allow_during_sanitize(const Scene& scene, const Command& command, Allowed& allowed) {
  const Sanitize& sanitize = sanitize_of(scene);
  const std::uint8_t states = possible_since(sanitize, command.submitted);
  if (states == kIdle || (command.sqid == 0 && command.entry.opcode == opcode::sanitize)) return;
  exercised(scene, Rule::san01);
  const Kind kind = kind_of(command);
  if (kind == Kind::spared) return;
  if ((states & kProcessing) != 0) allowed.may(Status::sanitize_in_progress);
  if ((states & kFailure) == 0) return;
  allowed.may(Status::sanitize_failed);
  if (command.sqid == 0) allowed.may(Status::sanitize_in_progress);  // as an earlier text had it
  if (kind == Kind::refused && (states & (kIdle | kProcessing)) == 0)
    allowed.must(Rule::san01, {Status::sanitize_failed});
}

void learn_sanitize(const Scene& scene, const Command& command, const Completion& completion) {
  Sanitize& sanitize = sanitize_of(scene);
  const bool own = command.sqid == 0 && command.entry.opcode == opcode::sanitize;
  if (sanitize.settled == kIdle || command.reused_cid || own || !quiet_since(sanitize, command.submitted))
    return;
  const Status status = completion.status();
  if (status == Status::success && kind_of(command) == Kind::refused) {
    if ((possible_since(sanitize, command.submitted) & kIdle) != 0) settle(scene, sanitize, kIdle);
  } else if (status == Status::sanitize_failed && command.sqid != 0) {
    const auto failed = static_cast<std::uint8_t>(sanitize.settled & kFailure);
    if (failed != 0) settle(scene, sanitize, failed);
  }
}

void count_write(const Scene& scene, const Command& command, int open, bool written) {
  Sanitize& sanitize = sanitize_of(scene);
  sanitize.writes_open += static_cast<std::uint32_t>(open);
  sanitize.write_seen = scene.now;
  if (written && command.submitted > sanitize.started_until) sanitize.written = scene.now;
}

void check_sanitize_log(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  Sanitize& sanitize = sanitize_of(scene);
  constexpr std::size_t kUsed = 40;
  const bool whole = command.entry.cdw12 == 0 && command.entry.cdw13 == 0 && data.size() >= kUsed;
  if (!whole || !quiet_since(sanitize, command.submitted)) return;
  const auto progress = read_as<std::uint16_t>(data);
  const auto sstat = read_as<std::uint16_t>(data.subspan(2));
  const auto cdw10 = read_as<std::uint32_t>(data.subspan(4));
  const auto shown = static_cast<unsigned>(sstat & 7U);
  const auto outcome = static_cast<Outcome>(shown);
  const auto state = static_cast<unsigned>(std::to_integer<unsigned>(data[36]) & 0xFU);
  const auto say = [&](Rule rule, const char* what, std::string allowed, std::string seen) {
    violation(scene, rule, fmt::format("{}: {}", text_of(scene, command), what), std::move(allowed),
              std::move(seen), {sanitize.started, command.submitted});
  };
  if (!sanitize.log_known) {
    const bool failed = outcome == Outcome::failed;
    const std::uint8_t kinds = follow(cdw10);
    sanitize.log_known = true;
    sanitize.ever = outcome != Outcome::never;
    sanitize.exited = failed;
    sanitize.cdw10 = cdw10;
    sanitize.written = 0;
    sanitize.started = sanitize.started_until = command.submitted;
    sanitize.started_time = scene.time;
    sanitize.progress = progress;
    sanitize.progress_at = scene.now;
    settle(scene, sanitize,
           static_cast<std::uint8_t>(outcome == Outcome::in_progress ? kinds
                                     : failed                        ? kIdle | (kinds & kFailure)
                                                                     : kIdle));
    return;
  }
  exercised(scene, Rule::san02);
  const std::uint8_t states = possible_since(sanitize, command.submitted);
  const auto one = [](Outcome value) { return 1U << static_cast<unsigned>(value); };
  unsigned allowed = 0;
  if ((states & kProcessing) != 0) allowed |= one(Outcome::in_progress);
  if ((states & kFailure) != 0) allowed |= one(Outcome::failed);
  if ((states & kIdle) != 0) {
    const bool asked = (sanitize.cdw10 & san::no_deallocate) != 0;
    const bool inhibits = (scene.c().announced.sanicap & san::inhibits_no_deallocate) != 0;
    if (!sanitize.ever) allowed |= one(Outcome::never);
    if (sanitize.ever && !(asked && inhibits)) allowed |= one(Outcome::done);
    if (sanitize.ever && asked) allowed |= one(Outcome::deallocated);
    if (sanitize.exited) allowed |= one(Outcome::failed);
  }
  if ((allowed >> shown & 1U) == 0) {
    say(Rule::san02, "the log tells of another sanitize", fmt::format("one of the outcomes {:#x}", allowed),
        fmt::format("outcome {}", shown));
    sanitize.log_known = false;
    return;
  }
  if (sanitize.ever && cdw10 != sanitize.cdw10)
    say(Rule::san02, "the log names another command than the one that started the sanitize",
        fmt::format("{:#x}", sanitize.cdw10), fmt::format("{:#x}", cdw10));
  const bool goes_on = outcome == Outcome::in_progress;
  if (!goes_on && progress != san::no_progress)
    say(Rule::san02, "progress without a sanitize in progress", "ffffh", fmt::format("{:#x}", progress));
  const bool unrestricted = (sanitize.cdw10 & san::unrestricted) != 0;
  const auto expected = static_cast<unsigned>(
      goes_on        ? (unrestricted ? Stage::unrestricted_processing : Stage::restricted_processing)
      : unrestricted ? Stage::unrestricted_failure
                     : Stage::restricted_failure);
  const bool stated = goes_on || (outcome == Outcome::failed && !sanitize.exited);
  if (stated && state != 0 && state != expected)
    say(Rule::san02, "the log shows another state", fmt::format("{}", expected), fmt::format("{}", state));
  if (goes_on) {
    exercised(scene, Rule::liv15);
    if (progress < sanitize.progress && sanitize.progress_at < command.submitted)
      say(Rule::liv15, "the progress of the sanitize went back",
          fmt::format("at least {:#x}", sanitize.progress), fmt::format("{:#x}", progress));
    sanitize.progress = progress;
    sanitize.progress_at = scene.now;
    constexpr std::array<std::size_t, 3> kAt{12, 8, 16};  // block erase, overwrite, crypto erase
    const std::uint32_t action = san::action(cdw10);
    const auto estimate =
        action < 2 || action > 4 ? ~0U : read_as<std::uint32_t>(data.subspan(kAt[action - 2]));
    const Time most = (Time{estimate} + 1) * kEstimates * engine::kSecond;
    if (estimate != ~0U && scene.time - sanitize.started_time > most)
      say(Rule::liv15, "the sanitize does not end", fmt::format("an end within {} s", most / engine::kSecond),
          fmt::format("in progress {}", since_text(scene, sanitize.started_time)));
    return;
  }
  const bool erased = (sstat & 0x100U) != 0;
  const bool ended_well = outcome == Outcome::done || outcome == Outcome::deallocated;
  if (ended_well && erased && sanitize.written != 0 && sanitize.written < command.submitted)
    say(Rule::san02, "all data are said to be erased, and some were written since", "bit 8 of SSTAT clear",
        "set");
  if (ended_well && !erased && sanitize.writes_open == 0 && sanitize.write_seen < sanitize.started &&
      sanitize.started != sanitize.started_until)
    say(Rule::san02, "all data were erased, and none written since", "bit 8 of SSTAT set", "clear");
  if (ended_well) settle(scene, sanitize, kIdle);
  if (outcome == Outcome::failed && !sanitize.exited)
    settle(scene, sanitize, static_cast<std::uint8_t>(sanitize.settled & kFailure));
}

void judge_sanitize_event(const Scene& scene, std::uint8_t info, Seq requested) {
  Sanitize& sanitize = sanitize_of(scene);
  Controller& c = scene.c();
  c.sanitize_due = 0;
  if (!c.initial_known || !sanitize.known) return;
  exercised(scene, Rule::ae19);
  const auto say = [&](const char* what, const char* allowed) {
    violation(scene, Rule::ae19, fmt::format("{}: {}", name_of(scene, scene.index), what), allowed,
              "an event", {sanitize.started});
  };
  if (c.sanitize_events == 0) {
    if (c.sanitizes_open != 0) return;
    say(sanitize.taker == scene.index ? "the end of a sanitize once more"
                                      : "the end of a sanitize that another controller took",
        "one event, on the controller that took the command");
    return;
  }
  --c.sanitize_events;
  const bool later = sanitize.taker != kNoTaker && sanitize.taker != scene.index && sanitize.open == 0;
  if (later && requested > sanitize.started_until)
    say("the end of a sanitize after the start of another", "none: the start of another clears it");
  const bool asked = (sanitize.cdw10 & san::no_deallocate) != 0;
  if (info == spec::event_info::sanitize_deallocated && sanitize.taker == scene.index && !asked &&
      c.sanitizes_open == 0 && requested > sanitize.started_until)
    say("an unexpected deallocation that was no surprise", "the event of a plain end: NDAS was 0");
}

void reset_sanitize(const Scene& scene) {
  const Sanitize& sanitize = sanitize_of(scene);
  Controller& c = scene.c();
  c.log81 = {};
  c.sanitize_due = 0;
  const bool over = (possible_since(sanitize, c.reset_from) & kProcessing) == 0;
  c.sanitize_events = over ? 0 : std::min<std::uint32_t>(c.sanitize_events, 1);
}

void finish_sanitize(const Scene& scene) {
  const Controller& c = scene.c();
  if (c.sanitize_due == 0 || !hears(c) || c.power != Power::ready || c.shutdown_asked ||
      may_have_stopped(c, scene.time))
    return;
  if (scene.time < c.sanitize_due_time || scene.time - c.sanitize_due_time <= scene.options.event_bound)
    return;
  violation(scene, Rule::liv07,
            fmt::format("{} never reported that its sanitize ended", name_of(scene, scene.index)),
            "a sanitize event (I/O set 01h or 02h, log 81h)", "none", {c.sanitize_due});
}

}  // namespace polypath::model
