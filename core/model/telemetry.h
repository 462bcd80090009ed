// The telemetry logs: captures that the host asks for are counted. Base: Telemetry Host-Initiated.
#pragma once

#include "model/allowed.h"
#include "model/commands.h"
#include "model/scene.h"

namespace polypath::model {

void begin_telemetry(const Scene& scene, const Command& command);
void end_telemetry(const Scene& scene, const Command& command, bool success);
void check_telemetry(const Scene& scene, const Command& command, std::span<const std::byte> data);
void reset_telemetry(const Scene& scene);

}  // namespace polypath::model
