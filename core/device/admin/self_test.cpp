// Device Self-test, of one controller at a time (DSTO bit 0 is 0). Base specification, "Device Self-test
// command" and "Device Self-test log page"; sheet 04, section 7.
#include <algorithm>

#include "device/act.h"
#include "spec/identify.h"

namespace polypath::device {
namespace {

namespace test = spec::self_test;

}  // namespace

void end_self_test(Act& act, std::uint32_t controller, std::uint8_t result) {
  Controller& c = act.controller(controller);
  if (c.self_test == test::none) return;
  act.world.engine.cancel(c.self_test_end);
  if (result == test::passed || !act.broken_by(Fault::self_test_leaves_no_result)) {
    c.self_tests.insert(c.self_tests.begin(), static_cast<std::uint8_t>(c.self_test << 4U | result));
    if (c.self_tests.size() > test::results) c.self_tests.pop_back();
  }
  c.self_test = test::none;
  c.self_test_nsid = 0;
  c.self_test_from = 0;
  c.self_test_end = {};
}

void disturb_self_tests(Act& act, std::uint32_t ns_index, std::uint8_t result) {
  const Namespace& ns = act.device.namespaces[ns_index];
  for (const std::uint32_t controller : act.device.subsystems[ns.subsystem].controllers) {
    const Controller& c = act.controller(controller);
    const bool all = c.self_test_nsid == spec::kBroadcastNsid && attached(c, ns.nsid) >= 0;
    if (all || c.self_test_nsid == ns.nsid) end_self_test(act, controller, result);
  }
}

std::vector<std::byte> self_test_log(const Act& act, std::uint32_t controller) {
  const Controller& c = act.controller(controller);
  std::vector<std::byte> log(test::log_bytes);
  log[0] = static_cast<std::byte>(c.self_test);
  if (c.self_test != test::none) {
    const engine::Time done = act.world.engine.now() - c.self_test_from;
    log[1] = static_cast<std::byte>(std::min<engine::Time>(99, done * 100 / self_test_time(c.self_test)));
  }
  for (std::size_t i = 0; i < test::results; ++i) {
    log[test::first + i * test::entry_bytes] =
        static_cast<std::byte>(i < c.self_tests.size() ? c.self_tests[i] : test::unused);
  }
  return log;
}

engine::Time self_test_time(std::uint8_t code) {
  return code == test::extended ? 30 * engine::kSecond : 2 * engine::kSecond;
}

namespace admin {

Outcome self_test(Act& act, std::uint32_t controller, Handle, const spec::SubmissionEntry& entry) {
  Controller& c = act.controller(controller);
  const auto code = static_cast<std::uint8_t>(entry.cdw10 & 0xFU);
  if (code == test::abort) {
    end_self_test(act, controller, test::aborted_by_command);
    return spec::Status::success;
  }
  if (code != test::brief && code != test::extended) return spec::Status::invalid_field;
  if (entry.nsid != 0) {
    const NsidClass kind = classify(act, controller, entry.nsid);
    if (kind == NsidClass::invalid) return spec::Status::invalid_namespace_or_format;
    if (kind != NsidClass::active && kind != NsidClass::broadcast) return spec::Status::invalid_field;
  }
  if (c.self_test != test::none) {
    if (!act.broken_by(Fault::self_test_restarts)) return spec::Status::self_test_in_progress;
    act.world.engine.cancel(c.self_test_end);
  }
  c.self_test = code;
  c.self_test_nsid = entry.nsid;
  c.self_test_from = act.world.engine.now();
  c.self_test_end =
      act.world.engine.schedule_cancellable(c.self_test_from + self_test_time(code),
                                            static_cast<std::uint16_t>(What::self_test_done), controller, 0);
  return spec::Status::success;
}

}  // namespace admin
}  // namespace polypath::device
