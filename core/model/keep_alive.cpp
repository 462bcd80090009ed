#include "model/keep_alive.h"

#include <fmt/format.h>

#include "model/admin.h"
#include "spec/log_feature_event.h"

namespace polypath::model {
namespace {

constexpr Time kUnbounded = engine::kForever;

bool sets(const Command& command) { return command.entry.opcode == opcode::set_features; }

std::string seconds(Time time) { return fmt::format("{} ms", time / engine::kMillisecond); }

}  // namespace

bool keeps_alive(const Command& command) {
  if (command.entry.opcode == opcode::keep_alive) return true;
  return sets(command) && (command.entry.cdw10 & 0xFFU) == static_cast<unsigned>(spec::FeatureId::keep_alive);
}

std::uint32_t rounded_keep_alive(const Scene& scene, std::uint32_t kato) {
  // Other controllers may raise it to a minimum of their own.
  const std::uint32_t unit = scene.c().announced.kas * 100U;
  if (kato == 0) return 0;
  if (unit == 0 || !scene.s.simulator || kato > 0xFFFFFFFFU - unit) return 0;
  return (kato + unit - 1) / unit * unit;
}

void begin_keep_alive(const Scene& scene, const Command& command) {
  if (sets(command)) ++scene.c().keep_alive.open;
}

void end_keep_alive(const Scene& scene, const Command& command, End end) {
  KeepAlive& timer = scene.c().keep_alive;
  const bool alone = !sets(command) || --timer.open == 0;
  if (end == End::refused) return;
  if (end == End::dropped) {
    timer.known = false;
    return;
  }
  if (sets(command)) {
    timer.known = alone && timer.set_at < command.submitted && !command.no_tail;
    timer.set_at = scene.now;
    const std::uint32_t kato = command.entry.cdw11;
    const std::uint32_t exact = rounded_keep_alive(scene, kato);
    timer.least = std::max(kato, exact) * engine::kMillisecond;
    timer.most = kato == 0 || exact != 0 ? timer.least : kUnbounded;
  }
  timer.started_from = command.time;
  timer.started_until = scene.time;
  timer.restart = scene.now;
}

void learn_keep_alive(const Scene& scene, std::uint32_t milliseconds) {
  KeepAlive& timer = scene.c().keep_alive;
  if (timer.known) timer.least = timer.most = milliseconds * engine::kMillisecond;
}

void reset_keep_alive(const Scene& scene) { scene.c().keep_alive = {}; }

bool may_have_stopped(const Controller& c, Time time) {
  const KeepAlive& timer = c.keep_alive;
  if (c.fatal || !timer.known || timer.open != 0) return true;
  return timer.least != 0 && time >= timer.started_from + timer.least;
}

void judge_keep_alive(const Scene& scene, bool fatal) {
  const Controller& c = scene.c();
  const KeepAlive& timer = c.keep_alive;
  const bool runs = timer.known && timer.open == 0 && timer.least != 0 && c.power == Power::ready &&
                    !c.shutdown_asked && c.initial_known && !c.fatal;
  if (!runs) return;
  if (fatal) {
    if (timer.most != kUnbounded && scene.time >= timer.started_until + timer.most)
      exercised(scene, Rule::liv17);  // it stopped, as it had to
    if (!scene.s.simulator) return;
    exercised(scene, Rule::f11);
    if (scene.time >= timer.started_from + timer.least) return;
    violation(scene, Rule::f11,
              fmt::format("{} stopped though it was kept alive", name_of(scene, scene.index)),
              "no timeout within " + seconds(timer.least),
              "CFS 1 after " + seconds(scene.time - timer.started_until), {timer.restart});
    return;
  }
  exercised(scene, Rule::f11);
  if (timer.most == kUnbounded || scene.time < timer.started_until + timer.most) return;
  exercised(scene, Rule::liv17);
  if (scene.time - timer.started_until <= timer.most + scene.options.keep_alive_bound) return;
  violation(scene, Rule::liv17,
            fmt::format("{} goes on after the Keep Alive timeout", name_of(scene, scene.index)),
            "a fatal status after " + seconds(timer.most),
            "none after " + seconds(scene.time - timer.started_until), {timer.restart});
}

}  // namespace polypath::model
