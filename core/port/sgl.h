// Scatter Gather Lists: the pieces of host memory that SGL1 leads to. Base specification, "Scatter Gather
// List (SGL)". Used by the observer; the device has its own, so that each checks the other.
#pragma once

#include <cstdint>
#include <vector>

#include "port/prp.h"
#include "spec/queue_entry.h"

namespace polypath::port {

/// Fills `out` with the pieces that the list describes, at most `bytes` bytes; neighbours that touch are
/// joined. Bit Buckets have the address trace::kBitBucket, and none where the data go to the controller.
/// Fills `descriptors` with what lies in the segments. False when the list ends, or breaks a rule, before
/// `bytes`: `out` has what came before. What a controller need not have (Bit Buckets) counts as lawful.
bool walk_sgl(const HostMemory& memory, const spec::SglDescriptor& first, std::uint64_t bytes, bool to_host,
              std::vector<Range>& out, std::vector<spec::SglDescriptor>& descriptors);

}  // namespace polypath::port
