// What the handlers of the NVM command set share: the namespace and range of a command, and what a write does
// to its media beside the bytes.
#pragma once

#include "device/act.h"

namespace polypath::device::io {

/// The namespace of a command, and where its blocks lie on the media.
struct Range {
  spec::Status status = spec::Status::success;
  std::uint32_t ns = 0;
  std::uint64_t offset = 0, bytes = 0;
};

/// The namespace of a command: the first of the checks that all commands share.
Range meet(const Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry);

Media& media_of(const Act& act, std::uint32_t ns);

/// May a power loss undo what this command writes? Feature 06h of its controller, and FUA.
bool cached(const Act& act, std::uint32_t controller, const spec::SubmissionEntry& entry);

/// A write pointer stands behind blocks that a power loss leaves, so what is durable at once makes what lies
/// before it durable.
void before_durable(const Act& act, std::uint32_t ns, bool cached);

/// Keeps what the media held before this write: a planted fault serves it on other paths.
void before_write(const Act& act, std::uint32_t ns, std::uint32_t controller);

/// Tells the trace which versions the media hold now.
void note_versions(const Act& act, std::uint32_t ns, const Range& range);

}  // namespace polypath::device::io
