// Get LBA Status. NVM command set specification, "Get LBA Status command"; sheet 04, section 7. Nothing goes
// bad by itself here: what cannot be read is what Write Uncorrectable spoilt, and a scan finds no more.
#include <algorithm>
#include <cstring>

#include "device/act.h"
#include "spec/identify.h"

namespace polypath::device::admin {
namespace {

namespace lba = spec::lba_status;
using spec::Status;

struct Run {
  std::uint64_t slba = 0;
  std::uint32_t blocks = 0;
};

std::vector<Run> spoilt_runs(const Act& act, const Namespace& ns, std::uint64_t first, std::uint64_t end) {
  std::vector<Run> runs;
  const Media& media = act.device.media[ns.media];
  for (const std::uint64_t place : media.spoilt_places(ns.place(first), ns.place(end))) {
    const std::uint64_t block = place / ns.place(1);
    const bool known = !runs.empty() && block < runs.back().slba + runs.back().blocks;
    const bool next = !runs.empty() && block == runs.back().slba + runs.back().blocks;
    if (next) ++runs.back().blocks;
    if (!known && !next) runs.push_back({block, 1});
  }
  return runs;
}

}  // namespace

Outcome get_lba_status(Act& act, std::uint32_t controller, Handle command,
                       const spec::SubmissionEntry& entry) {
  const Controller& c = act.controller(controller);
  const NsidClass kind = classify(act, controller, entry.nsid);
  if (kind == NsidClass::invalid || kind == NsidClass::broadcast) return Status::invalid_namespace_or_format;
  if (kind != NsidClass::active) return Status::invalid_field;
  const auto action = static_cast<std::uint8_t>(entry.cdw13 >> 24U);
  if (action != lba::scan && action != lba::tracked) return Status::invalid_field;
  const Namespace& ns = act.device.namespaces[static_cast<std::uint32_t>(attached(c, entry.nsid))];
  const std::uint64_t first = std::uint64_t{entry.cdw11} << 32U | entry.cdw10, length = entry.cdw13 & 0xFFFFU;
  if (first >= ns.blocks) return Status::lba_out_of_range;
  std::uint64_t end = length == 0 ? ns.blocks : std::min(ns.blocks, first + length);
  if (length != 0 && end < ns.blocks && act.broken_by(Fault::lba_status_beyond_range)) end = ns.blocks;
  const std::uint64_t bytes = (std::uint64_t{entry.cdw12} + 1) * 4, most = mdts_bytes(c);
  if (most != 0 && bytes > most) return Status::invalid_field;

  std::vector<Run> runs = spoilt_runs(act, ns, first, end);
  if (!runs.empty() && ns.last_writer != controller && act.broken_by(Fault::lba_status_on_one_path))
    runs.clear();
  const std::size_t room = bytes < lba::header_bytes ? 0 : (bytes - lba::header_bytes) / lba::entry_bytes;
  const std::size_t count = std::min(room, runs.size());
  std::vector<std::byte> data(std::max<std::size_t>(bytes, lba::header_bytes));
  const auto put = [&](std::size_t at, const auto& value) {
    std::memcpy(data.data() + at, &value, sizeof value);
  };
  put(0, static_cast<std::uint32_t>(count));
  put(lba::completion, count < runs.size() ? lba::buffer_full : lba::range_done);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = lba::header_bytes + i * lba::entry_bytes;
    put(at, runs[i].slba);
    put(at + lba::blocks, runs[i].blocks);
    put(at + lba::status, lba::by_write_uncorrectable);
  }
  data.resize(bytes);
  return copy_out(act, controller, command, entry, data);
}

}  // namespace polypath::device::admin
