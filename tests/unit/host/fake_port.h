// Controllers made of nothing but what a host needs to be driven: written for these tests, apart from the
// simulated device, so that the host room is judged alone. A Lab is one host with several of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/host.h"
#include "port/port.h"

namespace polypath::host {

inline constexpr std::uint16_t kFakeCompletion = 1;  ///< engine event: whom controller, arg its reset count
inline constexpr std::uint16_t kFakeReady = 2;

/// A namespace of a fake subsystem. Its blocks are shared by all controllers that show it.
struct FakeNamespace {
  std::array<std::uint8_t, 16> uuid{};
  std::uint64_t blocks = 2048;
  std::uint64_t used = 2048;
  bool shared = true;
  std::uint16_t metadata_bytes = 0;
  std::uint8_t protection_type = 0;
  std::map<std::uint64_t, std::array<std::byte, 512>> data;
};

struct FakeCommand {
  std::uint16_t qid = 0;
  spec::SubmissionEntry entry;
};

class Lab;

class FakeController final : public port::Port {
 public:
  FakeController(Lab& lab, std::uint32_t index) : lab_(lab), index_(index) {}

  // What it announces.
  std::string serial, model = "QEMU NVMe Ctrl", firmware = "1.0", nqn;
  std::uint16_t cntlid = 0;
  std::uint8_t cmic = 2, mdts = 0, acl = 3, lpa = 0;
  std::uint16_t oacs = 8, mqes = 63, table_vectors = 5, granted_queues = 64;
  std::uint32_t oaes = 0x100;
  std::array<std::uint16_t, 3> crdt{};
  std::map<std::uint8_t, std::uint32_t> effects;  ///< of admin commands, shown when lpa has bit 1
  std::map<std::uint32_t, std::shared_ptr<FakeNamespace>> namespaces;  ///< attached, by NSID

  // How it misbehaves.
  bool never_ready = false;     ///< CSTS.RDY stays 0
  bool never_disabled = false;  ///< CSTS.RDY stays 1
  bool gone = false;            ///< registers read all ones, nothing is answered
  bool hold_io = false;         ///< I/O commands wait until release_held()
  bool silent = false;          ///< I/O commands are never answered
  bool lose_interrupts = false;
  bool abort_answers = true;                               ///< Abort ends its victim
  std::deque<std::uint16_t> io_statuses;                   ///< 15-bit statuses of the next I/O commands
  std::map<std::uint8_t, std::uint16_t> admin_status;      ///< 15-bit status of an admin opcode
  std::map<std::uint32_t, std::uint16_t> identify_status;  ///< of Identify, by CNS
  std::size_t duplicate_completions = 0;                   ///< the next so many entries are posted twice

  // What it has seen.
  std::uint32_t sq_doorbells = 0;  ///< writes of tail doorbell registers
  std::vector<FakeCommand> seen;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> writes;  ///< registers, doorbells left out
  std::uint32_t shn_when_written = 0;
  std::size_t illegal_doorbells = 0;  ///< rung while CC.EN was 0, or out of range

  std::uint64_t read_register(std::uint32_t offset, unsigned bytes) override;
  void write_register(std::uint32_t offset, std::uint64_t value, unsigned bytes) override;
  port::HostMemory& memory() override;
  void mask_vector(std::uint16_t, bool) override {}
  std::uint16_t vectors() const override { return table_vectors; }

  void handle(const engine::Event& event);
  void release_held();
  /// Completes the event request, if one waits.
  bool raise(std::uint32_t dw0);
  bool event_request_waits() const { return event_request_ >= 0; }
  std::size_t held() const { return held_.size(); }
  /// Commands seen with this opcode on the Admin queue (or the I/O queues).
  std::size_t count(bool admin, std::uint8_t opcode) const;
  std::vector<std::string> admin_log() const;

 private:
  struct Ring {
    std::uint64_t base = 0;
    std::uint32_t entries = 0, head = 0, tail = 0;
    bool phase = true;
    std::uint16_t cq = 0, vector = 0;
  };
  struct Done {
    std::uint16_t qid = 0, cid = 0, status = 0;
    std::uint32_t dw0 = 0;
  };
  void fetch(std::uint16_t qid);
  void admin_command(const spec::SubmissionEntry& entry);
  void io_command(std::uint16_t qid, const spec::SubmissionEntry& entry);
  void identify(const spec::SubmissionEntry& entry);
  void to_host(const spec::SubmissionEntry& entry, const void* data, std::size_t bytes);
  void complete(std::uint16_t qid, std::uint16_t cid, std::uint16_t status, std::uint32_t dw0 = 0);
  void post(const Done& done);
  void reset();

  Lab& lab_;
  std::uint32_t index_;
  std::uint64_t doorbells_ = 0, event_indexes_ = 0;  ///< pages of Doorbell Buffer Config
  std::uint32_t cc_ = 0, csts_ = 0, aqa_ = 0, resets_ = 0;
  std::uint64_t asq_ = 0, acq_ = 0;
  std::map<std::uint16_t, Ring> sqs_, cqs_;
  std::deque<Done> due_;
  std::deque<FakeCommand> held_;
  std::vector<FakeCommand> unanswered_;
  std::int32_t event_request_ = -1;
};

/// One host, its memory, fake controllers and the engine between them.
class Lab {
 public:
  explicit Lab(std::size_t controllers, program::HostSpec spec = {});

  engine::Engine engine;
  trace::Trace trace;
  port::HostMemory memory;
  Hosts hosts;
  std::vector<std::unique_ptr<FakeController>> controllers;
  std::vector<Outcome> outcomes;                         ///< all that ended, in order
  std::map<std::uint32_t, std::vector<std::byte>> data;  ///< by request, of those that brought some

  FakeController& operator[](std::size_t k) { return *controllers[k]; }
  Surroundings world() { return {engine, trace, ports_}; }

  /// Adds the controllers to the host in this order; all of them, by number, when empty.
  void wire(std::vector<std::uint32_t> order = {});
  /// Attaches one namespace to some controllers.
  std::shared_ptr<FakeNamespace> attach(std::uint32_t nsid, const std::vector<std::size_t>& to,
                                        bool shared = true);
  void start() { hosts.start(world(), 0); }
  /// Probes everything and waits until the host has settled.
  void bring_up();
  /// Handles one event; false when none is left before `until`.
  bool step(Time until = engine::kForever);
  void run_for(Time duration);
  /// Runs until the request has ended; its outcome.
  Outcome wait(std::uint32_t request);
  const Outcome* outcome(std::uint32_t request) const;
  void drain();

  std::uint32_t read(std::uint32_t nsid, std::uint64_t lba, std::uint32_t blocks = 8);
  std::uint32_t write(std::uint32_t nsid, std::uint64_t lba, std::uint32_t blocks, std::byte fill);
  /// Controllers that took the requests so far, in order (from the trace).
  std::vector<std::uint32_t> paths_chosen() const;
  std::size_t inside(trace::Inside kind) const;
  std::size_t boundary(trace::Boundary kind) const;
  const Head& head(std::uint32_t nsid) const { return *hosts.head(0, 0, nsid); }

 private:
  std::vector<port::Port*> ports_;
  program::HostSpec spec_;
};

/// The NS attribute notice that announces the Changed Namespace List log.
inline constexpr std::uint32_t kNamespaceEvent = 0x00040002;

}  // namespace polypath::host
