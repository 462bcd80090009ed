#include "model/reset.h"

#include "model/commands.h"
#include "model/events.h"
#include "model/features.h"
#include "model/firmware.h"
#include "model/io.h"
#include "model/keep_alive.h"
#include "model/queues.h"
#include "model/sanitize.h"
#include "model/self_test.h"
#include "model/telemetry.h"
#include "model/zones.h"

namespace polypath::model {

void count_peers(const Scene& scene) {
  for (const auto other : scene.s.subsystems[scene.c().subsystem].controllers) {
    if (other != scene.index && scene.s.controllers[other].power == Power::ready) exercised(scene, Rule::r06);
  }
}

void begin_reset(const Scene& scene) {
  finish_commands(scene);  // a reset is no excuse for what was overdue before it
  zones_after_shutdown(scene, false);
  Controller& c = scene.c();
  c.reset_from = scene.now;
  c.reset_until = kNow;
  c.power = Power::disabling;
  c.disabled_at = scene.time;
  c.rdy_low = false;
  c.undefined = false;
  c.admin_kept = true;
  c.shst_may_clear = true;
  c.shutdown_complete = false;
  c.late = false;
  c.fatal = false;
  c.admin_lost = false;
  count_peers(scene);
  begin_reset_firmware(scene);
}

void lose_function(const Scene& scene) {
  begin_reset(scene);
  lose_commands(scene);
  Controller& c = scene.c();
  c.cc = 0;
  c.cc_written = false;
  c.aqa = 0;
  c.asq = c.acq = 0;
  c.admin_known = true;
  c.admin_kept = false;
  c.admin_lost = true;
  for (auto& vector : c.vectors) vector.masked = false;  // the MSI-X table goes as well
}

void lose_commands(const Scene& scene) {
  Controller& c = scene.c();
  for (std::uint32_t i = 0; i < c.commands.size(); ++i) {
    if (c.commands[i].open) drop_command(scene, i, true);
  }
  close_queues(scene);
}

void end_reset(const Scene& scene) {
  Controller& c = scene.c();
  exercised(scene, Rule::r04);
  exercised(scene, Rule::r10);
  ++scene.s.resets;
  for (std::uint32_t i = 0; i < c.commands.size(); ++i) {
    if (c.commands[i].open) drop_command(scene, i, false);
  }
  settle_limbo(scene);
  close_queues(scene);
  reset_events(scene);
  reset_features(scene);
  reset_keep_alive(scene);
  reset_self_test(scene);
  reset_sanitize(scene);
  reset_firmware(scene);
  reset_telemetry(scene);
  c.reset_until = scene.now;
  c.io_queue_created = 0;
  c.io_queue_maybe = false;
  c.queue_count_known = false;
  c.intm = 0;
  c.initial_known = true;
}

void forget_controller(const Scene& scene) {
  Controller& c = scene.c();
  c.undefined = true;
  c.initial_known = false;
  c.power = Power::unknown;
  c.rdy_low = false;
  c.cause_unknown = true;
  c.nssro = Controller::Nssro::unknown;
  c.cc_tampered = true;
  c.io_queue_maybe = true;
  c.acre.forget();
  if (c.keep_alive.least != 0 || c.keep_alive.open != 0) c.keep_alive.known = false;
  c.self_test.known = false;
  for (auto& sq : c.sqs) {
    sq.exists = Fact();
    sq.known = false;
  }
  for (auto& cq : c.cqs) {
    cq.exists = Fact();
    cq.known = false;
  }
}

void doubt_subsystem(const Scene& scene) {
  for (const auto other : scene.s.subsystems[scene.c().subsystem].controllers) {
    Scene there{scene.trace, scene.s, scene.options, scene.event, scene.now, scene.time, other, scene.at_end};
    Controller& c = there.c();
    for (std::uint32_t i = 0; i < c.commands.size(); ++i) {
      if (c.commands[i].open) drop_command(there, i, true);
    }
    forget_controller(there);
  }
  close_all_zones(scene, false);
}

void reset_subsystem(const Scene& scene) {
  // One that activates an image does not say so.
  const auto& announced = scene.c().announced;
  const Firmware& firmware = scene.s.subsystems[scene.c().subsystem].firmware;
  const bool images = !announced.known || (announced.oacs & spec::oacs::firmware) != 0;
  const bool activates = images && (firmware.next != 0 || firmware.open != 0 || firmware.resetting != 0xFFFF);
  for (const auto other : scene.s.subsystems[scene.c().subsystem].controllers) {
    Scene there{scene.trace, scene.s, scene.options, scene.event, scene.now, scene.time, other, scene.at_end};
    lose_function(there);
    there.c().nssro = activates ? Controller::Nssro::unknown : Controller::Nssro::set;
    there.c().nssro_from = there.c().reset_from;
  }
  close_all_zones(scene, true);
}

}  // namespace polypath::model
