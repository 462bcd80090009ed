// Metadata of logical blocks and end-to-end data protection. NVM command set specification, "End-to-end Data
// Protection"; sheet 05, section 5; INV-D-17.
#pragma once

#include <cstdint>
#include <span>

#include "model/allowed.h"
#include "model/commands.h"
#include "model/scene.h"
#include "trace/trace.h"

namespace polypath::model {

/// A block with metadata has one value: its upper half is of the data, its lower half of the metadata.
inline constexpr std::uint64_t kDataHalf = 0xFFFFFFFF00000000;
std::uint64_t block_value(std::uint64_t data_digest, std::span<const std::byte> metadata);

/// Value of a block that nobody wrote, and how much of it is known.
struct UnwrittenValue {
  std::uint64_t value = 0, known = ~std::uint64_t{0};
};
UnwrittenValue unwritten_value(const Namespace& ns);
/// Of one that Write Zeroes wrote: it may have been deallocated instead, and then has other metadata.
UnwrittenValue zeroed_value(const Namespace& ns);

/// What a namespace's metadata are like is known: from the header, or from Identify.
void learn_metadata(Namespace& ns, const spec::IdentifyNamespace& id);
/// Identify of the NVM command set (CNS 05h).
void check_nvm_namespace(const Scene& scene, const Command& command, std::span<const std::byte> data);
/// Whether it has any, and of what kind, is not known any more.
void forget_metadata(Namespace& ns);
/// A Format gave the namespace these settings; `index_known`: of one of the LBA formats that Identify told
/// of.
void format_metadata(Namespace& ns, const spec::SubmissionEntry& entry, bool index_known);
/// Can the content of its blocks be followed?
bool metadata_known(const Namespace& ns);

/// The part `metadata` of a submission: where the command's metadata lie.
void take_metadata(Command& command, const trace::Parts& parts);
/// Is that what the command moves, as the namespace is formatted?
bool metadata_fits(const Namespace& ns, const Command& command);

/// Turns the digests of data in the scratch vector into values that a Write leaves on the media. False when
/// they cannot be known.
bool written_values(const Scene& scene, Command& command, const Namespace& ns, const trace::Parts& parts);
/// The same of what a command sent or received to be compared with the media: gives the bits of a value that
/// the buffer shows. 0: none.
std::uint64_t shown_values(const Scene& scene, const Command& command, const Namespace& ns,
                           const trace::MetadataPart& part, std::span<const std::byte> blocks);
/// Bits of a value that a Compare looks at.
std::uint64_t compared_bits(const Namespace& ns);

/// Statuses of protection information that an I/O command with a range may end with.
void allow_protection(const Scene& scene, const Command& command, const Namespace* ns, Allowed& allowed);
/// A Read gave the host blocks whose protection information is wrong, and had been asked to check it.
void check_returned(const Scene& scene, const Command& command, const Completion& completion,
                    const Namespace& ns);

}  // namespace polypath::model
