// The stored form of a trace: versioned, compressed, checked. docs/traces.md describes the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trace/import_error.h"
#include "trace/trace.h"

namespace polypath::trace {

inline constexpr std::uint16_t kBlobVersion = 4;  ///< 2: CNTLID in the header, 3: hosts, 4: metadata

/// Everything of a trace: header, boundary events, annotations, payloads, running hash.
std::vector<std::byte> to_blob(const Trace& trace);

/// Gives back an equal trace with an equal hash. Any bytes either load or give ImportError; memory stays
/// within a small multiple of what the blob really holds.
Trace from_blob(std::span<const std::byte> blob, const std::string& where);

}  // namespace polypath::trace
