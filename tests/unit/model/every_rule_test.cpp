// A check is proven by breaking what it checks: each rule has one history, told twice. As it should be, it
// exercises the rule and breaks none; with one thing wrong, it breaks this rule.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "history.h"
#include "model/rules.h"
#include "spec/commands.h"
#include "spec/registers.h"
#include "zone_history.h"

namespace polypath::model {
namespace {

using spec::Status;
using How = History::How;
using With = History::With;
using Entry = spec::CompletionEntry;
using Event = trace::BoundaryEvent;

constexpr std::uint32_t kCcEnabled = 0x00460001;
constexpr std::uint32_t kNssro = 1U << 4U;
constexpr std::uint32_t kShutdown = kCcEnabled | 1U << 14U;

struct Case {
  Rule rule;
  void (*story)(History& h, bool broken);
  Time observed = 0;  ///< how long after its last event
  Layout layout = {};
};

std::uint32_t csts(bool rdy, std::uint32_t shst) { return (rdy ? 1U : 0U) | shst << 2U; }

std::vector<std::byte> error_log(const std::vector<spec::ErrorLogEntry>& entries) {
  std::vector<std::byte> out(256);
  std::memcpy(out.data(), entries.data(), entries.size() * sizeof(spec::ErrorLogEntry));
  return out;
}

std::vector<std::byte> smart_log(std::uint64_t reads) {
  std::vector<std::byte> out(512);
  std::memcpy(out.data() + 64, &reads, 8);
  return out;
}

/// Identify Namespace with blocks of 512 and of 4096 bytes, of which `index` is in use.
std::function<void(spec::IdentifyNamespace&)> two_formats(std::uint8_t index) {
  return [index](spec::IdentifyNamespace& id) {
    id.nlbaf = 1;
    id.flbas = index;
    id.lbaf[0] = 9U << 16U;
    id.lbaf[1] = 12U << 16U;
    if (index == 1) id.nsze = id.ncap = id.nuse = History::kBlocks / 8;
  };
}

/// Format and Device Self-test; and what the formats of namespace 1 are.
void announce_formats(History& h, std::uint16_t c) {
  h.identify(c, [](spec::IdentifyController& id) { id.oacs |= spec::oacs::format | spec::oacs::self_test; });
  h.identify_ns(c, 1, two_formats(0));
}

std::vector<std::byte> self_test_log(std::uint8_t current, std::uint8_t newest) {
  std::vector<std::byte> out(564);
  out[0] = std::byte{current};
  for (std::size_t at = 4; at < out.size(); at += 28) out[at] = std::byte{0x0F};
  out[4] = std::byte{newest};
  return out;
}

/// Sanitize of every kind; and what namespace 1 is.
void announce_sanitize(History& h, std::uint16_t c) {
  h.identify(c, [](spec::IdentifyController& id) { id.sanicap = 7; });
  h.identify_ns(c, 1, two_formats(0));
}
std::vector<std::byte> sanitize_log(std::uint16_t progress, std::uint16_t sstat, std::uint32_t cdw10) {
  std::vector<std::byte> out(512);
  std::memcpy(out.data(), &progress, 2);
  std::memcpy(out.data() + 2, &sstat, 2);
  std::memcpy(out.data() + 4, &cdw10, 4);
  return out;
}

/// Three slots, the first read only.
void announce_firmware(History& h, std::uint16_t c, const char* revision) {
  h.identify(c, [revision](spec::IdentifyController& id) {
    id.oacs |= spec::oacs::firmware;
    id.oaes |= spec::oaes::firmware_activation;
    id.frmw = 0x17;
    std::memcpy(id.fr.data(), revision, 8);
  });
}
std::vector<std::byte> firmware_log(std::uint8_t afi, const char* first, const char* second) {
  std::vector<std::byte> out(512);
  out[0] = std::byte{afi};
  std::memcpy(out.data() + 8, first, 8);
  std::memcpy(out.data() + 16, second, 8);
  return out;
}

std::vector<std::byte> effects_log(bool with_identify) {
  std::vector<std::byte> out(4096);
  for (const auto& row : spec::commands()) {
    const bool there = row.announced == spec::Announced::mandatory || row.name == "ns_management" ||
                       row.name == "ns_attachment" || row.name == "compare" || row.name == "write_zeroes";
    if (!there || (row.name == "identify" && !with_identify)) continue;
    const std::uint32_t effects = 1;
    std::memcpy(out.data() + (row.set == spec::CommandSet::nvm ? 1024 : 0) + row.opcode * 4U, &effects, 4);
  }
  return out;
}

/// A detach on controller 0, ordered through controller 1, that controller 0 is armed for.
History::Open armed_detach(History& h) {
  h.ready_all();
  const auto request = h.arm(0);
  h.detach(1, 1, {0});
  return request;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases{
      // Queues and completions
      {Rule::q01,
       [](History& h, bool broken) {
         h.ready(0);
         const auto open = h.start_read(0, 1, 0);
         h.end_read(open, 0);
         if (broken) h.complete({0, 1, 77, open.slot, open.entry}, {.dma = false});
       }},
      {Rule::q02,
       [](History& h, bool broken) {
         h.ready(0);
         const auto open = h.start_read(0, 1, 0);
         h.end_read(open, 0);
         if (broken) h.complete(open, {.dma = false});
       }},
      {Rule::q03,
       [](History& h, bool broken) {
         h.ready(0);
         h.read(0, 1, 0, 0);
         const auto open = h.start_read(0, 1, 0);
         h.disable(0);
         if (broken) h.complete(open, {.dma = false, .interrupt = false, .acknowledge = false});
       }},
      {Rule::q04,
       [](History& h, bool broken) {
         h.ready(0);
         auto entry = io_entry(0x02, 1, 0);
         entry.cid = 9;
         const auto first = h.start(0, 1, entry);
         const auto second = h.start(0, 1, entry);
         h.end_read(first, 0);
         h.end_read(second, 0);
         if (broken) h.complete(second, {.dma = false});
       }},
      {Rule::q06,
       [](History& h, bool broken) {
         h.ready(0);
         const auto open = h.start_read(0, 1, 0);
         if (broken) h.fetch({0, 1, 5, open.slot + 1, open.entry});
       }},
      {Rule::q07,
       [](History& h, bool broken) {
         h.ready(0);
         const auto open = h.start_read(0, 1, 0);
         if (broken) h.fetch(open);
       }},
      {Rule::q08,
       [](History& h, bool broken) {
         h.ready(0);
         const auto open = h.start_read(0, 1, 0);
         h.complete(open, {.digests = h.digests(0), .change = [&](Entry& e, Event&) {
                             if (broken)
                               e.sqhd = static_cast<std::uint16_t>((e.sqhd + 3) % History::kQueueEntries);
                           }});
       }},
      {Rule::q09,
       [](History& h, bool broken) {
         h.ready(0);
         h.start_read(0, 1, 0);
         const auto second = h.start_read(0, 1, 1);
         h.complete(second, {.digests = h.digests(0), .change = [&](Entry& e, Event&) {
                               if (broken) e.sqhd = 1;
                             }});
       }},
      {Rule::q10,
       [](History& h, bool broken) {
         h.ready(0);
         for (int i = 0; i < 10; ++i) h.read(0, 1, 0, 0);  // into the second lap
         h.complete(h.start_read(0, 1, 0), {.digests = h.digests(0), .change = [&](Entry& e, Event&) {
                                              if (broken) e.status_word ^= 1U;
                                            }});
       }},
      {Rule::q11,
       [](History& h, bool broken) {
         h.ready(0);
         h.complete(h.start_read(0, 1, 0), {.digests = h.digests(0), .change = [&](Entry&, Event& e) {
                                              if (broken) ++e.slot;
                                            }});
       }},
      {Rule::q12,
       [](History& h, bool broken) {
         h.ready(0);
         for (std::uint32_t i = 0; i + 1 < History::kQueueEntries; ++i) {
           h.complete(h.start_read(0, 1, 0), {.digests = h.digests(0), .acknowledge = false});
         }
         const auto last = h.start_read(0, 1, 0);
         if (!broken) h.acknowledge(0, 1);
         h.end_read(last, 0);
       }},
      {Rule::q13,
       [](History& h, bool broken) {
         h.ready(0);
         h.create_queues(0, 2);
         h.complete(h.start_read(0, 1, 0), {.digests = h.digests(0), .change = [&](Entry&, Event& e) {
                                              if (broken) e.queue = 2;
                                            }});
       }},
      {Rule::q14,
       [](History& h, bool broken) {
         h.ready(0);
         h.read(0, 1, 0, 0);
         h.wait(kMs);
         if (broken) h.interrupt(0, 1);
         h.wait(kMs);
         h.read(0, 1, 0, 0);
       }},
      {Rule::q15,
       [](History& h, bool broken) {
         h.ready(0);
         h.complete(h.start_read(0, 1, 0),
                    {.digests = h.digests(0), .interrupt = !broken, .acknowledge = false});
       },
       5 * engine::kSecond},
      {Rule::q16,
       [](History& h, bool broken) {
         h.ready(0);
         const auto open = h.start_read(0, 1, 0);
         h.dma(open, open.entry.prp1, 512, true);
         h.step = 0;
         if (broken) h.interrupt(0, 1);
         h.complete(open, {.digests = h.digests(0), .dma = false, .interrupt = !broken});
       }},
      {Rule::q17,
       [](History& h, bool broken) {
         h.ready(0);
         const auto request = h.arm(0);
         h.doorbell(0, 9, false, 1);
         if (broken) {
           h.fetch({0, 9, 0, 0, {}});
         } else {
           h.event(request, 0x010000);
         }
       }},
      {Rule::q18,
       [](History& h, bool broken) {
         h.ready(0);
         const auto request = h.arm(0);
         h.doorbell(0, 1, false, 100);
         if (broken) {
           h.fetch({0, 1, 0, 0, {}});
         } else {
           h.event(request, 0x010100);
         }
       }},
      {Rule::q19,
       [](History& h, bool broken) {
         h.ready(0);
         h.run(0, 0, admin_entry(0x04, 0, 1),
               {.status = broken ? Status::success : Status::invalid_queue_deletion});
       }},
      {Rule::q20,
       [](History& h, bool broken) {
         h.ready(0);
         auto entry = admin_entry(0x05, 0, 1 | 7U << 16U, 1);
         entry.prp1 = h.buffer(4096);
         h.run(0, 0, entry, {.status = broken ? Status::success : Status::invalid_queue_identifier});
       }},
      {Rule::q21,
       [](History& h, bool broken) {
         h.ready(0);
         auto entry = admin_entry(0x05, 0, 2 | 4000U << 16U, 1);  // CAP.MQES is 2047
         entry.prp1 = h.buffer(65536);
         h.run(0, 0, entry, {.status = broken ? Status::success : Status::invalid_queue_size});
       }},
      {Rule::q22,
       [](History& h, bool broken) {
         h.ready(0);
         h.run(0, 0, admin_entry(0x09, 0, 7, 0x00030003),
               {.status = broken ? Status::success : Status::command_sequence_error, .dw0 = 0x00030003});
       }},
      {Rule::q25,
       [](History& h, bool broken) {
         h.ready_fused(0);
         const auto pair = h.start_pair(0, 5, 6);
         h.complete(pair[0], {.status = Status::compare_failure});
         h.complete(pair[1], {.status = broken ? Status::success : Status::aborted_failed_fused});
       }},
      {Rule::q23,
       [](History& h, bool broken) {
         h.enable(0, kCcEnabled | 1U << 11U);  // AMS
         h.create_queues(0, 1, 8, 3);
         h.create_queues(0, 2, 8, 0);
         h.create_queues(0, 3, 8, 1);
         const auto low = h.submit(0, 1, io_entry(0x00, 1, 0)), high = h.submit(0, 3, io_entry(0x00, 1, 0));
         const auto urgent = h.submit(0, 2, io_entry(0x00, 1, 0));
         if (!broken) h.fetch(urgent);
         h.fetch(high);
         h.fetch(low);
         if (broken) h.fetch(urgent);
         for (const auto& open : {low, high, urgent}) h.complete(open);
       }},
      {Rule::q26,
       [](History& h, bool broken) {
         h.ready(0);
         const auto victim = h.start_read(0, 1, 0);
         h.run(0, 0, admin_entry(0x08, 0, 1 | std::uint32_t{victim.cid} << 16U), {.dw0 = 0});
         if (broken) {
           h.end_read(victim, 0);
         } else {
           h.complete(victim, {.status = Status::abort_requested});
         }
       }},
      {Rule::q27,
       [](History& h, bool broken) {
         h.ready(0);
         h.run(0, 0, admin_entry(0x08, 0, 1),
               {.status = broken ? Status::abort_limit_exceeded : Status::success, .dw0 = 1});
       }},
      {Rule::q28,
       [](History& h, bool broken) {
         h.ready(0);
         const auto open = h.start_read(0, 1, 0);
         h.dma(open, open.entry.prp1 + (broken ? 512 : 0), 512, true);
         h.end_read(open, 0);
       }},
      {Rule::q29,
       [](History& h, bool broken) {
         h.ready(0);
         const auto open = h.start_read(0, 1, 0);
         h.end_read(open, 0);
         if (broken) h.dma(open, open.entry.prp1, 512, true);
       }},
      {Rule::q30,
       [](History& h, bool broken) {
         h.ready(0);
         auto entry = io_entry(0x02, 1, 0, 16);
         entry.prp1 = h.buffer(4096);
         entry.prp2 = h.buffer(4096) + 8;  // the second page must begin at its beginning
         h.run(0, 1, entry, With{.flags = trace::submitted_part::malformed_pointer},
               {.status = broken ? Status::success : Status::prp_offset_invalid, .dma = false});
       }},
      {Rule::q31,
       [](History& h, bool broken) {
         h.ready(0);
         h.complete(h.start_read(0, 1, 0), {.digests = h.digests(0), .dnr = broken});
       }},
      {Rule::q32,
       [](History& h, bool broken) {
         h.ready(0);
         std::vector<std::byte> behavior(512);
         behavior[0] = std::byte{1};  // ACRE
         if (!broken) h.run(0, 0, admin_entry(0x09, 0, 0x16), With{.data = behavior}, {});
         h.complete(h.start_read(0, 1, 0), {.status = Status::internal_error, .crd = 1});
       }},
      {Rule::q33,
       [](History& h, bool broken) {
         h.ready(0);
         h.complete(h.start_read(0, 1, 0),
                    {.status = broken ? Status::capacity_exceeded : Status::data_transfer_error});
       }},
      {Rule::q34,
       [](History& h, bool broken) {
         h.ready(0);
         const auto open = h.start_read(0, 1, 0);
         h.complete(open, {.status = Status::data_transfer_error, .more = true});
         spec::ErrorLogEntry entry{};
         entry.count = 1;
         entry.sqid = 1;
         entry.cid = static_cast<std::uint16_t>(open.cid + (broken ? 1 : 0));
         h.run(0, 0, log_entry(0x01, 256), {.data = error_log({entry})});
       }},
      {Rule::q35,
       [](History& h, bool broken) {
         h.ready(0);
         const auto open = h.submit(0, 1, io_entry(0x02, 1, 0), {.in_memory = true});
         if (broken) return;
         h.fetch(open);
         h.end_read(open, 0);
       },
       20 * engine::kSecond},

      // Controller state and resets
      {Rule::r01,
       [](History& h, bool broken) {
         h.ready(0);
         h.read_register(0, spec::reg::csts, broken ? 0 : 1);
       }},
      {Rule::r02,
       [](History& h, bool broken) {
         h.ready(0);
         const auto open = h.submit(0, 0, admin_entry(0x06, 0, 1));
         if (!broken) h.fetch(open);
         h.disable(0);
         if (broken) h.fetch(open);
       }},
      {Rule::r04,
       [](History& h, bool broken) {
         h.ready(0);
         h.disable(0);
         h.enable(0);
         h.doorbell(0, 1, false, 1);
         if (broken) h.fetch({0, 1, 0, 0, {}});
       }},
      {Rule::r03,
       [](History& h, bool broken) {
         h.ready(0);
         h.read_register(0, spec::reg::cc, kCcEnabled | (broken ? 1U << 11U : 0U));  // AMS
         h.disable(0);
         h.read_register(0, spec::reg::cc, 0);
       }},
      {Rule::r05,
       [](History& h, bool broken) {
         h.ready(0);
         h.disable(0);
         h.read_register(0, spec::reg::aqa, broken ? 0 : 31U << 16U | 31U);
       }},
      {Rule::r06,
       [](History& h, bool broken) {
         h.ready_all();
         const auto open = h.start_read(1, 1, 0);
         h.disable(0);
         if (broken) {
           h.complete(open, {.status = Status::abort_requested});
         } else {
           h.end_read(open, 0);
         }
       }},
      {Rule::r07,
       [](History& h, bool broken) {
         h.ready_all();
         h.write_register(0, spec::reg::nssr, spec::kSubsystemReset);
         h.read_register(1, spec::reg::csts, broken ? 0 : kNssro);
       }},
      {Rule::r08,
       [](History& h, bool broken) {
         h.ready(0);
         h.write_register(0, spec::reg::nssr, spec::kSubsystemReset);
         h.read_register(0, spec::reg::csts, kNssro);
         h.write_register(0, spec::reg::csts, kNssro);
         h.read_register(0, spec::reg::csts, broken ? kNssro : 0);
       }},
      {Rule::r09,
       [](History& h, bool broken) {
         h.ready(0);
         h.run(0, 0, admin_entry(0x0A, 0, 0x0A | 3U << 8U), {.dw0 = 4});  // not saveable
         h.run(0, 0, admin_entry(0x0A, 0, 0x0A | 1U << 8U), {.dw0 = 0});  // default 0
         h.set_feature(0, 0x0A, 1);
         h.disable(0);
         h.ready(0);
         h.run(0, 0, admin_entry(0x0A, 0, 0x0A), {.dw0 = broken ? 1U : 0U});
       }},
      {Rule::r10,
       [](History& h, bool broken) {
         h.ready(0);
         h.list(0, 2, {1});
         h.disable(0);
         h.ready(0);
         h.list(0, 2, broken ? std::vector<std::uint32_t>{} : std::vector<std::uint32_t>{1});
       }},
      {Rule::r11,
       [](History& h, bool broken) {
         h.ready(0);
         h.write(0, 1, 0, 5);
         h.disable(0);
         h.ready(0);
         h.read(0, 1, 0, broken ? 0 : 5);
       }},
      {Rule::r12,
       [](History& h, bool broken) {
         h.ready(0);
         if (!broken) h.write_register(0, spec::reg::cc, kShutdown);
         h.read_register(0, spec::reg::csts, csts(true, 1));
       }},
      {Rule::r13,
       [](History& h, bool broken) {
         h.ready(0);
         const auto open = h.start_read(0, 1, 0);
         h.write_register(0, spec::reg::cc, kShutdown);
         if (!broken) h.end_read(open, 0);
         h.read_register(0, spec::reg::csts, csts(true, 2));
         if (broken) h.end_read(open, 0);
       }},
      {Rule::r14,
       [](History& h, bool broken) {
         h.ready_all();
         h.write(0, 1, 0, 5);
         h.write_register(0, spec::reg::cc, kShutdown);
         h.read_register(0, spec::reg::csts, csts(true, 2));
         h.lose_power();
         h.ready(1);
         h.read(1, 1, 0, broken ? 0 : 5);
       }},
      {Rule::r15,
       [](History& h, bool broken) {
         h.ready(0);
         h.read_register(0, spec::reg::csts, csts(true, 0) | 2U);
         h.read_register(0, spec::reg::csts, csts(true, 0) | (broken ? 0U : 2U));
       }},
      {Rule::r16,
       [](History& h, bool broken) {
         h.ready(0);
         const std::uint64_t cap = h.trace.events()[0].c;
         h.write_register(0, spec::reg::cap, 0);
         h.read_register(0, spec::reg::cap, broken ? 0 : cap, 8);
       }},
      {Rule::r17,
       [](History& h, bool broken) {
         h.ready(0);
         h.read_register(0, spec::reg::vs, broken ? spec::kVersion1_4 : spec::kVersion2_1);
       }},

      // Namespaces
      {Rule::ns01,
       [](History& h, bool broken) {
         h.ready(0);
         h.list(0, 2, broken ? std::vector<std::uint32_t>{1, 4} : std::vector<std::uint32_t>{1});
       }},
      {Rule::ns02,
       [](History& h, bool broken) {
         h.ready_all();
         h.run(0, 0, admin_entry(0x06, 1, 0x12),
               {.data = controller_list_bytes(broken ? std::vector<std::uint16_t>{0, 1}
                                                     : std::vector<std::uint16_t>{0, 1, 2})});
       }},
      {Rule::ns03,
       [](History& h, bool broken) {
         h.ready_all();
         if (!broken) h.detach(0, 2, {2});
         h.attach(0, 2, {0});
       }},
      {Rule::ns04,
       [](History& h, bool broken) {
         h.ready_all();
         h.identify_ns(0, 1, [&](auto& id) { id.nmic = broken ? 0 : 1; });
       }},
      {Rule::ns05,
       [](History& h, bool broken) {
         h.ready_all();
         h.identify_ns(0, 1);
         h.identify_ns(1, 1, [&](auto& id) {
           id.nuse = 3;  // may differ
           if (broken) id.nabo = 7;
         });
       }},
      {Rule::ns06,
       [](History& h, bool broken) {
         h.ready_all();
         h.identify_ns(2, 1);
         h.identify_ns(2, 2, [&](auto& id) { id.eui64[7] = static_cast<std::uint8_t>(broken ? 1 : 2); });
       }},
      {Rule::ns07,
       [](History& h, bool broken) {
         h.ready(0);
         h.enable(1);
         h.identify(1, [&](auto& id) { id.nn = broken ? 32 : 256; });
       }},
      {Rule::ns08,
       [](History& h, bool broken) {
         h.ready(0);
         h.enable(1);
         h.identify(1, [&](auto& id) { id.cntlid = broken ? 0 : 1; });
       }},
      {Rule::ns09,
       [](History& h, bool broken) {
         h.ready(0);
         h.list(0, 0x10, broken ? std::vector<std::uint32_t>{1, 2} : std::vector<std::uint32_t>{1, 2, 4});
       }},
      {Rule::ns10,
       [](History& h, bool broken) {
         h.ready_all();
         h.detach(1, 1, {0});
         const auto open = h.start_read(0, 1, 0);
         if (broken) {
           h.end_read(open, 0);
         } else {
           h.complete(open, {.status = Status::invalid_field, .dnr = true});
         }
       }},
      {Rule::ns11,
       [](History& h, bool broken) {
         h.ready_all();
         h.attach(0, 1, {0}, {.status = broken ? Status::success : Status::namespace_already_attached});
       }},
      {Rule::ns12,
       [](History& h, bool broken) {
         h.enable(0);
         h.identify(0, [&](auto& id) { id.maxcna = broken ? 2 : 3; });  // two are attached
         h.attach(0, 4, {0});
       },
       0,
       {.controllers = 1}},
      {Rule::ns13,
       [](History& h, bool broken) {
         h.ready(0);
         h.create(0, broken ? 4 : 5);
       }},
      {Rule::ns14,
       [](History& h, bool broken) {
         h.ready_all();
         h.remove(0, 1);
         h.list(1, 2, broken ? std::vector<std::uint32_t>{1} : std::vector<std::uint32_t>{});
       }},
      {Rule::ns15,
       [](History& h, bool broken) {
         h.ready_all();
         const auto write = h.start_write(0, 1, 0, 5);
         h.detach(1, 1, {0});
         h.read(1, 1, 0, 0);  // it had no effect until then
         h.read(1, 1, 0, broken ? 5 : 0);
         h.complete(write, {.status = Status::invalid_field, .dnr = true});
       }},
      {Rule::ns16,
       [](History& h, bool broken) {
         h.ready(0);
         h.create(0, 5);
         h.attach(0, 5, {0});
         h.identify_ns(0, 5);
         h.read(0, 5, 0, broken ? 7 : 0);
       },
       0,
       {.controllers = 1}},
      {Rule::ns17,
       [](History& h, bool broken) {
         h.ready(0);
         h.identify_ns(0, 1, [&](auto& id) { id.nuse = broken ? id.ncap + 1 : id.ncap; });
       }},
      {Rule::ns19,
       [](History& h, bool broken) {
         h.enable(0);
         h.identify(0, [](auto& id) { id.cntrltype = 3; });
         h.list(0, 2, broken ? std::vector<std::uint32_t>{1} : std::vector<std::uint32_t>{});
       }},
      {Rule::ns21,
       [](History& h, bool broken) {
         h.ready_all();
         h.list(0, 2, {1});
         h.detach(1, 1, {0});
         h.list(0, 2, broken ? std::vector<std::uint32_t>{1} : std::vector<std::uint32_t>{});
       }},
      {Rule::ns22,
       [](History& h, bool broken) {
         h.ready_all();
         spec::IdentifyNamespace id{};
         id.nsze = id.ncap = 64;
         const auto a = h.start(0, 0, admin_entry(0x0D), With{.data = bytes_of(id)});
         const auto b = h.start(1, 0, admin_entry(0x0D), With{.data = bytes_of(id)});
         h.complete(a, {.dw0 = 5});
         h.complete(b, {.dw0 = broken ? 5U : 6U});
       }},

      // Data
      {Rule::d01,
       [](History& h, bool broken) {
         h.ready_all();
         const auto a = h.start_write(0, 1, 0, 5);
         const auto b = h.start_write(1, 1, 0, 6);
         h.complete(a);
         h.complete(b);
         h.read(2, 1, 0, 5);  // so the other one came first
         h.read(2, 1, 0, broken ? 6 : 5);
       }},
      {Rule::d02,
       [](History& h, bool broken) {
         h.ready_all();
         h.write(0, 1, 0, 5);
         h.write(0, 1, 0, 6);
         h.read(1, 1, 0, broken ? 5 : 6);
       }},
      {Rule::d03,
       [](History& h, bool broken) {
         h.ready_all();
         h.detach(1, 1, {0});
         h.complete(h.start_write(0, 1, 0, 5), {.status = Status::invalid_field, .dnr = true});
         h.read(1, 1, 0, broken ? 5 : 0);
       }},
      {Rule::d04,
       [](History& h, bool broken) {
         h.ready_all();
         h.complete(h.start_write(0, 1, 0, 5), {.status = Status::write_fault});
         h.read(1, 1, 0, 0);
         h.read(1, 1, 0, broken ? 5 : 0);
       }},
      {Rule::d05,
       [](History& h, bool broken) {
         h.ready_all();
         h.start_write(0, 1, 0, 5);
         h.disable(0);
         h.read(1, 1, 0, 0);
         h.read(1, 1, 0, broken ? 5 : 0);
       }},
      {Rule::d06,
       [](History& h, bool broken) {
         h.ready_all();
         const auto a = h.start_write(0, 1, 0, 5);
         const auto b = h.start_write(1, 1, 0, 6);
         const auto read = h.start_read(2, 1, 0);
         auto digests = h.digests(5);
         if (broken) digests[3] = History::digest(6);  // a part of the other
         h.complete(read, {.digests = digests});
         h.complete(a);
         h.complete(b);
       },
       0,
       {.block_bytes = 4096}},
      {Rule::d08,
       [](History& h, bool broken) {
         h.ready_all();
         h.write(0, 1, 0, 5);
         h.run(0, 1, io_entry(0x00, 1, 0));
         h.lose_power();
         h.ready(1);
         h.read(1, 1, 0, broken ? 0 : 5);
       }},
      {Rule::d09,
       [](History& h, bool broken) {
         h.ready_all();
         h.write_through(0, 1, 0, 5);
         h.lose_power();
         h.ready(1);
         h.read(1, 1, 0, broken ? 0 : 5);
       }},
      {Rule::d10,
       [](History& h, bool broken) {
         h.ready(0);
         h.run(0, 1, io_entry(0x05, 1, 0), With{.digests = h.digests(5)},
               {.status = broken ? Status::success : Status::compare_failure});
       }},
      {Rule::d11,
       [](History& h, bool broken) {
         h.ready_all();
         h.read(0, 1, 0, 5);
         h.read(1, 1, 0, broken ? 6 : 5);
       },
       0,
       {.content_zero = false}},
      {Rule::d12,
       [](History& h, bool broken) {
         h.ready_all();
         h.run(0, 1, io_entry(0x04, 1, 0));
         h.run(1, 1, io_entry(0x0C, 1, 0),
               {.status = broken ? Status::success : Status::unrecovered_read_error});
         h.write(1, 1, 0, 5);
         h.read(0, 1, 0, 5);
       }},
      {Rule::d13,
       [](History& h, bool broken) {
         h.ready_all();
         h.write(0, 1, 0, 5);
         h.run(0, 1, io_entry(0x08, 1, 0));
         h.read(1, 1, 0, broken ? 5 : 0);
       }},
      {Rule::d14,
       [](History& h, bool broken) {
         h.ready(0);
         h.complete(h.start_read(0, 1, History::kBlocks),
                    {.status = broken ? Status::success : Status::lba_out_of_range});
       }},
      {Rule::d16,
       [](History& h, bool broken) {
         h.ready_copy(0);
         h.write(0, 1, 0, 5);
         h.copy(0, 1, 0, 8);
         h.read(0, 1, 8, broken ? 6 : 5);
       }},
      {Rule::d17,
       [](History& h, bool broken) {
         h.ready(0);
         auto verify = io_entry(0x0C, 1, 6);
         verify.cdw12 |= spec::prinfo::check_reference;
         verify.cdw14 = 6;  // blocks that nobody wrote pass every check
         h.run(0, 1, verify);
         verify.cdw14 = 7;  // with type 1 it is that of the first block
         h.run(0, 1, verify, {.status = broken ? Status::success : Status::invalid_protection_information});
       },
       0,
       {.metadata = {.bytes = 8, .type = 1}}},
      {Rule::d20,
       [](History& h, bool broken) {
         h.ready_all();
         h.write(0, 1, 0, 5);
         h.disable(0);
         h.read(1, 1, 0, broken ? 0 : 5);
       }},

      // Zones
      {Rule::z01,
       [](History& h, bool broken) {
         ready_zones(h);
         h.run(0, 1, send_entry(0, 3));
         h.run(0, 1, send_entry(0, 1));
         h.run(1, 1, send_entry(1, 3));
         h.run(1, 1, send_entry(2, 3), {.status = broken ? Status::success : Status::too_many_active_zones});
       },
       0,
       {.zoned = true}},
      {Rule::z02,
       [](History& h, bool broken) {
         ready_zones(h);
         append(h, 0, 0, 5, 0);
         report(h, 0, {{spec::ZoneState::implicitly_open, broken ? 2U : 1U}});
       },
       0,
       {.zoned = true}},
      {Rule::z04,
       [](History& h, bool broken) {
         ready_zones(h);
         append(h, 0, 0, 5, 0);
         append(h, 1, 0, 6, broken ? 2 : 1);
       },
       0,
       {.zoned = true}},
      {Rule::z05,
       [](History& h, bool broken) {
         ready_zones(h);
         h.run(0, 1, send_entry(0, 2));
         h.run(1, 1, send_entry(0, 1),
               {.status = broken ? Status::success : Status::invalid_zone_transition});
       },
       0,
       {.zoned = true}},
      {Rule::z06,
       [](History& h, bool broken) {
         ready_zones(h);
         for (const std::uint64_t zone : {0U, 1U}) {
           append(h, 0, zone, 5, 0);
           h.run(0, 1, send_entry(zone, 1));
         }
         h.run(0, 1, send_entry(0, 0x103), {.status = Status::too_many_open_zones});
         const auto first = broken ? spec::ZoneState::explicitly_open : spec::ZoneState::closed;
         report(h, 0, {{first, 1}, {spec::ZoneState::closed, 1}});
       },
       0,
       {.zoned = true}},
      {Rule::z07,
       [](History& h, bool broken) {
         ready_zones(h);
         append(h, 0, 0, 5, 0);
         h.run(0, 1, send_entry(0, 4));
         h.read(1, 1, 0, broken ? 5 : 0);
         report(h, 0, {});
       },
       0,
       {.zoned = true}},
      {Rule::z08,
       [](History& h, bool broken) {
         ready_zones(h);
         h.run(0, 1, send_entry(0, 3));
         report(h, 1, {{broken ? spec::ZoneState::empty : spec::ZoneState::explicitly_open}});
       },
       0,
       {.zoned = true}},
      {Rule::z09,
       [](History& h, bool broken) {
         ready_zones(h);
         append(h, 0, 0, 5, 0);
         h.write_register(0, spec::reg::nssr, spec::kSubsystemReset);
         h.ready(1);
         report(h, 1, {{broken ? spec::ZoneState::implicitly_open : spec::ZoneState::closed, 1}});
       },
       0,
       {.zoned = true}},
      {Rule::z10,
       [](History& h, bool broken) {
         ready_zones(h);
         report(h, 0, {}, broken ? 15 : 16);
       },
       0,
       {.zoned = true}},

      {Rule::z11,
       [](History& h, bool broken) {
         ready_zones(h);
         const auto request = h.arm(0);
         if (!broken) h.set_feature(0, 0x0B, 0x08000100);
         wear(h, 2 * kZoneBlocks);
         h.complete(request, {.dw0 = 0xBFEF02, .change = [](Entry& entry, Event&) { entry.dw1 = 1; }});
       },
       0,
       {.zoned = true}},

      // Events and logs
      {Rule::ae01,
       [](History& h, bool broken) {
         h.ready(0);
         for (int i = 0; i < 4; ++i) h.start(0, 0, admin_entry(0x0C));
         const auto extra = h.start(0, 0, admin_entry(0x0C));
         if (!broken) h.complete(extra, {.status = Status::aer_limit_exceeded});
       },
       20 * engine::kSecond},
      {Rule::ae02,
       [](History& h, bool broken) {
         const auto first = armed_detach(h);
         h.event(first);
         const auto second = h.start(0, 0, admin_entry(0x0C));
         if (!broken) h.changed_log(0, {1});
         h.attach(1, 1, {0});
         h.event(second);
       }},
      {Rule::ae03,
       [](History& h, bool broken) {
         const auto first = armed_detach(h);
         h.event(first);
         const auto second = h.start(0, 0, admin_entry(0x0C));
         h.changed_log(0, {1}, true);
         if (!broken) h.changed_log(0, {1});
         h.attach(1, 1, {0});
         h.event(second);
       }},
      {Rule::ae04,
       [](History& h, bool broken) {
         h.ready_all();
         h.set_feature(0, 0x0B, 0);
         const auto request = h.start(0, 0, admin_entry(0x0C));
         h.detach(1, 1, {0});
         if (broken) h.event(request);
       }},
      {Rule::ae05, [](History& h, bool broken) { h.event(armed_detach(h), broken ? 0x030002 : 0x040002); }},
      {Rule::ae06,
       [](History& h, bool broken) {
         h.ready_all();
         h.set_feature(0, 0x0B, 0x100);
         h.detach(1, 1, {0});
         h.wait(kMs);
         const auto request = h.start(0, 0, admin_entry(0x0C));
         if (!broken) h.event(request);
       },
       20 * engine::kSecond},
      {Rule::ae07,
       [](History& h, bool broken) {
         armed_detach(h);
         h.disable(0);
         h.ready(0);
         const auto request = h.arm(0);
         if (!broken) h.attach(1, 1, {0});
         h.event(request);
       }},
      {Rule::ae08,
       [](History& h, bool broken) {
         const auto request = armed_detach(h);
         if (!broken) h.event(request);
       },
       20 * engine::kSecond},
      {Rule::ae09,
       [](History& h, bool broken) {
         h.ready_all();
         const auto request = h.arm(0);
         if (!broken) h.detach(1, 1, {0});
         h.event(request);
       }},
      {Rule::ae10,
       [](History& h, bool broken) {
         h.event(armed_detach(h));
         h.changed_log(0, broken ? std::vector<std::uint32_t>{} : std::vector<std::uint32_t>{1});
       }},
      {Rule::ae11,
       [](History& h, bool broken) {
         h.event(armed_detach(h));
         h.changed_log(0, {1});
         h.changed_log(0, broken ? std::vector<std::uint32_t>{1} : std::vector<std::uint32_t>{});
       }},
      {Rule::ae13,
       [](History& h, bool broken) {
         const auto own = armed_detach(h);
         const auto other = h.arm(2);
         h.event(broken ? other : own);
       }},
      {Rule::ae14,
       [](History& h, bool broken) {
         h.ready(0);
         spec::ErrorLogEntry newer{}, older{};
         newer.count = 2;
         older.count = broken ? 3 : 1;
         h.run(0, 0, log_entry(0x01, 256), {.data = error_log({newer, older})});
       }},
      {Rule::ae16,
       [](History& h, bool broken) {
         h.ready(0);
         h.run(0, 0, log_entry(0x02, 512), {.data = smart_log(10)});
         h.run(0, 0, log_entry(0x02, 512), {.data = smart_log(broken ? 9 : 11)});
       }},
      {Rule::ae18,
       [](History& h, bool broken) {
         h.ready(0);
         auto entry = log_entry(0x04, 4096);
         entry.cdw12 = 8192;
         h.run(0, 0, entry, {.status = broken ? Status::success : Status::invalid_field});
       }},
      {Rule::ae20,
       [](History& h, bool broken) {
         // Nobody identified a controller: whom the list names is not known, only that the event has a
         // reason.
         for (std::uint16_t c = 0; c < 3; ++c) h.enable(c);
         const auto request = h.arm(0);
         h.detach(1, 1, {0});
         h.event(request);
         h.changed_log(0, broken ? std::vector<std::uint32_t>{} : std::vector<std::uint32_t>{1});
       }},
      {Rule::ae21,
       [](History& h, bool broken) {
         h.ready_all();
         const auto a = h.arm(0), b = h.arm(1);
         h.detach(2, 1, {0, 1});
         h.event(a);
         h.event(b);
         h.changed_log(1, {1});
         h.changed_log(0, broken ? std::vector<std::uint32_t>{} : std::vector<std::uint32_t>{1});
       }},

      // Liveness
      {Rule::liv01,
       [](History& h, bool broken) {
         h.ready(0);
         const auto open = h.start_read(0, 1, 0);
         if (!broken) h.end_read(open, 0);
       },
       20 * engine::kSecond},
      {Rule::liv02,
       [](History& h, bool broken) {
         h.ready(0);
         const auto open = h.submit(0, 1, io_entry(0x02, 1, 0));
         if (broken) return;
         h.fetch(open);
         h.end_read(open, 0);
       },
       20 * engine::kSecond},
      {Rule::liv03,
       [](History& h, bool broken) {
         h.enable(0);
         h.disable(0);
         h.write_register(0, spec::reg::cc, kCcEnabled);
         h.wait(broken ? 5 * engine::kSecond : 100 * kMs);
         h.read_register(0, spec::reg::csts, broken ? 0 : 1);
       }},
      {Rule::liv04,
       [](History& h, bool broken) {
         h.ready(0);
         h.begin_disable(0);
         h.wait(broken ? 5 * engine::kSecond : 100 * kMs);
         h.read_register(0, spec::reg::csts, broken ? 1 : 0);
       }},
      {Rule::liv05,
       [](History& h, bool broken) {
         h.ready(0);
         h.write_register(0, spec::reg::cc, kShutdown);
         h.wait(200 * engine::kSecond);
         h.read_register(0, spec::reg::csts, csts(true, broken ? 1 : 2));
       }},
      {Rule::liv06,
       [](History& h, bool broken) {
         h.ready(0);
         for (std::uint32_t i = 0; i + 1 < History::kQueueEntries; ++i) {
           h.complete(h.start_read(0, 1, 0), {.digests = h.digests(0), .acknowledge = false});
         }
         const auto held = h.start_read(0, 1, 0);
         h.acknowledge(0, 1);
         if (!broken) h.end_read(held, 0);
       },
       20 * engine::kSecond},
      {Rule::liv07,
       [](History& h, bool broken) {
         const auto request = armed_detach(h);
         h.wait(broken ? 20 * engine::kSecond : kMs);
         h.event(request);
       }},

      // Host and applications
      {Rule::h03,
       [](History& h, bool broken) {
         h.app_submit(1, 0x02, 1, 0);
         h.app_complete(1, 0, h.digests(0));
         if (broken) h.app_complete(1, 0, h.digests(0));
       }},
      {Rule::app01,
       [](History& h, bool broken) {
         h.ready(0);
         h.write(0, 1, 0, 5);
         h.app_submit(1, 0x02, 1, 0);
         h.app_complete(1, 0, h.digests(broken ? 0 : 5));
       }},
      {Rule::haz01,
       [](History& h, bool broken) {
         h.ready_all();
         const std::uint64_t lba = broken ? 0 : History::kBlocks;
         h.app_submit(1, 0x02, 1, lba);
         h.complete(h.start_read(0, 1, lba),
                    {.status = broken ? Status::internal_path_error : Status::lba_out_of_range});
         h.app_complete(1, 5);
       }},

      // Beside the sheet
      {Rule::ft01,
       [](History& h, bool broken) {
         h.ready(0);
         h.set_feature(0, 0x0A, 1);
         h.run(0, 0, admin_entry(0x0A, 0, 0x0A), {.dw0 = broken ? 0U : 1U});
       }},
      {Rule::ft02,
       [](History& h, bool broken) {
         h.ready(0);
         h.run(0, 0, admin_entry(0x0A, 0, 0x0A | 3U << 8U), {.dw0 = 5});  // saveable
         h.run(0, 0, admin_entry(0x09, 0, 0x0A | 1U << 31U, 1));
         h.set_feature(0, 0x0A, 0);
         h.run(0, 0, admin_entry(0x0A, 0, 0x0A | 2U << 8U), {.dw0 = broken ? 0U : 1U});
       }},
      {Rule::ft03,
       [](History& h, bool broken) {
         h.ready(0);
         h.run(0, 0, admin_entry(0x0A, 1, 0x05 | 3U << 8U), {.dw0 = broken ? 4U : 6U});
       }},
      {Rule::log01,
       [](History& h, bool broken) {
         h.ready(0);
         h.run(0, 0, log_entry(0x05, 4096), {.data = effects_log(!broken)});
       }},
      {Rule::log02,
       [](History& h, bool broken) {
         h.ready(0);
         std::vector<std::uint32_t> logs(256);
         for (const std::size_t lid : {1U, 2U, 3U, 4U, 5U}) logs[lid] = 1;
         if (broken) logs[0x60] = 1;  // reserved
         h.run(0, 0, log_entry(0x00, 1024), {.data = list_bytes(logs)});
       }},
      {Rule::f11,
       [](History& h, bool broken) {
         h.enable(0);
         h.identify(0, [](auto& id) { id.kas = 1; });
         h.set_feature(0, 0x0F, 200);
         h.wait(150 * kMs);
         h.run(0, 0, admin_entry(0x18));
         h.wait((broken ? 100 : 250) * kMs);
         h.read_register(0, spec::reg::csts, 3);
       }},
      {Rule::liv17,
       [](History& h, bool broken) {
         h.enable(0);
         h.identify(0, [](auto& id) { id.kas = 1; });
         h.set_feature(0, 0x0F, 200);
         h.wait((broken ? 5000 : 250) * kMs);
         h.read_register(0, spec::reg::csts, 1);
       }},
      {Rule::d15,
       [](History& h, bool broken) {
         h.ready(0);
         h.ready(1);
         for (const std::uint16_t c : {std::uint16_t{0}, std::uint16_t{1}})
           h.identify(c, [](spec::IdentifyController& id) { id.nwpc = 1; });
         h.run(0, 0, admin_entry(0x09, 1, 0x84, 1));
         h.run(1, 1, io_entry(0x08, 1, 0),
               {.status = broken ? Status::success : Status::namespace_write_protected});
       }},
      {Rule::d18,
       [](History& h, bool broken) {
         h.ready(0);
         announce_formats(h, 0);
         h.write(0, 1, 0, 5);
         h.run(0, 0, admin_entry(0x80, 1, 1U << 9U));
         h.identify_ns(0, 1, two_formats(0));
         h.read(0, 1, 0, broken ? 5 : 0);
       }},
      {Rule::fmt01,
       [](History& h, bool broken) {
         h.ready(0);
         h.ready(1);
         announce_formats(h, 0);
         h.run(0, 0, admin_entry(0x80, 1, 1));
         h.identify_ns(1, 1, two_formats(broken ? 0 : 1));
       }},
      {Rule::dst01,
       [](History& h, bool broken) {
         h.ready(0);
         announce_formats(h, 0);
         h.run(0, 0, admin_entry(0x14, 0, 2));
         h.run(0, 0, log_entry(0x06, 564), {.data = self_test_log(2, 0x0F)});
         h.run(0, 0, admin_entry(0x14, 0, 0xF));
         h.run(0, 0, log_entry(0x06, 564), {.data = self_test_log(0, broken ? 0x0F : 0x21)});
       }},
      {Rule::san01,
       [](History& h, bool broken) {
         h.ready(0);
         h.ready(1);
         announce_sanitize(h, 0);
         h.run(0, 0, admin_entry(0x84, 0, 2));
         if (broken) h.read(1, 1, 0, 0);
         h.complete(h.start_read(0, 1, 0), {.status = Status::sanitize_in_progress});
       }},
      {Rule::san02,
       [](History& h, bool broken) {
         h.ready(0);
         announce_sanitize(h, 0);
         h.run(0, 0, admin_entry(0x84, 0, 2));
         h.run(0, 0, log_entry(0x81, 512), {.data = sanitize_log(0x10, 2, broken ? 3 : 2)});
       }},
      {Rule::liv15,
       [](History& h, bool broken) {
         h.ready(0);
         announce_sanitize(h, 0);
         h.run(0, 0, admin_entry(0x84, 0, 2));
         h.run(0, 0, log_entry(0x81, 512), {.data = sanitize_log(0x10, 2, 2)});
         h.run(0, 0, log_entry(0x81, 512), {.data = sanitize_log(broken ? 0x0F : 0x11, 2, 2)});
       }},
      {Rule::ae19,
       [](History& h, bool broken) {
         h.ready(0);
         h.ready(1);
         announce_sanitize(h, 0);
         const std::uint16_t c = broken ? 1 : 0;
         const auto request = h.start(c, 0, admin_entry(0x0C));
         h.run(0, 0, admin_entry(0x84, 0, 2));
         h.complete(request, {.dw0 = 0x00810106});
       }},
      {Rule::fw01,
       [](History& h, bool broken) {
         h.enable(0);
         h.enable(1);
         announce_firmware(h, 0, "OLD     ");
         announce_firmware(h, 1, "OLD     ");
         h.run(0, 0, log_entry(0x03, 512), {.data = firmware_log(1, "OLD     ", "NEW     ")});
         h.run(0, 0, admin_entry(0x10, 0, 2U | 2U << 3U));
         h.disable(0);
         h.enable(0);
         h.run(1, 0, log_entry(0x03, 512), {.data = firmware_log(broken ? 1 : 2, "OLD     ", "NEW     ")});
       }},
      {Rule::fw02,
       [](History& h, bool broken) {
         h.enable(0);
         h.enable(1);
         announce_firmware(h, 0, "OLD     ");
         announce_firmware(h, 1, broken ? "NEW     " : "OLD     ");
       }},
      {Rule::fw03,
       [](History& h, bool broken) {
         h.enable(0);
         announce_firmware(h, 0, "OLD     ");
         h.set_feature(0, 0x0B, broken ? 0 : 0x200);
         const auto request = h.start(0, 0, admin_entry(0x0C));
         h.run(0, 0, admin_entry(0x10, 0, 2U | 3U << 3U));
         h.complete(request, {.dw0 = 0x00030102});
       }},
      {Rule::lba01,
       [](History& h, bool broken) {
         h.ready(0);
         h.identify(0, [](auto& id) {
           id.oacs |= spec::oacs::get_lba_status;
           id.oncs |= spec::oncs::write_uncorrectable;
         });
         h.run(0, 1, io_entry(0x04, 1, 5));
         auto entry = admin_entry(0x86, 1, 0);
         entry.cdw12 = 7;
         entry.cdw13 = 0x11000000;
         std::vector<std::byte> list(32);
         list[0] = std::byte{1};
         list[4] = std::byte{2};
         list[8] = broken ? std::byte{6} : std::byte{5};
         list[16] = std::byte{1};
         h.run(0, 0, entry, {.data = list});
       }},
      {Rule::log04,
       [](History& h, bool broken) {
         h.ready(0);
         h.identify(0, [](auto& id) { id.lpa |= spec::kLpaTelemetry; });
         const auto log = [](std::uint8_t generation) {
           std::vector<std::byte> out(512);
           out[0] = std::byte{7};
           out[380] = std::byte{1};
           out[381] = std::byte{generation};
           return out;
         };
         auto capture = log_entry(0x07, 512);
         capture.cdw10 |= spec::telemetry::create;
         h.run(0, 0, log_entry(0x07, 512), {.data = log(4)});
         h.run(0, 0, capture, {.data = log(broken ? 4 : 5)});
       }},
      {Rule::log03,
       [](History& h, bool broken) {
         h.ready(0);
         std::vector<std::uint32_t> features(256);
         for (const std::size_t fid : {1U, 2U, 7U, 0x0BU}) features[fid] = 1U << 21U | 1U;
         features[5] = (broken ? 1U << 21U : 1U << 20U) | 1U;
         h.run(0, 0, log_entry(0x12, 1024), {.data = list_bytes(features)});
       }},
  };
  return kCases;
}

Monitor told(const Case& c, bool broken) {
  History h(c.layout);
  c.story(h, broken);
  return h.judge(h.now() + c.observed);
}

std::string findings_text(const Monitor& monitor) {
  std::string out;
  for (const auto& f : monitor.findings()) {
    out += std::string(row_of(f.rule).id) + ": " + f.summary + "\n  allowed " + f.allowed + "\n  seen " +
           f.seen + "\n";
  }
  return out;
}

class EveryRule : public ::testing::TestWithParam<std::size_t> {};

TEST_P(EveryRule, IsExercisedByALawfulHistory) {
  const Case& c = cases()[GetParam()];
  const Monitor monitor = told(c, false);
  EXPECT_TRUE(monitor.findings().empty()) << findings_text(monitor);
  EXPECT_GT(monitor.statistics(c.rule).exercised, 0U);
  EXPECT_NE(monitor.verdict(), Verdict::violation);
}

TEST_P(EveryRule, IsBrokenByTheSameHistoryWithOneThingWrong) {
  const Case& c = cases()[GetParam()];
  const Monitor monitor = told(c, true);
  const auto found = std::find_if(monitor.findings().begin(), monitor.findings().end(),
                                  [&](const Finding& f) { return f.rule == c.rule; });
  ASSERT_NE(found, monitor.findings().end()) << "found instead:\n" << findings_text(monitor);
  EXPECT_FALSE(found->summary.empty());
  EXPECT_FALSE(found->allowed.empty());
  EXPECT_FALSE(found->seen.empty());
  EXPECT_EQ(found->summary.find('\n'), std::string::npos);
  EXPECT_FALSE(found->events.empty());
  EXPECT_EQ(monitor.verdict(), row_of(c.rule).scope == Scope::hazard ? Verdict::pass : Verdict::violation);
}

INSTANTIATE_TEST_SUITE_P(Table, EveryRule, ::testing::Range<std::size_t>(0, cases().size()),
                         [](const auto& param) {
                           std::string name(row_of(cases()[param.param].rule).id);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(RuleTable, EveryRuleHasAHistoryThatBreaksIt) {
  for (const auto& row : rules()) {
    const auto count =
        std::count_if(cases().begin(), cases().end(), [&](const Case& c) { return c.rule == row.rule; });
    EXPECT_EQ(count, 1) << row.id;
  }
}

TEST(RuleTable, IdentifiersAreUniqueAndNameTheirRule) {
  for (const auto& row : rules()) {
    EXPECT_EQ(find_rule(row.id), &row);
    EXPECT_FALSE(row.area.empty());
    EXPECT_FALSE(row.title.empty());
  }
  EXPECT_EQ(find_rule("INV-X-1"), nullptr);
}

}  // namespace
}  // namespace polypath::model
