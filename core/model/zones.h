// Zoned namespaces: what commands may have done to zones, what reports and statuses then may say, and where
// the data of Zone Append lie. Zoned Namespace command set specification.
#pragma once

#include <span>

#include "model/allowed.h"
#include "model/commands.h"
#include "model/scene.h"

namespace polypath::model {

inline constexpr std::uint8_t kZoneSend = 0x79, kZoneReceive = 0x7A, kZoneAppend = 0x7D;
constexpr bool is_zone_opcode(std::uint8_t code) {
  return code == kZoneSend || code == kZoneReceive || code == kZoneAppend;
}

/// Are the zones of the namespace followed?
inline bool has_zones(const Namespace& ns) { return ns.zoned.size != 0; }
/// Identify said enough: its zones are followed from now on.
void follow_zones(const Scene& scene, std::uint32_t ns);
/// Nothing is known of its zones any more, not even how large they are.
void lose_zones(Namespace& ns);
/// A Format that began at `since` left them empty, of the same size as before. What was done to a zone
/// meanwhile may have come after it.
void empty_zones(Namespace& ns, Seq since, Seq now);
/// CNS 05 with CSI 2.
void check_zoned_namespace(const Scene& scene, const Command& command, std::span<const std::byte> data);

void begin_zone_command(const Scene& scene, Command& command);
void finish_zone_command(const Scene& scene, Command& command, const Completion& completion);
void drop_zone_command(const Scene& scene, Command& command, bool at_once);
/// What this controller lost in its reset has no effect any more.
void settle_zones(const Scene& scene);
/// Statuses of the zone rules, for reads and writes of zoned namespaces too.
void allow_zone_command(const Scene& scene, const Command& command, const Namespace* ns, Allowed& allowed);
/// The rule that a refusal breaks which nothing explains; none of these statuses: Rule::count.
Rule rule_of_zone_refusal(spec::Status status);

/// Data of an Append, and blocks that a reset of zones empties: begin, and end with the whole command.
void begin_append(const Scene& scene, Command& command, std::span<const std::byte> digests);
void end_append(const Scene& scene, Command& command, const Completion& completion, Namespace& ns);
void begin_zone_reset(const Scene& scene, Command& command);
WriteEnd end_of_zone_reset(const Command& command, const Namespace& ns, std::uint64_t slba);

/// The event at hand: media made the zone of a block read only or offline.
void wear_zone(const Scene& scene, spec::ZoneState state);
/// An event of a zone that changed by itself; reads of the log of such zones.
void check_zone_event(const Scene& scene, const Command& command, const Completion& completion);
void begin_zone_log(const Scene& scene);
void end_zone_log(const Scene& scene);
void check_zone_log(const Scene& scene, const Command& command, std::span<const std::byte> data);

/// No zone of the controller's subsystem is open any more: surely, or perhaps.
void close_all_zones(const Scene& scene, bool surely);
/// The same where every controller was asked to shut down: `complete`, all of them say that they have.
void zones_after_shutdown(const Scene& scene, bool complete);
/// After a loss of power: write pointers may have fallen back to what was durable.
void zones_after_power_loss(const Scene& scene, Namespace& ns);

}  // namespace polypath::model
