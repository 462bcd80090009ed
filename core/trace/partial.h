// A recording of a real host as a partially observed trace, which the reference model judges without any
// replay.
#pragma once

#include "trace/inferred.h"
#include "trace/recording.h"
#include "trace/trace.h"

namespace polypath::trace {

/// Converts. Without `known` the header says only what was seen: namespaces of unknown size and attachment.
/// With it (the header of a topology) its subsystems, controllers (by name) and namespaces are taken;
/// ImportError when the recording has a controller that it lacks.
///
/// Times: a command became visible to its controller at or after the moment recorded for it, and its
/// completion entry was written at or before the moment recorded for that. So `submitted` is [recorded,
/// completion recorded], `completed` is [submission recorded, recorded], `async_event` is [start of the
/// recording, recorded]. Events stand in the order of their recorded moments (see recorded_time in
/// trace/text.h).
///
/// Commands that the host ended itself (0x370, 0x371) have no completion in the trace: no controller wrote
/// one.
///
/// Applications are told from the commands of path disks: a request begins with its first command and ends
/// with success or with an error that the host does not try again (DNR set, or its retries spent).
Trace partial_trace(const Recording& recording, const TraceHeader* known = nullptr);

/// errno that Linux gives an application for a 15-bit status (drivers/nvme/host/core.c, block/blk-core.c).
std::uint32_t linux_errno(std::uint16_t status);

}  // namespace polypath::trace
