// A world's hash for exploration: what happens next and to whom, not in which slot or at what address.
#include "device/canonical.h"
#include "device/device.h"
#include "host/canonical.h"
#include "target/world.h"

namespace polypath::target {

std::uint64_t World::name_of(const engine::Event& event) const {
  if (event.what < 100) return device::name_of(state_.device, event);
  if (event.what < kRawInterrupt) return host::name_of(state_.hosts.state(), event);
  return engine::mix(engine::mix(event.what, event.whom), event.arg) | 1U;
}

bool World::is_message(const engine::Event& event) {
  return event.what == static_cast<std::uint16_t>(device::What::message);
}

void World::hash_canonical(engine::Hasher& hasher) const {
  const engine::Engine& engine = state_.engine;
  std::uint64_t sum = 0;  // ready work, free durations and timers of one moment have no order
  for (std::size_t i = 0; i < engine.ready_count(); ++i) sum += name_of(engine.ready_at(i));
  engine.for_each_pending([&](const engine::Event& event) {
    const std::uint64_t name = name_of(event);
    if (duration_is_free(event)) {
      sum += name;
    } else if (name != 0) {
      sum += engine::mix(event.at - engine.now(), name);
    }
  });
  hasher.add(sum);
  device::hash_canonical(state_.device, hasher);
  host::hash_canonical(state_.hosts.state(), engine.now(), hasher);
  for (const std::uint8_t raw : state_.raw) hasher.add(raw);
}

}  // namespace polypath::target
