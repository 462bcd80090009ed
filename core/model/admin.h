// Admin commands: who takes their effects in, and which statuses they may have.
#pragma once

#include "model/commands.h"
#include "model/scene.h"

namespace polypath::model {

namespace opcode {
inline constexpr std::uint8_t delete_sq = 0x00, create_sq = 0x01, get_log_page = 0x02, delete_cq = 0x04,
                              create_cq = 0x05, identify = 0x06, abort = 0x08, set_features = 0x09,
                              get_features = 0x0A, async_event_request = 0x0C, ns_management = 0x0D,
                              firmware_commit = 0x10, firmware_download = 0x11, self_test = 0x14,
                              ns_attachment = 0x15, keep_alive = 0x18, format = 0x80, sanitize = 0x84,
                              get_lba_status = 0x86, doorbell_buffer = 0x7C;
}

void begin_admin(const Scene& scene, Command& command, std::span<const std::byte> data);
void finish_admin(const Scene& scene, Command& command, const Completion& completion);
void drop_admin(const Scene& scene, Command& command);

/// Whether this namespace is the one of before or one made since is not known: neither is anything else of
/// it.
void lose_namespace(Namespace& ns);
/// The model lost track of a subsystem: a command of unknown content ran.
void lose_subsystem(const Scene& scene);

}  // namespace polypath::model
