#include "model/events.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/firmware.h"
#include "model/keep_alive.h"
#include "model/registers.h"
#include "model/sanitize.h"
#include "spec/log_feature_event.h"
#include "trace/text.h"

namespace polypath::model {
namespace {

using spec::EventType;

constexpr int kNoLog = -1;       // the event names no log
constexpr int kUnknownLog = -2;  // not laid down, or the vendor's
constexpr int kReserved = -3;

/// Log identifier that belongs to an event (table of asynchronous events).
int log_of(EventType type, std::uint8_t info) {
  switch (type) {
    case EventType::error:
      return info <= 5 ? 0x01 : kReserved;
    case EventType::smart:
      return info <= 2 ? 0x02 : kReserved;
    case EventType::notice:
      switch (info) {
        case 0x00:
          return 0x04;
        case 0x01:
          return 0x03;
        case 0x02:
          return 0x08;
        case 0x03:
          return 0x0C;
        case 0x04:
          return 0x0B;
        case 0x05:
          return 0x0E;
        case 0x06:
          return 0x0F;
        case 0x07:
          return 0x1A;
        case 0x08:
          return 0x1B;
        case 0x09:
          return 0x1C;
        case 0xEF:
          return 0xBF;
        case 0xF0:
          return 0x70;
        default:
          return kUnknownLog;
      }
    case EventType::immediate:
    case EventType::one_shot:
      return kNoLog;
    case EventType::io_set:
      return info == 0 ? 0x80 : info <= 3 ? 0x81 : kReserved;
  }
  return static_cast<unsigned>(type) == 7 ? kUnknownLog : kReserved;
}

LogReads* reads_of(Controller& c, int lid) {
  switch (lid) {
    case 0x01:
      return &c.log01;
    case 0x02:
      return &c.log02;
    case 0x04:
      return &c.log04;
    default:
      return nullptr;
  }
}

Reported& reported_of(Controller& c, std::uint8_t type, std::uint8_t info) {
  for (auto& row : c.reported) {
    if (row.type == type && row.info == info) return row;
  }
  Reported fresh;
  fresh.type = type;
  fresh.info = info;
  c.reported.push_back(fresh);
  return c.reported.back();
}

Changed* find_change(Controller& c, std::uint32_t nsid, Seq from) {
  const auto at = std::find_if(c.changed.begin(), c.changed.end(),
                               [&](const Changed& row) { return row.nsid == nsid && row.from == from; });
  return at == c.changed.end() ? nullptr : &*at;
}

/// May a namespace event that was reported still mask the next one?
bool may_be_masked(Controller& c, Seq since) {
  const auto notice = static_cast<std::uint8_t>(EventType::notice);
  const Reported activation = reported_of(c, notice, spec::event_info::firmware_activation);
  const Reported& last = reported_of(c, notice, spec::event_info::ns_attribute_changed);
  if (activation.at != 0 && (c.log03.cleared_from <= activation.at || c.log03.cleared_until >= since))
    return true;
  if (c.activations != 0) return true;  // it may be reported first
  if (last.at == 0) return c.cause_unknown;
  const bool cleared = c.log04.cleared_from > last.at && c.log04.cleared_until < since;
  return !cleared;
}

/// No event request can come to the controller any more: an invalid doorbell ended its admin queue's service.
bool admin_frozen(const Controller& c) {
  const SubmissionQueue* admin = c.sqs.find(0);
  return admin != nullptr && admin->frozen;
}

/// The change surely happened, is to be reported, and was not yet.
void make_due(const Scene& scene, Controller& c, std::uint32_t nsid, Seq from) {
  if (c.due || !c.ns_events.surely_since(true, from)) return;
  if (c.power != Power::ready || c.shutdown_asked || may_have_stopped(c, scene.time) || admin_frozen(c) ||
      may_be_masked(c, from))
    return;
  if (c.log04.open_clearing != 0 || c.log04.cleared_until >= from) return;
  exercised(scene, Rule::ae08);
  c.due = true;
  c.due_seq = scene.now;
  c.due_nsid = nsid;
  c.due_waited = c.due_waits = c.aers.open == 0;
  c.due_time = scene.time;
}

/// Another controller's log was read, and the event cleared there, after this moment.
bool peer_cleared(const Scene& scene, Seq since) {
  for (const auto other : scene.s.subsystems[scene.c().subsystem].controllers) {
    if (other != scene.index && scene.s.controllers[other].log04.cleared_until > since) return true;
  }
  return false;
}

bool peer_has_cause(const Scene& scene, Seq since) {
  for (const auto other : scene.s.subsystems[scene.c().subsystem].controllers) {
    const Controller& peer = scene.s.controllers[other];
    if (other != scene.index && (peer.cause_pending != 0 || peer.cause_until > since)) return true;
  }
  return false;
}

/// Event requests that the controller has: an entry that it did not fetch is none.
std::uint32_t requests_held(const Scene& scene) {
  const Controller& c = scene.c();
  if (c.aers.open == 0 || !scene.sees(trace::observed::fetches)) return c.aers.open;
  const auto held = [](const Command& command) {
    return command.open && command.sqid == 0 && command.entry.opcode == 0x0C && command.fetched != 0;
  };
  return static_cast<std::uint32_t>(std::count_if(c.commands.begin(), c.commands.end(), held));
}

void judge_doorbell_event(const Scene& scene, std::uint8_t info) {
  if (info > 1) return;
  Controller& c = scene.c();
  const Rule rule = info == 0 ? Rule::q17 : Rule::q18;
  if (c.bad_doorbells[info] == 0) {
    if (!c.initial_known || !scene.sees(trace::observed::doorbells)) return;
    violation(scene, rule,
              fmt::format("{} reported an invalid doorbell that nobody rang", name_of(scene, scene.index)),
              "no such event", "an event");
    return;
  }
  exercised(scene, rule);
  c.bad_doorbells[info] = 0;  // several may merge into one event
}

void judge_namespace_event(const Scene& scene, Seq last_report, Seq requested) {
  Controller& c = scene.c();
  const auto say = [&](Rule rule, const char* what, const char* allowed) {
    violation(scene, rule, fmt::format("{}: {}", name_of(scene, scene.index), what), allowed, "an event",
              {c.cause_from, c.cause_until});
  };
  if (!c.cause_unknown) {
    exercised(scene, Rule::ae09);
    exercised(scene, Rule::ae13);
  }
  // The entry may have been on its way while the log was read, unless the event was masked until then. A read
  // that has not ended may have lifted the mask.
  const bool masked = last_report != 0 && c.log04.cleared_before <= last_report && c.log04.open_clearing == 0;
  const bool overtaken = !masked && requested < c.log04.cleared_until;
  Seq since = c.cause_from != 0 ? c.cause_from : std::max<Seq>(c.reset_until, 1);
  if (c.read_cause_until > last_report) since = std::min(since, c.read_cause);  // that read settled its cause
  if (c.ns_events.surely_since(false, since) && !c.cause_unknown) {
    exercised(scene, Rule::ae04);
    say(Rule::ae04, "a namespace event that is switched off", "none while bit 8 of FID 0Bh is 0");
  }
  const bool on_its_way = overtaken && c.cause_until > last_report;
  const bool caused =
      c.cause_pending != 0 || (c.cause_until != 0 && (c.cause_until >= c.log04.cleared_from || on_its_way));
  if (!caused && !c.cause_unknown) {
    const Seq lower = std::max({c.log04.cleared_from, c.reset_until, last_report});
    if (c.cause_until == 0 && c.old_cause != 0) {
      say(Rule::ae07, "an event from before the reset", "none: a reset discards events");
    } else if (peer_has_cause(scene, lower)) {
      say(Rule::ae13, "a namespace event though its own namespaces did not change",
          "events on the controllers concerned only");
    } else {
      say(Rule::ae09, "a namespace event without a cause",
          "none: no namespace was attached, detached or changed");
    }
  }
  if (c.old_cause != 0) exercised(scene, Rule::ae07);
  if (!c.due) return;
  exercised(scene, Rule::liv07);
  const Time bound = scene.options.event_bound;
  if (!c.due_waits && scene.time > c.due_time && scene.time - c.due_time > bound) {
    // With a newer cause, the event is about that one, and the older was never reported.
    const bool newer = c.cause_pending != 0 || c.cause_until > c.due_seq;
    violation(scene, newer ? Rule::ae08 : Rule::liv07,
              fmt::format("{}: a namespace event came late", name_of(scene, scene.index)),
              fmt::format("within {} s", bound / engine::kSecond), since_text(scene, c.due_time),
              {c.due_seq});
  }
  if (c.due_waited) exercised(scene, Rule::ae06);
  c.due = false;
}

}  // namespace

void begin_cause(const Scene& scene, std::uint16_t controller, std::uint32_t nsid, Seq from,
                 bool own_delete) {
  Controller& c = scene.s.controllers[controller];
  Changed change;
  change.nsid = nsid;
  change.from = from;
  change.until = kNow;
  c.changed.push_back(change);
  if (own_delete) return;
  ++c.cause_pending;
  if (c.cause_from == 0) c.cause_from = from;
}

bool has_cause(const Scene& scene, std::uint16_t controller, std::uint32_t nsid, Seq from) {
  return find_change(scene.s.controllers[controller], nsid, from) != nullptr;
}

void end_cause(const Scene& scene, std::uint16_t controller, std::uint32_t nsid, Seq from, Cause cause,
               bool own_delete) {
  Controller& c = scene.s.controllers[controller];
  if (!own_delete) {
    --c.cause_pending;
    if (cause != Cause::none) c.cause_until = scene.now;
  }
  Changed* change = find_change(c, nsid, from);
  if (change == nullptr) return;
  if (cause == Cause::none && c.cause_pending == 0 && c.cause_until < c.cause_from) c.cause_from = 0;
  if (cause == Cause::none) {
    c.changed.erase(c.changed.begin() + (change - c.changed.data()));
    return;
  }
  change->until = scene.now;
  // The sender of a delete sends no event for it; whether its log names the namespace is not laid down.
  // Before a reset that happened meanwhile, it is forgotten.
  const bool after_reset = from >= c.reset_until;
  change->sure = cause == Cause::sure && !own_delete && c.initial_known && !change->shown && after_reset;
  const bool flipped = cause == Cause::sure && !own_delete && c.initial_known && after_reset;
  const bool sure = change->sure;
  // One finished entry for each namespace: a host that never reads its log must not fill memory.
  const auto older = std::find_if(c.changed.begin(), c.changed.end(), [&](const Changed& row) {
    return row.nsid == nsid && row.from != from && row.until != kNow;
  });
  if (older != c.changed.end()) {
    change->sure = sure || older->sure;
    c.changed.erase(older);
  }
  if (!flipped) return;
  if (c.ns_events.surely_since(false, from)) exercised(scene, Rule::ae04);
  const Reported& last =
      reported_of(c, static_cast<std::uint8_t>(EventType::notice), spec::event_info::ns_attribute_changed);
  if (last.at < from) make_due(scene, c, nsid, from);
}

void request_came(const Scene& scene) {
  Controller& c = scene.c();
  if (!c.due || !c.due_waits) return;
  c.due_waits = false;
  c.due_time = scene.time;
}

void request_gone(const Scene& scene) {
  Controller& c = scene.c();
  if (c.aers.open == 0) c.sanitize_due = 0;
  if (!c.due || c.aers.open != 0) return;
  c.due_waits = c.due_waited = true;
}

void report_event(const Scene& scene, std::uint32_t dword, Seq requested) {
  Controller& c = scene.c();
  const auto type = static_cast<EventType>(dword & 7U);
  const auto info = static_cast<std::uint8_t>(dword >> 8U);
  const auto lid = static_cast<std::uint8_t>(dword >> 16U);
  exercised(scene, Rule::ae05);
  const int expected = log_of(type, info);
  const bool wrong =
      expected == kReserved || (expected >= 0 && expected != lid) || (expected == kNoLog && lid != 0);
  if (wrong) {
    violation(scene, Rule::ae05,
              fmt::format("{}: {} with a log that is not its own", name_of(scene, scene.index),
                          trace::async_event_text(dword)),
              expected >= 0 ? fmt::format("log {:#04x}", expected) : std::string("a defined event"),
              fmt::format("log {:#04x}", lid));
  }
  const Reported last = reported_of(c, static_cast<std::uint8_t>(type), info);
  const Seq last_report = last.at;
  LogReads* reads = reads_of(c, expected);
  const bool lasts = type != EventType::immediate && type != EventType::one_shot;
  if (lasts && reads != nullptr && last_report != 0) {
    exercised(scene, Rule::ae02);
    const bool kept = reads->kept_until > last_report;
    if (kept) exercised(scene, Rule::ae03);
    // Of two entries on their way the later event's may come first: the log was read between them.
    const bool overtaken = requested < reads->cleared_until;
    // The entry of the one before may itself have been on its way while the log was read.
    const bool read_on_the_way = last.requested < reads->cleared_until && last.cause < reads->cleared_until;
    if (reads->open_clearing == 0 && reads->cleared_until < last_report && !overtaken && !read_on_the_way) {
      violation(scene, kept ? Rule::ae03 : Rule::ae02,
                fmt::format("{}: {} again", name_of(scene, scene.index), trace::async_event_text(dword)),
                "not before its log was read with RAE 0", "the same event",
                {last_report, kept ? reads->kept_until : 0});
    }
  }
  if (type == EventType::error) judge_doorbell_event(scene, info);
  if (type == EventType::notice && info == spec::event_info::ns_attribute_changed)
    judge_namespace_event(scene, last_report, requested);
  if (type == EventType::notice && info == spec::event_info::firmware_activation) {
    judge_firmware_event(scene);
    c.due = false;  // its type is masked until log 03h is read
  }
  if (type == EventType::io_set && info != 0) judge_sanitize_event(scene, info, requested);
  Reported& row = reported_of(c, static_cast<std::uint8_t>(type), info);
  row.at = scene.now;
  row.requested = requested;
  const bool of_namespaces = type == EventType::notice && info == spec::event_info::ns_attribute_changed;
  row.cause = of_namespaces ? c.cause_from : 0;
}

void doubt_events(const Scene& scene) {
  Controller& c = scene.c();
  c.due = false;
  c.cause_unknown = true;
  const auto notice = static_cast<std::uint8_t>(EventType::notice);
  reported_of(c, notice, spec::event_info::ns_attribute_changed).at = scene.now;
}

void on_async_event(const Scene& scene) { report_event(scene, static_cast<std::uint32_t>(scene.event.c), 0); }

void reset_events(const Scene& scene) {
  Controller& c = scene.c();
  c.reported.clear();
  c.bad_doorbells = {};
  c.due = false;
  // What happened while the reset was under way may have come behind the moment at which it discards events.
  const bool meanwhile = c.cause_until > c.reset_from;
  if (!meanwhile) {
    if (c.cause_until != 0) c.old_cause = c.cause_until;
    c.cause_until = 0;
  }
  c.read_cause = c.read_cause_until = 0;
  c.cause_from = c.cause_pending != 0 || meanwhile ? c.cause_from : 0;
  c.cause_unknown = false;
  // Whether the log of changed namespaces survives is not laid down.
  for (auto& change : c.changed) change.sure = false;
  c.log04 = {};
  c.log01 = {};
  c.log02 = {};
  c.log03 = {};
  c.more_set.clear();
}

void finish_events(const Scene& scene) {
  Controller& c = scene.c();
  finish_sanitize(scene);
  const std::uint32_t held = requests_held(scene);
  // A refusal waits for room in the queue.
  const CompletionQueue* admin = c.cqs.find(0);
  const bool room = admin != nullptr && admin->known && !admin->full && !admin->head_doubtful;
  if (room && c.announced.known && held > c.announced.aerl + 1U && c.power == Power::ready &&
      !c.shutdown_asked && !may_have_stopped(c, scene.time)) {
    const Command* last = nullptr;
    for (const Command& command : c.commands) {
      const bool request = command.open && command.sqid == 0 && command.entry.opcode == 0x0C;
      if (request && (last == nullptr || last->submitted < command.submitted)) last = &command;
    }
    if (last != nullptr && scene.time - last->time > scene.options.command_bound) {
      violation(scene, Rule::ae01,
                fmt::format("{} holds more event requests than it may", name_of(scene, scene.index)),
                fmt::format("{} and aer_limit_exceeded for others", c.announced.aerl + 1U),
                fmt::format("{}", held), {last->submitted});
    }
  }
  if (!c.due || c.due_waits || held == 0 || c.power != Power::ready || c.shutdown_asked ||
      may_have_stopped(c, scene.time) || admin_frozen(c))
    return;
  if (scene.time < c.due_time || scene.time - c.due_time <= scene.options.event_bound) return;
  // That a controller keeps an event until a request comes is a recommendation.
  if (c.due_waited && !scene.s.simulator) return;
  const Rule rule = peer_cleared(scene, c.due_seq) ? Rule::ae21 : c.due_waited ? Rule::ae06 : Rule::ae08;
  exercised(scene, rule);
  violation(scene, rule,
            fmt::format("{} never reported that namespace {} came or went", name_of(scene, scene.index),
                        c.due_nsid),
            "a namespace event (notice 00h, log 04h)", "none", {c.due_seq});
}

}  // namespace polypath::model
