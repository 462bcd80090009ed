// Sanitize and its log: one operation of the whole subsystem, in virtual time. Base specification, "Sanitize
// command" and "Sanitize Operations"; sheet 04, section 7.
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "device/act.h"
#include "spec/identify.h"

namespace polypath::device {
namespace {

namespace san = spec::sanitize;
using spec::LogId;
using spec::Status;

constexpr std::uint8_t kFlush = 0x00, kSanitize = 0x84;

bool processing(const Sanitize& s) {
  return s.state == san::State::restricted_processing || s.state == san::State::unrestricted_processing;
}

// The Admin commands that a sanitize leaves alone; of these, what has a log or a feature in it.
bool spared(const spec::SubmissionEntry& entry) {
  switch (entry.opcode) {
    case 0x00:  // queues
    case 0x01:
    case 0x04:
    case 0x05:
    case 0x06:  // Identify
    case 0x08:  // Abort
    case 0x0A:
    case 0x0C:  // Asynchronous Event Request
    case 0x18:  // Keep Alive
      return true;
    case 0x09:
      return (entry.cdw10 & 0xFFU) != static_cast<std::uint32_t>(spec::FeatureId::write_protection);
    case 0x02:
      switch (static_cast<LogId>(entry.cdw10 & 0xFFU)) {
        case LogId::error_information:
        case LogId::smart:
        case LogId::changed_ns:
        case LogId::ana:
        case LogId::sanitize:
          return true;
        default:
          return false;
      }
    default:
      return false;
  }
}

engine::Time typical_time(std::uint32_t cdw10) {
  switch (san::action(cdw10)) {
    case san::overwrite:
      return san::passes(cdw10) * engine::kSecond;
    case san::block_erase:
      return 2 * engine::kSecond;
    default:
      return engine::kSecond;
  }
}

// What was fetched and may not run any more is told so now, in the order of the table.
void end_commands(Act& act, std::uint32_t subsystem, Handle own) {
  for (std::uint32_t k = 0; k < act.device.commands.end_index(); ++k) {
    const Handle command = act.device.commands.handle_at(k);
    const Command* row = act.device.commands.get(command);
    if (row == nullptr || row->phase != Phase::waiting || command == own) continue;
    if (act.controller(row->controller).subsystem != subsystem) continue;
    const std::uint16_t qid = act.device.sqs.get(row->sq)->qid;
    const auto* known = spec::find_command(spec::set_of_queue(qid), row->entry.opcode);
    if (known == nullptr || !announces(act.profile(), *known)) continue;
    const Status refused = sanitize_refuses(act, row->controller, qid, row->entry);
    if (refused == Status::success) continue;
    finish_waiting(act, command, refused);
  }
}

void erase(Act& act, std::uint32_t index) {
  Namespace& ns = act.device.namespaces[index];
  if (ns.zoned()) make_zones(ns, Zones(ns.zones));  // sheet 05b: every zone is Empty
  const std::uint32_t media = ns.media;
  act.device.media[media].erase();
  if (media < act.device.old_media.size()) act.device.old_media[media].erase();
}

void begin(Act& act, std::uint32_t controller, Handle command, std::uint32_t cdw10) {
  const std::uint32_t index = act.controller(controller).subsystem;
  Subsystem& subsystem = act.device.subsystems[index];
  Sanitize& s = subsystem.sanitize;
  s.state = (cdw10 & san::unrestricted) != 0 ? san::State::unrestricted_processing
                                             : san::State::restricted_processing;
  s.outcome = san::Outcome::in_progress;
  s.erased = false;
  s.cdw10 = cdw10;
  s.controller = controller;
  s.from = act.world.engine.now();
  constexpr std::uint64_t kEnds = 4;
  s.fails = act.world.engine.decide(site::sanitize_failure, kEnds) == kEnds - 1;
  const engine::Time typical = typical_time(cdw10);
  s.length = act.world.engine.duration(site::sanitize_time, typical, 4 * typical);
  if (!act.broken_by(Fault::sanitize_never_ends)) {
    s.end = act.world.engine.schedule_cancellable(s.from + s.length,
                                                  static_cast<std::uint16_t>(What::sanitize_done), index, 0);
  }
  for (const std::uint32_t peer : subsystem.controllers) {
    std::erase_if(act.controller(peer).events,
                  [](const PendingEvent& e) { return e.log == LogId::sanitize; });
    end_self_test(act, peer, spec::self_test::aborted_by_sanitize);
  }
  end_commands(act, index, command);
}

}  // namespace

Status sanitize_refuses(const Act& act, std::uint32_t controller, std::uint16_t qid,
                        const spec::SubmissionEntry& entry) {
  const Sanitize& s = act.device.subsystems[act.controller(controller).subsystem].sanitize;
  if (s.state == san::State::idle) return Status::success;
  const bool runs = processing(s);
  if (qid == 0 ? spared(entry) || (!runs && entry.opcode == kSanitize) : entry.opcode == kFlush)
    return Status::success;
  if (qid != 0 && runs && controller != s.controller && act.broken_by(Fault::sanitize_spares_peers))
    return Status::success;
  return runs ? Status::sanitize_in_progress : Status::sanitize_failed;
}

void end_sanitize(Act& act, std::uint32_t index) {
  Subsystem& subsystem = act.device.subsystems[index];
  Sanitize& s = subsystem.sanitize;
  const Controller& taker = act.controller(s.controller);
  bool first = true;
  for (const std::uint32_t row : subsystem.ns_of_nsid) {
    if (row == 0) continue;
    // One that fails got as far as the first namespace.
    const bool reached = !s.fails || std::exchange(first, false);
    if (!reached) continue;
    const bool foreign = attached(taker, act.device.namespaces[row - 1].nsid) < 0;
    if (foreign && act.broken_by(Fault::sanitize_spares_unattached)) continue;
    erase(act, row - 1);
  }
  const bool restricted = s.state == san::State::restricted_processing;
  if (s.fails) {
    s.state = restricted ? san::State::restricted_failure : san::State::unrestricted_failure;
    s.outcome = san::Outcome::failed;
  } else {
    s.state = san::State::idle;
    s.outcome = (s.cdw10 & san::no_deallocate) != 0 ? san::Outcome::deallocated : san::Outcome::done;
    s.erased = true;
  }
  const std::uint8_t info = s.outcome == san::Outcome::deallocated ? spec::event_info::sanitize_deallocated
                                                                   : spec::event_info::sanitize_completed;
  if (act.broken_by(Fault::sanitize_event_missing)) return;
  for (const std::uint32_t peer : subsystem.controllers) {
    if (peer != s.controller && !act.broken_by(Fault::sanitize_event_everywhere)) continue;
    raise_event(act, peer, spec::EventType::io_set, info, LogId::sanitize);
  }
}

std::vector<std::byte> sanitize_log(const Act& act, std::uint32_t controller) {
  const Sanitize& s = act.device.subsystems[act.controller(controller).subsystem].sanitize;
  std::vector<std::byte> log(san::log_bytes);
  const auto put = [&](std::size_t offset, auto value) {
    std::memcpy(log.data() + offset, &value, sizeof value);
  };
  std::uint64_t done = s.length;
  if (processing(s)) done = std::min(act.world.engine.now() - s.from, s.length);
  constexpr std::uint64_t kParts = 65536;
  const std::uint64_t progress =
      processing(s) ? std::min<std::uint64_t>(done * kParts / s.length, kParts - 2) : san::no_progress;
  std::uint64_t passes = 0;
  if (san::action(s.cdw10) == san::overwrite && s.outcome != san::Outcome::failed)
    passes = done * san::passes(s.cdw10) / s.length;
  put(0, static_cast<std::uint16_t>(progress));
  put(2, static_cast<std::uint16_t>(static_cast<unsigned>(s.outcome) | passes << 3U |
                                    (s.erased ? 1U << 8U : 0U)));
  put(4, s.cdw10);
  // Estimates in seconds: overwrite of 16 passes, block erase, crypto erase; the same without deallocation.
  constexpr std::array<std::uint32_t, 3> kEstimates{16, 2, 1};
  for (std::size_t i = 0; i < kEstimates.size(); ++i) {
    put(8 + 4 * i, kEstimates[i]);
    put(20 + 4 * i, kEstimates[i]);
  }
  unsigned state = static_cast<unsigned>(s.state);
  if (s.state == san::State::restricted_failure || s.state == san::State::unrestricted_failure)
    state |= (state - 1) << 4U;  // it failed while it was being processed
  put(36, static_cast<std::uint8_t>(state));
  return log;
}

namespace admin {

Outcome sanitize(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry) {
  Sanitize& s = act.device.subsystems[act.controller(controller).subsystem].sanitize;
  const std::uint32_t sanicap = act.profile().controller.sanicap, cdw10 = entry.cdw10;
  const bool restricted_failure =
      s.state == san::State::restricted_failure && !act.broken_by(Fault::sanitize_failure_forgotten);
  std::uint32_t needs = 0;
  switch (san::action(cdw10)) {
    case san::exit_failure:
      if (restricted_failure) return Status::sanitize_failed;
      s.state = san::State::idle;
      return Status::success;
    case san::block_erase:
      needs = san::can_block;
      break;
    case san::overwrite:
      needs = san::can_overwrite;
      break;
    case san::crypto_erase:
      needs = san::can_crypto;
      break;
    default:
      return Status::invalid_field;  // media verification is not announced
  }
  if ((sanicap & needs) == 0 || (cdw10 & san::verification) != 0) return Status::invalid_field;
  const bool inhibited = (sanicap & san::inhibits_no_deallocate) != 0;
  if ((cdw10 & san::no_deallocate) != 0 && inhibited && !s.allow_deallocate) return Status::invalid_field;
  if (restricted_failure && (cdw10 & san::unrestricted) != 0) return Status::sanitize_failed;
  for (const std::uint32_t row : act.device.subsystems[act.controller(controller).subsystem].ns_of_nsid) {
    if (row != 0 && write_protected(act, row - 1, controller)) return Status::namespace_write_protected;
  }
  const Status pending = activation_pending(act, controller);
  if (pending != Status::success) return pending;
  begin(act, controller, command, cdw10);
  return Status::success;
}

}  // namespace admin
}  // namespace polypath::device
