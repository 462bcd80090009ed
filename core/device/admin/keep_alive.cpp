// Keep Alive: the timer of one controller. Base specification, "Keep Alive"; sheet 07, section 3.
#include "device/act.h"
#include "spec/registers.h"

namespace polypath::device {
namespace {

bool runs(const Controller& c) {
  return c.features.keep_alive_ms != 0 && spec::cc::en.get(c.cc) != 0 && spec::csts::rdy.get(c.csts) != 0 &&
         spec::cc::shn.get(c.cc) == 0 && spec::csts::shst.get(c.csts) == 0 &&
         spec::csts::cfs.get(c.csts) == 0;
}

}  // namespace

void stop_keep_alive(Act& act, std::uint32_t controller) {
  Controller& c = act.controller(controller);
  act.world.engine.cancel(c.keep_alive);
  c.keep_alive = {};
}

void restart_keep_alive(Act& act, std::uint32_t controller) {
  stop_keep_alive(act, controller);
  Controller& c = act.controller(controller);
  if (!runs(c)) return;
  const engine::Time end = act.world.engine.now() + c.features.keep_alive_ms * engine::kMillisecond;
  c.keep_alive = act.world.engine.schedule_cancellable(end, static_cast<std::uint16_t>(What::keep_alive),
                                                       controller, c.resets);
}

void keep_alive_expired(Act& act, std::uint32_t controller) {
  if (act.broken_by(Fault::keep_alive_never_expires)) return;
  log_error(act, controller, 0xFFFF, 0xFFFF, nullptr, spec::Status::keep_alive_expired, Outcome{});
  fail(act.device, act.world, controller);
}

namespace admin {

// The timer begins again when the completion entry is there: see queues.cpp.
Outcome keep_alive(Act&, std::uint32_t, Handle, const spec::SubmissionEntry&) {
  return spec::Status::success;
}

}  // namespace admin
}  // namespace polypath::device
