#include "fake_port.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "port/prp.h"
#include "spec/identify.h"
#include "spec/registers.h"

namespace polypath::host {

std::uint64_t FakeController::read_register(std::uint32_t offset, unsigned bytes) {
  if (gone) return bytes == 8 ? ~std::uint64_t{0} : 0xFFFFFFFF;
  switch (offset) {
    case spec::reg::cap: {
      std::uint64_t cap = spec::cap::mqes.put(0, mqes);
      cap = spec::cap::to.put(cap, 1);  // 500 ms
      cap = spec::cap::cqr.put(cap, 1);
      return spec::cap::css.put(cap, 1);
    }
    case spec::reg::cc:
      return cc_;
    case spec::reg::csts:
      return csts_;
    default:
      return 0;
  }
}

void FakeController::write_register(std::uint32_t offset, std::uint64_t value, unsigned) {
  if (gone) return;
  if (offset >= spec::reg::doorbells) {
    const auto qid = static_cast<std::uint16_t>((offset - spec::reg::doorbells) / 8);
    const bool completion = (offset - spec::reg::doorbells) % 8 != 0;
    auto& rings = completion ? cqs_ : sqs_;
    if ((csts_ & 1U) == 0 || (cc_ & 1U) == 0 || !rings.contains(qid) || value >= rings[qid].entries) {
      ++illegal_doorbells;
      return;
    }
    if (completion) {
      rings[qid].head = static_cast<std::uint32_t>(value);
    } else {
      ++sq_doorbells;
      rings[qid].tail = static_cast<std::uint32_t>(value);
      fetch(qid);
    }
    return;
  }
  writes.emplace_back(offset, value);
  const auto word = static_cast<std::uint32_t>(value);
  switch (offset) {
    case spec::reg::aqa:
      aqa_ = word;
      break;
    case spec::reg::asq:
      asq_ = value;
      break;
    case spec::reg::acq:
      acq_ = value;
      break;
    case spec::reg::cc: {
      const bool was = (cc_ & 1U) != 0, is = (word & 1U) != 0;
      cc_ = word;
      if (was && !is) reset();
      if (was != is && !(is && never_ready) && !(!is && never_disabled)) {
        lab_.engine.schedule(lab_.engine.now() + 100, kFakeReady, index_, resets_);
      }
      if (const auto shn = spec::cc::shn.get(word); shn != 0) {
        shn_when_written = static_cast<std::uint32_t>(shn);
        csts_ = static_cast<std::uint32_t>(spec::csts::shst.put(csts_, 2));
      }
      break;
    }
    default:
      break;
  }
}

port::HostMemory& FakeController::memory() { return lab_.memory; }

void FakeController::reset() {
  ++resets_;
  due_.clear();
  held_.clear();
  unanswered_.clear();
  event_request_ = -1;
  sqs_.clear();
  cqs_.clear();
  doorbells_ = event_indexes_ = 0;
}

void FakeController::handle(const engine::Event& event) {
  if (event.arg != resets_ || gone) return;
  if (event.what == kFakeReady) {
    csts_ = cc_ & 1U;
    if (csts_ != 0) {
      sqs_[0] = {asq_, (aqa_ & 0xFFFU) + 1, 0, 0, true, 0, 0};
      cqs_[0] = {acq_, (aqa_ >> 16U & 0xFFFU) + 1, 0, 0, true, 0, 0};
    }
    return;
  }
  const Done done = due_.front();
  due_.pop_front();
  post(done);
}

void FakeController::fetch(std::uint16_t qid) {
  Ring& sq = sqs_[qid];
  if (qid != 0 && doorbells_ != 0) lab_.memory.read_value(doorbells_ + std::uint64_t{qid} * 8, sq.tail);
  while (sq.head != sq.tail) {
    spec::SubmissionEntry entry;
    lab_.memory.read_value(sq.base + sq.head * sizeof entry, entry);
    sq.head = (sq.head + 1) % sq.entries;
    seen.push_back({qid, entry});
    if (qid != 0 && doorbells_ != 0 && sq.head == sq.tail) {  // looks no further, and looks once more
      const std::uint64_t at = std::uint64_t{qid} * 8;
      lab_.memory.write_value(event_indexes_ + at, sq.tail);
      lab_.memory.read_value(doorbells_ + at, sq.tail);
    }
    if (qid == 0) {
      admin_command(entry);
    } else if (silent) {
      unanswered_.push_back({qid, entry});
    } else if (hold_io) {
      held_.push_back({qid, entry});
    } else {
      io_command(qid, entry);
    }
  }
}

void FakeController::release_held() {
  std::deque<FakeCommand> commands;
  commands.swap(held_);
  for (const FakeCommand& command : commands) io_command(command.qid, command.entry);
}

bool FakeController::raise(std::uint32_t dw0) {
  if (event_request_ < 0) return false;
  complete(0, static_cast<std::uint16_t>(event_request_), 0, dw0);
  event_request_ = -1;
  return true;
}

void FakeController::admin_command(const spec::SubmissionEntry& entry) {
  if (const auto status = admin_status.find(entry.opcode); status != admin_status.end()) {
    return complete(0, entry.cid, status->second);
  }
  const auto qid = static_cast<std::uint16_t>(entry.cdw10);
  const std::uint32_t entries = (entry.cdw10 >> 16U) + 1;
  switch (entry.opcode) {
    case 0x00:
      sqs_.erase(qid);
      return complete(0, entry.cid, 0);
    case 0x04:
      cqs_.erase(qid);
      return complete(0, entry.cid, 0);
    case 0x01:
      sqs_[qid] = {entry.prp1, entries, 0, 0, true, static_cast<std::uint16_t>(entry.cdw11 >> 16U), 0};
      break;
    case 0x05:
      cqs_[qid] = {entry.prp1, entries, 0, 0, true, 0, static_cast<std::uint16_t>(entry.cdw11 >> 16U)};
      break;
    case 0x02: {
      std::array<std::uint8_t, 4096> log{};
      if ((entry.cdw10 & 0xFFU) == 5) {
        for (const auto& [opcode, effect] : effects)
          std::memcpy(log.data() + std::size_t{4} * opcode, &effect, 4);
      }
      const std::size_t bytes = ((entry.cdw10 >> 16U) + 1) * std::size_t{4};
      to_host(entry, log.data(), std::min(bytes, log.size()));
      break;
    }
    case 0x06:
      if (const auto status = identify_status.find(entry.cdw10 & 0xFFU); status != identify_status.end()) {
        return complete(0, entry.cid, status->second);
      }
      identify(entry);
      break;
    case 0x08: {
      const auto victim =
          std::find_if(unanswered_.begin(), unanswered_.end(), [&](const FakeCommand& command) {
            return command.qid == qid && command.entry.cid == entry.cdw10 >> 16U;
          });
      if (victim == unanswered_.end() || !abort_answers) return complete(0, entry.cid, 0, 1);
      complete(qid, victim->entry.cid, static_cast<std::uint16_t>(spec::Status::abort_requested));
      unanswered_.erase(victim);
      break;
    }
    case 0x09:
      if ((entry.cdw10 & 0xFFU) == 7) {
        const std::uint32_t granted = granted_queues - 1U;
        return complete(0, entry.cid, 0, granted << 16U | granted);
      }
      break;
    case 0x7C:
      doorbells_ = entry.prp1;
      event_indexes_ = entry.prp2;
      break;
    case 0x0C:
      event_request_ = entry.cid;
      return;
    default:
      break;
  }
  complete(0, entry.cid, 0);
}

void FakeController::to_host(const spec::SubmissionEntry& entry, const void* data, std::size_t bytes) {
  std::vector<port::Range> ranges;
  ASSERT_TRUE(port::walk_prps(lab_.memory, entry.prp1, entry.prp2, bytes, ranges));
  const auto* from = static_cast<const std::byte*>(data);
  for (const port::Range& range : ranges) {
    lab_.memory.write(range.address, {from, range.bytes});
    from += range.bytes;
  }
}

void FakeController::identify(const spec::SubmissionEntry& entry) {
  const auto ns = namespaces.find(entry.nsid);
  switch (static_cast<spec::Cns>(entry.cdw10 & 0xFFU)) {
    case spec::Cns::controller: {
      spec::IdentifyController data{};
      const auto put = [](auto& field, const std::string& text) {
        std::fill(field.begin(), field.end(), ' ');
        std::copy(text.begin(), text.end(), field.begin());
      };
      put(data.sn, serial), put(data.mn, model), put(data.fr, firmware);
      std::copy(nqn.begin(), nqn.end(), data.subnqn.begin());
      data.cntlid = cntlid, data.cmic = cmic, data.mdts = mdts, data.acl = acl, data.lpa = lpa,
      data.oacs = oacs, data.oaes = oaes;
      data.crdt = crdt;
      return to_host(entry, &data, sizeof data);
    }
    case spec::Cns::active_list: {
      std::array<std::uint32_t, 1024> list{};
      std::size_t at = 0;
      for (auto it = namespaces.upper_bound(entry.nsid); it != namespaces.end() && at < list.size(); ++it) {
        list[at++] = it->first;
      }
      return to_host(entry, list.data(), sizeof list);
    }
    case spec::Cns::ns_descriptors: {
      std::array<std::uint8_t, 4096> data{};
      if (ns != namespaces.end()) {
        data[0] = static_cast<std::uint8_t>(spec::NidType::uuid), data[1] = 16;
        std::copy(ns->second->uuid.begin(), ns->second->uuid.end(), data.begin() + 4);
      }
      return to_host(entry, data.data(), data.size());
    }
    case spec::Cns::ns: {
      spec::IdentifyNamespace data{};
      if (ns != namespaces.end()) {
        data.nsze = data.ncap = ns->second->blocks;
        data.nuse = ns->second->used;
        data.nmic = ns->second->shared ? 1 : 0;
        data.lbaf[0] = 9U << 16U | ns->second->metadata_bytes;
        data.dps = ns->second->protection_type;
      }
      return to_host(entry, &data, sizeof data);
    }
    default:
      FAIL() << "no such CNS in the fake";
  }
}

void FakeController::io_command(std::uint16_t qid, const spec::SubmissionEntry& entry) {
  if (!io_statuses.empty()) {
    const std::uint16_t status = io_statuses.front();
    io_statuses.pop_front();
    if (status != 0) return complete(qid, entry.cid, status);
  }
  const auto found = namespaces.find(entry.nsid);
  if (found == namespaces.end()) {
    return complete(qid, entry.cid,
                    spec::kStatusDnr | static_cast<std::uint16_t>(spec::Status::invalid_field));
  }
  FakeNamespace& ns = *found->second;
  std::vector<port::Range> ranges;
  if (entry.opcode == 0x01 || entry.opcode == 0x02 || entry.opcode == 0x05) {
    const std::uint64_t bytes = std::uint64_t{entry.block_count()} * 512;
    EXPECT_TRUE(port::walk_prps(lab_.memory, entry.prp1, entry.prp2, bytes, ranges));
  }
  std::uint64_t lba = entry.slba();
  std::uint16_t status = 0;
  for (const port::Range& range : ranges) {
    for (std::uint64_t at = 0; at < range.bytes; at += 512, ++lba) {
      std::array<std::byte, 512> block{};
      if (entry.opcode == 0x02) {
        if (ns.data.contains(lba)) block = ns.data[lba];
        lab_.memory.write(range.address + at, block);
      } else {
        lab_.memory.read(range.address + at, block);
        if (entry.opcode == 0x01) ns.data[lba] = block;
        if (entry.opcode == 0x05 && ns.data[lba] != block) {
          status = static_cast<std::uint16_t>(spec::Status::compare_failure);
        }
      }
    }
  }
  complete(qid, entry.cid, status);
}

void FakeController::complete(std::uint16_t qid, std::uint16_t cid, std::uint16_t status, std::uint32_t dw0) {
  due_.push_back({qid, cid, status, dw0});
  lab_.engine.schedule(lab_.engine.now() + 1000, kFakeCompletion, index_, resets_);
}

void FakeController::post(const Done& done) {
  if (!sqs_.contains(done.qid)) return;
  const Ring& sq = sqs_[done.qid];
  Ring& cq = cqs_[sq.cq];
  const std::size_t times = duplicate_completions > 0 && done.qid != 0 ? 2 : 1;
  if (times == 2) --duplicate_completions;
  if (done.qid != 0 && doorbells_ != 0)
    lab_.memory.read_value(doorbells_ + std::uint64_t{done.qid} * 8 + 4, cq.head);
  for (std::size_t i = 0; i < times; ++i) {
    spec::CompletionEntry entry;
    entry.dw0 = done.dw0;
    entry.sqhd = static_cast<std::uint16_t>(sq.head);
    entry.sqid = done.qid;
    entry.cid = done.cid;
    entry.status_word = static_cast<std::uint16_t>(std::uint32_t{done.status} << 1U | (cq.phase ? 1U : 0U));
    lab_.memory.write_value(cq.base + cq.tail * sizeof entry, entry);
    cq.tail = (cq.tail + 1) % cq.entries;
    if (cq.tail == 0) cq.phase = !cq.phase;
    EXPECT_NE(cq.tail, cq.head) << "completion queue overflow";
  }
  if (!lose_interrupts || done.qid == 0) lab_.hosts.on_interrupt(lab_.world(), index_, cq.vector);
}

std::size_t FakeController::count(bool admin, std::uint8_t opcode) const {
  return static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), [&](const FakeCommand& command) {
    return (command.qid == 0) == admin && command.entry.opcode == opcode;
  }));
}

std::vector<std::string> FakeController::admin_log() const {
  std::vector<std::string> log;
  for (const FakeCommand& command : seen) {
    if (command.qid != 0) continue;
    const spec::SubmissionEntry& e = command.entry;
    switch (e.opcode) {
      case 0x06:
        log.push_back(fmt::format("identify cns={} nsid={}", e.cdw10 & 0xFFU, e.nsid));
        break;
      case 0x09:
        log.push_back(fmt::format("set_features fid={:#x} cdw11={:#x}", e.cdw10 & 0xFFU, e.cdw11));
        break;
      case 0x02:
        log.push_back(fmt::format("get_log lid={} bytes={}", e.cdw10 & 0xFFU, ((e.cdw10 >> 16U) + 1) * 4));
        break;
      case 0x05:
        log.push_back(fmt::format("create_cq {} vector={}", e.cdw10 & 0xFFFFU, e.cdw11 >> 16U));
        break;
      case 0x01:
        log.push_back(fmt::format("create_sq {} cq={}", e.cdw10 & 0xFFFFU, e.cdw11 >> 16U));
        break;
      case 0x00:
        log.push_back(fmt::format("delete_sq {}", e.cdw10));
        break;
      case 0x04:
        log.push_back(fmt::format("delete_cq {}", e.cdw10));
        break;
      case 0x0C:
        log.push_back("event_request");
        break;
      default:
        log.push_back(fmt::format("opcode {:#x} nsid={}", e.opcode, e.nsid));
        break;
    }
  }
  return log;
}

Lab::Lab(std::size_t count, program::HostSpec spec) : spec_(std::move(spec)) {
  for (std::size_t k = 0; k < count; ++k) {
    auto controller = std::make_unique<FakeController>(*this, static_cast<std::uint32_t>(k));
    controller->serial = fmt::format("serial{}", k);
    controller->nqn = "nqn.2019-08.org.qemu:subsys0";
    controller->cntlid = static_cast<std::uint16_t>(k);
    ports_.push_back(controller.get());
    controllers.push_back(std::move(controller));
  }
}

void Lab::wire(std::vector<std::uint32_t> order) {
  hosts.add_host(spec_);
  if (order.empty()) {
    for (std::uint32_t k = 0; k < controllers.size(); ++k) order.push_back(k);
  }
  for (const std::uint32_t k : order)
    hosts.add_path(0, k, fmt::format("nvme{}", k), fmt::format("0000:00:{:02x}.0", 6 + k));
}

std::shared_ptr<FakeNamespace> Lab::attach(std::uint32_t nsid, const std::vector<std::size_t>& to,
                                           bool shared) {
  auto ns = std::make_shared<FakeNamespace>();
  ns->uuid[0] = static_cast<std::uint8_t>(nsid);
  ns->uuid[1] = static_cast<std::uint8_t>(to.empty() ? 0 : to.front());
  ns->uuid[15] = 1;
  ns->shared = shared;
  for (const std::size_t k : to) controllers[k]->namespaces[nsid] = ns;
  return ns;
}

void Lab::bring_up() {
  if (hosts.state().hosts.empty()) wire();
  start();
  while (!hosts.settled(0)) ASSERT_TRUE(step()) << "nothing happens any more and the host has not settled";
}

bool Lab::step(Time until) {
  engine::Event event;
  if (!engine.next(event, until)) return false;
  if (event.what < 100) {
    controllers[event.whom]->handle(event);
  } else {
    hosts.handle(world(), event);
  }
  drain();
  return true;
}

void Lab::drain() {
  for (const Outcome& outcome : hosts.outcomes()) {
    for (const Outcome& earlier : outcomes)
      EXPECT_NE(earlier.request, outcome.request) << "a request ended twice";
    outcomes.push_back(outcome);
    std::vector<std::byte>& bytes = data[outcome.request];
    bytes.resize(outcome.bytes);
    memory.read(outcome.buffer, bytes);
  }
  hosts.clear_outcomes();
}

void Lab::run_for(Time duration) {
  const Time until = engine.now() + duration;
  while (step(until)) {
  }
}

const Outcome* Lab::outcome(std::uint32_t request) const {
  for (const Outcome& outcome : outcomes) {
    if (outcome.request == request) return &outcome;
  }
  return nullptr;
}

Outcome Lab::wait(std::uint32_t request) {
  drain();
  constexpr int kEventsMax = 1'000'000;  // a request that goes round for ever
  for (int events = 0; outcome(request) == nullptr; ++events) {
    if (events == kEventsMax || !step()) {
      ADD_FAILURE() << "request " << request << " never ended";
      return {};
    }
  }
  return *outcome(request);
}

std::uint32_t Lab::read(std::uint32_t nsid, std::uint64_t lba, std::uint32_t blocks) {
  IoSpec io;
  io.lba = lba;
  io.blocks = blocks;
  return hosts.submit_io(world(), 0, 0, nsid, io);
}

std::uint32_t Lab::write(std::uint32_t nsid, std::uint64_t lba, std::uint32_t blocks, std::byte fill) {
  IoSpec io;
  io.opcode = 0x01;
  io.lba = lba;
  io.blocks = blocks;
  io.fill = fill;
  return hosts.submit_io(world(), 0, 0, nsid, io);
}

std::vector<std::uint32_t> Lab::paths_chosen() const {
  std::vector<std::uint32_t> chosen;
  for (const trace::InsideEvent& event : trace.inside()) {
    if (event.kind == trace::Inside::path_chosen) chosen.push_back(event.c);
  }
  return chosen;
}

std::size_t Lab::inside(trace::Inside kind) const {
  const auto& events = trace.inside();
  return static_cast<std::size_t>(
      std::count_if(events.begin(), events.end(), [&](const auto& e) { return e.kind == kind; }));
}

std::size_t Lab::boundary(trace::Boundary kind) const {
  const auto& events = trace.events();
  return static_cast<std::size_t>(
      std::count_if(events.begin(), events.end(), [&](const auto& e) { return e.kind == kind; }));
}

}  // namespace polypath::host
