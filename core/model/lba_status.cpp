#include "model/lba_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "model/format.h"
#include "model/io.h"
#include "model/namespaces.h"
#include "model/status.h"
#include "spec/log_feature_event.h"

namespace polypath::model {
namespace {

namespace lba = spec::lba_status;
using spec::Status;

std::uint64_t first_of(const Command& command) {
  return std::uint64_t{command.entry.cdw11} << 32U | command.entry.cdw10;
}
std::uint64_t length_of(const Command& command) { return command.entry.cdw13 & 0xFFFFU; }
std::uint8_t action_of(const Command& command) {
  return static_cast<std::uint8_t>(command.entry.cdw13 >> 24U);
}

}  // namespace

void begin_lba_status(const Scene& scene, Command& command) {
  command.ns = resolve_namespace(scene, command.entry.nsid);
  if (command.ns == kNone) return;
  Namespace& ns = scene.s.namespaces[command.ns];
  command.incarnation = ns.incarnation;
  if (!ns.tracked) return;
  command.readers = ns.readers.begin(scene.now);
  command.reading = true;
}

void end_lba_status(const Scene& scene, const Command& command) {
  if (command.ns == kNone || !command.reading) return;
  Namespace& ns = scene.s.namespaces[command.ns];
  if (ns.incarnation == command.incarnation) ns.readers.end(command.readers);
}

void allow_lba_status(const Scene& scene, const Command& command, Allowed& allowed) {
  const Controller& c = scene.c();
  const auto& announced = c.announced;
  const std::uint32_t nsid = command.entry.nsid;
  const std::uint8_t action = action_of(command);
  if (command.no_tail) {
    allowed.anything();
    return;
  }
  allow_during_format(scene, command, allowed);
  const bool defined = action == lba::allocated || action == lba::scan || action == lba::tracked;
  if (!defined) allowed.must(Rule::q33, {Status::invalid_field});
  if (action == lba::allocated || !announced.known) allowed.may(Status::invalid_field);
  if (exceeds_mdts(c, (std::uint64_t{command.entry.cdw12} + 1) * 4))
    allowed.must(Rule::q33, {Status::invalid_field});
  if (!announced.known || (announced.cmic & spec::cmic::ana) != 0)
    allowed.may({Status::ana_persistent_loss, Status::ana_inaccessible, Status::ana_transition});
  if (nsid == spec::kBroadcastNsid) {
    allowed.must(Rule::ns10, {Status::invalid_field, Status::invalid_namespace_or_format});
    return;
  }
  if (nsid == 0 || (announced.known && nsid > announced.nn)) {
    allowed.must(Rule::ns10, {Status::invalid_namespace_or_format});
    return;
  }
  const auto& subsystem = scene.s.subsystems[c.subsystem];
  const std::uint32_t index = find_namespace(scene.s, c.subsystem, nsid);
  bool active =
      !subsystem.complete || subsystem.creates_open != 0 || subsystem.create_until >= command.submitted;
  bool inactive = true;
  const Namespace* ns = index == kNone ? nullptr : &scene.s.namespaces[index];
  if (ns != nullptr) {
    active = may_be_active(*ns, scene.index, command.submitted);
    inactive = may_be_inactive(*ns, scene.index, command.submitted);
  }
  if (!active) {
    allowed.must(Rule::ns10, {Status::invalid_field, Status::invalid_namespace_or_format});
    return;
  }
  if (inactive) allowed.may({Status::invalid_field, Status::invalid_namespace_or_format});
  const bool size_known = ns != nullptr && ns->blocks != 0 && !may_be_another(*ns, command.submitted) &&
                          ns->exists.surely_since(true, command.submitted);
  if (!size_known) {
    allowed.may(Status::lba_out_of_range);
    return;
  }
  exercised(scene, Rule::d14);
  if (first_of(command) >= ns->blocks) {
    allowed.must(Rule::d14, {Status::lba_out_of_range});
  } else if (length_of(command) > ns->blocks - first_of(command)) {
    allowed.may(Status::lba_out_of_range);
  }
}

void check_lba_status(const Scene& scene, const Command& command, std::span<const std::byte> data) {
  if (data.size() < lba::header_bytes || command.ns == kNone) return;
  const auto count = read_as<std::uint32_t>(data);
  const auto completion = std::to_integer<unsigned>(data[lba::completion]);
  const auto say = [&](const char* what, std::string allowed, std::string seen) {
    violation(scene, Rule::lba01, fmt::format("{}: {}", text_of(scene, command), what), std::move(allowed),
              std::move(seen), {command.submitted});
  };
  exercised(scene, Rule::lba01);
  const std::size_t room = (data.size() - lba::header_bytes) / lba::entry_bytes;
  if (count > room) {
    say("more descriptors than the buffer holds", fmt::format("at most {}", room), fmt::format("{}", count));
    return;
  }
  const std::uint64_t first = first_of(command), length = length_of(command);
  const std::uint64_t end = length == 0 ? ~std::uint64_t{0} : first + length;
  std::vector<BlockRange> listed;
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = data.subspan(lba::header_bytes + i * lba::entry_bytes);
    const BlockRange run{read_as<std::uint64_t>(at), read_as<std::uint32_t>(at.subspan(lba::blocks))};
    const bool behind = !listed.empty() && run.slba < listed.back().slba + listed.back().blocks;
    if (run.blocks == 0 || behind || run.slba >= end || run.slba + run.blocks <= first) {
      say("a descriptor out of order, or out of range",
          fmt::format("blocks from {} to {}, ascending", first, end),
          fmt::format("{} from {}", run.blocks, run.slba));
      return;
    }
    listed.push_back(run);
  }
  // Which blocks a controller finds by itself is its own affair; the simulated one loses none.
  Namespace& ns = scene.s.namespaces[command.ns];
  const bool followed = scene.s.simulator && command.reading && ns.incarnation == command.incarnation &&
                        ns.tracked && command.submitted >= ns.content_from &&
                        !may_be_another(ns, command.submitted);
  if (!followed || action_of(command) == lba::allocated) return;
  std::uint64_t looked_at = 0;
  for (const BlockRange& run : listed) {
    for (std::uint64_t i = 0; i < run.blocks && looked_at < kBlocksMax; ++i, ++looked_at) {
      if (ns.content.met(run.slba + i, kUncorrectable, command.submitted).possible) continue;
      say("a block that can be read", "blocks that Write Uncorrectable spoilt",
          fmt::format("block {}", run.slba + i));
      return;
    }
  }
  if (completion != lba::range_done) return;
  std::uint64_t missing = ~std::uint64_t{0};
  ns.content.each_with(kUncorrectable, [&](std::uint64_t block) {
    if (block < first || block >= end || !ns.content.met(block, kUncorrectable, command.submitted).surely)
      return;
    const bool there = std::any_of(listed.begin(), listed.end(), [&](const BlockRange& run) {
      return block >= run.slba && block < run.slba + run.blocks;
    });
    if (!there) missing = std::min(missing, block);
  });
  if (missing != ~std::uint64_t{0})
    say("a block that was spoilt is not listed", "every such block of the range",
        fmt::format("block {}", missing));
}

}  // namespace polypath::model
