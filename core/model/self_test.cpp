#include "model/self_test.h"

#include <fmt/format.h>

#include "model/admin.h"
#include "model/format.h"
#include "model/namespaces.h"
#include "spec/log_feature_event.h"

namespace polypath::model {
namespace {

namespace test = spec::self_test;
using spec::Status;

constexpr std::uint32_t bit(std::uint8_t result) { return 1U << result; }
/// How a test may end that nobody ended: passed, failed, or its namespaces were deleted or formatted, or
/// sanitized.
constexpr std::uint32_t kByItself = bit(0) | bit(3) | bit(4) | bit(5) | bit(6) | bit(7) | bit(8) | bit(9);

std::uint8_t code_of(const Command& command) { return static_cast<std::uint8_t>(command.entry.cdw10 & 0xFU); }

/// One test for the whole subsystem, or nobody said: other controllers change it.
bool shared(const Controller& c) { return !c.announced.known || (c.announced.dsto & 1U) != 0; }

/// The test in progress has ended, if it had not before: the log's newest entry tells.
void end_test(const Scene& scene, SelfTest& now, std::uint32_t results) {
  now.ended_known = now.known && now.code != test::none;
  now.ended_code = now.code;
  now.ended_results = results;
  now.code = test::none;
  now.changed = scene.now;
}

void doubt(const Scene& scene, SelfTest& now) {
  now.known = false;
  now.ended_known = false;
  now.changed = scene.now;
}

}  // namespace

void begin_self_test(const Scene& scene, const Command&) { ++scene.c().self_test.open; }

void end_self_test(const Scene& scene, const Command& command, End end) {
  SelfTest& now = scene.c().self_test;
  const bool alone = --now.open == 0 && now.changed <= command.submitted;
  if (end == End::refused) return;
  const std::uint8_t code = code_of(command);
  if (end == End::dropped || !alone || !now.known) {
    const bool ends = end == End::applied && alone && code == test::abort;
    doubt(scene, now);
    now.known = ends;
    if (ends) now.code = test::none;
    return;
  }
  if (code == test::abort) {
    if (now.code != test::none) end_test(scene, now, kByItself | bit(test::aborted_by_command));
    return;
  }
  if (now.code != test::none) end_test(scene, now, kByItself);  // it could not have been started otherwise
  now.code = code;
  now.nsid = command.entry.nsid;
  now.percent = 0;
  now.changed = scene.now;
}

void end_tests_of(const Scene& scene, const Namespace& ns, Seq since) {
  for (const auto other : scene.s.subsystems[ns.subsystem].controllers) {
    SelfTest& now = scene.s.controllers[other].self_test;
    if (!now.known || now.code == test::none || now.nsid == 0) continue;
    const bool all = now.nsid == spec::kBroadcastNsid;
    if (!all && now.nsid != ns.nsid) continue;
    // A reset that goes on may have ended it before.
    const bool resetting = scene.s.controllers[other].power != Power::ready;
    if (all || resetting || now.open != 0 || now.changed >= since) {
      doubt(scene, now);
    } else {
      end_test(scene, now, kByItself);
    }
  }
}

void end_all_tests(const Scene& scene, Seq since) {
  for (const auto other : scene.s.subsystems[scene.c().subsystem].controllers) {
    SelfTest& now = scene.s.controllers[other].self_test;
    if (!now.known || now.code == test::none) continue;
    const bool resetting = scene.s.controllers[other].power != Power::ready;
    if (resetting || now.open != 0 || now.changed >= since) {
      doubt(scene, now);
    } else {
      end_test(scene, now, kByItself);
    }
  }
}

void reset_self_test(const Scene& scene) {
  SelfTest& now = scene.c().self_test;
  now.open = 0;
  if (now.known && now.code == test::brief) end_test(scene, now, kByItself | bit(test::aborted_by_reset));
}

void check_self_test_log(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  SelfTest& now = scene.c().self_test;
  const bool whole =
      command.entry.cdw12 == 0 && command.entry.cdw13 == 0 && data.size() >= test::first + test::entry_bytes;
  if (!whole || now.open != 0 || now.changed > command.submitted || shared(scene.c())) return;
  const auto code = static_cast<std::uint8_t>(std::to_integer<unsigned>(data[0]) & 0xFU);
  const auto newest = std::to_integer<unsigned>(data[test::first]);
  const auto say = [&](std::string what, std::string allowed, std::string seen) {
    violation(scene, Rule::dst01, fmt::format("{}: {}", text_of(scene, command), what), std::move(allowed),
              std::move(seen), {now.changed, command.submitted});
  };
  if (!now.known) {
    now.known = true;
    now.code = code;
    now.nsid = 0;
    now.percent = 0;
    now.changed = scene.now;
    return;
  }
  exercised(scene, Rule::dst01);
  if (code != test::none && code != now.code) {
    say("a self-test in progress that is not",
        now.code == test::none ? std::string("none") : fmt::format("test {}", now.code),
        fmt::format("test {}", code));
    doubt(scene, now);
    return;
  }
  if (code == test::none && now.code != test::none) {
    end_test(scene, now, kByItself);
    now.changed = command.submitted;  // by itself, at some time before
  }
  if (code != test::none) {
    const auto percent = static_cast<std::uint8_t>(std::to_integer<unsigned>(data[1]) & 0x7FU);
    if (percent < now.percent || percent > 100) {
      say("the progress of the self-test went back", fmt::format("{} % to 100 %", now.percent),
          fmt::format("{} %", percent));
    }
    now.percent = percent;
  }
  if (!now.ended_known) return;
  const bool told = newest >> 4U == now.ended_code && (now.ended_results >> (newest & 0xFU) & 1U) != 0;
  if (!told) {
    say("the log does not tell how a self-test ended",
        fmt::format("an entry of test {} with one of the results {:#x}", now.ended_code, now.ended_results),
        fmt::format("{:#04x}", newest));
  }
  now.ended_known = false;
}

void allow_self_test(const Scene& scene, const Command& command, Allowed& allowed) {
  const Controller& c = scene.c();
  const auto& announced = c.announced;
  const SelfTest& now = c.self_test;
  const std::uint8_t code = code_of(command);
  const std::uint32_t nsid = command.entry.nsid;
  if (command.no_tail) {
    allowed.anything();
    return;
  }
  allow_during_format(scene, command, allowed);
  const bool starts = code == test::brief || code == test::extended;
  const bool optional = code == 3 || code == 0xE;  // host refresh, the vendor's
  if (!starts && !optional && code != test::abort) allowed.must(Rule::q33, {Status::invalid_field});
  if (optional) allowed.may(Status::invalid_field);
  if (command.entry.cdw10 >> 4U != 0) allowed.may(Status::invalid_field);
  const bool in_progress =
      !now.known || now.code != test::none || now.open > 1 || now.changed >= command.submitted || shared(c);
  if (in_progress && (starts || optional)) allowed.may(Status::self_test_in_progress);
  if (nsid == 0 || nsid == spec::kBroadcastNsid) return;
  if (code == test::abort || !announced.known) {
    allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});
    return;
  }
  if (nsid > announced.nn) {
    allowed.must(Rule::ns10, {Status::invalid_namespace_or_format});
    return;
  }
  const auto& subsystem = scene.s.subsystems[c.subsystem];
  const std::uint32_t index = find_namespace(scene.s, c.subsystem, nsid);
  bool active =
      !subsystem.complete || subsystem.creates_open != 0 || subsystem.create_until >= command.submitted;
  bool inactive = true;
  if (index != kNone) {
    active = may_be_active(scene.s.namespaces[index], scene.index, command.submitted);
    inactive = may_be_inactive(scene.s.namespaces[index], scene.index, command.submitted);
  }
  if (!active) {
    allowed.must(Rule::ns10, {Status::invalid_field, Status::invalid_namespace_or_format});
  } else if (inactive) {
    allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});
  }
}

}  // namespace polypath::model
