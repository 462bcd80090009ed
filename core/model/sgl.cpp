#include "model/sgl.h"

#include <algorithm>
#include <initializer_list>
#include <span>

#include "model/io.h"
#include "spec/commands.h"
#include "spec/identify.h"

namespace polypath::model {
namespace {

using spec::SglDescriptor;
using spec::SglType;
using spec::Status;

constexpr std::initializer_list<Status> kSglErrors{
    Status::invalid_sgl_segment,         Status::invalid_sgl_count, Status::data_sgl_length_invalid,
    Status::metadata_sgl_length_invalid, Status::sgl_type_invalid,  Status::sgl_offset_invalid,
    Status::sgl_granularity_invalid};

/// Bytes that the command moves; 0: not known.
std::uint64_t bytes_needed(const Scene& scene, const Command& command) {
  const auto* row = spec::find_command(spec::CommandSet::nvm, command.entry.opcode);
  if (row == nullptr || command.ns == kNone || !block_size_sure(scene, command)) return 0;
  const std::uint32_t block = scene.s.namespaces[command.ns].block_bytes;
  return block == 0 ? 0 : spec::data_bytes(*row, command.entry, block);
}

/// Goes through a list as far as it was observed, and collects what is wrong with it. Each descriptor is
/// checked before it is used and unused ones need no check, so what lies behind the last byte of the data may
/// be refused and need not be. Base: Scatter Gather List.
class ListJudge {
 public:
  ListJudge(std::uint32_t sgls, bool to_host, std::uint64_t needed, Allowed& allowed)
      : sgls_(sgls), to_host_(to_host), left_(needed), allowed_(allowed) {}

  void judge(const SglDescriptor& first, std::span<const SglDescriptor> rest) {
    SglDescriptor pointer = first;
    if (!first.is_segment()) {
      take(first);
      end();
      return;
    }
    for (bool last = false;;) {
      if (!enter(pointer)) return;
      last = pointer.type() == SglType::last_segment;
      const std::size_t count = pointer.length / sizeof pointer;
      if (count > rest.size()) {  // not readable, or longer than what is observed
        for (const auto& one : rest) take(one);
        allowed_.may(Status::data_transfer_error);
        unknown_ = true;
        end();
        return;
      }
      const auto segment = rest.first(count);
      rest = rest.subspan(count);
      bool followed = false;
      for (std::size_t i = 0; i < count; ++i) {
        const SglDescriptor& one = segment[i];
        if (!one.is_segment()) {
          take(one);
        } else if (last) {
          if (i + 1 == count) {
            wrong({Status::invalid_sgl_segment});
          } else {
            wrong({Status::invalid_sgl_segment, Status::invalid_sgl_count});
          }
        } else if (i + 1 != count) {
          wrong({Status::invalid_sgl_count});
        } else {
          followed = true;
        }
      }
      if (!followed) {
        // A Segment descriptor promised another segment.
        if (!last) allowed_.may({Status::invalid_sgl_segment, Status::invalid_sgl_count});
        end();
        return;
      }
      pointer = segment.back();
    }
  }

 private:
  /// Refused for one of these, if the controller comes to it.
  void wrong(std::initializer_list<Status> statuses) {
    allowed_.may(statuses);
    if (left_ != 0 && !unknown_) allowed_.must(Rule::q30, statuses);
  }

  bool enter(const SglDescriptor& one) {
    if (one.subtype() != 0) {
      wrong({Status::sgl_type_invalid});
      return false;
    }
    if (one.malformed_segment()) {
      wrong({Status::invalid_sgl_segment});
      return false;
    }
    if (one.wraps()) {
      wrong({Status::data_sgl_length_invalid});
      return false;
    }
    return true;
  }

  void take(const SglDescriptor& one) {
    const bool bucket = one.type() == SglType::bit_bucket;
    const bool known = one.type() == SglType::data_block || (bucket && (sgls_ & spec::sgls::bit_bucket) != 0);
    if (!known || one.subtype() != 0) {
      wrong({Status::sgl_type_invalid});
      // How much it would have described is anybody's guess.
      allowed_.may(Status::data_sgl_length_invalid);
      return;
    }
    if (one.wraps()) {
      // The address of a Bit Bucket is reserved.
      if (bucket) {
        allowed_.may(Status::data_sgl_length_invalid);
      } else {
        wrong({Status::data_sgl_length_invalid});
      }
    }
    const bool dwords = (sgls_ & spec::sgls::supported) == spec::sgls::dword_granularity;
    if (dwords && (one.address % 4 != 0 || one.length % 4 != 0)) {
      allowed_.may({Status::sgl_granularity_invalid, Status::invalid_field});
    }
    if (bucket && !to_host_) return;
    // One that is longer than the data should not make the command fail, and may where that is not announced.
    if (one.length > left_ && (sgls_ & spec::sgls::longer) == 0)
      allowed_.may(Status::data_sgl_length_invalid);
    left_ -= std::min<std::uint64_t>(left_, one.length);
  }

  void end() {
    if (left_ == 0) return;
    if (unknown_) {
      allowed_.may(kSglErrors);
    } else {
      allowed_.must(Rule::q30, {Status::data_sgl_length_invalid});
    }
  }

  std::uint32_t sgls_;
  bool to_host_;
  bool unknown_ = false;  ///< the list goes on where it was not observed
  std::uint64_t left_;
  Allowed& allowed_;
};

}  // namespace

bool by_sgl(const Command& command) {
  return command.sqid != 0 && (command.entry.psdt() == 1 || command.entry.psdt() == 2);
}

bool is_sgl_error(Status status) {
  return std::find(kSglErrors.begin(), kSglErrors.end(), status) != kSglErrors.end();
}

void allow_sgl(const Scene& scene, const Command& command, Allowed& allowed) {
  const Announced& announced = scene.c().announced;
  const bool supported = announced.known && (announced.sgls & spec::sgls::supported) != 0;
  const bool never = !by_sgl(command) || (announced.known && !supported);
  if (never) {
    allowed.must(Rule::q33, {Status::invalid_field});
    return;
  }
  // An MPTR that leads to a segment is announced by a bit of its own.
  if (!supported || (command.entry.psdt() == 2 && (announced.sgls & spec::sgls::mptr_segment) == 0))
    allowed.may(Status::invalid_field);
  const auto* row = spec::find_command(spec::CommandSet::nvm, command.entry.opcode);
  const std::uint64_t needed = bytes_needed(scene, command);
  const bool observed = supported && row != nullptr && needed != 0 && command.list_known &&
                        !command.null_pointer && !command.reused_cid;
  if (!observed) {
    allowed.may(kSglErrors);
    return;
  }
  exercised(scene, Rule::q30);
  std::span<const SglDescriptor> list;
  if (command.detail != kNone) list = scene.s.details[command.detail].descriptors;
  ListJudge(announced.sgls, row->direction == spec::Direction::to_host, needed, allowed)
      .judge(command.entry.sgl1(), list);
}

}  // namespace polypath::model
