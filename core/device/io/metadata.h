// Blocks with metadata: how they travel, how they lie on the media, and their protection information. NVM
// command set specification, "Metadata Handling" and "End-to-end Data Protection"; sheet 05, section 5.
#pragma once

#include "device/act.h"

namespace polypath::device::io {

/// What a command asks of protection information, for its first block.
struct Protection {
  spec::Tags tags;
  std::uint16_t application_mask = 0;
  std::uint32_t prinfo = 0;  ///< bits of spec::prinfo

  bool asks(std::uint32_t bit) const { return (prinfo & bit) != 0; }
};

/// PRINFO, STC and the tags of a command, where CDW12 has them.
Protection protection_of(const Namespace& ns, const spec::SubmissionEntry& entry);
/// Status of a command whose fields contradict the type of protection information; success: they do not.
/// `first`: its first block.
spec::Status check_fields(const Namespace& ns, const Protection& asked, std::uint64_t first);

/// Bytes that a command moves through its data pointer.
std::uint64_t pointer_bytes(const Namespace& ns, const spec::SubmissionEntry& entry);

/// Blocks as they lie on the media, one after the other: data, and 512 bytes of metadata.
class Image {
 public:
  Image(const Namespace& ns, std::span<std::byte> bytes)
      : block_(std::size_t{1} << ns.block_shift),
        stride_(static_cast<std::size_t>(ns.place(1))),
        metadata_(ns.metadata.bytes),
        bytes_(bytes) {}

  std::size_t blocks() const { return bytes_.size() / stride_; }
  std::span<std::byte> data(std::size_t block) const { return bytes_.subspan(block * stride_, block_); }
  std::span<std::byte> metadata(std::size_t block) const {
    return bytes_.subspan(block * stride_ + block_, metadata_);
  }
  /// Blocks that nobody wrote have no metadata of their own.
  bool written(std::size_t block) const { return mark(block) != std::byte{0}; }
  void set_written(std::size_t block) const { mark(block) = std::byte{1}; }

 private:
  std::byte& mark(std::size_t block) const { return bytes_[(block + 1) * stride_ - 1]; }

  std::size_t block_, stride_;
  std::uint16_t metadata_;
  std::span<std::byte> bytes_;
};

/// Gives blocks that nobody wrote the metadata that they read as: tags that disable every check.
void show_unwritten(const Namespace& ns, const Image& image);
/// Makes or checks the protection information of blocks that a host sent. The first is the `index`-th of its
/// command.
spec::Status protect(const Act& act, const Namespace& ns, const Protection& asked, const Image& image,
                     std::uint64_t index = 0);
/// Checks what the media hold, as a read asks for it.
spec::Status check_stored(const Act& act, const Namespace& ns, const Protection& asked, const Image& image,
                          std::uint64_t index = 0);

/// Moves data and metadata of a command from its buffers, or to them.
spec::Status gather(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
                    const Namespace& ns, const Image& image);
spec::Status scatter(Act& act, std::uint32_t controller, Handle command, const spec::SubmissionEntry& entry,
                     const Namespace& ns, const Image& image);

/// Do the blocks hold the same data, and the same metadata but for protection information?
bool same_content(const Namespace& ns, const Image& a, const Image& b);

}  // namespace polypath::device::io
