// The volatile write cache: one for each namespace, of the whole subsystem. What is in it is read by every
// controller at once; a power loss may take it away. NVM command set specification, "Volatile Write Cache".
#include "device/act.h"

namespace polypath::device {
namespace {

template <class F>
void each_namespace(const Subsystem& subsystem, F&& f) {
  for (const std::uint32_t number : subsystem.ns_of_nsid) {
    if (number != 0) f(number - 1);
  }
}

}  // namespace

void flush_attached(Act& act, std::uint32_t controller) {
  for (const Active& active : act.controller(controller).active) act.device.media[active.ns].flush();
}

void flush_subsystem(Act& act, std::uint32_t controller) {
  each_namespace(act.device.subsystems[act.controller(controller).subsystem],
                 [&](std::uint32_t ns) { act.device.media[ns].flush(); });
}

void drop_cache(Act& act, std::uint32_t controller) {
  each_namespace(act.device.subsystems[act.controller(controller).subsystem], [&](std::uint32_t ns) {
    act.device.media[ns].lose_power(act.device.namespaces[ns].place(1), [](std::uint64_t) { return true; });
  });
}

void lose_power(Device& device, const Surroundings& world, std::uint32_t subsystem) {
  each_namespace(device.subsystems[subsystem], [&](std::uint32_t ns) {
    std::vector<std::uint64_t> blocks;
    device.media[ns].lose_power(device.namespaces[ns].place(1), [&](std::uint64_t block) {
      const bool lost = world.engine.decide(site::power_loss, 2) != 0;
      if (lost) blocks.push_back(block);
      return lost;
    });
    zones_lost(device, ns, blocks);
    std::uint8_t& protection = device.namespaces[ns].write_protect;
    const Act act{device, world};
    if (protection == spec::protection::until_power_cycle && !act.broken_by(Fault::protection_outlives_power))
      protection = spec::protection::none;
  });
  close_zones(device, subsystem);
}

}  // namespace polypath::device
