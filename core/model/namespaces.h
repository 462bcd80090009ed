// Namespaces and what they are attached to.
#pragma once

#include <cstdint>

#include "model/scene.h"

namespace polypath::model {

/// Takes the namespaces of the header as initial facts.
void start_namespaces(const trace::TraceHeader& header, State& state);

/// Index of a namespace of the subsystem, kNone when the model has none with this NSID.
std::uint32_t find_namespace(const State& state, std::uint32_t subsystem, std::uint32_t nsid);
/// The same; makes one of which nothing is known where the header does not name all namespaces.
std::uint32_t resolve_namespace(const Scene& scene, std::uint32_t nsid);
/// A namespace that does not exist, though a command under way may make it.
std::uint32_t expect_namespace(const Scene& scene, std::uint32_t nsid);
/// A namespace that a create command, submitted at `since`, made. Reuses the entry of a deleted one.
std::uint32_t create_namespace(const Scene& scene, std::uint32_t nsid, Seq since);

/// Attachment of a namespace to a controller, as it may be: existence and attachment together.
/// Did a create that may have given its NSID end after `since`, or is one under way? Then what a command met
/// is not known: the namespace that is gone, or its heir.
bool may_be_heir(const Namespace& ns, Seq since);
/// The same, or before and after a Format or a Sanitize: neither what is in its blocks nor how large they are
/// is known.
bool may_be_another(const Namespace& ns, Seq since);
bool may_be_active(const Namespace& ns, std::uint16_t controller, Seq since);
bool may_be_inactive(const Namespace& ns, std::uint16_t controller, Seq since);
/// The fact by itself, for reading.
const Fact& attachment(const Namespace& ns, std::uint16_t controller);
/// The same, for changing; makes an entry.
Attachment& edit_attachment(Namespace& ns, std::uint16_t controller);

/// A completed observation that began at `since` shows that the namespace was active or not. Decides the fact
/// where nothing was under way.
void observe_attachment(const Scene& scene, std::uint32_t ns, std::uint16_t controller, bool active,
                        Seq since);

/// Which rule an observation breaks that contradicts the facts.
Rule rule_of_view(const Scene& scene, const Namespace* ns, std::uint16_t controller, bool shown_active);

/// Namespaces of the subsystem from this NSID on: index into Subsystem::namespaces.
std::size_t first_from(const State& state, std::uint32_t subsystem, std::uint32_t nsid);

/// Is the content of this namespace followed from now on? Restarts it.
void start_content(Namespace& ns, bool zeros, Seq now);
/// Something was written, and where or what is not known: nothing is judged until the content is followed
/// anew.
void lose_content(Namespace& ns);
/// Digest of a logical block of zeros.
std::uint64_t zero_digest(std::uint32_t block_bytes);
/// Digest of a logical block from those of its 512-byte parts.
std::uint64_t block_digest(const std::uint64_t* parts, std::size_t count);

}  // namespace polypath::model
