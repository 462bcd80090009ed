// The least a host needs to try a device: memory, rings, and a call that waits for its completion. Not the
// host room, so that device tests stand on their own.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <optional>
#include <vector>

#include "device/device.h"
#include "spec/identify.h"
#include "spec/registers.h"

namespace polypath::device {

class LoneHost : public ::testing::Test {
 protected:
  struct Result {
    spec::CompletionEntry entry;
    std::vector<std::byte> data;
    spec::Status status() const { return entry.status(); }
  };
  struct Rings {
    std::uint64_t sq = 0, cq = 0;
    std::uint32_t entries = 0, tail = 0, head = 0;
    bool phase = true;
  };

  // Three controllers and a private one as in the seed, namespaces 1 (shared), 2 (private to c2) and 4
  // (detached).
  void build(const char* profile = "spec") {
    program::Topology topology;
    topology.subsystems.push_back({"subsys0", "nqn.2019-08.org.qemu:subsys0", false});
    for (std::uint16_t k = 0; k < 3; ++k) {
      program::ControllerSpec c;
      c.id = "nvme" + std::to_string(k);
      c.serial = "foo";
      c.cntlid = k;
      topology.controllers.push_back(c);
    }
    const auto ns = [&](std::uint32_t nsid, bool shared, std::int32_t bus, bool detached) {
      program::NamespaceSpec n;
      n.id = "ns" + std::to_string(nsid);
      n.nsid = nsid;
      n.bytes = 1 << 20;
      n.shared = shared;
      n.bus = bus;
      n.detached = detached;
      topology.namespaces.push_back(n);
    };
    ns(1, true, -1, false);
    ns(2, false, 2, false);
    ns(4, true, -1, true);
    build(profile, topology);
  }
  /// Of three controllers.
  void build(const char* profile, const program::Topology& topology) {
    trace_.header = {}, observers_.clear(), functions_.clear(), rings_.clear(), blocks_ = {};
    trace_.header.subsystems = {topology.subsystems[0].nqn};
    for (const auto& c : topology.controllers) {
      trace::ControllerHeader row;
      row.name = c.id;
      trace_.header.controllers.push_back(row);
    }
    device_ = make_device(topology, *find_profile(profile));
    for (std::uint16_t k = 0; k < 3; ++k) observers_.emplace_back(k);
    for (std::uint16_t k = 0; k < 3; ++k) functions_.push_back({&memory_, &observers_[k], &blocks_});
    rings_.resize(3);
  }
  void SetUp() override { build(); }

  Surroundings world() { return {engine_, trace_, functions_}; }
  void write(std::uint32_t c, std::uint32_t offset, std::uint64_t value, unsigned bytes = 4) {
    observers_[c].register_write(world().scene(c), offset, value, bytes);
    write_register(device_, world(), c, offset, value, bytes);
  }
  std::uint32_t csts(std::uint32_t c) {
    return static_cast<std::uint32_t>(read_register(device_, c, spec::reg::csts, 4));
  }
  void run(engine::Time until = engine::kForever) {
    engine::Event event;
    while (engine_.next(event, until)) {
      if (event.what == static_cast<std::uint16_t>(What::message)) {
        messages_.push_back({event.whom, event.arg});
      } else {
        handle(device_, world(), event);
      }
    }
  }
  Rings make_rings(std::uint32_t entries) {
    Rings r;
    r.entries = entries;
    r.sq = memory_.allocate(std::uint64_t{64} * entries);
    r.cq = memory_.allocate(std::uint64_t{16} * entries);
    return r;
  }
  void enable(std::uint32_t c, std::uint32_t entries = 16, std::uint32_t cc = 0x00460001) {
    rings_[c].assign(1, make_rings(entries));
    const Rings& admin = rings_[c][0];
    write(c, spec::reg::aqa, std::uint64_t{entries - 1} << 16U | (entries - 1));
    write(c, spec::reg::asq, admin.sq, 8);
    write(c, spec::reg::acq, admin.cq, 8);
    write(c, spec::reg::cc, cc);
    run();
  }
  void put(std::uint32_t c, std::uint16_t qid, spec::SubmissionEntry entry) {
    Rings& r = rings_[c][qid];
    memory_.write_value(r.sq + std::uint64_t{64} * r.tail, entry);
    r.tail = (r.tail + 1) % r.entries;
  }
  void ring(std::uint32_t c, std::uint16_t qid) { write(c, spec::sq_doorbell(qid, 0), rings_[c][qid].tail); }
  /// Takes one completion of a queue, if one is there.
  std::optional<spec::CompletionEntry> take(std::uint32_t c, std::uint16_t qid) {
    Rings& r = rings_[c][qid];
    spec::CompletionEntry entry;
    memory_.read_value(r.cq + std::uint64_t{16} * r.head, entry);
    if (entry.phase() != r.phase) return std::nullopt;
    r.head = (r.head + 1) % r.entries;
    if (r.head == 0) r.phase = !r.phase;
    write(c, spec::cq_doorbell(qid, 0), r.head);
    return entry;
  }
  /// Submits one command with a data buffer, lets the world settle, and takes the completion with its CID.
  Result submit(std::uint32_t c, std::uint16_t qid, spec::SubmissionEntry entry,
                std::vector<std::byte> data = {}, std::uint32_t bytes = 0) {
    bytes = std::max<std::uint32_t>(bytes, static_cast<std::uint32_t>(data.size()));
    entry.cid = next_cid_++;
    if (bytes != 0) {
      entry.prp1 = memory_.allocate(bytes);
      if (bytes > 4096) entry.prp2 = entry.prp1 + 4096;
      memory_.write(entry.prp1, data);
    }
    put(c, qid, entry);
    ring(c, qid);
    run();
    Result result;
    while (auto done = take(c, qid)) {
      if (done->cid == entry.cid) {
        result.entry = *done;
        result.data.resize(bytes);
        memory_.read(entry.prp1, result.data);
        return result;
      }
      stray_.push_back(*done);
    }
    ADD_FAILURE() << "no completion for opcode " << unsigned{entry.opcode};
    return result;
  }
  static spec::SubmissionEntry command(std::uint8_t opcode, std::uint32_t nsid = 0, std::uint32_t cdw10 = 0,
                                       std::uint32_t cdw11 = 0, std::uint32_t cdw12 = 0) {
    spec::SubmissionEntry entry;
    entry.opcode = opcode;
    entry.nsid = nsid;
    entry.cdw10 = cdw10;
    entry.cdw11 = cdw11;
    entry.cdw12 = cdw12;
    return entry;
  }
  Result admin(std::uint32_t c, std::uint8_t opcode, std::uint32_t nsid = 0, std::uint32_t cdw10 = 0,
               std::uint32_t cdw11 = 0, std::vector<std::byte> data = {}) {
    const bool moves = opcode == 0x06 || opcode == 0x02 || opcode == 0x15 || opcode == 0x0D || opcode == 0x09;
    return submit(c, 0, command(opcode, nsid, cdw10, cdw11), std::move(data), moves ? 4096 : 0);
  }
  Result identify(std::uint32_t c, spec::Cns cns, std::uint32_t nsid = 0) {
    return admin(c, 0x06, nsid, static_cast<std::uint32_t>(cns));
  }
  std::vector<std::uint32_t> list(std::uint32_t c, spec::Cns cns = spec::Cns::active_list,
                                  std::uint32_t after = 0) {
    const Result result = identify(c, cns, after);
    std::vector<std::uint32_t> all(1024);
    std::memcpy(all.data(), result.data.data(), 4096);
    while (!all.empty() && all.back() == 0) all.pop_back();
    return all;
  }
  Result attachment(std::uint32_t c, std::uint32_t nsid, unsigned select,
                    std::vector<std::uint16_t> cntlids) {
    std::vector<std::byte> data(4096);
    cntlids.insert(cntlids.begin(), static_cast<std::uint16_t>(cntlids.size()));
    std::memcpy(data.data(), cntlids.data(), 2 * cntlids.size());
    return admin(c, 0x15, nsid, select, 0, std::move(data));
  }
  Result create_cq(std::uint32_t c, std::uint16_t qid, std::uint32_t entries, std::uint16_t vector = 1) {
    if (qid >= rings_[c].size()) rings_[c].resize(qid + std::size_t{1});
    if (rings_[c][qid].sq == 0) rings_[c][qid] = make_rings(entries);
    auto entry = command(0x05, 0, (entries - 1) << 16U | qid, std::uint32_t{vector} << 16U | 3U);
    entry.prp1 = rings_[c][qid].cq;
    return submit(c, 0, entry);
  }
  Result create_sq(std::uint32_t c, std::uint16_t qid, std::uint32_t entries, std::uint16_t cqid) {
    if (qid >= rings_[c].size()) rings_[c].resize(qid + std::size_t{1});
    if (rings_[c][qid].sq == 0) rings_[c][qid] = make_rings(entries);
    auto entry = command(0x01, 0, (entries - 1) << 16U | qid, std::uint32_t{cqid} << 16U | 1U);
    entry.prp1 = rings_[c][qid].sq;
    return submit(c, 0, entry);
  }
  void queue_pair(std::uint32_t c, std::uint16_t qid = 1, std::uint32_t entries = 16) {
    ASSERT_EQ(create_cq(c, qid, entries).status(), spec::Status::success);
    ASSERT_EQ(create_sq(c, qid, entries, qid).status(), spec::Status::success);
  }
  Result io(std::uint32_t c, std::uint8_t opcode, std::uint32_t nsid, std::uint64_t lba, std::uint32_t blocks,
            std::vector<std::byte> data = {}) {
    const bool moves = opcode == 0x01 || opcode == 0x02 || opcode == 0x05;
    return submit(c, 1,
                  command(opcode, nsid, static_cast<std::uint32_t>(lba),
                          static_cast<std::uint32_t>(lba >> 32U), blocks - 1),
                  std::move(data), moves ? blocks * 512 : 0);
  }
  static std::vector<std::byte> bytes_of(std::uint8_t value, std::size_t count) {
    return std::vector<std::byte>(count, std::byte{value});
  }
  /// Enables events of namespace changes and leaves `requests` Asynchronous Event Requests outstanding.
  void arm(std::uint32_t c, unsigned requests = 1, std::uint32_t mask = 0x100) {
    EXPECT_EQ(admin(c, 0x09, 0, 0x0B, mask).status(), spec::Status::success);
    for (unsigned i = 0; i < requests; ++i) {
      auto entry = command(0x0C);
      entry.cid = static_cast<std::uint16_t>(0x8000 + i);
      put(c, 0, entry);
      ring(c, 0);
    }
    run();
  }
  /// Events that a controller reported since the last call.
  std::vector<std::uint32_t> events(std::uint32_t c) {
    std::vector<std::uint32_t> all;
    run();
    while (auto entry = take(c, 0)) all.push_back(entry->dw0);
    for (const auto& entry : stray_) {
      if (entry.cid >= 0x8000) all.push_back(entry.dw0);
    }
    stray_.clear();
    return all;
  }
  std::vector<std::uint32_t> changed(std::uint32_t c, bool retain = false) {
    const Result result = admin(c, 0x02, spec::kBroadcastNsid, 1023U << 16U | (retain ? 0x8000U : 0U) | 4U);
    std::vector<std::uint32_t> all(1024);
    std::memcpy(all.data(), result.data.data(), 4096);
    while (!all.empty() && all.back() == 0) all.pop_back();
    return all;
  }

  Device device_;
  engine::Engine engine_{7};
  trace::Trace trace_;
  port::HostMemory memory_;
  port::BlockSizes blocks_;
  std::vector<port::Observer> observers_;
  std::vector<Function> functions_;
  std::vector<std::vector<Rings>> rings_;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> messages_;
  std::vector<spec::CompletionEntry> stray_;
  std::uint16_t next_cid_ = 0;
};

}  // namespace polypath::device
