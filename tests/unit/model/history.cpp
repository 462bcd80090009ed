#include "history.h"

#include <algorithm>
#include <cstring>

#include "engine/hash.h"
#include "spec/commands.h"
#include "spec/registers.h"
#include "spec/zones.h"

namespace polypath::model {
namespace {

using trace::Boundary;

constexpr std::uint64_t kCapValue =
    0x7FFULL | 1ULL << 16U | 2ULL << 24U | 1ULL << 36U | 1ULL << 37U;  // MQES, CQR, TO 1 s, NSSRS, NVM set
constexpr std::uint32_t kCcEnabled = 0x00460001;
constexpr std::uint32_t kAdminEntries = 32;

void put_text(std::span<char> out, std::string_view text) {
  std::fill(out.begin(), out.end(), ' ');
  std::copy(text.begin(), text.end(), out.begin());
}

}  // namespace

spec::SubmissionEntry admin_entry(std::uint8_t opcode, std::uint32_t nsid, std::uint32_t cdw10,
                                  std::uint32_t cdw11) {
  spec::SubmissionEntry entry;
  entry.opcode = opcode;
  entry.nsid = nsid;
  entry.cdw10 = cdw10;
  entry.cdw11 = cdw11;
  return entry;
}

spec::SubmissionEntry io_entry(std::uint8_t opcode, std::uint32_t nsid, std::uint64_t lba,
                               std::uint32_t blocks) {
  spec::SubmissionEntry entry;
  entry.opcode = opcode;
  entry.nsid = nsid;
  entry.cdw10 = static_cast<std::uint32_t>(lba);
  entry.cdw11 = static_cast<std::uint32_t>(lba >> 32U);
  entry.cdw12 = blocks - 1;
  return entry;
}

spec::SubmissionEntry log_entry(std::uint8_t lid, std::uint32_t bytes, bool retain) {
  return admin_entry(0x02, 0, lid | (bytes / 4 - 1) << 16U | (retain ? 0x8000U : 0U));
}

std::vector<std::byte> list_bytes(const std::vector<std::uint32_t>& nsids) {
  std::vector<std::byte> out(4096);
  if (!nsids.empty()) std::memcpy(out.data(), nsids.data(), nsids.size() * 4);
  return out;
}

std::vector<std::byte> controller_list_bytes(const std::vector<std::uint16_t>& ids) {
  std::vector<std::byte> out(4096);
  const auto count = static_cast<std::uint16_t>(ids.size());
  std::memcpy(out.data(), &count, 2);
  if (!ids.empty()) std::memcpy(out.data() + 2, ids.data(), ids.size() * 2);
  return out;
}

History::History(const Layout& layout) : layout_(layout) {
  trace.header.source = layout.source;
  trace.header.profile = layout.profile;
  trace.header.subsystems = {"nqn.2019-08.org.qemu:subsys0"};
  std::vector<std::uint16_t> all;
  for (std::size_t i = 0; i < layout.controllers; ++i) {
    trace::ControllerHeader row;
    row.name = "nvme" + std::to_string(i);
    row.observed = layout.observed;
    row.initial_state_known = layout.known;
    trace.header.controllers.push_back(row);
    all.push_back(static_cast<std::uint16_t>(i));
  }
  const auto add = [&](std::uint32_t nsid, bool shared, std::vector<std::uint16_t> attached) {
    trace::NamespaceHeader row;
    row.nsid = nsid;
    row.blocks = kBlocks;
    row.block_bytes = layout.block_bytes;
    row.shared = shared;
    row.content_zero = layout.content_zero;
    row.metadata = layout.metadata;
    row.attached = std::move(attached);
    row.attachment_known = layout.known;
    trace.header.namespaces.push_back(row);
  };
  add(1, true, all);
  add(2, false, {all.back()});
  add(4, true, {});
}

std::uint64_t History::digest(std::uint64_t value) {
  std::array<std::uint64_t, 64> block{};
  block[0] = value;
  return engine::hash_bytes(block.data(), sizeof block);
}

std::vector<std::uint64_t> History::digests(std::uint64_t value, std::uint32_t blocks) const {
  return std::vector<std::uint64_t>(std::size_t{blocks} * layout_.block_bytes / 512, digest(value));
}

trace::BoundaryEvent History::make(Boundary kind, std::uint16_t c, std::uint16_t q) {
  trace::BoundaryEvent event;
  now_ += step;
  event.earliest = event.latest = now_;
  event.kind = kind;
  event.controller = c;
  event.queue = q;
  return event;
}

std::uint64_t History::buffer(std::uint64_t bytes) {
  const std::uint64_t address = next_buffer_;
  next_buffer_ += (bytes + 4095) / 4096 * 4096 + 4096;
  return address;
}

std::uint16_t History::next_cid(std::uint16_t c, std::uint16_t q) { return ring(c, q).cid++; }

void History::write_register(std::uint16_t c, std::uint32_t offset, std::uint64_t value,
                             std::uint32_t bytes) {
  auto event = make(Boundary::register_write, c);
  event.a = offset;
  event.b = bytes;
  event.c = value;
  trace.add(event);
}

void History::read_register(std::uint16_t c, std::uint32_t offset, std::uint64_t value, std::uint32_t bytes) {
  auto event = make(Boundary::register_read, c);
  event.a = offset;
  event.b = bytes;
  event.c = value;
  trace.add(event);
}

std::uint32_t History::cc(bool enabled) const {
  const std::uint64_t value = spec::cc::css.put(kCcEnabled, layout_.zoned ? spec::kAllCommandSets : 0);
  return static_cast<std::uint32_t>(spec::cc::en.put(value, enabled ? 1 : 0));
}

void History::enable(std::uint16_t c) { enable(c, cc(true)); }

void History::enable(std::uint16_t c, std::uint32_t cc) {
  const std::uint64_t sets = layout_.zoned ? spec::kCapSeveralSets : 0;
  read_register(c, spec::reg::cap, kCapValue | sets << 37U, 8);
  read_register(c, spec::reg::vs, spec::kVersion2_1);
  write_register(c, spec::reg::aqa, (kAdminEntries - 1) << 16U | (kAdminEntries - 1));
  write_register(c, spec::reg::asq, buffer(kAdminEntries * 64), 8);
  write_register(c, spec::reg::acq, buffer(kAdminEntries * 16), 8);
  write_register(c, spec::reg::cc, cc);
  end_enable(c);
}

void History::end_enable(std::uint16_t c) {
  Ring& r = ring(c, 0);
  r = {.entries = kAdminEntries, .cq_entries = kAdminEntries};
  read_register(c, spec::reg::csts, 1);
}

void History::begin_disable(std::uint16_t c) { write_register(c, spec::reg::cc, cc(false)); }

void History::end_disable(std::uint16_t c) {
  read_register(c, spec::reg::csts, 0);
  std::erase_if(rings_, [&](const auto& row) { return row.first.first == c; });
}

void History::disable(std::uint16_t c) {
  begin_disable(c);
  end_disable(c);
}

void History::function(std::uint16_t c, trace::FunctionEvent what) {
  auto event = make(Boundary::function, c);
  event.a = static_cast<std::uint32_t>(what);
  trace.add(event);
}

void History::lose_power() {
  for (std::uint16_t c = 0; c < trace.header.controllers.size(); ++c) {
    function(c, trace::FunctionEvent::power_cycle);
  }
}

History::Open History::submit(std::uint16_t c, std::uint16_t q, spec::SubmissionEntry entry,
                              const With& with) {
  Ring& r = ring(c, q);
  if (entry.cid == 0) entry.cid = r.cid++;
  std::uint64_t bytes = with.bytes;
  if (bytes == 0) bytes = std::max<std::uint64_t>(with.digests.size() * 512, with.data.size());
  if (bytes == 0 && (with.flags & (trace::submitted_part::no_data_pointer |
                                   trace::submitted_part::malformed_pointer)) == 0) {
    const auto* row = spec::find_command(spec::set_of_queue(q), entry.opcode);
    if (row != nullptr) bytes = spec::data_bytes(*row, entry, layout_.block_bytes);
  }
  if (bytes != 0 && entry.prp1 == 0) entry.prp1 = buffer(bytes);
  auto event = make(Boundary::submitted, c, q);
  event.slot = r.entries == 0 ? trace::kUnknownSlot : r.tail;
  event.a = entry.cid;
  event.b = with.flags;
  if (bytes != 0) event.b |= trace::submitted_part::ranges;
  if (!with.digests.empty()) event.b |= trace::submitted_part::digests;
  if (!with.data.empty()) event.b |= trace::submitted_part::data;
  if (with.listed) event.b |= trace::submitted_part::descriptors;
  trace.begin(event);
  trace.append_value(entry);
  if (bytes != 0) {
    trace.append_value(std::uint64_t{1});
    trace.append_value(entry.prp1);
    trace.append_value(bytes);
  }
  if (!with.digests.empty()) {
    trace.append_value(static_cast<std::uint32_t>(with.digests.size()));
    trace.append_value(std::uint32_t{512});
    trace.append(std::as_bytes(std::span(with.digests)));
  }
  if (!with.data.empty()) {
    trace.append_value(static_cast<std::uint64_t>(with.data.size()));
    trace.append(with.data);
  }
  if (with.listed) {
    trace.append_value(static_cast<std::uint64_t>(with.descriptors.size()));
    trace.append(std::as_bytes(std::span(with.descriptors)));
  }
  trace.commit();
  Open open{c, q, entry.cid, r.tail, entry};
  if (r.entries != 0) r.tail = (r.tail + 1) % r.entries;
  if (with.doorbell && r.entries != 0 && with.in_memory) {
    auto moved = make(Boundary::sq_doorbell, c, q);
    moved.flags = trace::event_flag::in_memory;
    moved.a = r.tail;
    moved.c = r.tail;
    trace.add(moved);
  } else if (with.doorbell && r.entries != 0) {
    doorbell(c, q, false, r.tail);
  }
  return open;
}

void History::doorbell(std::uint16_t c, std::uint16_t q, bool completion, std::uint64_t value) {
  auto event = make(completion ? Boundary::cq_doorbell : Boundary::sq_doorbell, c, q);
  event.c = value;
  trace.add(event);
}

void History::fetch(const Open& open) {
  Ring& r = ring(open.c, open.q);
  auto event = make(Boundary::fetched, open.c, open.q);
  event.slot = open.slot;
  event.a = open.cid;
  trace.add(event);
  if (r.entries != 0) r.head = (open.slot + 1) % r.entries;
}

void History::dma(const Open& open, std::uint64_t address, std::uint32_t bytes, bool write) {
  auto event = make(Boundary::dma, open.c, open.q);
  event.a = open.cid;
  event.b = bytes;
  event.c = address;
  event.flags = write ? trace::event_flag::dma_write : 0;
  trace.add(event);
}

void History::complete(const Open& open, const How& how) {
  Ring& r = ring(open.c, open.q);
  const auto* row = spec::find_command(spec::set_of_queue(open.q), open.entry.opcode);
  const std::uint64_t bytes = row == nullptr ? 0 : spec::data_bytes(*row, open.entry, layout_.block_bytes);
  if (how.dma && bytes != 0 && how.status == spec::Status::success) {
    dma(open, open.entry.prp1, static_cast<std::uint32_t>(bytes), row->direction == spec::Direction::to_host);
  }
  spec::CompletionEntry entry;
  entry.dw0 = how.dw0;
  entry.sqhd = static_cast<std::uint16_t>(r.head);
  entry.sqid = open.q;
  entry.cid = open.cid;
  const bool phase = r.cq_entries == 0 || r.posted / r.cq_entries % 2 == 0;
  entry.status_word = static_cast<std::uint16_t>(
      spec::make_status_word(how.status, how.dnr, how.more, how.crd) | (phase ? 1U : 0U));
  auto event = make(Boundary::completed, open.c, open.q);
  event.a = open.cid;
  event.slot = r.cq_entries == 0 ? trace::kUnknownSlot : r.posted % r.cq_entries;
  event.c = how.dw0;
  if (!how.digests.empty()) event.b |= trace::completed_part::digests;
  if (!how.data.empty()) event.b |= trace::completed_part::data;
  if (how.change) how.change(entry, event);
  trace.begin(event);
  trace.append_value(entry);
  if (!how.digests.empty()) {
    trace.append_value(static_cast<std::uint32_t>(how.digests.size()));
    trace.append_value(std::uint32_t{512});
    trace.append(std::as_bytes(std::span(how.digests)));
  }
  if (!how.data.empty()) {
    trace.append_value(static_cast<std::uint64_t>(how.data.size()));
    trace.append(how.data);
  }
  trace.commit();
  ++r.posted;
  if (how.interrupt) interrupt(open.c, r.vector);
  if (how.acknowledge) acknowledge(open.c, open.q);
}

void History::interrupt(std::uint16_t c, std::uint16_t vector) {
  auto event = make(Boundary::interrupt, c);
  event.a = vector;
  trace.add(event);
}

void History::acknowledge(std::uint16_t c, std::uint16_t q) {
  Ring& r = ring(c, q);
  if (r.cq_entries == 0) return;
  r.released = r.posted;
  doorbell(c, q, true, r.released % r.cq_entries);
}

void History::mask(std::uint16_t c, std::uint16_t vector, bool masked) {
  auto event = make(Boundary::vector_mask, c);
  event.a = vector;
  event.b = masked ? 1 : 0;
  trace.add(event);
}

History::Open History::start(std::uint16_t c, std::uint16_t q, const spec::SubmissionEntry& entry,
                             const With& with) {
  const Open open = submit(c, q, entry, with);
  fetch(open);
  return open;
}

History::Open History::run(std::uint16_t c, std::uint16_t q, const spec::SubmissionEntry& entry,
                           const With& with, const How& how) {
  const Open open = start(c, q, entry, with);
  complete(open, how);
  return open;
}

void History::identify(std::uint16_t c, const std::function<void(spec::IdentifyController&)>& change) {
  spec::IdentifyController id{};
  put_text(id.sn, "foo");
  put_text(id.mn, "Polypath");
  put_text(id.fr, "1");
  std::string_view nqn = "nqn.2019-08.org.qemu:subsys0";
  std::copy(nqn.begin(), nqn.end(), id.subnqn.begin());
  id.cmic = spec::cmic::several_controllers;
  id.mdts = 7;
  id.cntlid = c;
  id.ver = spec::kVersion2_1;
  id.oaes = spec::oaes::ns_attribute;
  id.cntrltype = 1;
  id.oacs = spec::oacs::ns_management;
  id.acl = 3;
  id.aerl = 3;
  id.elpe = 3;
  id.lpa = 6;
  id.sqes = 0x66;
  id.cqes = 0x44;
  id.nn = 256;
  id.mnan = 256;
  id.oncs = spec::oncs::compare | spec::oncs::write_zeroes | spec::oncs::save_select;
  id.vwc = 5;
  if (change) change(id);
  run(c, 0, admin_entry(0x06, 0, 1), How{.data = bytes_of(id)});
}

void History::identify_ns(std::uint16_t c, std::uint32_t nsid,
                          const std::function<void(spec::IdentifyNamespace&)>& change, std::uint32_t cns) {
  spec::IdentifyNamespace id{};
  id.nsze = id.ncap = id.nuse = kBlocks;
  id.nmic = nsid == 2 ? 0 : spec::nmic::shared;
  id.dlfeat = 1;
  id.lbaf[0] = (layout_.block_bytes == 512 ? 9U : 12U) << 16U;
  id.eui64[0] = std::uint8_t{0x52};
  id.eui64[7] = static_cast<std::uint8_t>(nsid);
  if (change) change(id);
  run(c, 0, admin_entry(0x06, nsid, cns), How{.data = bytes_of(id)});
}

void History::create_queues(std::uint16_t c, std::uint16_t qid, std::uint32_t entries,
                            std::uint32_t priority) {
  auto cq = admin_entry(0x05, 0, qid | (entries - 1) << 16U, 3U | std::uint32_t{qid} << 16U);
  cq.prp1 = buffer(std::uint64_t{entries} * 16);
  run(c, 0, cq);
  auto sq = admin_entry(0x01, 0, qid | (entries - 1) << 16U, 1U | priority << 1U | std::uint32_t{qid} << 16U);
  sq.prp1 = buffer(std::uint64_t{entries} * 64);
  run(c, 0, sq);
  ring(c, qid) = {.entries = entries, .cq_entries = entries, .vector = qid};
}

void History::set_feature(std::uint16_t c, std::uint8_t fid, std::uint32_t value) {
  run(c, 0, admin_entry(0x09, 0, fid, value));
}

void History::ready(std::uint16_t c) {
  enable(c);
  identify(c);
  create_queues(c);
}

void History::ready_fused(std::uint16_t c) {
  enable(c);
  identify(c, [](spec::IdentifyController& id) { id.fuses = 1; });
  create_queues(c);
}

void History::ready_copy(std::uint16_t c) {
  enable(c);
  identify(c, [](spec::IdentifyController& id) {
    id.oncs |= spec::oncs::copy;
    id.ocfs = 1;
  });
  create_queues(c);
}

void History::copy(std::uint16_t c, std::uint32_t nsid, std::uint64_t from, std::uint64_t to) {
  spec::CopyRange source;
  source.slba = from;
  auto entry = io_entry(0x19, nsid, to);
  entry.cdw12 = 0;  // one source, format 0
  run(c, 1, entry, With{.data = bytes_of(source)}, How{});
}

std::array<History::Open, 2> History::start_pair(std::uint16_t c, std::uint64_t compared,
                                                 std::uint64_t written, bool together) {
  auto compare = io_entry(0x05, 1, 0), write = io_entry(0x01, 1, 0);
  compare.flags = 1;
  write.flags = 2;
  const Open first = submit(c, 1, compare, With{.digests = digests(compared), .doorbell = !together});
  const Open second = submit(c, 1, write, With{.digests = digests(written)});
  fetch(first);
  fetch(second);
  return {first, second};
}

void History::ready_all() {
  for (std::size_t i = 0; i < layout_.controllers; ++i) ready(static_cast<std::uint16_t>(i));
}

History::Open History::arm(std::uint16_t c) {
  set_feature(c, 0x0B, 0x100);
  return start(c, 0, admin_entry(0x0C));
}

void History::attach(std::uint16_t via, std::uint32_t nsid, const std::vector<std::uint16_t>& ids,
                     const How& how) {
  run(via, 0, admin_entry(0x15, nsid, 0), With{.data = controller_list_bytes(ids)}, how);
}

void History::detach(std::uint16_t via, std::uint32_t nsid, const std::vector<std::uint16_t>& ids,
                     const How& how) {
  run(via, 0, admin_entry(0x15, nsid, 1), With{.data = controller_list_bytes(ids)}, how);
}

void History::create(std::uint16_t via, std::uint32_t nsid) {
  spec::IdentifyNamespace id{};
  id.nsze = id.ncap = kBlocks;
  id.nmic = spec::nmic::shared;
  run(via, 0, admin_entry(0x0D, 0, 0), With{.data = bytes_of(id)}, How{.dw0 = nsid});
}

void History::remove(std::uint16_t via, std::uint32_t nsid) { run(via, 0, admin_entry(0x0D, nsid, 1)); }

void History::list(std::uint16_t c, std::uint32_t cns, const std::vector<std::uint32_t>& nsids,
                   std::uint32_t start) {
  run(c, 0, admin_entry(0x06, start, cns), How{.data = list_bytes(nsids)});
}

void History::changed_log(std::uint16_t c, const std::vector<std::uint32_t>& nsids, bool retain) {
  run(c, 0, log_entry(0x04, 4096, retain), How{.data = list_bytes(nsids)});
}

void History::event(const Open& request, std::uint32_t dword) { complete(request, How{.dw0 = dword}); }

History::Open History::start_write(std::uint16_t c, std::uint32_t nsid, std::uint64_t lba,
                                   std::uint64_t value) {
  return start(c, 1, io_entry(0x01, nsid, lba), With{.digests = digests(value)});
}

History::Open History::start_read(std::uint16_t c, std::uint32_t nsid, std::uint64_t lba) {
  return start(c, 1, io_entry(0x02, nsid, lba));
}

void History::end_read(const Open& open, std::uint64_t value) {
  complete(open, How{.digests = digests(value)});
}

void History::write(std::uint16_t c, std::uint32_t nsid, std::uint64_t lba, std::uint64_t value,
                    std::uint32_t blocks) {
  run(c, 1, io_entry(0x01, nsid, lba, blocks), With{.digests = digests(value, blocks)}, How{});
}

void History::write_through(std::uint16_t c, std::uint32_t nsid, std::uint64_t lba, std::uint64_t value) {
  auto entry = io_entry(0x01, nsid, lba);
  entry.cdw12 |= 1U << 30U;
  run(c, 1, entry, With{.digests = digests(value)}, How{});
}

void History::read(std::uint16_t c, std::uint32_t nsid, std::uint64_t lba, std::uint64_t value,
                   std::uint32_t blocks) {
  run(c, 1, io_entry(0x02, nsid, lba, blocks), How{.digests = digests(value, blocks)});
}

void History::app_submit(std::uint32_t id, std::uint8_t opcode, std::uint32_t nsid, std::uint64_t lba,
                         const std::vector<std::uint64_t>& data, std::uint16_t host) {
  auto event = make(Boundary::app_submit, trace::kNoController, host);
  event.a = id;
  event.b = opcode;
  event.c = lba;
  trace.begin(event);
  trace.append_value(trace::AppRequestPart{nsid, 1, 0, 0});
  trace.append(std::as_bytes(std::span(data)));
  trace.commit();
}

void History::app_complete(std::uint32_t id, std::uint32_t error, const std::vector<std::uint64_t>& data,
                           std::uint16_t host) {
  auto event = make(Boundary::app_complete, trace::kNoController, host);
  event.a = id;
  event.b = error;
  trace.begin(event);
  trace.append(std::as_bytes(std::span(data)));
  trace.commit();
}

Monitor History::judge(Time until, const Options& options) const {
  Monitor monitor(trace, options);
  monitor.finish(until);
  return monitor;
}

}  // namespace polypath::model
