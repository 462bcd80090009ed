#include "model/applications.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/io.h"
#include "model/namespaces.h"
#include "model/protection.h"
#include "model/sanitize.h"
#include "spec/commands.h"
#include "trace/text.h"

namespace polypath::model {
namespace {

using spec::Status;

constexpr std::size_t kEndedKept = 256, kSuspectsKept = 256;
constexpr std::uint8_t kRead = 0x02;

/// Errors that another path would not have given.
bool is_of_path(std::uint16_t linux_status) {
  const Status status = spec::status_of(linux_status);
  switch (status) {
    case Status::invalid_field:
    case Status::invalid_namespace_or_format:
    case Status::abort_requested:
    case Status::aborted_sq_deletion:
    case Status::aborted_power_loss:
    case Status::internal_error:
    case Status::namespace_not_ready:
      return true;
    default:
      return spec::is_path_related(status);
  }
}

/// The command that an error came from: the last failure of the same blocks in the request's time.
const FailedCommand* cause_of(const Scene& scene, const Request& request) {
  const FailedCommand* found = nullptr;
  const Namespace& ns = scene.s.namespaces[request.ns];
  for (const auto& failed : scene.s.failed) {
    const bool same = failed.subsystem == ns.subsystem && failed.nsid == ns.nsid &&
                      failed.opcode == request.opcode && failed.at >= request.from &&
                      failed.slba >= request.slba && failed.slba - request.slba <= request.blocks;
    if (same && (found == nullptr || found->at < failed.at)) found = &failed;
  }
  return found;
}

/// Was this controller able to serve all the time?
bool lived(const Controller& c, Seq from) {
  if (c.reset_from != 0 && c.reset_until >= from) return false;
  if (c.shutdown_asked) return false;
  if ((c.observed & trace::observed::registers) != 0) return c.power == Power::ready && c.ready_from < from;
  return c.life != 0;
}

void hazard(const Scene& scene, const Suspect& suspect, std::uint16_t controller) {
  const Namespace& ns = scene.s.namespaces[suspect.ns];
  Scene there{scene.trace, scene.s,      scene.options, scene.event,
              scene.now,   suspect.time, controller,    scene.at_end};
  violation(there, Rule::haz01,
            fmt::format("request {} to namespace {} failed although {} had it attached all the time",
                        suspect.request, ns.nsid, name_of(scene, controller)),
            fmt::format("success through {}", name_of(scene, controller)),
            fmt::format("errno {}", suspect.errno_value), {suspect.from, suspect.cause, suspect.until});
}

/// Is the controller a path of this host? Where the trace does not say it, all are of the one host there is.
bool is_path_of(const Scene& scene, std::uint16_t controller, std::uint16_t host) {
  const std::uint16_t owner = scene.s.controllers[controller].host;
  const bool one_host = (scene.s.hosts_seen & (scene.s.hosts_seen - 1U)) == 0;
  return owner == host || (owner == trace::kUnknownHost && one_host);
}

/// A controller of the host whose attachment was sure from the submission of the request on; 0xFFFF when
/// there is none.
std::uint16_t good_path(const Scene& scene, std::uint32_t ns, Seq from, std::uint16_t host) {
  const Namespace& there = scene.s.namespaces[ns];
  for (const auto& attached : there.attached) {
    if (!is_path_of(scene, attached.controller, host)) continue;
    const Controller& c = scene.s.controllers[attached.controller];
    if (attached.fact.surely_since(true, from) && there.exists.surely_since(true, from) && lived(c, from))
      return attached.controller;
  }
  return 0xFFFF;
}

/// A host may have no use for blocks with metadata, unless the controller can make and check them all.
bool may_be_useless(const Namespace& ns) {
  constexpr std::uint16_t kTuple = 8;
  const spec::MetadataFormat& format = ns.metadata.format;
  return !metadata_known(ns) || (format.bytes != 0 && (format.type == 0 || format.bytes != kTuple));
}

void judge_error(const Scene& scene, const Request& request) {
  exercised(scene, Rule::haz01);
  if (request.ns == kNone) return;
  const FailedCommand* cause = cause_of(scene, request);
  if (cause == nullptr && may_be_useless(scene.s.namespaces[request.ns])) return;
  if (cause != nullptr && !is_of_path(cause->status)) return;
  const auto& controllers = scene.s.subsystems[scene.s.namespaces[request.ns].subsystem].controllers;
  if (std::none_of(controllers.begin(), controllers.end(),
                   [&](std::uint16_t c) { return is_path_of(scene, c, request.host); })) {
    inconclusive(scene, Rule::haz01);
    return;
  }
  Suspect suspect;
  suspect.ns = request.ns;
  suspect.incarnation = request.incarnation;
  suspect.request = request.id;
  suspect.host = request.host;
  suspect.errno_value = scene.event.b;
  suspect.from = request.from;
  suspect.until = scene.now;
  suspect.cause = cause == nullptr ? 0 : cause->at;
  suspect.time = scene.time;
  const std::uint16_t path = good_path(scene, request.ns, request.from, request.host);
  if (path != 0xFFFF) {
    hazard(scene, suspect, path);
  } else if (scene.s.suspects.size() < kSuspectsKept) {
    scene.s.suspects.push_back(suspect);  // a later command may show that a path was good
  }
}

/// Data of as many bytes as the request's blocks have? The host may have believed in blocks of another size.
bool whole(const Namespace& ns, const Request& request, std::size_t digests) {
  return digests == std::size_t{request.blocks} * (ns.block_bytes / 512);
}

/// What an application is told of a write must be what the blocks can hold.
void judge_write(const Scene& scene, const Request& request) {
  if (request.detail == kNone) return;
  Namespace& ns = scene.s.namespaces[request.ns];
  if (!ns.tracked || ns.incarnation != request.incarnation || may_be_another(ns, request.from)) return;
  const auto& digests = scene.s.details[request.detail].digests;
  if (!whole(ns, request, digests.size())) return;
  check_read(scene, request.ns, request.slba, std::as_bytes(std::span(digests)), request.from,
             fmt::format("write of request {}", request.id), true);
}

}  // namespace

void on_app_submit(const Scene& scene) {
  const auto payload = scene.trace.payload(scene.event);
  if (payload.size() < sizeof(trace::AppRequestPart)) {
    scene.s.damaged = true;
    return;
  }
  const auto part = read_as<trace::AppRequestPart>(payload);
  State& s = scene.s;
  s.hosts_seen |= 1U << std::min<unsigned>(scene.event.queue, 31);
  Request request;
  request.id = scene.event.a;
  request.host = scene.event.queue;
  request.opcode = static_cast<std::uint8_t>(scene.event.b);
  request.slba = scene.event.c;
  request.blocks = part.blocks;
  request.from = scene.now;
  request.time = scene.time;
  if (part.subsystem < s.subsystems.size()) request.ns = find_namespace(s, part.subsystem, part.nsid);
  if (request.ns != kNone) {
    Namespace& ns = s.namespaces[request.ns];
    request.incarnation = ns.incarnation;
    if (ns.tracked) {
      request.readers = ns.readers.begin(scene.now);
      request.reading = true;
    }
    const auto digests = payload.subspan(sizeof(trace::AppRequestPart));
    if (!digests.empty() && digests.size() % 8 == 0) {
      Command holder;  // details are pooled through commands
      auto& kept = edit_detail(scene, holder).digests;
      kept.resize(digests.size() / 8);
      std::memcpy(kept.data(), digests.data(), digests.size());
      request.detail = holder.detail;
    }
  }
  s.requests.push_back(request);
}

void on_app_complete(const Scene& scene) {
  State& s = scene.s;
  exercised(scene, Rule::h03);
  const auto at = std::find_if(s.requests.begin(), s.requests.end(), [&](const Request& request) {
    return request.id == scene.event.a && request.host == scene.event.queue;
  });
  if (at == s.requests.end()) {
    const std::uint64_t key = std::uint64_t{scene.event.queue} << 32U | scene.event.a;
    const bool again =
        std::find(s.ended_requests.begin(), s.ended_requests.end(), key) != s.ended_requests.end();
    violation(scene, Rule::h03,
              fmt::format("request {} {}", scene.event.a, again ? "ended twice" : "ended and never began"),
              "one end for each request", fmt::format("errno {}", scene.event.b));
    return;
  }
  const Request request = *at;
  *at = s.requests.back();
  s.requests.pop_back();
  const std::uint64_t key = std::uint64_t{request.host} << 32U | request.id;
  if (s.ended_requests.size() < kEndedKept) {
    s.ended_requests.push_back(key);
  } else {
    s.ended_requests[s.ended_at++ % kEndedKept] = key;
  }
  Namespace* ns = request.ns == kNone ? nullptr : &s.namespaces[request.ns];
  if (ns != nullptr && request.reading && ns->incarnation == request.incarnation)
    ns->readers.end(request.readers);
  if (scene.event.b != 0) {
    judge_error(scene, request);
  } else if (ns != nullptr && request.opcode == kRead && ns->incarnation == request.incarnation &&
             !may_be_another(*ns, request.from)) {
    const auto digests = scene.trace.payload(scene.event);
    if (!digests.empty() && digests.size() % 8 == 0 && whole(*ns, request, digests.size() / 8)) {
      check_read(scene, request.ns, request.slba, digests, request.from,
                 fmt::format("read of request {}", request.id), true);
    }
  } else if (ns != nullptr) {
    judge_write(scene, request);
  }
  if (request.detail != kNone) s.free_details.push_back(request.detail);
}

void path_was_good(const Scene& scene, std::uint32_t index, std::uint16_t controller) {
  const Namespace& ns = scene.s.namespaces[index];
  const Fact& fact = attachment(ns, controller);
  const Controller& c = scene.s.controllers[controller];
  auto& suspects = scene.s.suspects;
  for (std::size_t i = 0; i < suspects.size();) {
    const Suspect suspect = suspects[i];
    // Attached now, and nothing could have attached it since the request began: it was attached all the time.
    const bool good = is_path_of(scene, controller, suspect.host) && suspect.ns == index &&
                      suspect.incarnation == ns.incarnation && fact.surely(true) &&
                      fact.last_change(true) < suspect.from && lived(c, suspect.from);
    if (!good) {
      ++i;
      continue;
    }
    hazard(scene, suspect, controller);
    suspects.erase(suspects.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void finish_applications(const Scene& scene) {
  for (const Request& request : scene.s.requests) {
    if (request.ns == kNone || scene.time < request.time ||
        scene.time - request.time <= scene.options.request_bound)
      continue;
    const std::uint16_t path = good_path(scene, request.ns, request.from, request.host);
    if (path == 0xFFFF) continue;  // without a path a request may wait
    // Nobody tells the host of a new namespace, or a new size of blocks, where these events are off: it waits
    // for the paths to agree.
    if (may_be_sanitized(scene.s.subsystems[scene.s.namespaces[request.ns].subsystem].sanitize, request.from))
      continue;
    const Namespace& ns = scene.s.namespaces[request.ns];
    const Seq changed = std::max(ns.formatted_until, ns.born);
    const auto& controllers = scene.s.subsystems[ns.subsystem].controllers;
    const bool told = std::all_of(controllers.begin(), controllers.end(), [&](std::uint16_t controller) {
      return scene.s.controllers[controller].ns_events.surely_since(true, changed);
    });
    if (changed != 0 && !told) continue;
    // A path that still shows the former size keeps the others from being used until they are looked at
    // again; when it goes, nobody looks (Linux: READY of siblings).
    const bool lost = std::any_of(controllers.begin(), controllers.end(), [&](std::uint16_t controller) {
      const Controller& c = scene.s.controllers[controller];
      const bool gone = std::max(c.reset_from, c.shutdown_from) > changed ||
                        !attachment(ns, controller).surely_since(true, changed);
      return gone && is_path_of(scene, controller, request.host);
    });
    if (changed != 0 && lost) continue;
    violation(scene, Rule::h03, fmt::format("request {} never ended", request.id),
              fmt::format("an end, as {} could serve it", name_of(scene, path)),
              fmt::format("none {}", since_text(scene, request.time)), {request.from});
  }
}

}  // namespace polypath::model
