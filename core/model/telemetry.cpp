#include "model/telemetry.h"

#include <fmt/format.h>

#include "spec/log_feature_event.h"

namespace polypath::model {
namespace {

namespace telemetry = spec::telemetry;
using spec::LogId;

LogId lid_of(const Command& command) { return static_cast<LogId>(command.entry.cdw10 & 0xFFU); }
bool captures(const Command& command) {
  return lid_of(command) == LogId::telemetry_host && (command.entry.cdw10 & telemetry::create) != 0;
}

}  // namespace

void begin_telemetry(const Scene& scene, const Command& command) {
  if (captures(command)) ++scene.c().telemetry.open;
}

void end_telemetry(const Scene& scene, const Command& command, bool success) {
  if (!captures(command)) return;
  Telemetry& now = scene.c().telemetry;
  --now.open;
  // One that failed may have captured or not; the number of one whose data nobody saw is not known.
  if (!success || now.shown_by != command.submitted || now.changed >= command.submitted || now.open != 0)
    now.known = false;
  now.changed = scene.now;
}

void check_telemetry(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  const LogId lid = lid_of(command);
  if (command.entry.cdw12 != 0 || command.entry.cdw13 != 0 || data.size() < telemetry::block_bytes) return;
  const auto say = [&](const char* what, std::string allowed, std::string seen) {
    violation(scene, Rule::log04, fmt::format("{}: {}", text_of(scene, command), what), std::move(allowed),
              std::move(seen), {scene.c().telemetry.changed, command.submitted});
  };
  exercised(scene, Rule::log04);
  const auto shown = std::to_integer<unsigned>(data[0]);
  if (shown != static_cast<unsigned>(lid))
    say("the header names another log", fmt::format("{:#04x}", static_cast<unsigned>(lid)),
        fmt::format("{:#04x}", shown));
  std::uint16_t before = 0;
  for (std::size_t area = 0; area < 3; ++area) {
    const auto last = read_as<std::uint16_t>(data.subspan(telemetry::areas + 2 * area));
    if (last < before)
      say("a data area ends before the one that it contains", fmt::format("block {} or later", before),
          fmt::format("block {}", last));
    before = last;
  }
  if (lid != LogId::telemetry_host) return;
  Telemetry& now = scene.c().telemetry;
  const auto generation = static_cast<std::uint8_t>(data[telemetry::host_generation]);
  const bool own = static_cast<std::uint8_t>(data[telemetry::scope]) == telemetry::of_controller;
  const bool capture = captures(command);
  if (now.open != (capture ? 1U : 0U) || now.changed >= command.submitted) return;
  const auto expected = static_cast<std::uint8_t>(capture ? now.generation + 1U : now.generation);
  if (own && now.known && generation != expected)
    say("another generation than captures were asked for", fmt::format("{}", expected),
        fmt::format("{}", generation));
  now.known = own;
  now.generation = generation;
  if (capture) now.shown_by = command.submitted;
}

void reset_telemetry(const Scene& scene) {
  // Whether a reset that came in the middle of a read kept the number is known of the simulator alone.
  if (!scene.s.simulator) scene.c().telemetry.known = false;
}

}  // namespace polypath::model
