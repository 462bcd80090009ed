// Telemetry logs. Base specification, "Telemetry Host-Initiated" and "Telemetry Controller-Initiated"; sheet
// 04, section 4. A capture is one block of counters in Data Area 1; the controller never makes one by itself.
#include <algorithm>
#include <cstring>

#include "device/act.h"
#include "spec/identify.h"

namespace polypath::device {

namespace telemetry = spec::telemetry;

void capture_telemetry(Act& act, std::uint32_t controller) {
  Controller& c = act.controller(controller);
  if (!act.broken_by(Fault::telemetry_generation_stuck)) ++c.captures;
  c.captured = {act.world.engine.now(), c.reads, c.writes, c.units_read, c.units_written, c.error_count};
  if (!act.fault(Fault::telemetry_on_all_controllers)) return;
  for (const std::uint32_t peer : act.device.subsystems[c.subsystem].controllers) {
    if (peer == controller) continue;
    act.fired(Fault::telemetry_on_all_controllers);
    ++act.controller(peer).captures;
  }
}

std::vector<std::byte> telemetry_log(const Act& act, std::uint32_t controller, spec::LogId log) {
  const Controller& c = act.controller(controller);
  const bool of_host = log == spec::LogId::telemetry_host;
  const std::uint16_t blocks = of_host && !c.captured.empty() ? 1 : 0;
  std::vector<std::byte> out((blocks + std::size_t{1}) * telemetry::block_bytes);
  const auto put = [&](std::size_t at, const auto& value) {
    std::memcpy(out.data() + at, &value, sizeof value);
  };
  put(0, static_cast<std::uint8_t>(log));
  put(telemetry::ieee, act.profile().controller.ieee);
  for (std::size_t area = 0; area < 3; ++area) put(telemetry::areas + 2 * area, blocks);
  put(telemetry::scope, telemetry::of_controller);
  put(telemetry::host_generation, of_host ? c.captures : std::uint8_t{0});
  for (std::size_t i = 0; blocks != 0 && i < c.captured.size(); ++i)
    put(telemetry::block_bytes + i * sizeof(std::uint64_t), c.captured[i]);
  return out;
}

}  // namespace polypath::device
